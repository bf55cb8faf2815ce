"""What runs before the code of a Redwood job, and may turn it around (domain.md B8, RA-13).

Rules decide at once in the server. If none does, the robot runs the code of its own that the
definition promises, when it is ordered to, and reports what came out. Until the action has passed,
the code of the job must not run: a robot that does so loses the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.command import ActionOutcome
from interlock_server.core.model.definition import RuleEffect
from interlock_server.core.model.job import Fault
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import action, limit
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROW_SOURCE
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import PRE_RUNNING

if TYPE_CHECKING:
    from interlock_server.core.command import ReportDetail
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: The author of what it does.
AUTHOR: Final = "pre-running action"


def accepted(world: World, turn: Turn, job: Job) -> None:
    """A robot took the offer: begin the action, if the robot can do its part of one."""
    definition = world.definitions[job.definition]
    if not definition.acts_before:
        if waits_in_vain(world, job):
            turn.tell(job, EffectKind.START)
        return
    if world.robots[job.robot].actions:
        begin(world, turn, job, definition)
    else:
        _hand_back(world, turn, job)


def waits_in_vain(world: World, job: Job) -> bool:
    """Whether the offer may have named an action that the definition has lost since then."""
    definition = world.definitions[job.definition]
    robot = world.robots.get(job.robot)
    return (
        not definition.acts_before
        and definition.version != job.definition_version
        and robot is not None
        and robot.actions
    )


def begin(world: World, turn: Turn, job: Job, definition: Definition) -> None:
    """Begin the pre-running action of an Assigned job; its rules decide at once (TR-078)."""
    turn.set(job, pending_status=_last_pending(job))
    turn.follow_up(Actor.SYSTEM, AUTHOR)
    turn.move(job, Trigger.START_PRE_RUNNING)
    limit.begin(world, turn, job, definition)
    try:
        rule = action.choose(
            world,
            turn,
            job,
            definition.pre_running,
            PRE_RUNNING,
            job.pending_status,
            Status.REDWOOD_PRE_RUNNING,
        )
        if rule is not None and rule.effect is RuleEffect.RAISE_EVENT:
            action.raise_event(world, turn, job, rule, AUTHOR)
            rule = None
    except action.ActionFault as fault:
        fail(turn, job, str(fault))
        return
    if rule is not None:
        outcome = ActionOutcome(rule.effect, rule.delay_ms, rule.target)
        refused = decide(world, turn, job, outcome, rule.reason or rule.when)
        if refused is not None:
            fail(turn, job, refused.sentence)
    elif definition.pre_running_code and job.attached:
        turn.tell(job, EffectKind.RUN_PRE_RUNNING)
    else:
        _go(turn, job)


def _last_pending(job: Job) -> int:
    """What the job last waited in before it was handed out (RA-13)."""
    for entry in reversed(job.history):
        source = ROW_SOURCE[entry.row]
        if source in _PENDING:
            return int(source)
        if source not in _HANDED_OUT:
            break
    return int(Status.REDWOOD_QUEUED)


_HANDED_OUT: Final = frozenset(
    {Status.REDWOOD_QUEUED, Status.REDWOOD_DISPATCHED, Status.REDWOOD_ASSIGNED}
)
_PENDING: Final = frozenset({Status.REDWOOD_EVENT_WAIT, Status.REDWOOD_LOCK_WAIT})


def _go(turn: Turn, job: Job) -> None:
    """The action has passed: the robot may run the code (TR-084)."""
    if turn.cause.actor != Actor.SYSTEM:
        turn.follow_up(Actor.SYSTEM, AUTHOR)
    turn.move(job, Trigger.START)
    if job.attached:
        turn.tell(job, EffectKind.START)


def decide(
    world: World, turn: Turn, job: Job, outcome: ActionOutcome, reason: str
) -> Rejection | None:
    """Do what a pre-running action decided. Turned around, the job leaves its robot behind."""
    if outcome.effect is RuleEffect.FAIL:
        fail(turn, job, reason)
        return None
    trigger = _TURNS.get(outcome.effect)
    if outcome.effect is None:
        _go(turn, job)
        return None
    if trigger is None or (outcome.effect is RuleEffect.MOVE and _no_queue(world, outcome)):
        return Rejection(
            Reason.INVALID_FIELD,
            f"a pre-running action of job {job.id} cannot decide {outcome.effect.name} "
            f"{outcome.queue!r}",
        )
    if job.attached:
        turn.tell(job, EffectKind.FORGET)
    turn.follow_up(Actor.ACTION, AUTHOR)
    turn.move(job, trigger, reason)
    turn.set(job, limit_at_ms=0, limits_ms=(), limits_missed=())
    if trigger is Trigger.RESCHEDULE:
        action.replan(world, turn, job, outcome)
    return None


_TURNS: Final[dict[RuleEffect | None, Trigger]] = {
    RuleEffect.HOLD: Trigger.HOLD,
    RuleEffect.CANCEL: Trigger.CANCEL,
    RuleEffect.RESCHEDULE: Trigger.RESCHEDULE,
    RuleEffect.MOVE: Trigger.RESCHEDULE,
}


def _no_queue(world: World, outcome: ActionOutcome) -> bool:
    return outcome.queue not in world.queues


def fail(turn: Turn, job: Job, problem: str) -> None:
    """A pre-running action failed, or says that the job does (TR-088)."""
    if job.attached:
        turn.tell(job, EffectKind.FORGET)
    turn.set(job, fault=Fault("ACTION_FAILED", problem))
    turn.follow_up(Actor.SYSTEM, AUTHOR)
    turn.move(job, Trigger.FAIL, problem)


def too_early(world: World, turn: Turn, job: Job) -> Rejection | None:
    """Refuse that a robot runs a job whose pre-running action has not passed; None if it may."""
    definition = world.definitions.get(job.definition)
    if job.status == Status.REDWOOD_PRE_RUNNING:
        fail(turn, job, "its robot ran it before its pre-running action had passed")
    elif (
        job.status in {Status.REDWOOD_DISPATCHED, Status.REDWOOD_ASSIGNED}
        and definition is not None
        and definition.acts_before
    ):
        _hand_back(world, turn, job)
    else:
        return None
    return Rejection(
        Reason.NOT_ASSIGNED,
        f"job {job.id} has a pre-running action: accept it, and run it when ordered to start; "
        "now it is not yours any more: drop it",
    )


def _hand_back(world: World, turn: Turn, job: Job) -> None:
    """Queue a job again that its robot may not have, and give that robot no others like it."""
    robot = world.robots[job.robot]
    turn.tell(job, EffectKind.FORGET)
    turn.follow_up(Actor.SYSTEM, AUTHOR)
    turn.move(job, Trigger.REQUEUE, "its robot does not wait for its pre-running action")
    left = tuple(name for name in robot.definitions if name != job.definition)
    turn.put_robot(robot, definitions=left)


def done(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    """The robot ran the code of the action, and says what came out."""
    if job.status != Status.REDWOOD_PRE_RUNNING:
        return illegal(job, "end the pre-running action of", Actor.ROBOT)
    if detail.fault is not None:
        fail(turn, job, detail.fault.title or detail.fault.code)
        return None
    outcome = detail.action or ActionOutcome()
    return decide(world, turn, job, outcome, detail.reason)
