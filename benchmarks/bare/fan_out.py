"""Streams recorded bytes to watchers, and has nothing else to do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Final

FAN_OUT: Final = "/bare.Bare/FanOut"
REPLAY: Final = "/bare.Bare/Replay"
_LENGTH_BYTES: Final = 4


class FanOut:
    """Streams recorded messages: to all who wait, once it is told to, or to whoever asks."""

    def __init__(self) -> None:
        self._begin = asyncio.Event()
        self._came = asyncio.Event()
        self._messages: list[bytes] = []
        self._waiting = 0

    def load(self, recording: Path) -> None:
        """Take what was recorded."""
        self._messages = read_recording(recording)

    async def begin(self, watchers: int) -> float:
        """Stream it once so many are there; returns when it began."""
        while self._waiting < watchers:
            self._came.clear()
            await self._came.wait()
        self._begin.set()
        self._begin = asyncio.Event()
        return time.monotonic()

    async def stream(self, _request: bytes, context: Any) -> None:
        """Serve one watcher when all begin."""
        begin = self._begin
        self._waiting += 1
        self._came.set()
        await begin.wait()
        self._waiting -= 1
        await self.replay(_request, context)

    async def replay(self, _request: bytes, context: Any) -> None:
        """Serve one watcher at once."""
        for message in self._messages:
            await context.write(message)


def read_recording(path: Path) -> list[bytes]:
    """Read messages, each behind its length."""
    data = path.read_bytes()
    messages, start = [], 0
    while start < len(data):
        begin = start + _LENGTH_BYTES
        start = begin + int.from_bytes(data[start:begin])
        messages.append(data[begin:start])
    return messages


def write_recording(path: Path, messages: list[bytes]) -> None:
    """Write messages, each behind its length."""
    path.write_bytes(
        b"".join(len(message).to_bytes(_LENGTH_BYTES) + message for message in messages)
    )
