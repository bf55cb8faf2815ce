"""Manifests: what jobs are made of, as documents by kind and name.

The kinds are `queues`, `definitions` and so on; each item is a document as `interlock.document`
reads it. `manifest_file` reads and writes them as files, `manifest_calls` compares them with what a
partition has, and applies them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.document import DocumentError, from_document, to_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Kind(NamedTuple):
    """One kind of object, and the calls about it. Its name is that of the field in the requests."""

    name: str
    #: Module of the message and its name.
    message: tuple[str, str]
    #: Module of the service's requests, and the stub of Connection.
    service: tuple[str, str]
    #: What stands after Put, List and Delete.
    method: str
    #: Fields that only the server sets.
    output: frozenset[str] = frozenset()
    #: What the server writes for fields that are left out.
    defaults: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
    #: Every partition has them, and they cannot be deleted.
    built_in: frozenset[str] = frozenset()

    def request(self, verb: str) -> Any:
        """An empty request of one of its calls."""
        return getattr(import_module(self.service[0]), f"{verb}{self.method}Request")()

    @property
    def message_type(self) -> Any:
        """The class of its message."""
        return getattr(import_module(self.message[0]), self.message[1])


def _definition_defaults(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "queue": "default",
        "priority": 45 if document.get("lifecycle") == "uipath" else 50,
        "on_robot_loss": "wait",
        "completion": "default",
        "auto_submit": "never",
        "overdue_policy": "scheduled",
        "recording": "off",
    }


def _limit_defaults(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"basis": "fixed", "effect": "kill" if document.get("kind") == "maximum" else "none"}


_V1: Final = "interlock.v1"
#: What the server writes for fields that are left out of parts of documents.
_PARTS: Final[dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {
    f"{_V1}.RuntimeLimit": _limit_defaults,
    f"{_V1}.LockNeed": lambda _: {"counts": 1},
    f"{_V1}.RestartBehavior": lambda _: {"action": "continue"},
}
_CATALOG: Final = (f"{_V1}.catalog_service_pb2", "catalog")
_WRITTEN: Final = frozenset({"version", "update_time"})

#: In the order in which they can refer to each other.
KINDS: Final = (
    Kind(
        "windows",
        (f"{_V1}.window_pb2", "TimeWindow"),
        (f"{_V1}.window_service_pb2", "windows"),
        "Windows",
        _WRITTEN,
    ),
    Kind(
        "queues",
        (f"{_V1}.queue_pb2", "Queue"),
        _CATALOG,
        "Queues",
        _WRITTEN | {"held", "held_by", "hold_reason", "load", "waiting", "window_closed"},
        built_in=frozenset({"default", "System"}),
    ),
    Kind(
        "servers",
        (f"{_V1}.process_server_pb2", "ProcessServer"),
        (f"{_V1}.process_server_service_pb2", "servers"),
        "Servers",
        _WRITTEN | {"stopped", "stopped_by", "stop_reason", "load", "provider_states", "robots"},
        defaults=lambda _: {"execution_size": 100},
    ),
    Kind(
        "events",
        (f"{_V1}.named_event_pb2", "NamedEvent"),
        (f"{_V1}.named_event_service_pb2", "named_events"),
        "Events",
        _WRITTEN | {"raised", "raise_count", "raises", "waiting", "dropped"},
    ),
    Kind(
        "locks",
        (f"{_V1}.lock_pb2", "Lock"),
        (f"{_V1}.lock_service_pb2", "locks"),
        "Locks",
        _WRITTEN | {"held", "holder_count", "holders", "waiting"},
        defaults=lambda _: {"kind": "simple", "counts": 1},
    ),
    Kind(
        "definitions",
        (f"{_V1}.definition_pb2", "Definition"),
        _CATALOG,
        "Definitions",
        _WRITTEN,
        defaults=_definition_defaults,
    ),
    Kind(
        "schedules",
        (f"{_V1}.schedule_pb2", "Schedule"),
        (f"{_V1}.schedule_service_pb2", "schedules"),
        "Schedules",
        _WRITTEN
        | {"status", "status_code", "status_by", "next_time", "firings", "failures", "live_jobs"}
        | {"recent"},
        defaults=lambda _: {"count": 1, "presubmit": 1, "queue": "", "parameters": "{}"},
    ),
)


class ManifestError(ValueError):
    """A manifest cannot be read; the sentence says where, what is wrong and what is expected."""


@dataclass(frozen=True)
class Change:
    """What becomes of one object: what it is, and what it should be; None where it is not."""

    kind: Kind
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def what(self) -> str:
        """One of "create", "change", "delete" and "keep"."""
        if self.before == self.after:
            return "keep"
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "change"

    def lines(self) -> Iterator[tuple[str, str]]:
        """The differences: ("+" or "-", field and value)."""
        before, after = self.before or {}, self.after or {}
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) == after.get(key):
                continue
            if key in before:
                yield "-", f"{key}: {_shown(before[key])}"
            if key in after:
                yield "+", f"{key}: {_shown(after[key])}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass
class Manifest:
    """Documents by kind and name, without what has its default."""

    documents: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    #: Where each came from, for sentences about it.
    places: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, kind: Kind, document: Any, place: str) -> None:
        """Take one document in; ManifestError says what is wrong with it."""
        if not isinstance(document, dict) or not document.get("name"):
            raise ManifestError(f"{place}: expected a table with a name, but got {document!r}")
        name = str(document["name"])
        known = self.places.get((kind.name, name))
        if known is not None:
            raise ManifestError(f"{place}: {kind.name} {name!r} stands in {known} already")
        self.places[kind.name, name] = place
        self.documents.setdefault(kind.name, {})[name] = normal(kind, document, place)


def normal(kind: Kind, document: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The document as `export` would write it: what has its default is left out."""
    given = {key: value for key, value in document.items() if key not in kind.output}
    try:
        message = from_document(given, kind.message_type, path=f"{place}: {given.get('name')}")
    except DocumentError as error:
        raise ManifestError(str(error)) from None
    return without_defaults(kind, to_document(message))


def without_defaults(kind: Kind, document: dict[str, Any]) -> dict[str, Any]:
    """The document without what the server writes by itself, in all its parts."""
    defaults = kind.defaults(document)
    whole = {key: value for key, value in document.items() if defaults.get(key) != value}
    return _parts_without_defaults(kind.message_type.DESCRIPTOR, whole)


def _parts_without_defaults(described: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    find = _PARTS.get(described.full_name)
    defaults = find(document) if find is not None else {}
    return {
        key: _without_defaults_in(described.fields_by_name.get(key), value)
        for key, value in document.items()
        if key not in defaults or defaults[key] != value
    }


def _without_defaults_in(field: Any, value: Any) -> Any:
    if field is None or field.message_type is None:
        return value
    if isinstance(value, list):
        return [_parts_without_defaults(field.message_type, each) for each in value]
    return _parts_without_defaults(field.message_type, value) if _is_document(value) else value


def _is_document(value: Any) -> bool:
    return isinstance(value, dict)


def kind_of(name: str, place: str) -> Kind:
    """The kind of this name; ManifestError if there is none."""
    for kind in KINDS:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in KINDS)
    raise ManifestError(f"{place}: expected lists of {names}, but got {name!r}")
