"""The calls about named events: what jobs wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import named_event_service_pb2 as api
from interlock.v1.named_event_pb2 import NamedEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection

    Events = list[NamedEvent]

_PAGE_SIZE: Final = 1_000


class NamedEventCalls:
    """Calls of NamedEventService."""

    _connection: Connection

    async def put_events(self, events: Iterable[NamedEvent | Mapping[str, Any]]) -> Events:
        """Create or change named events, all or none; returns them as they are now."""
        connection = self._connection
        request = api.PutEventsRequest(
            events=[each if isinstance(each, NamedEvent) else NamedEvent(**each) for each in events]
        )
        return [*(await connection.call(connection.named_events.PutEvents, request)).events]

    async def list_events(self) -> Events:
        """Return all named events by name, with their first raises and how many jobs wait."""
        connection = self._connection
        events: Events = []
        request = api.ListEventsRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.named_events.ListEvents, request)
            events += response.events
            if not response.next_page_token:
                return events
            request.page_token = response.next_page_token

    async def delete_events(self, names: Iterable[str]) -> None:
        """Remove named events that no definition names and no job waits for, all or none."""
        connection = self._connection
        request = api.DeleteEventsRequest(names=[names] if isinstance(names, str) else names)
        await connection.call(connection.named_events.DeleteEvents, request)

    async def raise_event(self, name: str, *, comment: str = "") -> NamedEvent:
        """Raise a named event: jobs that wait for it go on, and definitions may be submitted.

        The event that is returned is not raised if a job has taken the raise.
        """
        connection = self._connection
        request = api.RaiseEventRequest(event=name, comment=comment, requested_by=connection.user)
        return (await connection.call(connection.named_events.RaiseEvent, request)).event

    async def clear_event(self, name: str) -> NamedEvent:
        """Clear what is raised of a named event; the next raise that is pending counts then."""
        connection = self._connection
        request = api.ClearEventRequest(event=name, requested_by=connection.user)
        return (await connection.call(connection.named_events.ClearEvent, request)).event
