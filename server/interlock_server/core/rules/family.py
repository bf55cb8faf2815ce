"""Parents and children: who waits for whom (domain.md B8, RA-8).

A child is a job that names a live Redwood job as its parent. Its own end says nothing about the
parent's, unless the parent's definition waits for its children. Ending a parent, in whatever way,
leaves its children alone; those that wait for its end start then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import Role
from interlock_server.core.rejection import Reason, Rejection, not_found
from interlock_server.core.rules import admission, result, window
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import NewJob
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def refusal(world: World, new: NewJob) -> Rejection | None:
    """Say why a job cannot have this parent; None if it can."""
    if not new.parent:
        if new.after_parent:
            return Rejection(
                Reason.INVALID_FIELD, "expected a parent with start_when_parent_ends, but got none"
            )
        return None
    parent = world.jobs.get(new.parent)
    if parent is None:
        return not_found(world, new.parent)
    if parent.lifecycle != Lifecycle.REDWOOD or parent.ended_ms or parent.role is Role.STEP:
        return Rejection(
            Reason.ILLEGAL_TRANSITION,
            f"expected a live Redwood job as parent, but job {parent.id} is "
            f"{STATUS_NAME[parent.status]}",
            status=STATUS_NAME[parent.status],
        )
    return None


def why_delayed(job: Job) -> str:
    """What a Delayed job waits for, in words."""
    return f"waits for job {job.parent}" if job.delay_reason == "parent" else "restart delay"


def end_delay(world: World, turn: Turn, job: Job) -> None:
    """What a Delayed job waited for has come (TR-012)."""
    if job.status == Status.REDWOOD_DELAYED:
        turn.move(job, Trigger.END_DELAY)
        window.set_start(world, turn, job, max(job.start_ms, turn.now_ms))
        admission.advance(world, turn, job)


def waits_for_children(world: World, job: Job, trigger: Trigger) -> bool:
    """Whether this end of the code waits for the children of the job."""
    definition = world.definitions[job.definition]
    by_itself = trigger in {Trigger.COMPLETE, Trigger.FAIL}
    return (
        by_itself
        and definition.completion is Completion.EXTERNAL_WAIT_FOR_CHILDREN
        and bool(_awaited(world, job))
    )


def _awaited(world: World, job: Job) -> list[Job]:
    """Children that are not final; those that wait for the job's own end are not awaited by it."""
    children = [world.jobs[child] for child in world.children.get(job.id, ())]
    return [each for each in children if not each.ended_ms and not _defers(each)]


def _defers(child: Job) -> bool:
    return child.status == Status.REDWOOD_DELAYED and child.delay_reason == "parent"


def wait(turn: Turn, job: Job) -> None:
    """The code of the job has ended; it is Waiting until its children are final (TR-093)."""
    turn.set(job, code_ended=True, attached=False)
    turn.move(job, Trigger.WAIT, "waits for its children")


def follow(world: World, turn: Turn, job: Job) -> None:
    """Tell children and parent of a job that is final now."""
    for child_id in list(world.children.get(job.id, ())):
        child = world.jobs[child_id]
        if _defers(child):
            turn.follow_up(Actor.JOB, f"job {job.id}")
            end_delay(world, turn, child)
    parent = world.jobs.get(job.parent)
    if (
        parent is None
        or parent.status != Status.REDWOOD_WAITING
        or not parent.code_ended
        or _awaited(world, parent)
    ):
        return
    turn.follow_up(Actor.SYSTEM, "children")
    turn.move(parent, Trigger.STOP_WAITING, "its children are final")
    turn.follow_up(Actor.ROBOT, parent.robot)
    trigger = Trigger.COMPLETE if parent.fault is None else Trigger.FAIL
    result.end(world, turn, parent, trigger, "its children are final")
