"""A relay between clients and a server, whose connections a test can reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final, Self

_CHUNK: Final = 65_536
#: To close with a reset, whatever was said before.
_RESETS: Final = struct.pack("ii", 1, 0)


class Relay:
    """`async with Relay(server.address) as relay:` carries what is sent to `relay.address`."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self.address = ""
        #: What clients were sent.
        self.carried = b""

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._listener.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None, "it was entered"
        self._listener.close()
        await self.reset()

    async def reset(self) -> None:
        """Reset every connection, as a peer does that dies with something unread."""
        clients = [client for client in self._clients if not client.is_closing()]
        self._clients.clear()
        for client in clients:
            endpoint: socket.socket = client.get_extra_info("socket")
            endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            client.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in clients:
            await client.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        from_server, server = await asyncio.open_connection(self._host, int(self._port))
        self._clients.add(client)
        up = asyncio.create_task(self._carry(reader, server))
        down = asyncio.create_task(self._carry(from_server, client))
        for task in (up, down):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK):
                if writer in self._clients:
                    self.carried += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # one end is gone
        finally:
            writer.close()
