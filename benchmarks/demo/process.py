"""The programs of the demonstration, each in a process of its own, ended by its id.

Each is started on a leash (leash.py), so that it dies with the demonstration, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0


class StoryError(Exception):
    """Something did not happen that had to; the sentence says what."""


class Program:
    """A program that runs, with what it says in a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, arguments: Sequence[str], log: Path) -> Program:
        """Start a Python module with its arguments."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "benchmarks.demo.leash", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "DEMO_PARENT": str(os.getpid())},
                start_new_session=True,  # Ctrl-C is for the demonstration, which ends them in order
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    def last_words(self, lines: int = 8) -> str:
        """Return the end of what it said."""
        said = self._log.read_text(errors="replace").strip().splitlines()
        return "\n".join(said[-lines:])

    async def kill(self) -> int:
        """End it with SIGKILL, which no program can hear or delay; returns its exit code."""
        if self.running:
            self._process.send_signal(signal.SIGKILL)
        return await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, with SIGTERM; returns its exit code."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            return await self.kill()


class Server:
    """An Interlock server on a folder; started again it has the same data and the same port."""

    def __init__(self, folder: Path, settings: Sequence[str]) -> None:
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._port_file = folder / "port"
        self._settings = tuple(settings)
        self._program: Program | None = None
        self.address = "127.0.0.1:0"

    @property
    def program(self) -> Program:
        """The process that serves."""
        assert self._program is not None, "start it first"
        return self._program

    @property
    def last_words(self) -> str:
        """Return the end of what it said."""
        return self._program.last_words() if self._program else "it was never started"

    async def start(self) -> None:
        """Start it and wait until it serves."""
        self._port_file.unlink(missing_ok=True)
        self._program = await Program.start(
            (
                "interlock_server",
                *("--listen", self.address, "--port-file", str(self._port_file)),
                *("--data-dir", str(self._data), *self._settings),
            ),
            self._log,
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not self._port_file.exists():
                    if not self._program.running:
                        raise StoryError("the server ended before it served")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise StoryError(f"the server did not serve within {_START_SECONDS:g} s") from None
        self.address = self._port_file.read_text().split()[0]


def environment_is_quiet() -> None:
    """Let no setting of the person at the terminal change what the demonstration shows."""
    for name in [name for name in os.environ if name.startswith("INTERLOCK_")]:
        del os.environ[name]
