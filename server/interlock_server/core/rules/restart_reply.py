"""What the reply to a restart question does (domain.md TR-124 to TR-129, B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.model.job import Role
from interlock_server.core.rules import chain, restart, result
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.status import IS_FINAL, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def take(world: World, turn: Turn, job: Job, reply: str) -> None:
    """Do what an operator chose. The job ends as it would have; a restart is a new job."""
    choice = Choice(reply)
    if job.status == Status.REDWOOD_CONSOLE_RESTART:
        _leave(turn, job, choice)
    if not IS_FINAL[job.status]:
        return
    if job.role is Role.STEP:
        chain.answer(world, turn, job, choice)
    elif choice in {Choice.RESTART, Choice.RESTART_AND_HOLD}:
        restart.again(world, turn, job, hold=choice is Choice.RESTART_AND_HOLD)


def _leave(turn: Turn, job: Job, choice: Choice) -> None:
    trigger = result.AS_PROVISIONAL[Status(job.provisional)]
    if choice is Choice.CONTINUE:
        trigger = Trigger.REPLY_CONTINUE
    elif trigger is Trigger.REPLY_NO_RESTART and choice is not Choice.NO_RESTART:
        trigger = Trigger.REPLY_RESTART
    turn.move(job, trigger, f"the reply: {choice.lower()}")


def decline(turn: Turn, job: Job) -> None:
    """A person ends a job that waits for a reply: that is the reply No restart (domain.md B12)."""
    turn.set(
        job,
        messages=tuple(
            msgspec.structs.replace(
                message,
                reply=Choice.NO_RESTART,
                replied_by=turn.cause.author,
                replied_ms=turn.now_ms,
            )
            if message.restart and message.is_open
            else message
            for message in job.messages
        ),
    )
    _leave(turn, job, Choice.NO_RESTART)
