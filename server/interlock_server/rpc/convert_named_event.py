"""Named events: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import named_event_pb2 as pb
from interlock_server.core.command import ClearEvent, PutEvents, RaiseEvent
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.rpc import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock.v1 import named_event_service_pb2 as service
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
#: Raises that are shown of one event, and of all in one answer: comments may be long.
RAISES_SHOWN_MAX: Final = 20
RAISES_LISTED_MAX: Final = 200
_OUTPUT: Final = (
    *("raised", "raise_count", "raises", "waiting", "dropped", "version", "update_time"),
)


def put_events(request: service.PutEventsRequest) -> PutEvents:
    """Check named events to write."""
    validate.batch("events", len(request.events))
    events = tuple(_record(f"events[{index}]", each) for index, each in enumerate(request.events))
    validate.distinct("events", [each.name for each in events])
    return PutEvents(events)


def _record(path: str, given: pb.NamedEvent) -> NamedEvent:
    validate.unset(path, given, _OUTPUT)
    return NamedEvent(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
    )


def raise_event(request: service.RaiseEventRequest) -> RaiseEvent:
    """Check a raise."""
    return RaiseEvent(
        validate.name("event", request.event), validate.reason(request.comment, "comment")
    )


def clear_event(request: service.ClearEventRequest) -> ClearEvent:
    """Check a clearing."""
    return ClearEvent(validate.name("event", request.event))


def messages(records: Iterable[NamedEvent], world: World) -> list[pb.NamedEvent]:
    """Named events, with who waits for them now."""
    left, found = RAISES_LISTED_MAX, []
    for record in records:
        found.append(message(record, world, raises_max=left))
        left -= len(found[-1].raises)
    return found


def message(
    record: NamedEvent, world: World, *, raises_max: int = RAISES_SHOWN_MAX
) -> pb.NamedEvent:
    """A named event, with who waits for it now."""
    found = pb.NamedEvent(
        name=record.name,
        description=record.description,
        raised=record.is_raised,
        raise_count=len(record.raises),
        waiting=world.event_lines.count(record.name),
        dropped=record.dropped,
        version=record.version,
    )
    for each in record.raises[: min(raises_max, RAISES_SHOWN_MAX)]:
        shown = found.raises.add(by=each.by, comment=each.comment)
        shown.time.FromMilliseconds(each.at_ms)
    if record.updated_ms:
        found.update_time.FromMilliseconds(record.updated_ms)
    return found
