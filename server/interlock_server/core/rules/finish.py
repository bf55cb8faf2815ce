"""What follows when a job has become final, in the same turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.job import ResumeKind, Role
from interlock_server.core.rules import (
    chain,
    family,
    limit,
    operator_message,
    restart,
    restart_behavior,
    resume,
    schedule,
)
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle, Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

_FAILURES: Final = frozenset(
    {
        Status.REDWOOD_ERROR,
        Status.REDWOOD_KILLED,
        Status.REDWOOD_CANCELED,
        Status.REDWOOD_UNKNOWN,
    }
)


def follow(world: World, turn: Turn, job: Job) -> None:
    """Close moot questions, leave the message that the definition wants, wake who waited."""
    if job.messages:
        operator_message.close_questions(turn, job)
    definition = world.definitions.get(job.definition)
    if job.lifecycle == Lifecycle.REDWOOD:
        if definition is not None and definition.message_on_failure and job.role is not Role.STEP:
            _message_on_failure(world, turn, job)
        if job.definition in world.special or restart_behavior.is_said(world):
            if definition is not None and job.role is not Role.STEP:
                limit.close(world, turn, job, definition)
            restart.follow(world, turn, job, definition)
        if job.id in world.children or job.parent:
            family.follow(world, turn, job)
        if job.chain is not None or job.parent:
            chain.follow(world, turn, job)
    if job.lineage is not None and job.schedule:
        schedule.follow(world, turn, job)
    if world.resume_by_key:
        resume.fire_key(world, turn, ResumeKind.JOB, str(job.id), Actor.JOB, f"job {job.id}")


def _message_on_failure(world: World, turn: Turn, job: Job) -> None:
    """S19: the job stays final; the open message puts it into the list of manual interventions.

    What a chain skipped or ignored has not failed.
    """
    if job.status in _FAILURES and job.open_message is None:
        restart.leave_message(world, turn, job)
