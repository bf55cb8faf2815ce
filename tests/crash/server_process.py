"""A real server in a process of its own, to be killed, stopped, continued and started again.

The address stays the same over all its lives, as it does for a server under a supervisor. What it
wrote to stderr is kept in `log`, over all lives. Waiting never blocks the test's event loop, which
is full of clients.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tests.support.real_time import until
from tests.support.sources import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SERVER: Final = ("-m", "interlock_server")
READY_S: Final = 30.0


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class ServerProcess:
    """One server: its folder, its address and its present life."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = SERVER,
        port: int | None = None,
        data: Path | None = None,
    ) -> None:
        """`settings` are flags of the server, `program` what Python runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"127.0.0.1:{port or free_port()}"
        self.data = data or folder / "data"
        self.lives = 0
        self._settings = tuple(settings)
        self._environment = dict(environment or {})
        self._program = tuple(program)
        self._prefixed = False
        self._port_file = folder / "port"
        self._log_file = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(
        self, *, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """Begin a life and return once it serves. RuntimeError if it ends before."""
        self.launch(prefix=prefix, environment=environment)
        await until(
            lambda: self._port_file.exists() or self.exit_code is not None,
            within=READY_S,
            what="the server serves",
        )
        if not self._port_file.exists():
            raise RuntimeError(f"the server ended with {self.exit_code}:\n{self.log[-2000:]}")

    def launch(
        self, *, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """Begin a life, and do not wait for it. `prefix` is a program that runs it."""
        assert self._process is None or self.exit_code is not None, "one life at a time"
        self._port_file.unlink(missing_ok=True)
        self._prefixed = bool(prefix)
        command = [
            *prefix,
            *(sys.executable, *self._program),
            *("--listen", self.address, "--port-file", str(self._port_file)),
            *("--data-dir", str(self.data)),
            *self._settings,
        ]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **self._environment, **(environment or {})},
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.lives += 1

    @property
    def exit_code(self) -> int | None:
        """How the present life ended; None while it lasts."""
        assert self._process is not None, "it was started"
        return self._process.poll()

    @property
    def log(self) -> str:
        """What it said, in all lives."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Process id, of the server itself also when another program runs it."""
        return int((self.data / "lock").read_text(encoding="ascii"))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        os.kill(self.pid, number)

    async def exited(self, *, within: float) -> int:
        """Wait for the end of this life; its exit code."""
        await until(lambda: self.exit_code is not None, within=within, what="the server ends")
        code = self.exit_code
        assert code is not None, "it has ended"
        return code

    def kill(self) -> None:
        """End this life with SIGKILL, at once; the program that runs it, if any, ends too."""
        if self._process is None or self.exit_code is not None:
            return
        if self._prefixed:
            with suppress(ProcessLookupError, ValueError, FileNotFoundError):
                self.send(signal.SIGKILL)
        self._process.kill()
        self._process.wait(timeout=10)

    async def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        await self.start()
