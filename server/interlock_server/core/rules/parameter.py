"""Parameters of jobs against those that their definition declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from interlock_server.core.model.definition import Definition, Parameter

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def parameter_fault(definition: Definition, text: str) -> str:
    """Say which parameter does not fit the definition; "" if all do."""
    if not definition.parameters:
        return ""
    given: dict[str, Any] = msgspec.json.decode(text)
    known = {parameter.name for parameter in definition.parameters}
    for name in given:
        if name not in known:
            names = ", ".join(sorted(known))
            return f"parameter {name!r} is not known to {definition.name!r} (known: {names})"
    return next(filter(None, (_misfit(p, given) for p in definition.parameters)), "")


def _misfit(parameter: Parameter, given: dict[str, Any]) -> str:
    if parameter.name not in given:
        missing = parameter.required and not parameter.default_json
        return f"parameter {parameter.name!r} is required" if missing else ""
    value, types = given[parameter.name], _TYPES.get(parameter.type)
    fits = types is None or isinstance(value, types)
    if isinstance(value, bool):  # which Python takes for an integer
        fits = types in (None, (bool,))
    return "" if fits else f"parameter {parameter.name!r} has to be of type {parameter.type}"


def with_defaults(definition: Definition, text: str) -> str:
    """Parameters with the definition's defaults filled in, as JSON text."""
    defaults = [p for p in definition.parameters if p.default_json]
    if not defaults:
        return text
    given: dict[str, Any] = msgspec.json.decode(text)
    for parameter in defaults:
        given.setdefault(parameter.name, msgspec.json.decode(parameter.default_json))
    return msgspec.json.encode(given).decode()
