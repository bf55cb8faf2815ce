"""Finding starts anew after the calendar, a definition or the servers have changed (RA-10).

Slice by slice, and from the beginning after a restart: that it has to be done is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.job import Role
from interlock_server.core.rules import admission, event_gate, window
from interlock_server.core.rules.overdue import WAITS_WITHIN_WINDOW
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import ReviewStarts
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

_REVIEWED: Final = WAITS_WITHIN_WINDOW | {Status.REDWOOD_NEVER}


def review(world: World, turn: Turn, command: ReviewStarts) -> bool:
    """Find starts anew for the next slice of jobs; whether more is left."""
    left = world.review_left
    if not left:  # a pass begins
        left += [job.id for job in world.jobs.values() if job.status in _REVIEWED]
        left.reverse()
    reason = f"{world.reviewing_starts} changed the calendar, a definition or a server"
    for _ in range(min(command.jobs_max, len(left))):
        job = world.jobs.get(left.pop())
        if job is not None and job.status in _REVIEWED:
            turn.follow_up(Actor.SYSTEM, "calendar", reason)
            _review(world, turn, job)
    if left:
        return True
    turn.review_starts("")
    return False


def _review(world: World, turn: Turn, job: Job) -> None:
    _follow_definition(world, turn, job)
    if job.status == Status.REDWOOD_NEVER:
        _leave_never(world, turn, job)
    elif job.start_ms > turn.now_ms:
        _place_anew(world, turn, job)
    elif job.window or job.window_closes_ms:
        _close_anew(world, turn, job)
    if job.status == Status.REDWOOD_EVENT_WAIT:
        turn.follow_up(Actor.CLOCK, "calendar", turn.cause.reason)
        event_gate.look_again(world, turn, job)


def _follow_definition(world: World, turn: Turn, job: Job) -> None:
    definition = world.definitions.get(job.definition)
    if definition is None or job.window_asked or job.role == Role.STEP:
        return
    if job.window != definition.window:
        turn.set(job, window=definition.window)


def _leave_never(world: World, turn: Turn, job: Job) -> None:
    requested_ms = job.requested_ms or turn.now_ms
    start = window.place(world, job, requested_ms, turn.now_ms)
    if start != window.NO_START:
        turn.set(job, **window.start_fields(job, start, requested_ms))
        turn.move(job, Trigger.FIND_START)
        admission.advance(world, turn, job)


def _place_anew(world: World, turn: Turn, job: Job) -> None:
    """Its start is still to come, and may be another one now."""
    requested_ms = window.requested_of(job)
    if job.status == Status.REDWOOD_HELD:
        window.set_start_while_held(world, turn, job, requested_ms)
    elif window.set_start(world, turn, job, requested_ms):
        admission.advance(world, turn, job)


def _close_anew(world: World, turn: Turn, job: Job) -> None:
    """Its start has come: its window closes at another time, or should not have been open."""
    ends_ms = window.end_of_opening(world, job, turn.now_ms) if job.window else 0
    if ends_ms >= 0:
        # A Held job that was overdue once is looked at when it is released.
        spent = job.status == Status.REDWOOD_HELD and not job.window_closes_ms
        if job.window_closes_ms != ends_ms and not spent:
            turn.set(job, window_closes_ms=ends_ms)
    elif job.status == Status.REDWOOD_HELD:
        turn.set(job, window_closes_ms=0)
    else:
        requested_ms = window.requested_of(job)
        if job.status != Status.REDWOOD_SCHEDULED:
            turn.follow_up(Actor.CLOCK, "calendar", turn.cause.reason)
            turn.move(job, Trigger.RESCHEDULE, f"time window {job.window!r} is closed now")
        window.set_start(world, turn, job, requested_ms)
