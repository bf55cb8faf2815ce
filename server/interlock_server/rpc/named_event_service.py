"""NamedEventService: what jobs wait for, raised and cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import named_event_service_pb2 as pb
from interlock.v1.named_event_service_pb2_grpc import NamedEventServiceServicer
from interlock_server.core.command import DeleteEvents
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_named_event, page, validate
from interlock_server.rpc.once import Response, submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from grpc.aio import ServicerContext

    from interlock.v1 import named_event_pb2
    from interlock_server.core.command import Command
    from interlock_server.core.model.named_event import NamedEvent
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]


class NamedEventService(NamedEventServiceServicer):
    """Keeps named events. A request is carried out whole or not at all."""

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
        )

    async def PutEvents(  # noqa: N802
        self, request: pb.PutEventsRequest, _context: Context
    ) -> pb.PutEventsResponse:
        """Create or change named events."""
        command, world = convert_named_event.put_events(request), self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda answer: pb.PutEventsResponse(events=convert_named_event.messages(answer, world)),
            pb.PutEventsResponse,
        )

    async def ListEvents(  # noqa: N802
        self, request: pb.ListEventsRequest, _context: Context
    ) -> pb.ListEventsResponse:
        """Show named events by name."""

        def look(world: World) -> pb.ListEventsResponse:
            found = page.by_name(world.events.values(), request, lambda event: event.name)
            return pb.ListEventsResponse(
                events=convert_named_event.messages(found.items, world),
                next_page_token=found.next_token,
            )

        return await self._partition(request).read(look)

    async def DeleteEvents(  # noqa: N802
        self, request: pb.DeleteEventsRequest, _context: Context
    ) -> pb.DeleteEventsResponse:
        """Remove named events that nothing uses."""
        validate.batch("names", len(request.names))
        return await self._submit(
            request,
            DeleteEvents(validate.names("names", request.names)),
            lambda _: pb.DeleteEventsResponse(),
            pb.DeleteEventsResponse,
        )

    async def RaiseEvent(  # noqa: N802
        self, request: pb.RaiseEventRequest, _context: Context
    ) -> pb.RaiseEventResponse:
        """Raise a named event."""
        command, world = convert_named_event.raise_event(request), self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda answer: pb.RaiseEventResponse(event=_now(answer, world)),
            pb.RaiseEventResponse,
        )

    async def ClearEvent(  # noqa: N802
        self, request: pb.ClearEventRequest, _context: Context
    ) -> pb.ClearEventResponse:
        """Clear what is raised of a named event."""
        command, world = convert_named_event.clear_event(request), self._partition(request).world
        return await self._submit(
            request,
            command,
            lambda answer: pb.ClearEventResponse(event=_now(answer, world)),
            pb.ClearEventResponse,
        )


def _now(event: NamedEvent, world: World) -> named_event_pb2.NamedEvent:
    """An event after all that followed from the turn: a job may have taken the raise."""
    return convert_named_event.message(world.events[event.name], world)
