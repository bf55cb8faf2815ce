"""Definitions: messages to records and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import definition_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.model import definition as model
from interlock_server.core.model.definition import Definition, Parameter
from interlock_server.core.model.lock import LockNeed
from interlock_server.core.model.queue import DEFAULT_QUEUE
from interlock_server.core.vocabulary.status import LIFECYCLE_STATUSES, Lifecycle
from interlock_server.rpc import convert_chain, validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import IntEnum

DESCRIPTION_MAX: Final = 1_024
PARAMETERS_MAX: Final = 64
RETURN_CODES_MAX: Final = 512
#: Wait events, raises, locks, resources and rules of one definition.
PARTS_MAX: Final = 64
LIMITS_MAX: Final = 16
STARTS_MAX: Final = 1_000_000
COUNTS_MAX: Final = 1_000_000
PERCENT_MAX: Final = 100_000

_TYPES: Final = ("", "string", "number", "integer", "boolean", "object", "array")
_PRIORITY: Final = {Lifecycle.UIPATH: 45, Lifecycle.REDWOOD: 50}


def record(path: str, given: pb.Definition) -> Definition:
    """Check a definition to write. What its parts refer to is checked by the core."""
    validate.unset(path, given, ("version", "update_time"))
    number = validate.known(
        f"{path}.lifecycle", given.lifecycle, tuple(Lifecycle), "lifecycle (1 UiPath, 2 Redwood)"
    )
    lifecycle = Lifecycle(number)
    if lifecycle is Lifecycle.UIPATH:
        _refuse_redwood_parts(path, given)
    return Definition(
        name=validate.name(f"{path}.name", given.name),
        lifecycle=int(lifecycle),
        **_of_any(path, given, lifecycle),
        **_of_starts(path, given),
        **_of_runs(path, given),
    )


#: Parts that only Redwood definitions have.
_REDWOOD_PARTS: Final = (
    *("window", "min_open", "overdue_policy", "overdue_event", "wait_events", "auto_submit"),
    *("locks", "hold_when", "on_change", "pre_running", "post_running", "pre_running_code"),
    *("post_running_code", "restart_behaviors", "starts_max", "chain"),
)


def _refuse_redwood_parts(path: str, given: pb.Definition) -> None:
    present = {descriptor.name for descriptor, _ in given.ListFields()}
    for field in _REDWOOD_PARTS:
        if field in present:
            raise InvalidArgument(
                f"{path}.{field}", "expected it unset: only Redwood definitions have it"
            )


def _of_any(path: str, given: pb.Definition, lifecycle: Lifecycle) -> dict[str, Any]:
    """What definitions had from the beginning."""
    priority = validate.number(f"{path}.priority", given.priority, 0, validate.PRIORITY_MAX)
    return {
        "description": validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        "queue": validate.optional_name(f"{path}.queue", given.queue) or DEFAULT_QUEUE,
        "priority": priority or _PRIORITY[lifecycle],
        "parameters": _parameters(f"{path}.parameters", given.parameters),
        "foreground": given.foreground,
        "on_robot_loss": _member(
            path, given, "on_robot_loss", "loss policy", model.LossPolicy.WAIT
        ),
        "return_code_map": validate.text(
            f"{path}.return_code_map", given.return_code_map, RETURN_CODES_MAX
        ),
        "completion": _member(
            path, given, "completion", "completion strategy", model.Completion.DEFAULT
        ),
        "hold_on_submit": given.hold_on_submit,
        "uncertain_timeout_ms": validate.optional_duration_ms(
            given, "uncertain_timeout", f"{path}.uncertain_timeout"
        ),
        "message_on_failure": given.message_on_failure,
        "labels": validate.labels(f"{path}.labels", given.labels),
    }


def _of_starts(path: str, given: pb.Definition) -> dict[str, Any]:
    """What decides when and where its jobs start."""
    return {
        "window": validate.optional_name(f"{path}.window", given.window),
        "min_open_ms": validate.optional_duration_ms(given, "min_open", f"{path}.min_open"),
        "overdue": _member(
            path, given, "overdue_policy", "overdue policy", model.OverduePolicy.SCHEDULED
        ),
        "overdue_event": validate.optional_name(f"{path}.overdue_event", given.overdue_event),
        "time_zone": validate.text(f"{path}.time_zone", given.time_zone, validate.LABEL_MAX),
        "wait_events": _parts(path, "wait_events", given.wait_events, _wait_event),
        "auto_submit": _member(path, given, "auto_submit", "auto submit", model.AutoSubmit.NEVER),
        "locks": _parts(path, "locks", given.locks, _lock_need),
        "resources": _names(f"{path}.resources", given.resources),
        "server": validate.optional_name(f"{path}.server", given.server),
        "hold_when": validate.expression(f"{path}.hold_when", given.hold_when),
        "on_change": _parts(path, "on_change", given.on_change, _rule),
    }


def _of_runs(path: str, given: pb.Definition) -> dict[str, Any]:
    """What happens while its jobs run, and after."""
    return {
        "event_raises": _parts(path, "event_raises", given.event_raises, _event_raise),
        "pre_running": _parts(path, "pre_running", given.pre_running, _rule),
        "post_running": _parts(path, "post_running", given.post_running, _rule),
        "pre_running_code": given.pre_running_code,
        "post_running_code": given.post_running_code,
        "runtime_limits": _parts(
            path, "runtime_limits", given.runtime_limits, _limit, count_max=LIMITS_MAX
        ),
        "restart_behaviors": restart_behaviors(
            f"{path}.restart_behaviors", given.restart_behaviors
        ),
        "starts_max": validate.number(f"{path}.starts_max", given.starts_max, 0, STARTS_MAX)
        or model.STARTS_MAX,
        "recording": _member(path, given, "recording", "recording policy", model.Recording.OFF),
        "keep": _keep(f"{path}.keep", given.keep) if given.HasField("keep") else None,
        "chain": convert_chain.record(f"{path}.chain", given.chain)
        if given.HasField("chain")
        else None,
    }


# -- parts --------------------------------------------------------------------------------------


def _member(path: str, given: Any, field: str, what: str, default: IntEnum) -> Any:
    """An enum's value; unspecified means the default."""
    kind = type(default)
    number = validate.choice(f"{path}.{field}", getattr(given, field), (0, *kind), what)
    return kind(number) if number else default


