"""What follows when a job has become final, in the same turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.command import Question
from interlock_server.core.model.job import ResumeKind
from interlock_server.core.rules import operator_message, resume
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle, Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def follow(world: World, turn: Turn, job: Job) -> None:
    """Close moot questions, leave the message that the definition wants, wake who waited."""
    if job.messages:
        operator_message.close_questions(turn, job)
    _message_on_failure(world, turn, job)
    if world.resume_by_key:
        resume.fire_key(world, turn, ResumeKind.JOB, str(job.id), Actor.JOB, f"job {job.id}")


def _message_on_failure(world: World, turn: Turn, job: Job) -> None:
    """S19: the job stays final; the open message puts it into the list of manual interventions."""
    definition = world.definitions.get(job.definition)
    if (
        definition is None
        or not definition.message_on_failure
        or job.lifecycle != Lifecycle.REDWOOD
        or job.status == Status.REDWOOD_COMPLETED
    ):
        return
    text = f"{job.definition} ended as {STATUS_NAME[job.status]}"
    if job.info:
        text += f": {job.info}"
    operator_message.note(world, turn, job, Question(text, reply_required=True))
