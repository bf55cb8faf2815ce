"""Messages of the API as documents that people write: TOML, YAML or plain mappings, and back.

Keys are the fields of the protos. Enum values are words ("overdue"), statuses have the vendor's
spelling ("Error"), lengths of time are seconds or texts such as "90s", "5m", "2h" and "1d",
instants RFC 3339, and a `*_json` field is the JSON value itself under its name without `_json`.
What is left out has its default; `to_document` leaves out what has it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from interlock import json_text
from interlock.status import ALIASES, STATUS_NAMES, status_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
    from google.protobuf.message import Message

_M = TypeVar("_M", bound="Message")

_JSON_SUFFIX: Final = "_json"
_STATUS: Final = "interlock.v1.Status"
_TIMESTAMP: Final = "google.protobuf.Timestamp"
_DURATION: Final = "google.protobuf.Duration"
_LENGTH: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*", re.IGNORECASE)
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class DocumentError(ValueError):
    """A document says what the API has no place for; the sentence names the place."""


def from_document(document: Mapping[str, Any], message: type[_M], *, path: str = "") -> _M:
    """Return the message that a document describes.

    Raises:
        DocumentError: a key or a value is not known; the sentence says where and what is expected.
    """
    lifecycle = document.get("lifecycle")
    reader = _Reader(lifecycle if isinstance(lifecycle, str) else "redwood")
    built = message()
    reader.fill(built, document, path or message.DESCRIPTOR.name.lower())
    return built


def to_document(message: Message, *, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the document of a message, without what is unset and without the fields named."""
    document: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.name in without:
            continue
        if field.name.endswith(_JSON_SUFFIX):
            if value != "{}":
                document[field.name.removesuffix(_JSON_SUFFIX)] = json_text.decode(value)
        elif _is_map(field):
            document[field.name] = dict(sorted(value.items()))
        elif field.is_repeated:
            document[field.name] = [_plain(field, item) for item in value]
        else:
            document[field.name] = _plain(field, value)
    return document


def read_length(text: str) -> float:
    """Return the seconds of a text such as "1h 30m"; ValueError if it is none."""
    if not re.fullmatch(f"(?:{_LENGTH.pattern})+", text, re.IGNORECASE):
        raise ValueError(f"expected a length of time such as 90s, 5m, 2h or 1d, but got {text!r}")
    return sum(float(count) * _UNITS[unit.lower()] for count, unit in _LENGTH.findall(text))


def length_text(seconds: float) -> str:
    """Return the text of a length of time, in the largest unit that divides it."""
    for unit in ("d", "h", "m", "s"):
        if seconds and not seconds % _UNITS[unit]:
            return f"{int(seconds // _UNITS[unit])}{unit}"
    return f"{round(seconds * 1000)}ms"


# -- messages to documents ----------------------------------------------------------------------


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        return _word(field.enum_type, value)
    if field.message_type is None:
        return value
    match field.message_type.full_name:
        case "google.protobuf.Timestamp":
            return value.ToDatetime(tzinfo=UTC).isoformat().replace("+00:00", "Z")
        case "google.protobuf.Duration":
            return length_text(value.ToTimedelta().total_seconds())
    return to_document(value)


def _word(kind: EnumDescriptor, number: int) -> str:
    if kind.full_name == _STATUS:
        return str(status_name(number))
    value = kind.values_by_number.get(number)
    return str(number) if value is None else value.name.removeprefix(_prefix(kind)).lower()


def _prefix(kind: EnumDescriptor) -> str:
    return str(kind.values_by_number[0].name.removesuffix("UNSPECIFIED"))


# -- documents to messages ----------------------------------------------------------------------