def _needed(path: str, given: Any, field: str, what: str, kind: type[IntEnum]) -> Any:
    """An enum's value that has to be given."""
    return kind(validate.choice(f"{path}.{field}", getattr(given, field), tuple(kind), what))


def _parts(
    path: str,
    field: str,
    given: Sequence[Any],
    convert: Callable[[str, Any], Any],
    *,
    count_max: int = PARTS_MAX,
) -> tuple[Any, ...]:
    if len(given) > count_max:
        raise InvalidArgument(
            f"{path}.{field}", f"expected at most {count_max}, but got {len(given)}"
        )
    return tuple(convert(f"{path}.{field}[{index}]", each) for index, each in enumerate(given))


def _names(path: str, given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > PARTS_MAX:
        raise InvalidArgument(path, f"expected at most {PARTS_MAX}, but got {len(given)}")
    found = tuple(validate.name(f"{path}[{index}]", each) for index, each in enumerate(given))
    validate.distinct(path, found)
    return found


def _parameters(path: str, given: Sequence[pb.Parameter]) -> tuple[Parameter, ...]:
    if len(given) > PARAMETERS_MAX:
        raise _bad_parameter(path, f"expected at most {PARAMETERS_MAX}, but got {len(given)}")
    found = tuple(_parameter(f"{path}[{index}]", each) for index, each in enumerate(given))
    if len({each.name for each in found}) < len(found):
        raise _bad_parameter(path, "expected each name once, but one stands twice")
    return found


def _parameter(path: str, given: pb.Parameter) -> Parameter:
    if not given.name:
        raise _bad_parameter(f"{path}.name", "expected a name, but it is empty")
    if given.type not in _TYPES:
        types = ", ".join(_TYPES[1:])
        raise _bad_parameter(f"{path}.type", f"expected one of {types}, but got {given.type!r}")
    return Parameter(
        name=validate.text(f"{path}.name", given.name, validate.LABEL_MAX),
        type=given.type,
        required=given.required,
        default_json=validate.json_value(f"{path}.default_json", given.default_json),
    )


def _bad_parameter(path: str, sentence: str) -> InvalidArgument:
    return InvalidArgument(path, sentence, ErrorReason.ERROR_REASON_INVALID_PARAMETER)


def _wait_event(path: str, given: pb.WaitEvent) -> model.WaitEvent:
    return model.WaitEvent(
        event=validate.name(f"{path}.event", given.event),
        clears=given.clears,
        window=validate.optional_name(f"{path}.window", given.window),
        while_closed=given.while_closed,
        condition=validate.expression(f"{path}.condition", given.condition),
    )


def statuses(path: str, given: Sequence[int]) -> tuple[int, ...]:
    """Numbers of statuses of either lifecycle, each once."""
    known = {int(status) for each in LIFECYCLE_STATUSES.values() for status in each}
    found = tuple(
        validate.known(f"{path}[{index}]", number, known, "status")
        for index, number in enumerate(given)
    )
    validate.distinct(path, found)
    return found


def _event_raise(path: str, given: pb.EventRaise) -> model.EventRaise:
    if not given.statuses:
        raise InvalidArgument(f"{path}.statuses", "expected at least one status")
    return model.EventRaise(
        event=validate.name(f"{path}.event", given.event),
        clears=given.clears,
        statuses=statuses(f"{path}.statuses", given.statuses),
        return_codes=validate.text(f"{path}.return_codes", given.return_codes, RETURN_CODES_MAX),
        comment=validate.reason(given.comment, f"{path}.comment"),
    )


def _lock_need(path: str, given: pb.LockNeed) -> LockNeed:
    return LockNeed(
        lock=validate.name(f"{path}.lock", given.lock),
        counts=validate.number(f"{path}.counts", given.counts, 0, COUNTS_MAX) or 1,
        exclusive=given.exclusive,
    )


def _rule(path: str, given: pb.Rule) -> model.Rule:
    if not given.when:
        raise InvalidArgument(f"{path}.when", "expected an expression, such as true")
    return model.Rule(
        when=validate.expression(f"{path}.when", given.when),
        effect=_needed(path, given, "effect", "rule effect", model.RuleEffect),
        delay_ms=validate.optional_duration_ms(given, "delay", f"{path}.delay"),
        target=validate.optional_name(f"{path}.target", given.target),
        reason=validate.reason(given.reason, f"{path}.reason"),
    )


def _limit(path: str, given: pb.RuntimeLimit) -> model.RuntimeLimit:
    kind = _needed(path, given, "kind", "limit kind", model.LimitKind)
    default = model.LimitEffect.KILL if kind is model.LimitKind.MAXIMUM else model.LimitEffect.NONE
    return model.RuntimeLimit(
        kind=kind,
        basis=_member(path, given, "basis", "limit basis", model.LimitBasis.FIXED),
        duration_ms=validate.optional_duration_ms(given, "duration", f"{path}.duration"),
        percent=validate.number(f"{path}.percent", given.percent, 0, PERCENT_MAX),
        expression=validate.expression(f"{path}.expression", given.expression),
        event=validate.optional_name(f"{path}.event", given.event),
        effect=_member(path, given, "effect", "limit effect", default),
    )


def restart_behaviors(
    path: str, given: Sequence[pb.RestartBehavior]
) -> tuple[model.RestartBehavior, ...]:
    """What follows each final status."""
    found = tuple(_restart_behavior(f"{path}[{index}]", each) for index, each in enumerate(given))
    validate.distinct(path, [each.status for each in found])
    return found


def _restart_behavior(path: str, given: pb.RestartBehavior) -> model.RestartBehavior:
    return model.RestartBehavior(
        status=statuses(f"{path}.status", [given.status])[0],
        action=_member(path, given, "action", "restart action", model.RestartAction.CONTINUE),
        delay_ms=validate.optional_duration_ms(given, "delay", f"{path}.delay"),
        message=given.message,
    )


def _keep(path: str, given: pb.Keep) -> model.Keep:
    return model.Keep(
        count=validate.number(f"{path}.count", given.count, 0, COUNTS_MAX),
        age_ms=validate.optional_duration_ms(given, "age", f"{path}.age"),
        statuses=statuses(f"{path}.statuses", given.statuses),
        force=given.force,
    )


# -- records to messages ------------------------------------------------------------------------


def message(found: Definition) -> pb.Definition:
    """A definition as it is now."""
    given: Any = pb.Definition(
        name=found.name,
        lifecycle=found.lifecycle,  # type: ignore[arg-type]  # same numbers
        description=found.description,
        queue=found.queue,
        priority=found.priority,
        parameters=[
            pb.Parameter(
                name=each.name,
                type=each.type,
                required=each.required,
                default_json=each.default_json,
            )
            for each in found.parameters
        ],
        foreground=found.foreground,
        on_robot_loss=int(found.on_robot_loss),  # type: ignore[arg-type]  # same numbers
        return_code_map=found.return_code_map,
        completion=int(found.completion),  # type: ignore[arg-type]  # same numbers
        hold_on_submit=found.hold_on_submit,
        message_on_failure=found.message_on_failure,
        labels=found.labels,
        version=found.version,
    )
    if found.uncertain_timeout_ms:
        given.uncertain_timeout.FromMilliseconds(found.uncertain_timeout_ms)
    given.update_time.FromMilliseconds(found.updated_ms)
    _add_starts(given, found)
    _add_runs(given, found)
    return given  # type: ignore[no-any-return]


def _add_starts(given: Any, found: Definition) -> None:
    given.window, given.overdue_event = found.window, found.overdue_event
    given.time_zone, given.server = found.time_zone, found.server
    given.hold_when = found.hold_when
    if found.min_open_ms:
        given.min_open.FromMilliseconds(found.min_open_ms)
    if found.overdue is not model.OverduePolicy.SCHEDULED:
        given.overdue_policy = int(found.overdue)
    if found.auto_submit is not model.AutoSubmit.NEVER:
        given.auto_submit = int(found.auto_submit)
    for each in found.wait_events:
        given.wait_events.add(
            event=each.event,
            clears=each.clears,
            window=each.window,
            while_closed=each.while_closed,
            condition=each.condition,
        )
    for need in found.locks:
        given.locks.add(lock=need.lock, counts=need.counts, exclusive=need.exclusive)
    given.resources.extend(found.resources)
    _add_rules(given.on_change, found.on_change)


def _add_runs(given: Any, found: Definition) -> None:
    for each in found.event_raises:
        given.event_raises.add(
            event=each.event,
            clears=each.clears,
            statuses=each.statuses,
            return_codes=each.return_codes,
            comment=each.comment,
        )
    _add_rules(given.pre_running, found.pre_running)
    _add_rules(given.post_running, found.post_running)
    given.pre_running_code = found.pre_running_code
    given.post_running_code = found.post_running_code
    for limit in found.runtime_limits:
        added = given.runtime_limits.add(
            kind=int(limit.kind),
            basis=int(limit.basis),
            percent=limit.percent,
            expression=limit.expression,
            event=limit.event,
            effect=int(limit.effect),
        )
        if limit.duration_ms:
            added.duration.FromMilliseconds(limit.duration_ms)
    add_restart_behaviors(given.restart_behaviors, found.restart_behaviors)
    if found.starts_max != model.STARTS_MAX:
        given.starts_max = found.starts_max
    if found.recording is not model.Recording.OFF:
        given.recording = int(found.recording)
    if found.keep is not None:
        keep = found.keep
        given.keep.count, given.keep.force = keep.count, keep.force
        given.keep.statuses.extend(keep.statuses)
        if keep.age_ms:
            given.keep.age.FromMilliseconds(keep.age_ms)
    if found.chain is not None:
        given.chain.CopyFrom(convert_chain.message(found.chain))


def add_restart_behaviors(given: Any, found: Sequence[model.RestartBehavior]) -> None:
    """Add what follows each final status."""
    for each in found:
        added = given.add(status=each.status, action=int(each.action), message=each.message)
        if each.delay_ms:
            added.delay.FromMilliseconds(each.delay_ms)


def _add_rules(given: Any, found: Sequence[model.Rule]) -> None:
    for each in found:
        added = given.add(
            when=each.when, effect=int(each.effect), target=each.target, reason=each.reason
        )
        if each.delay_ms:
            added.delay.FromMilliseconds(each.delay_ms)
