"""Chain definitions: messages to records and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import chain_pb2 as pb
from interlock_server.core.model.chain import (
    Call,
    Chain,
    HandledStatus,
    HandlerAction,
    StatusHandler,
    Step,
)
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS_MAX: Final = 1_000
HANDLERS_MAX: Final = 64
RUNS_MAX: Final = 1_000_000


def record(path: str, given: pb.Chain) -> Chain:
    """Check the chain of a definition. What its calls refer to is checked by the core."""
    steps = _count(f"{path}.steps", given.steps)
    found = tuple(_step(f"{path}.steps[{index}]", each) for index, each in enumerate(steps))
    validate.distinct(f"{path}.steps", [each.name for each in found])
    handlers = _handlers(f"{path}.handlers", given.handlers)
    if handlers and given.request_restart:
        raise InvalidArgument(
            f"{path}.handlers", "expected none together with request_restart, which handles all"
        )
    return Chain(found, handlers, request_restart=given.request_restart)


def _count(path: str, given: Sequence[Any]) -> Sequence[Any]:
    if not 1 <= len(given) <= PARTS_MAX:
        raise InvalidArgument(path, f"expected 1 to {PARTS_MAX:,}, but got {len(given)}")
    return given


def _step(path: str, given: pb.Step) -> Step:
    calls = tuple(
        _call(f"{path}.calls[{index}]", each)
        for index, each in enumerate(_count(f"{path}.calls", given.calls))
    )
    validate.distinct(f"{path}.calls", [each.name for each in calls])
    return Step(
        name=validate.name(f"{path}.name", given.name),
        calls=calls,
        precondition=validate.expression(f"{path}.precondition", given.precondition),
        handlers=_handlers(f"{path}.handlers", given.handlers),
        restarts_max=validate.number(f"{path}.restarts_max", given.restarts_max, 0, RUNS_MAX),
        hold=given.hold,
    )


def _call(path: str, given: pb.Call) -> Call:
    return Call(
        name=validate.name(f"{path}.name", given.name),
        definition=validate.name(f"{path}.definition", given.definition),
        parameters=validate.json_object(f"{path}.parameters_json", given.parameters_json),
        queue=validate.optional_name(f"{path}.queue", given.queue),
        priority=validate.number(f"{path}.priority", given.priority, 0, validate.PRIORITY_MAX),
        precondition=validate.expression(f"{path}.precondition", given.precondition),
        hold=given.hold,
        disabled=given.disabled,
    )


def _handlers(path: str, given: Sequence[pb.StatusHandler]) -> tuple[StatusHandler, ...]:
    if len(given) > HANDLERS_MAX:
        raise InvalidArgument(path, f"expected at most {HANDLERS_MAX}, but got {len(given)}")
    return tuple(_handler(f"{path}[{index}]", each) for index, each in enumerate(given))


def _handler(path: str, given: pb.StatusHandler) -> StatusHandler:
    on = validate.choice(f"{path}.on", given.on, tuple(HandledStatus), "handled status")
    action = validate.choice(f"{path}.action", given.action, tuple(HandlerAction), "handler action")
    return StatusHandler(
        on=HandledStatus(on),
        action=HandlerAction(action),
        step=validate.optional_name(f"{path}.step", given.step),
        delay_ms=validate.optional_duration_ms(given, "delay", f"{path}.delay"),
        latest=given.latest,
        condition=validate.expression(f"{path}.condition", given.condition),
    )


def message(found: Chain) -> pb.Chain:
    """The chain of a definition as it is now."""
    given: Any = pb.Chain(request_restart=found.request_restart)
    _add_handlers(given.handlers, found.handlers)
    for step in found.steps:
        added = given.steps.add(
            name=step.name,
            precondition=step.precondition,
            restarts_max=step.restarts_max,
            hold=step.hold,
        )
        _add_handlers(added.handlers, step.handlers)
        for call in step.calls:
            added.calls.add(
                name=call.name,
                definition=call.definition,
                parameters_json=call.parameters,
                queue=call.queue,
                priority=call.priority,
                precondition=call.precondition,
                hold=call.hold,
                disabled=call.disabled,
            )
    return given  # type: ignore[no-any-return]


def _add_handlers(given: Any, found: Sequence[StatusHandler]) -> None:
    for each in found:
        added = given.add(
            on=int(each.on),
            action=int(each.action),
            step=each.step,
            latest=each.latest,
            condition=each.condition,
        )
        if each.delay_ms:
            added.delay.FromMilliseconds(each.delay_ms)
