"""Status handlers: what an ended step means for its chain (domain.md B9, R17 to R19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.chain import HandledStatus, HandlerAction, StatusHandler
from interlock_server.core.rules.chain_condition import ChainValues
from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from interlock_server.core.model.chain import Chain, Step
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Statuses of calls that count as done (R22).
DONE: Final = frozenset(
    {
        Status.REDWOOD_COMPLETED,
        Status.REDWOOD_SKIPPED,
        Status.REDWOOD_IGNORED,
        Status.REDWOOD_DISABLED,
    }
)
_FAILURES: Final = {
    HandledStatus.CANCELED: Status.REDWOOD_CANCELED,
    HandledStatus.ERROR: Status.REDWOOD_ERROR,
    HandledStatus.KILLED: Status.REDWOOD_KILLED,
    HandledStatus.UNKNOWN: Status.REDWOOD_UNKNOWN,
}

#: What happens without a handler.
NOTHING: Final = StatusHandler(HandledStatus.OTHERWISE, HandlerAction.NONE)
_ASK: Final = StatusHandler(HandledStatus.OTHERWISE, HandlerAction.REQUEST_RESTART)


def choose(
    world: World, turn: Turn, chain: Job, step: Job, statuses: Collection[int]
) -> StatusHandler:
    """The one handler that fires for an iteration of a step, by the statuses of its calls.

    Those of the step come before those of the chain, and OTHERWISE after the others of its level.
    """
    assert chain.chain is not None, "only a chain has handlers"
    definition: Chain = chain.chain
    own: Step = definition.steps[step.place]
    values = ChainValues(world, chain, step.iteration, turn.now_ms)
    for handlers in (own.handlers, definition.handlers):
        for handler in _in_order(handlers):
            if _fires(handler, statuses) and _applies(values, handler, step.step):
                return handler
    if definition.request_restart and not DONE.issuperset(statuses):
        return _ASK
    return NOTHING


def _in_order(handlers: Sequence[StatusHandler]) -> Sequence[StatusHandler]:
    return sorted(handlers, key=lambda handler: handler.on is HandledStatus.OTHERWISE)


def _fires(handler: StatusHandler, statuses: Collection[int]) -> bool:
    match handler.on:
        case HandledStatus.OTHERWISE:
            return True
        case HandledStatus.COMPLETED:
            return DONE.issuperset(statuses)
        case _:
            return _FAILURES[handler.on] in statuses


def _applies(values: ChainValues, handler: StatusHandler, step: str) -> bool:
    """Whether its condition is true; one that cannot be told does not make it fire."""
    if not handler.condition:
        return True
    try:
        return values.handler(handler.condition, step)
    except ExpressionFault:
        return False
