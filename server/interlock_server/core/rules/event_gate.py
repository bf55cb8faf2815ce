"""What jobs wait for before they are queued: named events (domain.md B3.4, B6).

A job takes a raise once, and keeps it while it waits for the others. One that `clears` takes the
raise away with it at that moment, so that no second job starts for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.lane import order_of
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.definition import Definition, WaitEvent
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.named_event import NamedEvent
    from interlock_server.core.rejection import Rejection
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def await_missing(world: World, turn: Turn, job: Job) -> bool:
    """Let a Scheduled job take the raises that it waits for; whether it has to wait for others."""
    definition = world.definitions[job.definition]
    if not definition.wait_events:
        return False
    missing = take_raised(world, turn, job, definition)
    if missing:
        turn.set(job, events_missing=missing)
        turn.move(job, Trigger.AWAIT_EVENT, f"waits for {', '.join(missing)}")
    return bool(missing)


def take_raised(world: World, turn: Turn, job: Job, definition: Definition) -> tuple[str, ...]:
    """Let a job take what is raised of the events that it waits for now; what it still misses."""
    seen, missing = dict.fromkeys(job.events_seen), dict[str, None]()
    for wait in definition.wait_events:
        if wait.event in seen or not _applies(world, turn, job, wait):
            continue
        if _may_take(world, job, wait.event):
            seen[wait.event] = None
            missing.pop(wait.event, None)
            if wait.clears:
                remove_first(turn, world.events[wait.event])
        else:
            missing[wait.event] = None
    if len(seen) > len(job.events_seen):
        turn.set(job, events_seen=tuple(seen))
    return tuple(missing)


def _applies(_world: World, _turn: Turn, _job: Job, _wait: WaitEvent) -> bool:
    return True


def _may_take(world: World, job: Job, event: str) -> bool:
    """Whether an event is raised and nobody stands before the job."""
    record = world.events.get(event)
    if record is None or not record.raises:
        return False
    first = world.event_lines.first(event, world.jobs)
    return first is None or order_of(job) <= order_of(first)


def remove_first(turn: Turn, event: NamedEvent) -> NamedEvent:
    """Clear the raise that counts; the next one that is pending counts then."""
    changed = msgspec.structs.replace(event, raises=event.raises[1:])
    turn.put(changed)
    return changed


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
    missing = take_raised(world, turn, job, definition)
    assert name not in missing, f"job {job.id} is first in line and cannot take {name}"
    if missing:
        turn.set(job, events_missing=missing)
        return
    turn.move(job, Trigger.RAISE_EVENT)
    follow_held_queue(world, turn, job)


def follow_held_queue(world: World, turn: Turn, job: Job) -> None:
    """Let a job that has become Queued in a held queue be QueueHeld, as its others are."""
    queue = world.queues[job.queue]
    if queue.held:
        turn.follow_up(Actor.USER, queue.held_by, queue.hold_reason)
        turn.move(job, Trigger.HOLD_QUEUE)


def definition_refusal(_world: World, _definition: Definition) -> Rejection | None:
    """Say what is wrong with when a definition waits; None if nothing is."""
    return None
