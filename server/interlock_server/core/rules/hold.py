"""Holding, releasing and rescheduling jobs that wait (domain.md B3, TR-030 to TR-072)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import admission, expansion, restart
from interlock_server.core.rules.submission import NEVER_HORIZON_MS
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import STATUS_NAME, Status
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
    _find_no_start(turn, job)
    admission.advance(world, turn, job)
    return True


def _find_no_start(turn: Turn, job: Job) -> None:
    """A Scheduled job whose start is too far away has none (TR-029)."""
    if job.status == Status.REDWOOD_SCHEDULED and job.start_ms - turn.now_ms > NEVER_HORIZON_MS:
        turn.follow_up(Actor.SYSTEM, "calendar")
        turn.set(job, start_ms=NEVER_MS, top_start_ms=NEVER_MS)
        turn.move(job, Trigger.FIND_NO_START, "no start within two years")


def reschedule(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Give a waiting job another start.

    Scheduled and Held keep their status until the gates run.
    """
    start_ms = max(command.value, turn.now_ms)
    obstacle = restart.obstacle_of(world, job) if job.status == Status.REDWOOD_MODIFIED else ""
    if obstacle:
        return Rejection(
            Reason.ILLEGAL_TRANSITION,
            f"job {job.id} is Modified and cannot be scheduled yet: {obstacle}; correct that first",
            status=STATUS_NAME[job.status],
        )
    if job.status in {Status.REDWOOD_SCHEDULED, Status.REDWOOD_HELD}:
        turn.set(job, start_ms=start_ms, top_start_ms=start_ms)
    elif trigger := _BACK_TO_SCHEDULED.get(job.status):
        turn.move(job, trigger)
        turn.set(job, start_ms=start_ms, top_start_ms=start_ms)
        if trigger is Trigger.RESUBMIT:
            expansion.complete(world, turn, job)
    else:
        return illegal(job, "reschedule")
    _find_no_start(turn, job)
    admission.advance(world, turn, job)
    return True


_BACK_TO_SCHEDULED: Final[dict[int, Trigger]] = {
    Status.REDWOOD_NEVER: Trigger.FIND_START,
    Status.REDWOOD_MODIFIED: Trigger.RESUBMIT,
    Status.REDWOOD_EVENT_WAIT: Trigger.RESCHEDULE,
    Status.REDWOOD_QUEUE_HELD: Trigger.RESCHEDULE,
    Status.REDWOOD_QUEUED: Trigger.RESCHEDULE,
    Status.REDWOOD_LOCK_WAIT: Trigger.RESCHEDULE,
    Status.REDWOOD_OVERDUE: Trigger.RESCHEDULE,
}


def set_priority(_world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Change the priority of a job that no robot has and that is not over (domain.md RA-22)."""
    if job.ended_ms or job.attached:
        return illegal(job, "change the priority of")
    if job.priority == command.value:
        return False
    turn.set(job, priority=command.value)
    return True
