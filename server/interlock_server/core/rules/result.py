"""The one door through which a Redwood job leaves for its end (domain.md B8, B10).

First its post-running action, which may replace the result; then, if that is bad and the behavior
says so, the question to an operator; then the final status. The table says what is legal from
where: from Console and Uncertain a job goes straight to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import RestartAction
from interlock_server.core.model.job import Role
from interlock_server.core.rules import restart_behavior, restart_question
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET, ROWS, next_row
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def end(world: World, turn: Turn, job: Job, trigger: Trigger, reason: str = "") -> None:
    """End a job that `trigger` would take to a final status, in the name of who speaks.

    This carries the load: where the definition says nothing about ends, it is a move.
    """
    if job.definition not in world.concluders and not world.restart_defaults:
        turn.move(job, trigger, reason)
        return
    target = ROW_TARGET[next_row(job.status, trigger)]
    if target and _asks(world, turn, job, target):
        _ask(world, turn, job, target, reason)
    else:
        turn.move(job, trigger, reason)


def _asks(world: World, turn: Turn, job: Job, target: int) -> bool:
    """Whether an operator decides first: only after a bad end, and where the table has a way."""
    row = ROWS[next_row(job.status, Trigger.REQUEST_RESTART)]
    if row is None or target == Status.REDWOOD_COMPLETED or job.role is Role.STEP:
        return False
    behavior = restart_behavior.of(world, job, target)
    return behavior.action is RestartAction.REQUEST_RESTART and (
        Actor.SYSTEM in row.actors or turn.cause.actor in row.actors
    )


def _ask(world: World, turn: Turn, job: Job, target: int, reason: str) -> None:
    turn.set(job, provisional=int(target))
    if not turn.may(job, Trigger.REQUEST_RESTART):
        turn.follow_up(Actor.SYSTEM, "restart behavior")
    turn.move(job, Trigger.REQUEST_RESTART, reason)
    restart_question.ask(world, turn, job, target)


#: How a provisional result becomes final when an operator has replied without more.
AS_PROVISIONAL: Final = {
    Status.REDWOOD_ERROR: Trigger.REPLY_NO_RESTART,
    Status.REDWOOD_KILLED: Trigger.REPLY_KILLED,
    Status.REDWOOD_CANCELED: Trigger.REPLY_CANCELED,
    Status.REDWOOD_UNKNOWN: Trigger.REPLY_UNKNOWN,
}
