"""Named events: their definitions, raising and clearing them (domain.md B6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interlock_server.core.model.definition import Definition, RuleEffect
from interlock_server.core.model.named_event import NamedEvent, Raise
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import event_gate, return_code
from interlock_server.core.vocabulary.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.command import (
        ClearEvent,
        DeleteEvents,
        HandEvents,
        PutEvents,
        RaiseEvent,
    )
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Raises of one event: the one that counts, and those that are pending.
RAISES_MAX: Final = 1_000
#: Jobs that a raise is handed to in its own turn; the others follow slice by slice.
HANDED_AT_ONCE: Final = 500


def missing(name: str) -> Rejection:
    """Refuse because there is no such event."""
    return Rejection(Reason.EVENT_NOT_FOUND, f"there is no event {name!r}; put it first")


# -- what others call ---------------------------------------------------------------------------


def raise_event(world: World, turn: Turn, name: str, comment: str = "") -> None:
    """Raise an event in the name of whoever causes this turn, and hand it to who waits for it.

    Raised already, it is pending until what was raised before is cleared. A raise that finds no
    place, because nobody clears the event, is counted.
    """
    event = world.events.get(name)
    if event is None:  # what definitions name stays, so nobody should ask for another one
        return
    if len(event.raises) >= RAISES_MAX:
        turn.put(msgspec.structs.replace(event, dropped=event.dropped + 1))
        return
    cause = turn.cause
    raised = Raise(turn.now_ms, cause.author, comment)
    turn.put(msgspec.structs.replace(event, raises=(*event.raises, raised)))
    turn.raised.append((name, comment))
    event_gate.hand(world, turn, name, HANDED_AT_ONCE)
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)


def clear_event(world: World, turn: Turn, name: str) -> NamedEvent | Rejection:
    """Clear what is raised of an event; the next raise that is pending counts then."""
    event = world.events.get(name)
    if event is None:
        return missing(name)
    if not event.raises:
        return Rejection(
            Reason.EVENT_NOT_RAISED, f"expected event {name!r} raised, but nothing of it is"
        )
    cause = turn.cause
    while name in world.event_lines.dirty:  # who waited when it was raised is not passed over
        event_gate.hand(world, turn, name, HANDED_AT_ONCE)
    event = world.events[name]
    if event.raises:
        event_gate.remove_first(turn, event)
        event_gate.hand(world, turn, name, HANDED_AT_ONCE)
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)
    return world.events[name]


# -- commands -----------------------------------------------------------------------------------


def raise_by_hand(world: World, turn: Turn, command: RaiseEvent) -> NamedEvent | Rejection:
    """A person raises an event."""
    event = world.events.get(command.event)
    if event is None:
        return missing(command.event)
    if len(event.raises) >= RAISES_MAX:
        return Rejection(
            Reason.TOO_LARGE,
            f"expected at most {RAISES_MAX:,} raises that nobody has cleared, and event "
            f"{event.name!r} has them; clear some",
            raises=len(event.raises),
        )
    raise_event(world, turn, event.name, command.comment)
    return world.events[event.name]


def clear_by_hand(world: World, turn: Turn, command: ClearEvent) -> NamedEvent | Rejection:
    """A person clears an event."""
    return clear_event(world, turn, command.event)


def hand_on(world: World, turn: Turn, command: HandEvents) -> bool:
    """Hand raised events to the next who wait for them; whether more is left."""
    left, dirty = command.jobs_max, world.event_lines.dirty
    while dirty and left > 0:
        left -= event_gate.hand(world, turn, next(iter(dirty)), left)
    return bool(dirty)


def put(world: World, turn: Turn, command: PutEvents) -> list[NamedEvent]:
    """Create or change events. Their raises stay, and one that is as it was keeps its version."""
    return [_put(world, turn, event) for event in command.events]


def _put(world: World, turn: Turn, event: NamedEvent) -> NamedEvent:
    known = world.events.get(event.name)
    if known is not None and known.description == event.description:
        return known
    changed = NamedEvent(
        event.name,
        event.description,
        known.raises if known else (),
        version=known.version + 1 if known else 1,
        updated_ms=turn.now_ms,
        dropped=known.dropped if known else 0,
    )
    turn.put(changed)
    return changed


def delete(world: World, turn: Turn, command: DeleteEvents) -> Rejection | None:
    """Remove events that no definition names and no job waits for."""
    for name in command.names:
        if name not in world.events:
            return missing(name)
        waiting = world.event_lines.first(name, world.jobs)
        if waiting is not None:
            return Rejection(
                Reason.IN_USE,
                f"event {name!r} is in use: job {waiting.id} waits for it; end it first",
                job=waiting.id,
            )
    names = set(command.names)
    for definition in world.definitions.values():
        used = next((name for name in events_of(definition) if name in names), None)
        if used is not None:
            return Rejection(
                Reason.IN_USE,
                f"event {used!r} is in use by definition {definition.name!r};"
                " put that without it first",
                definition=definition.name,
            )
    for name in command.names:
        turn.delete(world.events[name])
    return None


# -- definitions --------------------------------------------------------------------------------


def events_of(definition: Definition) -> Iterator[str]:
    """All events that a definition names."""
    yield from (wait.event for wait in definition.wait_events)
    yield from (each.event for each in definition.event_raises)
    yield from (limit.event for limit in definition.runtime_limits if limit.event)
    if definition.overdue_event:
        yield definition.overdue_event
    for rules in (definition.on_change, definition.pre_running, definition.post_running):
        yield from (rule.target for rule in rules if rule.effect is RuleEffect.RAISE_EVENT)


def definition_refusal(world: World, definition: Definition) -> Rejection | None:
    """Say what is wrong with the events that a definition names; None if nothing is."""
    for name in events_of(definition):
        if name not in world.events:
            return Rejection(
                Reason.EVENT_NOT_FOUND,
                f"definition {definition.name!r} names event {name!r}, but there is no such event;"
                " put it first",
            )
    for each in definition.event_raises:
        try:
            return_code.parse(each.return_codes)
        except ValueError as error:
            return Rejection(
                Reason.INVALID_FIELD, f"event_raises of {definition.name!r}: return_codes: {error}"
            )
    return event_gate.definition_refusal(world, definition)
