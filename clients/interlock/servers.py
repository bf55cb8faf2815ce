"""The calls about process servers: groups of robots that are started and stopped as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import process_server_service_pb2 as api
from interlock.v1.job_pb2 import StopStrategy
from interlock.v1.process_server_pb2 import ProcessServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection

    Servers = list[ProcessServer]

_PAGE_SIZE: Final = 1_000
_STRATEGIES: Final = {
    None: StopStrategy.STOP_STRATEGY_UNSPECIFIED,
    "soft_stop": StopStrategy.STOP_STRATEGY_SOFT_STOP,
    "kill": StopStrategy.STOP_STRATEGY_KILL,
}


class ServerCalls:
    """Calls of ProcessServerService."""

    _connection: Connection

    async def put_servers(self, servers: Iterable[ProcessServer | Mapping[str, Any]]) -> Servers:
        """Create or change process servers, all or none; returns them as they are now."""
        connection = self._connection
        request = api.PutServersRequest(
            servers=[
                each if isinstance(each, ProcessServer) else ProcessServer(**each)
                for each in servers
            ]
        )
        response = await connection.call(connection.servers.PutServers, request)
        return [*response.servers]

    async def list_servers(self) -> Servers:
        """Return all process servers by name."""
        connection = self._connection
        servers: Servers = []
        request = api.ListServersRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.servers.ListServers, request)
            servers += response.servers
            if not response.next_page_token:
                return servers
            request.page_token = response.next_page_token

    async def delete_servers(self, names: Iterable[str]) -> None:
        """Remove process servers that nothing names any more, all or none."""
        connection = self._connection
        request = api.DeleteServersRequest(names=_names(names))
        await connection.call(connection.servers.DeleteServers, request)

    async def start_servers(self, names: Iterable[str]) -> Servers:
        """Let stopped process servers take jobs again, all or none."""
        connection = self._connection
        request = api.StartServersRequest(names=_names(names), requested_by=connection.user)
        return [*(await connection.call(connection.servers.StartServers, request)).servers]

    async def stop_servers(
        self, names: Iterable[str], *, strategy: str | None = None, reason: str = ""
    ) -> Servers:
        """Let process servers take no more jobs, all or none.

        Jobs that run go on. With the strategy "soft_stop" the UiPath jobs are asked to end, with
        "kill" jobs of both lifecycles end at once.
        """
        if strategy not in _STRATEGIES:
            raise ValueError(f"expected the strategy soft_stop or kill, but got {strategy!r}")
        connection = self._connection
        request = api.StopServersRequest(
            names=_names(names),
            strategy=_STRATEGIES[strategy],
            reason=reason,
            requested_by=connection.user,
        )
        return [*(await connection.call(connection.servers.StopServers, request)).servers]

    async def hold_provider(self, server: str, queue: str, *, reason: str = "") -> ProcessServer:
        """Let a process server take no more jobs of one queue; other servers of it go on."""
        connection = self._connection
        request = api.HoldProviderRequest(
            server=server, queue=queue, reason=reason, requested_by=connection.user
        )
        return (await connection.call(connection.servers.HoldProvider, request)).server

    async def release_provider(self, server: str, queue: str) -> ProcessServer:
        """Let a process server take jobs of a queue again."""
        connection = self._connection
        request = api.ReleaseProviderRequest(
            server=server, queue=queue, requested_by=connection.user
        )
        return (await connection.call(connection.servers.ReleaseProvider, request)).server


def _names(names: Iterable[str]) -> Iterable[str]:
    return [names] if isinstance(names, str) else names
