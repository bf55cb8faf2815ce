"""Questions and notes of jobs (domain.md B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interlock_server.core.model.operator_message import OperatorMessage
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import Question
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Messages kept with a job; the oldest closed ones go first, then the oldest that hold up nothing.
MESSAGES_KEPT: Final = 16


def ask(world: World, turn: Turn, job: Job, question: Question) -> None:
    """Raise a question that the job waits for. A Redwood job shows that as Console."""
    _raise_message(world, turn, job, question, required=True, blocking=True)
    if job.status == Status.REDWOOD_RUNNING:
        turn.move(job, Trigger.ASK, question.text[:200])


def note(world: World, turn: Turn, job: Job, question: Question) -> None:
    """Leave a message that the job does not wait for."""
    _raise_message(world, turn, job, question, required=question.reply_required, blocking=False)


def raise_question(
    world: World, turn: Turn, job: Job, question: Question, *, blocking: bool
) -> None:
    """Raise a question whose reply decides about a restart; `blocking` if the job waits for it."""
    _raise_message(world, turn, job, question, required=True, blocking=blocking, restart=True)


def _raise_message(
    world: World,
    turn: Turn,
    job: Job,
    question: Question,
    *,
    required: bool,
    blocking: bool,
    restart: bool = False,
) -> None:
    message = OperatorMessage(
        id=world.next_message,
        job=job.id,
        text=question.text,
        created_ms=turn.now_ms,
        pattern=question.pattern,
        choices=question.choices,
        required=required,
        blocking=blocking,
        completes=question.completes,
        restart=restart,
    )
    kept = list(job.messages)
    while len(kept) >= MESSAGES_KEPT:
        closed = (old for old in kept if not old.is_open)
        unneeded = (old for old in kept if not old.blocking)  # nothing waits for its reply
        kept.remove(next(closed, None) or next(unneeded, kept[0]))
    turn.set(job, messages=(*kept, message))


def close_questions(turn: Turn, job: Job) -> None:
    """Nobody waits for the answers to a job's questions any more: they need none."""
    if any(message.is_open and message.blocking for message in job.messages):
        turn.set(
            job,
            messages=tuple(
                msgspec.structs.replace(message, required=False) if message.blocking else message
                for message in job.messages
            ),
        )