class _Reader:
    """Fills messages; statuses are those of one lifecycle."""

    def __init__(self, lifecycle: str) -> None:
        self._lifecycle = lifecycle

    def fill(self, message: Message, document: Any, path: str) -> None:
        if not hasattr(document, "items"):
            raise DocumentError(f"{path}: expected a table of fields, but got {document!r}")
        fields = message.DESCRIPTOR.fields_by_name
        for key, value in document.items():
            name = f"{key}{_JSON_SUFFIX}" if f"{key}{_JSON_SUFFIX}" in fields else key
            if name not in fields:
                known = ", ".join(sorted(each.removesuffix(_JSON_SUFFIX) for each in fields))
                raise DocumentError(f"{path}: there is no field {key!r} (known: {known})")
            if value is not None:
                self._set(message, fields[name], value, f"{path}.{key}")

    def _set(self, message: Message, field: Any, value: Any, path: str) -> None:
        name = field.name
        if name.endswith(_JSON_SUFFIX):
            setattr(message, name, json_text.encode(value, what=path))
        elif _is_map(field):
            self._fill_map(message, name, value, path)
        elif field.is_repeated:
            self._add_all(message, field, value, path)
        elif field.message_type is not None:
            self._fill_single(message, field, value, path)
        else:
            self._assign(message, name, self._scalar(field, value, path), path)

    def _fill_map(self, message: Message, name: str, value: Any, path: str) -> None:
        if not hasattr(value, "items"):
            raise DocumentError(f"{path}: expected a table of texts, but got {value!r}")
        getattr(message, name).update({str(key): str(each) for key, each in value.items()})

    def _add_all(self, message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
        if isinstance(value, str) or not hasattr(value, "__iter__") or hasattr(value, "items"):
            raise DocumentError(f"{path}: expected a list, but got {value!r}")
        target = getattr(message, field.name)
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            if field.message_type is not None:
                self._fill_message(target.add(), field.message_type.full_name, item, place)
                continue
            try:
                target.append(self._scalar(field, item, place))
            except (TypeError, ValueError) as error:
                raise DocumentError(f"{place}: {error}") from None

    def _fill_single(self, message: Message, field: Any, value: Any, path: str) -> None:
        target = getattr(message, field.name)
        self._fill_message(target, field.message_type.full_name, value, path)
        target.SetInParent()

    def _fill_message(self, target: Any, kind: str, value: Any, path: str) -> None:
        if kind == _DURATION:
            target.FromTimedelta(timedelta(seconds=_seconds(value, path)))
        elif kind == _TIMESTAMP:
            target.FromDatetime(_instant(value, path))
        else:
            self.fill(target, value, path)

    def _scalar(self, field: FieldDescriptor, value: Any, path: str) -> Any:
        if field.enum_type is not None:
            return self._number(field.enum_type, value, path)
        return value

    def _assign(self, message: Message, name: str, value: Any, path: str) -> None:
        try:
            setattr(message, name, value)
        except (TypeError, ValueError) as error:
            raise DocumentError(f"{path}: {error}") from None

    def _number(self, kind: EnumDescriptor, value: Any, path: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if kind.full_name == _STATUS:
            return self._status(value, path)
        word = str(value).upper().replace("-", "_")
        found = kind.values_by_name.get(f"{_prefix(kind)}{word}")
        if found is None:
            words = (_word(kind, each.number) for each in kind.values if each.number)
            raise DocumentError(f"{path}: expected one of {', '.join(words)}, but got {value!r}")
        return int(found.number)

    def _status(self, value: Any, path: str) -> int:
        wanted = ALIASES.get(str(value).lower(), str(value))
        own = {
            str(known): number
            for number, known in STATUS_NAMES.items()
            if number and known.lifecycle == self._lifecycle
        }
        if wanted not in own:
            raise DocumentError(
                f"{path}: expected a {self._lifecycle} status ({', '.join(own)}), but got {value!r}"
            )
        return own[wanted]


def _seconds(value: Any, path: str) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return read_length(str(value))
    except ValueError as error:
        raise DocumentError(f"{path}: {error}") from None


def _instant(value: Any, path: str) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise DocumentError(
            f"{path}: expected an instant such as 2026-11-30T07:00:00Z, but got {value!r}"
        ) from None
    if instant.tzinfo is None:
        raise DocumentError(f"{path}: expected an instant with its zone, but {value!r} has none")
    return instant


def documents(messages: Sequence[Message], *, without: Collection[str] = ()) -> list[Any]:
    """Return the documents of some messages."""
    return [to_document(message, without=without) for message in messages]
