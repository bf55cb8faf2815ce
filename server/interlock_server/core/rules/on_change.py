"""On-change actions: rules that are looked at whenever a job changes on its way to Queued (R16).

Not for Chained, not when a job leaves LockWait, not for Canceled; and what the action itself does
makes no change that it looks at. New is decided before anything else of a job; all other changes at
the end of the turn that made them, before the job can be handed to a robot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.command import ActionOutcome, Question
from interlock_server.core.model.definition import Rule, RuleEffect
from interlock_server.core.model.job import Fault, Role
from interlock_server.core.rules import action, hold, operator_message
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROW_SOURCE, ROW_TARGET, next_row
from interlock_server.core.vocabulary.status import NONE_STATUS, Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import ON_CHANGE

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: The author of what it does.
AUTHOR: Final = "on-change action"
#: Where a job is looked at.
_LOOKED_AT: Final = frozenset(
    {
        Status.REDWOOD_DELAYED,
        Status.REDWOOD_SCHEDULED,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_HELD,
        Status.REDWOOD_EVENT_WAIT,
        Status.REDWOOD_QUEUED,
        Status.REDWOOD_OVERDUE,
        Status.REDWOOD_NEVER,
    }
)
#: Where it has come from; not from LockWait, and not back from a robot.
_FROM: Final = _LOOKED_AT | {
    Status.REDWOOD_NEW,
    Status.REDWOOD_CHAINED,
    Status.REDWOOD_MODIFIED,
}


#: How far the changes of a turn were looked at: block and index in it.
Place = tuple[int, int]


# -- New ----------------------------------------------------------------------------------------


def at_new(world: World, turn: Turn, job: Job) -> tuple[str, bool]:
    """Let the action look at a New job; what is wrong with it, and whether it is put on hold.

    It may be Canceled by this (TR-011).
    """
    definition = world.definitions[job.definition]
    try:
        rule = action.choose(
            world, turn, job, definition.on_change, ON_CHANGE, NONE_STATUS, Status.REDWOOD_NEW
        )
        if rule is not None:
            _do_at_new(world, turn, job, rule)
    except action.ActionFault as fault:
        return str(fault), False
    if rule is not None and rule.effect is RuleEffect.FAIL:
        return rule.reason or rule.when, False
    return "", rule is not None and rule.effect is RuleEffect.HOLD


def _do_at_new(world: World, turn: Turn, job: Job, rule: Rule) -> None:
    before = turn.cause
    match rule.effect:
        case RuleEffect.RESCHEDULE:
            start_ms = turn.now_ms + rule.delay_ms
            turn.set(job, start_ms=start_ms, **({} if job.top else {"top_start_ms": start_ms}))
        case RuleEffect.MOVE:
            if rule.target not in world.queues:
                raise action.ActionFault(f"there is no queue {rule.target!r}")
            turn.set(job, queue=rule.target)
        case RuleEffect.CANCEL:
            turn.follow_up(Actor.ACTION, AUTHOR)
            turn.move(job, Trigger.CANCEL, rule.reason or rule.when)
    if turn.cause != before:
        turn.follow_up(Actor(before.actor), before.author, before.reason)


# -- every other change -------------------------------------------------------------------------


def follow(world: World, turn: Turn, place: Place) -> Place:
    """Look at the changes of this turn from a place on, and at those that follow from that."""
    blocks = turn.draft.blocks
    number, index = place
    while number < len(blocks):
        block = blocks[number]
        while index < len(block.jobs):
            job, row = world.jobs.get(block.jobs[index]), block.rows[index]
            index += 1
            if job is not None and block.cause.actor != Actor.ACTION and _is_looked_at(job, row):
                _look(world, turn, job, ROW_SOURCE[row], ROW_TARGET[row])
        if number + 1 == len(blocks):
            break  # more may come into the newest block
        number, index = number + 1, 0
    return number, index


def _is_looked_at(job: Job, row: int) -> bool:
    return ROW_TARGET[row] in _LOOKED_AT and ROW_SOURCE[row] in _FROM and job.status in _LOOKED_AT


def _look(world: World, turn: Turn, job: Job, old_status: int, new_status: int) -> None:
    if job.definition not in world.changers or job.role is Role.STEP:
        return
    definition = world.definitions[job.definition]
    try:
        rule = action.choose(
            world, turn, job, definition.on_change, ON_CHANGE, old_status, new_status
        )
        if rule is None:
            return
    except action.ActionFault as fault:
        _stop(world, turn, job, str(fault))
        return
    reason = rule.reason or rule.when
    turn.follow_up(Actor.ACTION, AUTHOR)
    if rule.effect in {RuleEffect.RESCHEDULE, RuleEffect.MOVE}:
        _replan(world, turn, job, rule, reason)
    elif rule.effect is RuleEffect.FAIL:
        _stop(world, turn, job, reason)
    elif rule.effect is RuleEffect.HOLD:
        if next_row(job.status, Trigger.HOLD):
            hold.put_on_hold(turn, job, reason)
    elif next_row(job.status, Trigger.CANCEL):
        turn.move(job, Trigger.CANCEL, reason)


def _replan(world: World, turn: Turn, job: Job, rule: Rule, reason: str) -> None:
    """Give the job another start or queue. Held and Delayed keep their status."""
    moves = rule.effect is RuleEffect.MOVE
    if moves and rule.target not in world.queues:
        _stop(world, turn, job, f"there is no queue {rule.target!r}")
        return
    if moves and job.queue == rule.target:
        return
    trigger = Trigger.RESCHEDULE
    if job.status in _BACK:
        turn.move(job, trigger, reason)
    elif job.status not in _STAYS:
        return
    action.replan(world, turn, job, ActionOutcome(rule.effect, rule.delay_ms, rule.target))


_BACK: Final = frozenset(
    {Status.REDWOOD_QUEUED, Status.REDWOOD_QUEUE_HELD, Status.REDWOOD_EVENT_WAIT}
)
_STAYS: Final = frozenset({Status.REDWOOD_SCHEDULED, Status.REDWOOD_HELD, Status.REDWOOD_DELAYED})


def _stop(world: World, turn: Turn, job: Job, problem: str) -> None:
    """The action failed. Only New may become Error; from here the job is held for a person."""
    turn.set(job, fault=Fault("ACTION_FAILED", problem))
    turn.follow_up(Actor.ACTION, AUTHOR)
    if next_row(job.status, Trigger.HOLD):
        hold.put_on_hold(turn, job, problem)
    note = Question(f"the on-change action of job {job.id} failed: {problem}", reply_required=True)
    operator_message.note(world, turn, job, note)
