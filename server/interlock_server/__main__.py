"""The server's program: arguments to Config, Config to app, and how the process ends.

Exit codes: 0 after it was told to stop, 1 for a failure, 2 for wrong settings, 130 when it was told
twice.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import structlog

from interlock_server import app, logs
from interlock_server.config import ConfigError, load
from interlock_server.rpc.server import AddressInUse
from interlock_server.storage.directory import DataDirectoryInUse
from interlock_server.storage.port import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlock_server.config import Config

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
TOLD_TWICE: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; returns the exit code."""
    try:
        config, _ = load(sys.argv[1:] if argv is None else argv, os.environ)
    except ConfigError as error:
        return _say(str(error), USAGE)
    logs.configure(config.log_level, config.log_format)
    try:
        with asyncio.Runner(loop_factory=_loop_factory(config)) as runner:
            runner.run(_serve(config))
    except (DataDirectoryInUse, AddressInUse, JournalError, PermissionError) as error:
        return _say(str(error), FAILURE)
    except ConfigError as error:
        return _say(str(error), USAGE)
    except Exception as error:  # noqa: BLE001  the last place that can say what happened
        structlog.get_logger().critical("server_failed", exc_info=error)
        return FAILURE
    return OK


def _say(sentence: str, code: int) -> int:
    print(f"interlock serve: {sentence}", file=sys.stderr)  # noqa: T201  a command line program
    return code


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _told, stop)
    await app.serve(config, stop)


def _told(stop: asyncio.Event) -> None:
    """Stop in order; at once when told again."""
    if stop.is_set():
        os._exit(TOLD_TWICE)  # what was answered is durable, nothing else is promised
    stop.set()


def _loop_factory(config: Config) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if config.loop == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415  an extra
    except ImportError:
        if config.loop == "auto":
            return None
        raise ConfigError(
            "expected uvloop for --loop uvloop, but it is not installed; "
            "install interlock[speed], or use --loop asyncio"
        ) from None
    factory: Any = uvloop.new_event_loop
    return factory  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main())
