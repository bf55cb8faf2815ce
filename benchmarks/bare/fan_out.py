"""Streams recorded bytes to watchers, and has nothing else to do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Final

FAN_OUT: Final = "/bare.Bare/FanOut"
_LENGTH_BYTES: Final = 4


class FanOut:
    """Streams recorded messages to everybody who waits, from when it is told to."""

    def __init__(self) -> None:
        self._begin = asyncio.Event()
        self._came = asyncio.Event()
        self._messages: list[bytes] = []
        self._waiting = 0

    async def begin(self, recording: Path, watchers: int) -> float:
        """Stream what was recorded once so many are there; returns when it began."""
        self._messages = read_recording(recording)
        while self._waiting < watchers:
            self._came.clear()
            await self._came.wait()
        self._begin.set()
        self._begin = asyncio.Event()
        return time.monotonic()

    async def stream(self, _request: bytes, context: Any) -> None:
        """Serve one watcher."""
        begin = self._begin
        self._waiting += 1
        self._came.set()
        await begin.wait()
        self._waiting -= 1
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
