"""Messages of the API as JSON that programs can rely on.

Keys are the names of the proto's fields in snake_case, and all of them are always there. Ids are
numbers, times RFC 3339, durations seconds, statuses in the vendor's spelling, other enum values in
lower case without their prefix; a `*_json` field is the JSON value itself under its name without
`_json`. What is unset is null, "" or [].
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from interlock.cli.instant import rfc3339
from interlock.cli.status_text import status_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

_JSON_SUFFIX: Final = "_json"
_STATUS: Final = "interlock.v1.Status"


def to_mapping(message: Message) -> dict[str, Any]:
    """Return the whole message, whether its fields are set or not."""
    mapping: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        name = field.name
        if name.endswith(_JSON_SUFFIX):
            mapping[name.removesuffix(_JSON_SUFFIX)] = parsed(getattr(message, name))
        else:
            mapping[name] = _field(message, field)
    return mapping


def parsed(document: str) -> Any:
    """Return the value of a JSON text, null for an empty one, and the text if it is no JSON."""
    if not document:
        return None
    try:
        return json.loads(document)
    except ValueError:
        return document


def _field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if _is_map(field):
        return dict(value)
    if field.is_repeated:
        return [_single(item, field) for item in value]
    if field.message_type is not None and not message.HasField(field.name):
        return None
    return _single(value, field)


def _is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _single(value: Any, field: Any) -> Any:
    if field.enum_type is not None:
        return enum_text(field.enum_type, value)
    if field.message_type is None:
        return value
    match field.message_type.full_name:
        case "google.protobuf.Timestamp":
            return rfc3339(instant(value))
        case "google.protobuf.Duration":
            return float(value.ToTimedelta().total_seconds())
    return to_mapping(value)


def enum_text(kind: EnumDescriptor, number: int) -> str:
    """Return the value as people say it; a number that is newer than this program as digits."""
    if kind.full_name == _STATUS:
        return status_name(number)
    value = kind.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    text: str = value.name.removeprefix(prefix).lower()
    return "" if text == "unspecified" else text


def instant(timestamp: Timestamp) -> datetime:
    """Return the timestamp as an aware datetime."""
    return timestamp.ToDatetime(tzinfo=UTC)
