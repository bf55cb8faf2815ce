"""LockService: what keeps jobs from running together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import lock_service_pb2 as pb
from interlock.v1.lock_service_pb2_grpc import LockServiceServicer
from interlock_server.core.command import DeleteLocks
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_lock, page, validate
from interlock_server.rpc.once import submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grpc.aio import ServicerContext

    from interlock_server.core.model.lock import Lock
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]


class LockService(LockServiceServicer):
    """Keeps locks. A request is carried out whole or not at all."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def PutLocks(  # noqa: N802
        self, request: pb.PutLocksRequest, _context: Context
    ) -> pb.PutLocksResponse:
        """Create or change locks."""
        command, partition = convert_lock.put_locks(request), self._partition(request)

        def build(answer: Sequence[Lock]) -> pb.PutLocksResponse:
            locks = [convert_lock.message(each, partition.world) for each in answer]
            return pb.PutLocksResponse(locks=locks)

        return await submit_once(
            partition, command, request, build, pb.PutLocksResponse, actor=Actor.USER, author="user"
        )

    async def ListLocks(  # noqa: N802
        self, request: pb.ListLocksRequest, _context: Context
    ) -> pb.ListLocksResponse:
        """Show locks by name."""

        def look(world: World) -> pb.ListLocksResponse:
            found = page.by_name(world.locks.values(), request, lambda lock: lock.name)
            return pb.ListLocksResponse(
                locks=[convert_lock.message(each, world) for each in found.items],
                next_page_token=found.next_token,
            )

        return await self._partition(request).read(look)

    async def DeleteLocks(  # noqa: N802
        self, request: pb.DeleteLocksRequest, _context: Context
    ) -> pb.DeleteLocksResponse:
        """Remove locks that nothing uses."""
        validate.batch("names", len(request.names))
        return await submit_once(
            self._partition(request),
            DeleteLocks(validate.names("names", request.names)),
            request,
            lambda _: pb.DeleteLocksResponse(),
            pb.DeleteLocksResponse,
            actor=Actor.USER,
            author="user",
        )
