"""The one door through which a Redwood job leaves for its end (domain.md B8, B10).

First its post-running action, which may replace the result; then, if that is bad and the behavior
says so, the question to an operator; then the final status. The table says what is legal from
where: from Console and Uncertain a job goes straight to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.command import ActionOutcome
from interlock_server.core.model.definition import RestartAction, RuleEffect
from interlock_server.core.model.job import Fault, Role
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import action, restart_behavior, restart_question
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET, ROWS, next_row
from interlock_server.core.vocabulary.status import IS_FINAL, Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import POST_RUNNING

if TYPE_CHECKING:
    from interlock_server.core.command import ReportDetail
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def end(
    world: World, turn: Turn, job: Job, trigger: Trigger, reason: str = "", *, robot: bool = False
) -> None:
    """End a job that `trigger` would take to a final status, in the name of who speaks.

    With `robot` the robot that reports the end can run a post-running action of its own. This
    carries the load: where the definition says nothing about ends, it is a move.
    """
    if (
        job.definition not in world.special
        and job.status != Status.REDWOOD_POST_RUNNING
        and not restart_behavior.is_said(world)
    ):
        turn.move(job, trigger, reason)
        return
    target = ROW_TARGET[next_row(job.status, trigger)]
    if job.status == Status.REDWOOD_POST_RUNNING:
        settle(world, turn, job, target, reason)
    elif IS_FINAL[target] and _acts(world, job, robot=robot):
        _begin_action(world, turn, job, target, reason, robot=robot)
    elif IS_FINAL[target] and _asks(world, turn, job, target):
        _ask(world, turn, job, target, reason)
    else:
        turn.move(job, trigger, reason)


# -- the post-running action --------------------------------------------------------------------


def _acts(world: World, job: Job, *, robot: bool) -> bool:
    definition = world.definitions.get(job.definition)
    if definition is None or job.role is Role.STEP:
        return False
    has = bool(definition.post_running) or (definition.post_running_code and robot and job.attached)
    return has and bool(next_row(job.status, Trigger.START_POST_RUNNING))


def _begin_action(
    world: World, turn: Turn, job: Job, target: int, reason: str, *, robot: bool
) -> None:
    """Let the post-running action look at the result (TR-092, TR-116, TR-131)."""
    definition = world.definitions[job.definition]
    old_status = job.status
    turn.set(job, provisional=int(target))
    if not turn.may(job, Trigger.START_POST_RUNNING):
        row = ROWS[next_row(job.status, Trigger.START_POST_RUNNING)]
        assert row is not None, "this was asked before"
        by_robot = Actor.SYSTEM not in row.actors
        turn.follow_up(*((Actor.ROBOT, job.robot) if by_robot else (Actor.SYSTEM, AUTHOR)))
    turn.move(job, Trigger.START_POST_RUNNING, reason)
    try:
        rule = action.choose(
            world, turn, job, definition.post_running, POST_RUNNING, old_status, target
        )
        if rule is not None and rule.effect is RuleEffect.RAISE_EVENT:
            action.raise_event(world, turn, job, rule, AUTHOR)
            rule = None
    except action.ActionFault as fault:
        _fail(world, turn, job, Fault("ACTION_FAILED", str(fault)))
        return
    if rule is not None and rule.effect is RuleEffect.FAIL:
        _fail(world, turn, job, Fault("ACTION", rule.reason or rule.when))
    elif rule is not None:
        settle(world, turn, job, Status.REDWOOD_COMPLETED, rule.reason or rule.when)
    elif definition.post_running_code and robot and job.attached:
        turn.tell(job, EffectKind.RUN_POST_RUNNING)
    else:
        settle(world, turn, job, target, reason)


def _fail(world: World, turn: Turn, job: Job, fault: Fault) -> None:
    turn.set(job, fault=fault)
    settle(world, turn, job, Status.REDWOOD_ERROR, fault.title or fault.code)


def action_done(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    """The robot ran its post-running action, and says what it makes of the result."""
    if job.status != Status.REDWOOD_POST_RUNNING:
        return illegal(job, "end the post-running action of", Actor.ROBOT)
    outcome = detail.action or ActionOutcome()
    if detail.fault is not None or outcome.effect is RuleEffect.FAIL:
        fault = detail.fault or Fault("ACTION", detail.reason or "its post-running action says so")
        _fail(world, turn, job, fault)
    elif outcome.effect is None:
        settle(world, turn, job, job.provisional, detail.reason)
    elif outcome.effect is RuleEffect.COMPLETE:
        settle(world, turn, job, Status.REDWOOD_COMPLETED, detail.reason)
    else:
        return Rejection(
            Reason.INVALID_FIELD,
            f"a post-running action of job {job.id} cannot decide {outcome.effect.name}",
        )
    return None


def settle(world: World, turn: Turn, job: Job, target: int, reason: str = "") -> None:
    """Leave PostRunning for a final status, or for the question to an operator."""
    if _asks(world, turn, job, target):
        _ask(world, turn, job, target, reason)
        return
    if target == Status.REDWOOD_COMPLETED and job.fault is not None:
        turn.set(job, fault=None)
    turn.set(job, provisional=0)
    trigger, actor = _SETTLES[Status(target)]
    turn.follow_up(actor, AUTHOR)
    turn.move(job, trigger, reason)


#: The author of what the action does.
AUTHOR: Final = "post-running action"
_SETTLES: Final = {
    Status.REDWOOD_COMPLETED: (Trigger.COMPLETE, Actor.ACTION),
    Status.REDWOOD_ERROR: (Trigger.FAIL, Actor.ACTION),
    Status.REDWOOD_KILLED: (Trigger.CONFIRM_KILL, Actor.SYSTEM),
    Status.REDWOOD_UNKNOWN: (Trigger.LOSE_FOR_GOOD, Actor.SYSTEM),
    Status.REDWOOD_CANCELED: (Trigger.CANCEL_REMOTELY, Actor.SYSTEM),
}


# -- the question to an operator ----------------------------------------------------------------


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
