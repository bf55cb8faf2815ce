"""A server of a peer: a process group that is ended with the block, whatever happens in it."""

from __future__ import annotations

import asyncio
import http
import os
import signal
import socket
import urllib.request
from typing import TYPE_CHECKING, Final

from benchmarks.load_process import ProcessEnded, clean_environment, kill_group, until_orphaned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 15.0
_LOOK_EVERY_SECONDS: Final = 0.01
_ANSWER_SECONDS: Final = 1.0


class ServerProcess:
    """One server. Use as `async with`: it is ready when the block begins.

    `stop` is the signal that ends it in the order it likes. It is also sent when this process dies
    without a chance to end it, where the machine has setpriv (Debian always has). `setpriv` has
    further options of that program, for a server that must not be root.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        stop: signal.Signals = signal.SIGTERM,
        setpriv: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = [*until_orphaned(stop, *setpriv), *command]
        self._name = os.path.basename(command[0])  # noqa: PTH119 - a word of a command
        self._log = log
        self._ready = ready
        self._stop = stop
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**clean_environment(), **self._environment},
                start_new_session=True,  # Ctrl-C is for the parent, which ends this one in order
            )
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self._end(self._process, seconds=1.0)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        await self._end(self._process, seconds=_END_SECONDS)

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not self._ready():
                    if process.returncode is not None:
                        raise ProcessEnded(
                            f"{self._name} ended with code {process.returncode}: {self.log()}"
                        )
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except TimeoutError:
            raise ProcessEnded(
                f"{self._name} was not ready after {_READY_SECONDS:.0f} s: {self.log()}"
            ) from None

    async def _end(self, process: asyncio.subprocess.Process, *, seconds: float) -> None:
        try:
            if process.returncode is None:
                process.send_signal(self._stop)
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            kill_group(process.pid)
            await process.wait()
        finally:
            kill_group(process.pid)

    def log(self) -> str:
        """Return the end of what it logged."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return text.strip()[-1_500:] or "it said nothing"


def answers(url: str) -> bool:
    """Return whether a server on this machine answers there that all is well."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except OSError:
        return False


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
