"""Holding, releasing and rescheduling jobs that wait (domain.md B3, TR-030 to TR-072)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.rejection import Rejection, illegal
from interlock_server.core.rules import admission
from interlock_server.core.rules.submission import NEVER_HORIZON_MS
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import ChangeJobs
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def hold(_world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Put a waiting job on hold. Held already changes nothing."""
    if job.status == Status.REDWOOD_HELD:
        return False
    if job.status == Status.REDWOOD_PRE_RUNNING or not next_row(job.status, Trigger.HOLD):
        return illegal(job, "hold")  # TR-085 is for the action alone
    turn.move(job, Trigger.HOLD)
    return True


def release(world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Let a held job go on; the gates run again at once."""
    if not next_row(job.status, Trigger.RELEASE):
        return illegal(job, "release")
    turn.move(job, Trigger.RELEASE)
    admission.advance(world, turn, job)
    return True


def reschedule(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Give a waiting job another start.

    Scheduled and Held keep their status until the gates run.
    """
    start_ms = max(command.value, turn.now_ms)
    if job.status in {Status.REDWOOD_SCHEDULED, Status.REDWOOD_HELD}:
        turn.set(job, start_ms=start_ms, top_start_ms=start_ms)
    elif trigger := _back_to_scheduled(world, job):
        turn.move(job, trigger)
        turn.set(job, start_ms=start_ms, top_start_ms=start_ms)
    else:
        return illegal(job, "reschedule")
    if start_ms - turn.now_ms > NEVER_HORIZON_MS and job.status == Status.REDWOOD_SCHEDULED:
        turn.follow_up(Actor.SYSTEM, "calendar")
        turn.set(job, start_ms=NEVER_MS, top_start_ms=NEVER_MS)
        turn.move(job, Trigger.FIND_NO_START, "no start within two years")
    admission.advance(world, turn, job)
    return True


def _back_to_scheduled(world: World, job: Job) -> Trigger | None:
    if job.status == Status.REDWOOD_NEVER:
        return Trigger.FIND_START
    if job.status == Status.REDWOOD_MODIFIED:
        whole = job.definition in world.definitions and job.queue in world.queues
        return Trigger.RESUBMIT if whole else None
    waiting = {
        Status.REDWOOD_EVENT_WAIT,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_QUEUED,
        Status.REDWOOD_LOCK_WAIT,
        Status.REDWOOD_OVERDUE,
    }
    return Trigger.RESCHEDULE if job.status in waiting else None


def set_priority(_world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Change the priority of a job that no robot has and that is not over (domain.md RA-22)."""
    if job.ended_ms or job.attached:
        return illegal(job, "change the priority of")
    if job.priority == command.value:
        return False
    turn.set(job, priority=command.value)
    return True
