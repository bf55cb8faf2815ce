"""What of a definition's actions, limits and restart behaviors is refused when it is put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.expression import Gives, compile_expression
from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.definition import (
    LimitBasis,
    LimitEffect,
    LimitKind,
    RuleEffect,
)
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import restart_behavior
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle
from interlock_server.core.vocabulary.variable import (
    HOLD_ON_SUBMIT,
    ON_CHANGE,
    POST_RUNNING,
    PRE_RUNNING,
    RUNTIME_LIMIT,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from interlock_server.core.command import PutRestartDefaults
    from interlock_server.core.model.definition import (
        Definition,
        RestartBehavior,
        Rule,
        RuntimeLimit,
    )
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

E_ = RuleEffect
#: An on-change action raises no events: one that submits the definition would never end.
_ON_CHANGE: Final = (E_.HOLD, E_.CANCEL, E_.FAIL, E_.RESCHEDULE, E_.MOVE)
_BEFORE: Final = (*_ON_CHANGE, E_.RAISE_EVENT)
_AFTER: Final = (E_.COMPLETE, E_.FAIL, E_.RAISE_EVENT)
#: The shortest delay of a rule: a job that is put off by nothing would come round at once.
DELAY_MIN_MS: Final = 1_000


def queues_of(definition: Definition) -> set[str]:
    """Queues that its actions move jobs to."""
    rules = (*definition.on_change, *definition.pre_running)
    return {rule.target for rule in rules if rule.effect is E_.MOVE}


def refusal(world: World, definition: Definition) -> Rejection | None:
    """Say what is wrong with what happens around the jobs of a definition; None if nothing is."""
    if definition.lifecycle != Lifecycle.REDWOOD:
        if definition.is_special or definition.on_change:
            return Rejection(
                Reason.WRONG_LIFECYCLE,
                f"{definition.name!r} is a UiPath definition, and actions, runtime limits and "
                "restart behaviors are for Redwood",
            )
        return None
    return next(_refusals(world, definition), None)


def _refusals(world: World, definition: Definition) -> Iterator[Rejection]:
    if definition.hold_when:
        where = f"hold_when of {definition.name!r}"
        hold_when = definition.hold_when
        yield from _expression(world, where, hold_when, HOLD_ON_SUBMIT, Gives.CONDITION)
    yield from _rules(world, definition, "on_change", definition.on_change, _ON_CHANGE, ON_CHANGE)
    yield from _rules(
        world, definition, "pre_running", definition.pre_running, _BEFORE, PRE_RUNNING
    )
    yield from _rules(
        world, definition, "post_running", definition.post_running, _AFTER, POST_RUNNING
    )
    for index, limit in enumerate(definition.runtime_limits):
        yield from _limit(world, f"runtime_limits[{index}] of {definition.name!r}", limit)
    yield from behaviors(f"restart_behaviors of {definition.name!r}", definition.restart_behaviors)


def _rules(
    world: World,
    definition: Definition,
    field: str,
    rules: Iterable[Rule],
    effects: tuple[RuleEffect, ...],
    place: Mapping[str, str],
) -> Iterator[Rejection]:
    for index, rule in enumerate(rules):
        where = f"{field}[{index}] of {definition.name!r}"
        if rule.effect not in effects:
            names = ", ".join(effect.name for effect in effects)
            yield _wrong(where, f"expected an effect of {names}, but got {rule.effect.name}")
        yield from _expression(world, where, rule.when, place, Gives.CONDITION)
        if rule.effect is E_.RESCHEDULE and rule.delay_ms < DELAY_MIN_MS:
            yield _wrong(where, f"expected a delay of at least 1 s, but got {rule.delay_ms} ms")
        if rule.effect is E_.MOVE and rule.target not in world.queues:
            yield Rejection(Reason.QUEUE_NOT_FOUND, f"{where}: there is no queue {rule.target!r}")
        if rule.effect is E_.RAISE_EVENT and rule.target not in world.events:
            yield Rejection(Reason.EVENT_NOT_FOUND, f"{where}: there is no event {rule.target!r}")


def _expression(
    world: World, where: str, text: str, place: Mapping[str, str], gives: Gives
) -> Iterator[Rejection]:
    try:
        compiled = compile_expression(text, variables=place, gives=gives)
    except ExpressionFault as fault:
        yield Rejection(Reason.INVALID_EXPRESSION, f"{where}: {fault}")
        return
    for name in sorted(compiled.reads.get("windows") or ()):
        if name not in world.windows:
            yield Rejection(Reason.WINDOW_NOT_FOUND, f"{where}: there is no window {name!r}")


def _limit(world: World, where: str, limit: RuntimeLimit) -> Iterator[Rejection]:
    if limit.basis is LimitBasis.FIXED and limit.duration_ms <= 0:
        yield _wrong(where, "expected a duration above 0")
    if limit.basis is LimitBasis.ESTIMATE_PERCENT and limit.percent <= 0:
        yield _wrong(where, "expected a percentage above 0")
    if limit.basis is LimitBasis.EXPRESSION:
        yield from _expression(world, where, limit.expression, RUNTIME_LIMIT, Gives.NUMBER)
    if limit.kind is LimitKind.MINIMUM and limit.effect is not LimitEffect.NONE:
        yield _wrong(where, "a minimum can raise an event; only a maximum can end the job")
    if limit.effect is LimitEffect.NONE and not limit.event:
        yield _wrong(where, "expected an event or an effect, but missing it would do nothing")
    if limit.event and limit.event not in world.events:
        yield Rejection(Reason.EVENT_NOT_FOUND, f"{where}: there is no event {limit.event!r}")


def behaviors(where: str, given: Iterable[RestartBehavior]) -> Iterator[Rejection]:
    """Say what is wrong with restart behaviors: each final status at most once."""
    seen: set[int] = set()
    for behavior in given:
        if behavior.status not in restart_behavior.STATUSES:
            names = ", ".join(STATUS_NAME[status] for status in restart_behavior.STATUSES)
            yield _wrong(where, f"expected a status of {names}")
        elif behavior.status in seen:
            yield _wrong(where, f"{STATUS_NAME[behavior.status]} is there twice")
        seen.add(behavior.status)


def _wrong(where: str, problem: str) -> Rejection:
    return Rejection(Reason.INVALID_FIELD, f"{where}: {problem}")


def put_restart_defaults(
    world: World, turn: Turn, command: PutRestartDefaults
) -> tuple[RestartBehavior, ...] | Rejection:
    """Write what follows a final status where a definition does not say."""
    refused = next(behaviors("behaviors", command.behaviors), None)
    if refused is not None:
        return refused
    if command.behaviors != world.restart_defaults:
        turn.put_restart_defaults(command.behaviors)
    return world.restart_defaults
