"""A connection to Redis that carries calls in bulk: hiredis packs them and reads the answers.

redis-py takes 10 to 25 µs of the client's processor time for a call, more than the server takes;
this takes 1 to 4 µs, and the rate is 1.2 to 1.5 times as high.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hiredis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self


class RedisConnection(asyncio.Protocol):
    """One connection; `ask` is used by one task at a time."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._answers: list[Any] = []
        self._expected = 0
        self._complete: asyncio.Future[None] | None = None
        self._transport: Any = None

    @classmethod
    async def open(cls, socket: str) -> Self:
        """Return a connection to the server with this socket."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(cls, socket)
        return connection

    async def ask(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send all calls and return all answers, in their order. Raises the first refusal."""
        self._answers, self._expected = [], len(calls)
        self._complete = asyncio.get_running_loop().create_future()
        self._transport.write(b"".join(map(hiredis.pack_command, calls)))
        await self._complete
        for answer in self._answers:
            if isinstance(answer, hiredis.ReplyError):
                raise answer
        return self._answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            self._answers.append(answer)
        if len(self._answers) == self._expected:
            assert self._complete is not None
            self._complete.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self._complete is not None and not self._complete.done():
            self._complete.set_exception(error or ConnectionResetError("Redis has hung up"))
