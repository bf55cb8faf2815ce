"""Definition: what a job runs, as a value to write and to read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from interlock import json_text
from interlock.document import from_document, to_document
from interlock.status import LIFECYCLE_NAMES
from interlock.v1 import definition_pb2 as api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    #: A part of a definition with the fields of its message, as `interlock.document` reads them.
    Part = Mapping[str, Any]

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
    #: Redwood: the time window that starts are restricted to, and how much of it has to be left.
    window: str = ""
    min_open: timedelta | float | str | None = None
    #: Redwood: "scheduled", "overdue", "canceling" or "held" if the first window closes unrun.
    overdue_policy: str = ""
    overdue_event: str = ""
    #: Of windows that have none; "" means UTC.
    time_zone: str = ""
    #: Redwood: named events to wait for: {"event": "file", "clears": True}.
    wait_events: Sequence[Part] = ()
    #: Redwood: "never", "always" or "only_one": raises of the wait events submit jobs.
    auto_submit: str = ""
    #: Named events that jobs raise or clear: {"event": "done", "statuses": ["Completed"]}.
    event_raises: Sequence[Part] = ()
    #: Redwood: locks needed at once: {"lock": "ledger"}.
    locks: Sequence[Part] = ()
    #: What a robot or its process server has to offer.
    resources: Sequence[str] = ()
    server: str = ""
    #: Redwood: an expression in CEL that puts a new job on hold.
    hold_when: str = ""
    #: Redwood: rules: {"when": "job.priority > 80", "effect": "hold"}.
    on_change: Sequence[Part] = ()
    pre_running: Sequence[Part] = ()
    post_running: Sequence[Part] = ()
    #: Redwood: the robot has code of its own before and after the job.
    pre_running_code: bool = False
    post_running_code: bool = False
    #: Limits: {"kind": "maximum", "duration": "2h", "effect": "kill"}.
    runtime_limits: Sequence[Part] = ()
    #: Redwood: what follows a final status: {"status": "Error", "action": "restart"}.
    restart_behaviors: Sequence[Part] = ()
    #: Redwood: automatic restarts of one job; 0 for the default of 100.
    starts_max: int = 0
    #: "off", "failed" or "all".
    recording: str = ""
    #: How long final jobs stay: {"count": 100, "age": "30d"}; None for ever.
    keep: Part | None = None
    #: Redwood: makes it a chain: {"steps": [{"name": "load", "calls": [...]}]}.
    chain: Part | None = None
    #: The message it was read from; None if it was not.
    raw: api.Definition = field(default_factory=api.Definition, compare=False, repr=False)


#: Fields that only the server sets, and the message itself.
_NOT_WRITTEN: Final = frozenset({"version", "update_time", "raw"})


def definition_of(raw: api.Definition) -> Definition:
    """Return a definition as the server knows it."""
    document = to_document(raw, without=_NOT_WRITTEN)
    timeout = raw.uncertain_timeout.ToTimedelta() if raw.HasField("uncertain_timeout") else None
    document |= {
        "lifecycle": LIFECYCLE_NAMES.get(raw.lifecycle, str(raw.lifecycle)),
        "parameters": tuple(_parameter_of(parameter) for parameter in raw.parameters),
        "uncertain_timeout": timeout,
    }
    return Definition(**document, raw=raw)


def definition_message(definition: Definition | Mapping[str, Any]) -> api.Definition:
    """Return the message that writes a definition, given as a Definition or as its fields.

    Raises:
        ValueError: a field or a value is not known; the sentence says which are.
    """
    if not isinstance(definition, Definition):
        definition = _from_fields(definition)
    document = {
        each.name: value
        for each in fields(definition)
        if each.name not in _NOT_WRITTEN and _is_given(value := getattr(definition, each.name))
    }
    parameters = document.pop("parameters", ())
    message = from_document(document, api.Definition)
    message.parameters.extend(_parameter_message(parameter) for parameter in parameters)
    return message


def _is_given(value: Any) -> bool:
    return value is not None and value not in ("", ())


def _from_fields(given: Mapping[str, Any]) -> Definition:
    known = Definition.__dataclass_fields__.keys() - {"raw"}
    for missing in ("name", "lifecycle"):
        if not given.get(missing):
            raise ValueError(f"expected a definition with a {missing}, but got {dict(given)!r}")
    if unknown := given.keys() - known:
        raise ValueError(
            f"expected fields of a definition ({', '.join(sorted(known))}), "
            f"but got {', '.join(sorted(unknown))}"
        )
    return Definition(**given)


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
