"""Questions and notes of jobs, and the replies to them (domain.md B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import re2

from interlock_server.core.command import Outcome
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.operator_message import OperatorMessage
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import Question, Reply
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


def _raise_message(
    world: World, turn: Turn, job: Job, question: Question, *, required: bool, blocking: bool
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


def reply(world: World, turn: Turn, command: Reply) -> tuple[OperatorMessage, Outcome] | Rejection:
    """Answer an open message. Empty and non-matching replies are refused."""
    job_id = world.open_messages.get(command.message)
    if job_id is None:
        return _not_open(world, command.message)
    job = world.jobs[job_id]
    message = next(message for message in job.messages if message.id == command.message)
    refusal = _reply_refusal(message, command.reply)
    if refusal is not None:
        return refusal
    answered = msgspec.structs.replace(
        message, reply=command.reply, replied_by=turn.cause.author, replied_ms=turn.now_ms
    )
    turn.set(job, messages=tuple(answered if m.id == message.id else m for m in job.messages))
    if job.attached:
        turn.tell(job, EffectKind.REPLY, message.id, command.reply)
    if message.blocking and job.status == Status.REDWOOD_CONSOLE:
        _go_on(world, turn, job, message)
    return answered, Outcome(job.id, job.status, job.revision)


def _not_open(world: World, message: int) -> Rejection:
    if 0 < message < world.next_message:
        return Rejection(
            Reason.MESSAGE_CLOSED,
            f"message {message} needs no reply: it was answered, or its job is over",
        )
    return Rejection(Reason.MESSAGE_NOT_FOUND, f"there is no operator message {message}")


def _reply_refusal(message: OperatorMessage, text: str) -> Rejection | None:
    if not text.strip():
        return Rejection(
            Reason.REPLY_REFUSED, f"the reply to message {message.id} may not be empty"
        )
    if message.choices and text not in message.choices:
        choices = ", ".join(message.choices)
        return Rejection(
            Reason.REPLY_REFUSED,
            f"the reply to message {message.id} has to be one of: {choices}",
            choices=choices,
        )
    # re2 takes time in proportion to the text, whatever the expression: a robot cannot stall the
    # engine.
    if message.pattern and not re2.fullmatch(message.pattern, text):
        return Rejection(
            Reason.REPLY_REFUSED,
            f"the reply to message {message.id} has to match {message.pattern}",
            pattern=message.pattern,
        )
    return None


def _go_on(world: World, turn: Turn, job: Job, message: OperatorMessage) -> None:
    """Leave Console. A job whose code has ended meanwhile ends now."""
    if message.completes and job.fault is None:
        turn.move(job, Trigger.REPLY_AND_COMPLETE)
        return
    turn.move(job, Trigger.REPLY)
    definition = world.definitions[job.definition]
    if definition.completion is Completion.EXTERNAL and job.fault is None:
        return  # an external caller names the result
    if job.code_ended:
        turn.follow_up(Actor.ROBOT, job.robot)
        turn.move(
            job,
            Trigger.COMPLETE if job.fault is None else Trigger.FAIL,
            "it had ended before the reply",
        )
