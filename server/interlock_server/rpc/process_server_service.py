"""ProcessServerService: groups of robots that are started and stopped as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import process_server_service_pb2 as pb
from interlock.v1.process_server_service_pb2_grpc import ProcessServerServiceServicer
from interlock_server.core import command as c
from interlock_server.core.model.job import StopStrategy
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_server, page, validate
from interlock_server.rpc.once import Response, submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grpc.aio import ServicerContext

    from interlock.v1 import process_server_pb2
    from interlock_server.core.model.process_server import ProcessServer
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]
    Servers = Sequence[ProcessServer]


class ProcessServerService(ProcessServerServiceServicer):
    """Keeps process servers. A request is carried out whole or not at all."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def _submit(
        self,
        request: Any,
        command: c.Command,
        build: Callable[[Any], Response],
        response: type[Response],
    ) -> Response:
        return await submit_once(
            self._partition(request),
            command,
            request,
            build,
            response,
            actor=Actor.USER,
            author=validate.author("requested_by", getattr(request, "requested_by", "")),
            reason=validate.reason(getattr(request, "reason", "")),
        )

    def _shown(
        self, request: Any
    ) -> Callable[[Sequence[ProcessServer]], list[process_server_pb2.ProcessServer]]:
        world = self._partition(request).world
        return lambda servers: convert_server.messages(servers, world)

    async def PutServers(  # noqa: N802
        self, request: pb.PutServersRequest, _context: Context
    ) -> pb.PutServersResponse:
        """Create or change servers."""
        command, shown = convert_server.put_servers(request), self._shown(request)
        return await self._submit(
            request,
            command,
            lambda answer: pb.PutServersResponse(servers=shown(answer)),
            pb.PutServersResponse,
        )

    async def ListServers(  # noqa: N802
        self, request: pb.ListServersRequest, _context: Context
    ) -> pb.ListServersResponse:
        """Show servers by name."""

        def look(world: World) -> pb.ListServersResponse:
            found = page.by_name(world.servers.values(), request, lambda server: server.name)
            return pb.ListServersResponse(
                servers=convert_server.messages(found.items, world),
                next_page_token=found.next_token,
            )

        return await self._partition(request).read(look)

    async def DeleteServers(  # noqa: N802
        self, request: pb.DeleteServersRequest, _context: Context
    ) -> pb.DeleteServersResponse:
        """Remove servers that nothing names."""
        return await self._submit(
            request,
            c.DeleteServers(_names(request)),
            lambda _: pb.DeleteServersResponse(),
            pb.DeleteServersResponse,
        )

    async def StartServers(  # noqa: N802
        self, request: pb.StartServersRequest, _context: Context
    ) -> pb.StartServersResponse:
        """Let stopped servers take jobs again."""
        shown = self._shown(request)
        return await self._submit(
            request,
            c.StartServers(_names(request)),
            lambda answer: pb.StartServersResponse(servers=shown(answer)),
            pb.StartServersResponse,
        )

    async def StopServers(  # noqa: N802
        self, request: pb.StopServersRequest, _context: Context
    ) -> pb.StopServersResponse:
        """Let servers take no more jobs."""
        strategy = StopStrategy(
            validate.choice("strategy", request.strategy, tuple(StopStrategy), "stop strategy")
        )
        shown = self._shown(request)
        return await self._submit(
            request,
            c.StopServers(_names(request), strategy),
            lambda answer: pb.StopServersResponse(servers=shown(answer)),
            pb.StopServersResponse,
        )

    async def HoldProvider(  # noqa: N802
        self, request: pb.HoldProviderRequest, _context: Context
    ) -> pb.HoldProviderResponse:
        """Let a server take no more jobs of one queue."""
        command = c.HoldProvider(
            validate.name("server", request.server), validate.name("queue", request.queue)
        )
        shown = self._shown(request)
        return await self._submit(
            request,
            command,
            lambda answer: pb.HoldProviderResponse(server=shown([answer])[0]),
            pb.HoldProviderResponse,
        )

    async def ReleaseProvider(  # noqa: N802
        self, request: pb.ReleaseProviderRequest, _context: Context
    ) -> pb.ReleaseProviderResponse:
        """Let a server take jobs of a queue again."""
        command = c.ReleaseProvider(
            validate.name("server", request.server), validate.name("queue", request.queue)
        )
        shown = self._shown(request)
        return await self._submit(
            request,
            command,
            lambda answer: pb.ReleaseProviderResponse(server=shown([answer])[0]),
            pb.ReleaseProviderResponse,
        )


def _names(request: Any) -> tuple[str, ...]:
    validate.batch("names", len(request.names))
    return validate.names("names", request.names)
