"""A process that makes load or measures: started as a module, spoken to in lines of JSON.

Whoever starts one gives it a task in its first line. Its answers come line by line; when its input
ends it has to end. The other half, for the process itself, is at the bottom.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_LINE_MAX: Final = 64 << 20
_END_SECONDS: Final = 15.0
#: Settings of an operator must not change what is measured: of ours, and of the peers.
_FOREIGN: Final = ("INTERLOCK_", "PG", "ETCD_", "PREFECT_", "DBOS_", "PROCRASTINATE_")


class ProcessEnded(Exception):  # noqa: N818 - says what is
    """A process that was needed has ended; the sentence has its last words."""


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of what is measured."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "INTERLOCK_CONFIG": os.devnull}


def until_orphaned(stop: signal.Signals, *options: str) -> list[str]:
    """Return what to put before a command, so that it gets a signal when this process dies.

    Without setpriv, which Debian always has, it is nothing. `options` are further ones of setpriv.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        assert not options, "what needs them is started only where setpriv is"
        return []
    return [setpriv, "--pdeathsig", stop.name.removeprefix("SIG"), *options]


def kill_group(leader: int) -> None:
    """Kill a process that leads a group, and whoever it has left behind in it."""
    with suppress(ProcessLookupError):  # nobody is left, as it should be
        os.killpg(leader, signal.SIGKILL)


class LoadProcess:
    """One process. Use as `async with`: it is ended when the block ends."""

    def __init__(
        self,
        module: str,
        task: Mapping[str, Any],
        *,
        interpreter: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run `module` with this interpreter, by default our own, and these further settings."""
        self.module = module
        self._task = task
        self._interpreter = str(interpreter or sys.executable)
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None
        self._last_words: asyncio.Task[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *until_orphaned(signal.SIGKILL),
            *(self._interpreter, "-m", self.module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_MAX,
            env={**clean_environment(), **self._environment},
            start_new_session=True,  # Ctrl-C is for the parent, which ends this one in order
        )
        assert self._process.stderr is not None
        self._last_words = asyncio.create_task(self._process.stderr.read())
        await self.tell(self._task)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_SECONDS if error is None else 1.0):
                await process.wait()
        except TimeoutError:
            kill_group(process.pid)
            await process.wait()
        finally:
            kill_group(process.pid)

    @property
    def pid(self) -> int:
        """Its id."""
        assert self._process is not None
        return self._process.pid

    async def tell(self, message: Mapping[str, Any]) -> None:
        """Send it a line."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # its silence will be noticed by who listens
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()

    async def hear(self, *, timeout: float | None = None) -> dict[str, Any]:
        """Return its next line. Raises ProcessEnded, and TimeoutError if none came in time."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout):
            line = await self._process.stdout.readline()
        if not line:
            raise ProcessEnded(await self._obituary())
        heard: dict[str, Any] = json.loads(line)
        return heard

    async def _obituary(self) -> str:
        assert self._process is not None
        assert self._last_words is not None
        code = await self._process.wait()
        words = (await self._last_words).decode(errors="replace").strip()
        return f"{self.module} ended with code {code}: {words[-1_500:] or 'it said nothing'}"


# -- for the process itself -----------------------------------------------------------------------


def say(**message: Any) -> None:
    """Send a line to whoever started this process."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def orders() -> AsyncIterator[dict[str, Any]]:
    """Yield the lines of whoever started this process, until there are no more."""
    reader = asyncio.StreamReader(limit=_LINE_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def run(program: Coroutine[Any, Any, None]) -> None:
    """Run the program of this process, on uvloop where it is installed."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        asyncio.run(program)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(program)
