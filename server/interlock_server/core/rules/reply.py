"""Replies of operators: whether one is taken, and what it does to the job (domain.md B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import re2

from interlock_server.core.command import Outcome
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.operator_message import OperatorMessage
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import limit, restart_reply, result
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import Reply
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


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
    if message.restart:
        restart_reply.take(world, turn, job, command.reply)
    elif message.blocking and job.status == Status.REDWOOD_CONSOLE:
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
    if job.limits_missed:
        limit.enforce(world, turn, job)
        if job.status != Status.REDWOOD_RUNNING:
            return
    definition = world.definitions[job.definition]
    if definition.completion is Completion.EXTERNAL and job.fault is None:
        return  # an external caller names the result
    if job.code_ended:
        turn.follow_up(Actor.ROBOT, job.robot)
        trigger = Trigger.COMPLETE if job.fault is None else Trigger.FAIL
        result.end(world, turn, job, trigger, "it had ended before the reply")
