"""A server in a process of its own, started as an operator starts it.

It keeps its port and its data over restarts, so that clients find it again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

import grpc

if TYPE_CHECKING:
    from pathlib import Path

READY_S: Final = 30.0
END_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.02
#: Every channel of a test has connections of its own.
OWN_CONNECTION: Final = (("grpc.use_local_subchannel_pool", 1),)
#: A client that finds a restarted server at once.
QUICK_RECONNECT: Final = (
    *OWN_CONNECTION,
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
)


class ServerProcess:
    """`with ServerProcess(folder) as server:` serves on `server.address` until the block ends."""

    def __init__(self, folder: Path, *flags: str, environment: dict[str, str] | None = None):
        """Nothing runs before `start`; the folder gets data, port file and log."""
        self._folder = folder
        self._flags = flags
        self._environment = {**os.environ, "PYTHONWARNINGS": "ignore", **(environment or {})}
        self._listen = "127.0.0.1:0"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it serves; the same after a restart."""
        return self._listen

    @property
    def log(self) -> str:
        """What it has logged in all its lives."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None, "it was not started"
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it serves."""
        self._folder.mkdir(parents=True, exist_ok=True)
        port_file = self._folder / "port"
        port_file.unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "interlock_server", "--listen", self._listen),
                    *("--port-file", str(port_file), "--data-dir", str(self._folder / "data")),
                    *self._flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        deadline = time.monotonic() + READY_S
        while not port_file.exists():
            assert time.monotonic() < deadline, f"not ready in {READY_S} s:\n{self.log}"
            try:
                code = self._process.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"it ended with {code}:\n{self.log}")
        self._listen = port_file.read_text(encoding="utf-8").split()[0]
        return self

    def stop(self) -> int:
        """Tell it to stop; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Let it die where it stands."""
        return self._end(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> None:
        """End it and start it again, on the same port and data."""
        self._end(signal.SIGKILL if kill else signal.SIGTERM)
        self.start()

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None, "it does not run"
        process.send_signal(number)
        try:
            return process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it did not end in {END_S} s:\n{self.log}") from None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self.kill()

    def channel(self) -> grpc.Channel:
        """A blocking channel with a connection of its own."""
        return grpc.insecure_channel(self.address, options=QUICK_RECONNECT)

    def async_channel(self) -> grpc.aio.Channel:
        """An asyncio channel with a connection of its own."""
        return grpc.aio.insecure_channel(self.address, options=QUICK_RECONNECT)
