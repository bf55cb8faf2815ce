"""ScheduleService: recurring submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import schedule_service_pb2 as pb
from interlock.v1.schedule_service_pb2_grpc import ScheduleServiceServicer
from interlock_server.core.command import ChangeSchedule, DeleteSchedules, ScheduleVerb
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_schedule, page, validate
from interlock_server.rpc.once import Response, submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from grpc.aio import ServicerContext

    from interlock_server.core.command import Command
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]


class ScheduleService(ScheduleServiceServicer):
    """Keeps schedules. A request is carried out whole or not at all."""

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
            author=validate.author("requested_by", request.requested_by),
            reason=validate.reason(getattr(request, "reason", "")),
        )

    async def PutSchedules(  # noqa: N802
        self, request: pb.PutSchedulesRequest, _context: Context
    ) -> pb.PutSchedulesResponse:
        """Create or change schedules."""
        command = convert_schedule.put_schedules(request)
        world = self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda answer: pb.PutSchedulesResponse(
                schedules=[convert_schedule.message(each, world) for each in answer],
                warnings=convert_schedule.warnings(command),
            ),
            pb.PutSchedulesResponse,
        )

    async def ListSchedules(  # noqa: N802
        self, request: pb.ListSchedulesRequest, _context: Context
    ) -> pb.ListSchedulesResponse:
        """Show schedules by name."""

        def look(world: World) -> pb.ListSchedulesResponse:
            found = page.by_name(world.schedules.values(), request, lambda each: each.name)
            return pb.ListSchedulesResponse(
                schedules=[convert_schedule.message(each, world) for each in found.items],
                next_page_token=found.next_token,
            )

        return await self._partition(request).read(look)

    async def DeleteSchedules(  # noqa: N802
        self, request: pb.DeleteSchedulesRequest, _context: Context
    ) -> pb.DeleteSchedulesResponse:
        """Remove schedules."""
        validate.batch("names", len(request.names))
        command = DeleteSchedules(validate.names("names", request.names))
        return await self._submit(
            request, command, lambda _: pb.DeleteSchedulesResponse(), pb.DeleteSchedulesResponse
        )

    async def _change(self, request: Any, verb: ScheduleVerb, response: type[Response]) -> Response:
        command = ChangeSchedule(validate.name("schedule", request.schedule), verb)
        world = self._partition(request).world
        build: Any = response
        return await self._submit(
            request,
            command,
            lambda record: build(schedule=convert_schedule.message(record, world)),
            response,
        )

    async def HoldSchedule(  # noqa: N802
        self, request: pb.HoldScheduleRequest, _context: Context
    ) -> pb.HoldScheduleResponse:
        """Keep a schedule from submitting."""
        return await self._change(request, ScheduleVerb.HOLD, pb.HoldScheduleResponse)

    async def ReleaseSchedule(  # noqa: N802
        self, request: pb.ReleaseScheduleRequest, _context: Context
    ) -> pb.ReleaseScheduleResponse:
        """Let a held schedule go on."""
        return await self._change(request, ScheduleVerb.RELEASE, pb.ReleaseScheduleResponse)

    async def EndSchedule(  # noqa: N802
        self, request: pb.EndScheduleRequest, _context: Context
    ) -> pb.EndScheduleResponse:
        """End a schedule for good."""
        return await self._change(request, ScheduleVerb.END, pb.EndScheduleResponse)
