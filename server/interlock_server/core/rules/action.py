"""Actions of Redwood jobs: rules that the server evaluates; the first that is true counts (B8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.definition import RuleEffect
from interlock_server.core.rules import admission, condition, named_event, window
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import STATUS_NAME, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock_server.core.command import ActionOutcome
    from interlock_server.core.model.definition import Rule
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


class ActionFault(Exception):  # noqa: N818  a word of this project, as in Rejection
    """An action failed; the sentence says how."""


def choose(
    world: World,
    turn: Turn,
    job: Job,
    rules: Iterable[Rule],
    place: Mapping[str, str],
    old_status: int,
    new_status: int,
) -> Rule | None:
    """The first rule that is true; None if none is.

    Raises:
        ActionFault: an expression cannot be evaluated.
    """
    names = {"old_status": STATUS_NAME[old_status], "new_status": STATUS_NAME[new_status]}
    for rule in rules:
        try:
            if condition.is_true(world, turn, job, rule.when, place, **names):
                return rule
        except ExpressionFault as fault:
            raise ActionFault(str(fault)) from None
    return None


def raise_event(world: World, turn: Turn, job: Job, rule: Rule, author: str) -> None:
    """Raise the event of a rule, in the action's name."""
    turn.follow_up(Actor.ACTION, author)
    named_event.raise_event(world, turn, rule.target, rule.reason or f"job {job.id}")


def replan(world: World, turn: Turn, job: Job, outcome: ActionOutcome) -> None:
    """Give a Scheduled job another start or queue, and let it through the gates."""
    if outcome.effect is RuleEffect.MOVE:
        turn.set(job, queue=outcome.queue)
    else:
        start_ms = turn.now_ms + outcome.delay_ms
        turn.set(job, start_ms=start_ms, **({} if job.top else {"top_start_ms": start_ms}))
    if job.status == Status.REDWOOD_SCHEDULED:
        window.set_start(world, turn, job, job.start_ms)
    elif job.status == Status.REDWOOD_HELD:
        window.set_start_while_held(world, turn, job, job.start_ms)
    admission.advance(world, turn, job)
