"""Changing a job that is not Queued yet, and correcting a Modified one (RA-22, TR-072)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock_server.core.command import ChangeJobs, EditJob, Outcome, Verb
from interlock_server.core.model.job import Role
from interlock_server.core.rejection import Reason, Rejection, illegal, not_found
from interlock_server.core.rules import admission, event_gate, hold, restart
from interlock_server.core.rules.parameter import parameter_fault, with_defaults
from interlock_server.core.rules.queue import missing
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Where it can get other inputs: everywhere before Queued.
_INPUTS: Final = frozenset(
    {
        Status.REDWOOD_CHAINED,
        Status.REDWOOD_DISABLED,
        Status.REDWOOD_DELAYED,
        Status.REDWOOD_SCHEDULED,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_HELD,
        Status.REDWOOD_EVENT_WAIT,
        Status.REDWOOD_MODIFIED,
        Status.REDWOOD_NEVER,
        Status.REDWOOD_OVERDUE,
    }
)
#: Where it leaves a queue by becoming Scheduled again, so that the gates of the other one count.
_IN_LINE: Final = frozenset(
    {
        Status.REDWOOD_QUEUED,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_LOCK_WAIT,
        Status.REDWOOD_EVENT_WAIT,
    }
)
#: Where it can get another start.
_STARTS: Final = _IN_LINE | {
    Status.REDWOOD_SCHEDULED,
    Status.REDWOOD_HELD,
    Status.REDWOOD_MODIFIED,
    Status.REDWOOD_NEVER,
    Status.REDWOOD_OVERDUE,
}


def edit(world: World, turn: Turn, command: EditJob) -> Outcome | Rejection:
    """Change what is given, all of it or nothing. A Modified job goes on once nothing is wrong."""
    job = world.jobs.get(command.job)
    if job is None:
        return not_found(world, command.job)
    refusal = _refusal(world, job, command)
    if refusal is not None:
        return refusal
    before = job.revision
    fields = _fields(world, job, command)
    if fields:
        turn.set(job, **fields)
        event_gate.follow_job(world, turn, job)
    if command.queue and command.queue != job.queue:
        _go_to_queue(world, turn, job, command.queue)
    if job.status == Status.REDWOOD_MODIFIED:
        _correct(world, turn, job, command)
    elif command.start_ms:
        _reschedule(world, turn, job, command.start_ms)
    changed = bool(fields) or job.revision != before or bool(command.start_ms)
    return Outcome(job.id, job.status, job.revision, unchanged=not changed)


def _refusal(world: World, job: Job, command: EditJob) -> Rejection | None:
    if command.expected_revision and command.expected_revision != job.revision:
        return Rejection(
            Reason.REVISION_MISMATCH,
            f"job {job.id} is at revision {job.revision} ({STATUS_NAME[job.status]}), not "
            f"{command.expected_revision}; look again",
            revision=job.revision,
            status=STATUS_NAME[job.status],
        )
    if job.lifecycle != Lifecycle.REDWOOD:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"job {job.id} is a uipath job, and edit is for redwood jobs",
            lifecycle=Lifecycle(job.lifecycle).text,
        )
    if job.ended_ms or job.attached or job.role is Role.STEP:
        return illegal(job, "edit")
    if command.parameters and job.status not in _INPUTS:
        return illegal(job, "edit the parameters of")
    if command.queue and job.status not in _INPUTS | _IN_LINE:
        return illegal(job, "edit the queue of")
    if command.start_ms and job.status not in _STARTS:
        return illegal(job, "edit the start of")
    if command.queue and command.queue not in world.queues:
        return missing(command.queue)
    definition = world.definitions.get(job.definition)
    if command.parameters and definition is not None:
        fault = parameter_fault(definition, command.parameters)
        if fault:
            return Rejection(Reason.INVALID_PARAMETER, fault)
    return None


def _fields(world: World, job: Job, command: EditJob) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    definition = world.definitions.get(job.definition)
    if command.parameters:
        text = command.parameters
        fields["parameters"] = with_defaults(definition, text) if definition is not None else text
    if command.priority and command.priority != job.priority:
        fields["priority"] = command.priority
    return fields


def _go_to_queue(world: World, turn: Turn, job: Job, queue: str) -> None:
    if job.status not in _IN_LINE:
        turn.set(job, queue=queue)
        return
    turn.move(job, Trigger.RESCHEDULE, f"to queue {queue}")
    turn.set(job, queue=queue)
    admission.advance(world, turn, job)


def _correct(world: World, turn: Turn, job: Job, command: EditJob) -> None:
    obstacle = restart.obstacle_of(world, job)
    if obstacle:
        turn.set(job, info=obstacle)
    else:
        _reschedule(world, turn, job, command.start_ms)


def _reschedule(world: World, turn: Turn, job: Job, start_ms: int) -> None:
    change = ChangeJobs(Verb.RESCHEDULE, (job.id,), value=start_ms)
    done = hold.reschedule(world, turn, job, change)
    assert not isinstance(done, Rejection), done.sentence
    admission.admit(world, turn)
