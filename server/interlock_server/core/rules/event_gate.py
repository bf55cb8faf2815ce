"""What jobs wait for before they are queued: named events (domain.md B3.4, B6).

A job takes a raise once, and keeps it while it waits for the others. One that `clears` takes the
raise away with it at that moment, so that no second job starts for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock_server.core import calendar
from interlock_server.core.expression import (
    ExpressionFault,
    Gives,
    compile_expression,
    is_true,
)
from interlock_server.core.lane import order_of
from interlock_server.core.model.job import Role
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.job_values import job_values, zone_of
from interlock_server.core.rules.queue import follow_hold
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import WAIT_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.expression import Compiled
    from interlock_server.core.model.definition import Definition, WaitEvent
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.named_event import NamedEvent
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: A change of a window further away than this is no change.
_HORIZON_MS: Final = 2 * 366 * 24 * 3_600_000
#: How often a condition that reads the time is evaluated again while a job waits.
_CONDITION_EVERY_MS: Final = 60_000


# -- the gate -----------------------------------------------------------------------------------


def await_missing(world: World, turn: Turn, job: Job) -> bool:
    """Let a Scheduled job take the raises that it waits for; whether it has to wait for others."""
    definition = world.definitions.get(job.definition)
    if definition is None or not definition.wait_events or job.role is Role.STEP:
        return False
    missing = _take_raised(world, turn, job, definition)
    if missing:
        _wait(world, turn, job, definition, missing)
        turn.move(job, Trigger.AWAIT_EVENT, _why(world, turn, job, definition, missing))
    return bool(missing)


def hand(world: World, turn: Turn, name: str, jobs_max: int) -> int:
    """Hand a raised event to up to so many who wait for it, in their order; to how many it was."""
    count = 0
    while count < jobs_max:
        event = world.events.get(name)
        job = world.event_lines.first(name, world.jobs) if event and event.raises else None
        if event is None or job is None:
            world.event_lines.dirty.pop(name, None)
            break
        turn.follow_up(Actor.NAMED_EVENT, name, event.raises[0].comment)
        _take(world, turn, job, name)
        count += 1
    return count


def _take(world: World, turn: Turn, job: Job, name: str) -> None:
    definition = world.definitions[job.definition]
    missing = _take_raised(world, turn, job, definition)
    assert name not in missing, f"job {job.id} is first in line and cannot take {name}"
    if missing:
        _wait(world, turn, job, definition, missing)
        return
    turn.move(job, Trigger.RAISE_EVENT)
    follow_hold(world, turn, job)


def look_again(world: World, turn: Turn, job: Job) -> None:
    """Let a job in EventWait wait for what applies to it now; for nothing, and it is queued.

    In the name of a person or the clock, who changed what applies.
    """
    definition = world.definitions[job.definition]
    missing = _take_raised(world, turn, job, definition)
    if missing:
        _wait(world, turn, job, definition, missing)
        return
    turn.move(job, Trigger.RESCHEDULE, "no event that it misses applies to it now")
    turn.follow_up(Actor.DISPATCHER, "dispatcher")
    held = world.queues[job.queue].held
    turn.move(job, Trigger.HOLD_QUEUE if held else Trigger.REACH_START)


def follow_job(world: World, turn: Turn, job: Job) -> None:
    """Look again at conditions of a job in EventWait of which a person changed something."""
    if job.status != Status.REDWOOD_EVENT_WAIT:
        return
    cause = turn.cause
    if any(wait.condition for wait in world.definitions[job.definition].wait_events):
        look_again(world, turn, job)
        turn.follow_up(Actor(cause.actor), cause.author, cause.reason)


def follow_definition(world: World, turn: Turn, before: Definition, after: Definition) -> None:
    """Let jobs that wait for events of a definition as it was wait for what it says now."""
    if before.wait_events == after.wait_events:
        return
    cause, members = turn.cause, world.event_lines.members
    waiting = {
        job_id: world.jobs[job_id]
        for event in {wait.event: None for wait in before.wait_events}
        for job_id in members.get(event, ())
    }
    for job in sorted(waiting.values(), key=order_of):
        if job.definition == after.name:
            look_again(world, turn, job)
            turn.follow_up(Actor(cause.actor), cause.author, cause.reason)


def remove_first(turn: Turn, event: NamedEvent) -> NamedEvent:
    """Clear the raise that counts; the next one that is pending counts then."""
    changed = msgspec.structs.replace(event, raises=event.raises[1:])
    turn.put(changed)
    return changed


def _take_raised(world: World, turn: Turn, job: Job, definition: Definition) -> tuple[str, ...]:
    """Let a job take what is raised of the events that it waits for now; what it still misses."""
    seen, missing = dict.fromkeys(job.events_seen), dict[str, None]()
    for wait in definition.wait_events:
        if wait.event in seen or not _applies(world, job, wait, turn.now_ms):
            continue
        if _may_take(world, job, wait.event):
            seen[wait.event] = None
            if wait.clears:
                remove_first(turn, world.events[wait.event])
        else:
            missing[wait.event] = None
    if len(seen) > len(job.events_seen):
        turn.set(job, events_seen=tuple(seen))
    return tuple(missing)


def _may_take(world: World, job: Job, event: str) -> bool:
    """Whether an event is raised and nobody stands before the job."""
    record = world.events.get(event)
    if record is None or not record.raises:
        return False
    first = world.event_lines.first(event, world.jobs)
    return first is None or order_of(job) <= order_of(first)


def _wait(
    world: World, turn: Turn, job: Job, definition: Definition, missing: tuple[str, ...]
) -> None:
    fields: dict[str, Any] = {}
    if missing != job.events_missing:
        fields["events_missing"] = missing
    again_ms = _again_ms(world, turn, job, definition)
    if again_ms != job.events_again_ms:
        fields["events_again_ms"] = again_ms
    if fields:
        turn.set(job, **fields)


# -- when a wait applies ------------------------------------------------------------------------


def _condition(wait: WaitEvent) -> Compiled | None:
    if not wait.condition:
        return None
    return compile_expression(wait.condition, variables=WAIT_EVENT, gives=Gives.CONDITION)


def misses(world: World, job: Job, now_ms: int) -> tuple[str, ...]:
    """The events that a job would wait for if its gate were now; explanations ask this, too."""
    definition = world.definitions.get(job.definition)
    if definition is None or job.role is Role.STEP:
        return ()
    return tuple(
        dict.fromkeys(
            wait.event
            for wait in definition.wait_events
            if wait.event not in job.events_seen
            and _applies(world, job, wait, now_ms)
            and not _may_take(world, job, wait.event)
        )
    )


def _applies(world: World, job: Job, wait: WaitEvent, now_ms: int) -> bool:
    """Whether a job waits for this at all now; what cannot be told applies."""
    if wait.window:
        zone = zone_of(world, job)
        if calendar.is_open(world.windows, wait.window, now_ms, zone) is wait.while_closed:
            return False
    try:
        return _holds(world, job, wait, now_ms)
    except ExpressionFault:
        return True


def _holds(world: World, job: Job, wait: WaitEvent, now_ms: int) -> bool:
    condition = _condition(wait)
    return condition is None or is_true(condition, job_values(world, job, condition, now_ms))


def _why(
    world: World, turn: Turn, job: Job, definition: Definition, missing: tuple[str, ...]
) -> str:
    why = f"waits for {', '.join(missing)}"
    for wait in definition.wait_events:
        if wait.event in missing and wait.condition:
            try:
                _holds(world, job, wait, turn.now_ms)
            except ExpressionFault as fault:
                why += f"; whether it has to cannot be told: {fault}"
    return why


def _again_ms(world: World, turn: Turn, job: Job, definition: Definition) -> int:
    """When another wait may apply without anybody's doing; 0 for never."""
    now_ms, zone, found = turn.now_ms, zone_of(world, job), list[int]()
    for wait in definition.wait_events:
        if wait.event in job.events_seen:
            continue
        windows = {wait.window} if wait.window else set[str]()
        if condition := _condition(wait):
            windows |= condition.reads.get("windows") or frozenset()
            if "now" in condition.reads:
                found.append(now_ms + _CONDITION_EVERY_MS)
        until_ms = now_ms + _HORIZON_MS
        found += (
            calendar.next_change(world.windows, window, now_ms, until_ms=until_ms, zone=zone)
            for window in windows
        )
    return min(filter(None, found), default=0)


# -- definitions --------------------------------------------------------------------------------


def windows_of(definition: Definition) -> Iterator[str]:
    """All windows that say when a definition waits."""
    for wait in definition.wait_events:
        if wait.window:
            yield wait.window
        if condition := _condition(wait):
            yield from condition.reads.get("windows") or ()


def definition_refusal(world: World, definition: Definition) -> Rejection | None:
    """Say what is wrong with when a definition waits; None if nothing is."""
    try:
        windows = list(windows_of(definition))
    except ExpressionFault as fault:
        return Rejection(Reason.INVALID_EXPRESSION, f"wait_events of {definition.name!r}: {fault}")
    for name in windows:
        if name not in world.windows:
            return Rejection(
                Reason.WINDOW_NOT_FOUND,
                f"wait_events of {definition.name!r} name window {name!r}, but there is no such"
                " window; put it first",
            )
    return None
