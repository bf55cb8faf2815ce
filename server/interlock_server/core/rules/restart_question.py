"""The question that an operator answers after a bad end: what is said, and what a reply means.

Stand-alone jobs and steps of chains ask with the same words (domain.md B11, RA-3).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from interlock_server.core.command import Question
from interlock_server.core.model.job import Role
from interlock_server.core.rules import operator_message
from interlock_server.core.vocabulary.status import STATUS_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

TITLE: Final = "Choose restart option"


class Choice(StrEnum):
    """The replies to choose from; what is offered depends on who asks."""

    #: A new job, which starts.
    RESTART = "Restart"
    #: A new job, which a person releases.
    RESTART_AND_HOLD = "Restart and hold"
    #: Step: a new run of those of its calls that did not complete.
    RESTART_FAILED = "Restart failed"
    RESTART_FAILED_AND_HOLD = "Restart failed and hold"
    #: Step: a new job of the whole chain.
    RESTART_CHAIN = "Restart chain"
    RESTART_CHAIN_AND_HOLD = "Restart chain and hold"
    #: It ends as it would have.
    NO_RESTART = "No restart"
    #: It counts as Completed.
    CONTINUE = "Continue"


#: Of a job whose end waits for the reply.
OPEN_END: Final = (Choice.RESTART, Choice.RESTART_AND_HOLD, Choice.NO_RESTART, Choice.CONTINUE)
#: Of a step, for its chain too.
STEP: Final = tuple(Choice)
#: Of a job that is final already: it cannot become Completed any more.
FINAL: Final = (Choice.RESTART, Choice.RESTART_AND_HOLD, Choice.NO_RESTART)


def ask(world: World, turn: Turn, job: Job, status: int, choices: Sequence[str] = OPEN_END) -> None:
    """Ask what follows; `status` is how the job ended or would end. It waits for the reply."""
    blocking = tuple(choices) != FINAL
    operator_message.raise_question(
        world, turn, job, Question(_text(job, status), choices=tuple(choices)), blocking=blocking
    )


def _text(job: Job, status: int) -> str:
    name = f"step {job.step} of {job.definition}" if job.role is Role.STEP else job.definition
    text = f"{TITLE}: {name} ended as {STATUS_NAME[status]}"
    fault = job.fault
    if fault is not None:
        text += f": {fault.title or fault.code}"
    return text
