"""A server of our own for a measurement: its own process, on a temporary directory."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.load_process import ProcessEnded, clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

#: What is started: the server as it is.
PROGRAM: Final = ("-m", "interlock_server")
_READY_SECONDS: Final = 300.0
_END_SECONDS: Final = 30.0
_LOOK_EVERY_SECONDS: Final = 0.005


class OwnServer:
    """A server that runs while the block of `async with` does. Its data go with it.

    `directory` is where the temporary directory is made; by default where the system has them.
    `data` is copied and begun with. With `starts` of False it waits to be started.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        program: Sequence[str] = PROGRAM,
        settings: Sequence[str] = (),
        data: Path | None = None,
        starts: bool = True,
    ) -> None:
        self.address = ""
        self._program = program
        self._settings = settings
        self._begins_with = data
        self._starts = starts
        self._parent = directory
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(
            prefix="interlock-bench-", dir=self._parent, ignore_cleanup_errors=True
        )
        try:
            if self._begins_with is not None:
                shutil.copytree(self._begins_with, self.data)
            if self._starts:
                await self.start()
        except BaseException:
            await self._end_quietly()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._end_quietly()

    @property
    def data(self) -> Path:
        """Its data directory."""
        assert self._folder is not None
        return Path(self._folder.name) / "data"

    @property
    def pid(self) -> int:
        """Id of its process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, again if need be, and return when it serves."""
        assert self._folder is not None
        folder = Path(self._folder.name)
        port_file = folder / "address"
        port_file.unlink(missing_ok=True)
        with (folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self._program, "--listen", "127.0.0.1:0"),
                *("--data-dir", str(self.data), "--port-file", str(port_file)),
                *("--durability", "full", "--log-level", "warning", *self._settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                start_new_session=True,  # Ctrl-C is for the parent, which ends this one in order
            )
        async with asyncio.timeout(_READY_SECONDS):
            while not port_file.exists():
                if self._process.returncode is not None:
                    raise ProcessEnded(
                        f"the server ended with code {self._process.returncode}: {self.log()}"
                    )
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        self.address = port_file.read_text(encoding="utf-8").split()[0]

    def log(self) -> str:
        """Return the end of what it logged."""
        assert self._folder is not None
        text = (Path(self._folder.name) / "log").read_text(encoding="utf-8", errors="replace")
        return text.strip()[-1_500:] or "it said nothing"

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def _end_quietly(self) -> None:
        try:
            if self.runs:
                await self.stop()
        except asyncio.CancelledError:
            assert self._process is not None
            self._process.kill()
            raise
        finally:
            assert self._folder is not None
            self._folder.cleanup()


def cpu_seconds(pid: int) -> float:
    """Return how long a process has been on a processor, its threads together."""
    # What clock_getcpuclockid(3) makes of a process id; /proc tells it in hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """Return how much memory of a process is in use and not shared with others."""
    memory = psutil.Process(pid).memory_info()
    return int(memory.rss - memory.shared)
