"""Holding, releasing and rescheduling jobs that wait (domain.md B3, TR-030 to TR-072)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import event_gate, expansion, restart, schedule, window
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import STATUS_NAME, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import ChangeJobs
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def hold(world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Put a waiting job on hold. Held already changes nothing."""
    if job.status == Status.REDWOOD_HELD:
        return False
    if job.status == Status.REDWOOD_PRE_RUNNING or not next_row(job.status, Trigger.HOLD):
        return illegal(job, "hold")  # TR-085 is for the action alone
    put_on_hold(turn, job)
    if job.schedule:
        schedule.follow_hold(world, turn, job)
    return True


def put_on_hold(turn: Turn, job: Job, reason: str = "") -> None:
    """Move a job that may be held to Held."""
    if job.status == Status.REDWOOD_NEVER:  # only Never has that start (C4.9)
        start_ms = job.requested_ms or turn.now_ms
        turn.set(job, start_ms=start_ms, top_start_ms=start_ms, requested_ms=0)
    elif job.status == Status.REDWOOD_OVERDUE:  # the opening that it missed is over
        turn.set(job, window_closes_ms=0)
    turn.move(job, Trigger.HOLD, reason)


def release(world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Let a held job go on; its gates run again at the end of the command."""
    if not next_row(job.status, Trigger.RELEASE):
        return illegal(job, "release")
    turn.move(job, Trigger.RELEASE)
    missed = job.window and not turn.now_ms < job.window_closes_ms
    if job.start_ms > turn.now_ms or missed:
        window.set_start(world, turn, job, window.requested_of(job))
    if job.schedule:
        schedule.follow_hold(world, turn, job)
    turn.bring_to_gates(job)
    return True


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
    if job.status == Status.REDWOOD_HELD:
        window.set_start_while_held(world, turn, job, start_ms)
        return True
    if job.status == Status.REDWOOD_NEVER:
        if window.place(world, job, start_ms, turn.now_ms) == window.NO_START:
            turn.set(job, requested_ms=start_ms)
            return True
    elif job.status != Status.REDWOOD_SCHEDULED and job.status not in _BACK_TO_SCHEDULED:
        return illegal(job, "reschedule")
    if trigger := _BACK_TO_SCHEDULED.get(job.status):
        turn.move(job, trigger)
        if trigger is Trigger.RESUBMIT:
            expansion.complete(world, turn, job)
    window.set_start(world, turn, job, start_ms)
    turn.bring_to_gates(job)
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


def set_priority(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Change the priority of a job that no robot has and that is not over (domain.md RA-22)."""
    if job.ended_ms or job.attached:
        return illegal(job, "change the priority of")
    if job.priority == command.value:
        return False
    turn.set(job, priority=command.value)
    event_gate.follow_job(world, turn, job)
    return True
