"""What becomes of a job that did not run in its first time window (domain.md B7, RA-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import OverduePolicy
from interlock_server.core.rules import named_event, window
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: A job in one of these did not run yet, and no robot has it.
WAITS_WITHIN_WINDOW: Final = frozenset(
    {
        Status.REDWOOD_SCHEDULED,
        Status.REDWOOD_EVENT_WAIT,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_QUEUED,
        Status.REDWOOD_LOCK_WAIT,
        Status.REDWOOD_HELD,
    }
)


def close(world: World, turn: Turn, job: Job) -> None:
    """Act on a job whose window closed at `window_closes_ms`, if it still waits.

    A job that a robot has, or had when the window closed, ran in time.
    """
    if job.status not in WAITS_WITHIN_WINDOW:
        return
    closed_ms = job.window_closes_ms
    ends_ms = window.end_of_opening(world, job, closed_ms)
    if ends_ms >= 0:  # the calendar has changed: it did not close then
        turn.set(job, window_closes_ms=ends_ms)
        return
    definition = world.definitions.get(job.definition)
    policy = definition.overdue if definition else OverduePolicy.SCHEDULED
    reason = f"time window {job.window!r} closed at {window.show(closed_ms)} before it ran"
    turn.follow_up(Actor.CLOCK, "time window", reason)
    match policy:
        case OverduePolicy.OVERDUE:
            turn.move(job, Trigger.CLOSE_WINDOW_OVERDUE)
        case OverduePolicy.CANCELING:
            turn.move(job, Trigger.CLOSE_WINDOW_CANCEL)
            turn.follow_up(Actor.SYSTEM, "time window", reason)
            turn.move(job, Trigger.CONFIRM_CANCEL)
        case _:
            _wait_on(world, turn, job, policy)
    if definition is not None and definition.overdue_event:  # whatever the policy (R9)
        turn.follow_up(Actor.CLOCK, "time window", reason)
        named_event.raise_event(world, turn, definition.overdue_event, f"job {job.id}: {reason}")


def _wait_on(world: World, turn: Turn, job: Job, policy: OverduePolicy) -> None:
    """Held: until a person releases it. Scheduled: until the next opening."""
    if job.status == Status.REDWOOD_HELD:  # the next opening is found at the release
        turn.set(job, window_closes_ms=0)
    elif policy is OverduePolicy.HELD:
        turn.move(job, Trigger.CLOSE_WINDOW_HOLD)
        turn.set(job, window_closes_ms=0)
    else:
        _take_next_opening(world, turn, job)


def _take_next_opening(world: World, turn: Turn, job: Job) -> None:
    requested_ms = window.requested_of(job)
    found = window.place(world, job, requested_ms, turn.now_ms) != window.NO_START
    if found or job.status != Status.REDWOOD_SCHEDULED:
        turn.move(job, Trigger.RESCHEDULE)
    window.set_start(world, turn, job, requested_ms)
