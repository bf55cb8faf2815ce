"""CatalogService: definitions and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import catalog_service_pb2 as pb
from interlock.v1.catalog_service_pb2_grpc import CatalogServiceServicer
from interlock_server.core.command import (
    DeleteDefinitions,
    DeleteQueues,
    HoldQueue,
    PutRestartDefaults,
    ReleaseQueue,
)
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_catalog, convert_definition, page, validate
from interlock_server.rpc.once import Response, submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grpc.aio import ServicerContext

    from interlock_server.core.command import Command
    from interlock_server.core.model.definition import Definition, RestartBehavior
    from interlock_server.core.model.queue import Queue
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]


class CatalogService(CatalogServiceServicer):
    """Keeps what jobs are made of. A request is carried out whole or not at all."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def _submit(
        self,
        request: Any,
        command: Command,
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

    # -- definitions ----------------------------------------------------------------------------

    async def PutDefinitions(  # noqa: N802
        self, request: pb.PutDefinitionsRequest, _context: Context
    ) -> pb.PutDefinitionsResponse:
        """Create or change definitions."""
        command = convert_catalog.put_definitions(request)

        def build(answer: Sequence[Definition]) -> pb.PutDefinitionsResponse:
            return pb.PutDefinitionsResponse(
                definitions=[convert_definition.message(each) for each in answer]
            )

        return await self._submit(request, command, build, pb.PutDefinitionsResponse)

    async def ListDefinitions(  # noqa: N802
        self, request: pb.ListDefinitionsRequest, _context: Context
    ) -> pb.ListDefinitionsResponse:
        """Show definitions by name."""
        found = await self._partition(request).read(
            lambda world: page.by_name(
                world.definitions.values(), request, lambda definition: definition.name
            )
        )
        return pb.ListDefinitionsResponse(
            definitions=[convert_definition.message(each) for each in found.items],
            next_page_token=found.next_token,
        )

    async def DeleteDefinitions(  # noqa: N802
        self, request: pb.DeleteDefinitionsRequest, _context: Context
    ) -> pb.DeleteDefinitionsResponse:
        """Remove definitions that no live job has."""
        validate.batch("names", len(request.names))
        command = DeleteDefinitions(validate.names("names", request.names))
        return await self._submit(
            request,
            command,
            lambda _: pb.DeleteDefinitionsResponse(),
            pb.DeleteDefinitionsResponse,
        )

    async def PutRestartDefaults(  # noqa: N802
        self, request: pb.PutRestartDefaultsRequest, _context: Context
    ) -> pb.PutRestartDefaultsResponse:
        """Say what follows a final status where a definition does not."""
        behaviors = convert_definition.restart_behaviors("behaviors", request.behaviors)

        def build(answer: Sequence[RestartBehavior]) -> pb.PutRestartDefaultsResponse:
            response = pb.PutRestartDefaultsResponse()
            convert_definition.add_restart_behaviors(response.behaviors, answer)
            return response

        command = PutRestartDefaults(behaviors)
        return await self._submit(request, command, build, pb.PutRestartDefaultsResponse)

    async def GetRestartDefaults(  # noqa: N802
        self, request: pb.GetRestartDefaultsRequest, _context: Context
    ) -> pb.GetRestartDefaultsResponse:
        """Show what follows a final status where a definition does not say."""
        found = await self._partition(request).read(lambda world: world.restart_defaults)
        response = pb.GetRestartDefaultsResponse()
        convert_definition.add_restart_behaviors(response.behaviors, found)
        return response

    # -- queues ---------------------------------------------------------------------------------

    async def PutQueues(  # noqa: N802
        self, request: pb.PutQueuesRequest, _context: Context
    ) -> pb.PutQueuesResponse:
        """Create or change queues."""
        command = convert_catalog.put_queues(request)
        world = self._partition(request).world

        def build(answer: Sequence[Queue]) -> pb.PutQueuesResponse:
            return pb.PutQueuesResponse(
                queues=[convert_catalog.queue(each, world) for each in answer]
            )

        return await self._submit(request, command, build, pb.PutQueuesResponse)

    async def ListQueues(  # noqa: N802
        self, request: pb.ListQueuesRequest, _context: Context
    ) -> pb.ListQueuesResponse:
        """Show queues by name."""
        partition = self._partition(request)
        found = await partition.read(
            lambda world: page.by_name(world.queues.values(), request, lambda queue: queue.name)
        )
        queues = [
            await partition.read(lambda world, each=each: convert_catalog.queue(each, world))  # type: ignore[misc]
            for each in found.items
        ]
        return pb.ListQueuesResponse(queues=queues, next_page_token=found.next_token)

    async def DeleteQueues(  # noqa: N802
        self, request: pb.DeleteQueuesRequest, _context: Context
    ) -> pb.DeleteQueuesResponse:
        """Remove queues that nothing uses."""
        validate.batch("names", len(request.names))
        command = DeleteQueues(validate.names("names", request.names))
        return await self._submit(
            request, command, lambda _: pb.DeleteQueuesResponse(), pb.DeleteQueuesResponse
        )

    async def HoldQueue(  # noqa: N802
        self, request: pb.HoldQueueRequest, _context: Context
    ) -> pb.HoldQueueResponse:
        """Stop dispatching from a queue."""
        command = HoldQueue(validate.name("queue", request.queue))
        world = self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda queue: pb.HoldQueueResponse(queue=convert_catalog.queue(queue, world)),
            pb.HoldQueueResponse,
        )

    async def ReleaseQueue(  # noqa: N802
        self, request: pb.ReleaseQueueRequest, _context: Context
    ) -> pb.ReleaseQueueResponse:
        """Let a held queue go on."""
        command = ReleaseQueue(validate.name("queue", request.queue))
        world = self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda queue: pb.ReleaseQueueResponse(queue=convert_catalog.queue(queue, world)),
            pb.ReleaseQueueResponse,
        )
