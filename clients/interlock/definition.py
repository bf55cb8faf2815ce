"""Definition: what a job runs, as a value to write and to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from interlock import json_text
from interlock.instant import to_duration
from interlock.status import LIFECYCLE_NAMES, lifecycle_number
from interlock.v1 import definition_pb2 as api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

_LOSS_POLICIES: Final = {"": 0, "wait": 1, "fault": 2, "rerun": 3}
_COMPLETIONS: Final = {"": 0, "default": 1, "external": 2}
_NO_DEFAULT: Final = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a definition."""

    name: str
    #: A JSON type: string, number, integer, boolean, object, array; "" accepts anything.
    type: str = ""
    required: bool = False
    #: Used when the parameter is absent.
    default: Any = _NO_DEFAULT


@dataclass(frozen=True, slots=True)
class Definition:
    """What jobs run. Only `name` and `lifecycle` are needed; the server decides the rest."""

    name: str
    #: "uipath" or "redwood"; cannot change.
    lifecycle: str
    description: str = ""
    queue: str = ""
    priority: int = 0
    parameters: Sequence[Parameter] = ()
    #: UiPath: at most one such job runs per robot.
    foreground: bool = False
    #: UiPath: "wait", "fault" or "rerun" when the robot of a running job is lost.
    on_robot_loss: str = ""
    #: Redwood: return codes that mean Completed, such as "0,40-90".
    return_code_map: str = ""
    #: Redwood: "default", or "external" if `complete` ends its jobs.
    completion: str = ""
    #: Redwood: put every new job on hold.
    hold_on_submit: bool = False
    #: Redwood: how long a job may stay Uncertain; None for the server's setting.
    uncertain_timeout: timedelta | float | None = None
    #: Redwood: leave an operator message on a job that does not end as Completed.
    message_on_failure: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    #: The message it was read from; None if it was not.
    raw: api.Definition = field(default_factory=api.Definition, compare=False, repr=False)


def definition_of(raw: api.Definition) -> Definition:
    """Return a definition as the server knows it."""
    timeout = raw.uncertain_timeout.ToTimedelta() if raw.HasField("uncertain_timeout") else None
    return Definition(
        name=raw.name,
        lifecycle=LIFECYCLE_NAMES.get(raw.lifecycle, str(raw.lifecycle)),
        description=raw.description,
        queue=raw.queue,
        priority=raw.priority,
        parameters=tuple(_parameter_of(parameter) for parameter in raw.parameters),
        foreground=raw.foreground,
        on_robot_loss=_word(_LOSS_POLICIES, raw.on_robot_loss),
        return_code_map=raw.return_code_map,
        completion=_word(_COMPLETIONS, raw.completion),
        hold_on_submit=raw.hold_on_submit,
        uncertain_timeout=timeout,
        message_on_failure=raw.message_on_failure,
        labels=dict(raw.labels),
        raw=raw,
    )


def definition_message(definition: Definition | Mapping[str, Any]) -> api.Definition:
    """Return the message that writes a definition, given as a Definition or as its fields."""
    if not isinstance(definition, Definition):
        definition = _from_fields(definition)
    return api.Definition(
        name=definition.name,
        lifecycle=lifecycle_number(definition.lifecycle),
        description=definition.description,
        queue=definition.queue,
        priority=definition.priority,
        parameters=[_parameter_message(parameter) for parameter in definition.parameters],
        foreground=definition.foreground,
        on_robot_loss=api.LossPolicy.ValueType(
            _number(_LOSS_POLICIES, definition.on_robot_loss, "on_robot_loss")
        ),
        return_code_map=definition.return_code_map,
        completion=api.CompletionStrategy.ValueType(
            _number(_COMPLETIONS, definition.completion, "completion")
        ),
        hold_on_submit=definition.hold_on_submit,
        uncertain_timeout=to_duration(definition.uncertain_timeout),
        message_on_failure=definition.message_on_failure,
        labels=definition.labels,
    )


def _from_fields(fields: Mapping[str, Any]) -> Definition:
    known = Definition.__dataclass_fields__.keys() - {"raw"}
    for missing in ("name", "lifecycle"):
        if not fields.get(missing):
            raise ValueError(f"expected a definition with a {missing}, but got {dict(fields)!r}")
    if unknown := fields.keys() - known:
        raise ValueError(
            f"expected fields of a definition ({', '.join(sorted(known))}), "
            f"but got {', '.join(sorted(unknown))}"
        )
    return Definition(**fields)


def _parameter_message(parameter: Parameter | Mapping[str, Any]) -> api.Parameter:
    if not isinstance(parameter, Parameter):
        parameter = Parameter(**parameter)
    absent = parameter.default is _NO_DEFAULT or parameter.default is None
    default = "" if absent else json_text.encode(parameter.default, what="a default")
    return api.Parameter(
        name=parameter.name,
        type=parameter.type,
        required=parameter.required,
        default_json=default,
    )


def _parameter_of(raw: api.Parameter) -> Parameter:
    default = json_text.decode(raw.default_json) if raw.default_json else _NO_DEFAULT
    return Parameter(raw.name, raw.type, raw.required, default)


def _word(words: Mapping[str, int], number: int) -> str:
    return next((word for word, value in words.items() if value == number), str(number))


def _number(words: Mapping[str, int], word: str, what: str) -> int:
    if word not in words:
        known = ", ".join(filter(None, words))
        raise ValueError(f"expected {what} to be one of {known}, but got {word!r}")
    return words[word]
