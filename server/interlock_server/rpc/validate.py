"""Checks of single fields. Each returns the checked value or raises InvalidArgument.

`field` is the path that the client knows, such as `jobs[3].priority`. What depends on the state of
a partition is checked by the rules, not here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.model.job import NEVER_MS
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

R = ErrorReason

BATCH_MAX: Final = 1_000
ID_MAX: Final = (1 << 63) - 1
FENCE_MAX: Final = (1 << 31) - 1
EXPRESSION_MAX: Final = 4_096
REASON_MAX: Final = 1_024
AUTHOR_MAX: Final = 128
LABELS_MAX: Final = 32
LABEL_MAX: Final = 128
JSON_BYTES_MAX: Final = 256 * 1_024
PRIORITY_MAX: Final = 100
RESOURCES_MAX: Final = 64
#: The longest length of time: ten years.
DURATION_MS_MAX: Final = 10 * 366 * 24 * 3_600_000
NANOS: Final = 1_000_000_000
DEFAULT_PARTITION: Final = "default"
DEFAULT_AUTHOR: Final = "user"

_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{16,64}")
#: C0 and C1 controls, line separators, and marks that change the direction of writing.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_IN_LINES: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  what fits in a sentence


def name(field: str, text: str) -> str:
    """A name of something."""
    if not _NAME.fullmatch(text):
        raise InvalidArgument(
            field,
            f"expected a name of 1 to 128 of A-Z a-z 0-9 . _ : -, but got {_shown(text)}",
            R.ERROR_REASON_INVALID_NAME,
        )
    return text


def optional_name(field: str, text: str) -> str:
    """A name, or nothing."""
    return name(field, text) if text else ""


def names(field: str, texts: Sequence[str], *, count_max: int = BATCH_MAX) -> tuple[str, ...]:
    """Some names, each once."""
    if len(texts) > count_max:
        raise too_large(field, len(texts), count_max)
    found = tuple(name(f"{field}[{index}]", text) for index, text in enumerate(texts))
    distinct(field, found)
    return found


def identifier(field: str, number: int) -> int:
    """An id of a job or a message."""
    if number == 0:
        raise InvalidArgument(
            field, "expected an id of at least 1, but got 0", R.ERROR_REASON_INVALID_ID
        )
    return bounded(field, number)


def bounded(field: str, number: int) -> int:
    """A revision, id or epoch that the server can hold."""
    if number > ID_MAX:
        raise InvalidArgument(
            field, f"expected at most {ID_MAX}, but got {number}", R.ERROR_REASON_OUT_OF_BOUNDS
        )
    return number


def identifiers(field: str, numbers: Sequence[int]) -> tuple[int, ...]:
    """The targets of a verb: 1 to 1,000, each once."""
    batch(field, len(numbers))
    found = tuple(numbers)
    if not min(found) or max(found) > ID_MAX:
        for index, number in enumerate(found):
            identifier(f"{field}[{index}]", number)
    distinct(field, found)
    return found


def batch(field: str, count: int, count_max: int = BATCH_MAX) -> None:
    """Refuse a list that is empty or too long."""
    if not count:
        raise InvalidArgument(
            field, "expected at least one item, but it is empty", R.ERROR_REASON_EMPTY_BATCH
        )
    if count > count_max:
        raise too_large(field, count, count_max)


def too_large(field: str, count: int, count_max: int) -> InvalidArgument:
    """The refusal of a list that is too long."""
    return InvalidArgument(
        field,
        f"expected at most {count_max:,} items, but got {count:,}; send several requests",
        R.ERROR_REASON_BATCH_TOO_LARGE,
    )


def distinct(field: str, items: Sequence[object]) -> None:
    """Refuse a list that names something twice."""
    if len(set(items)) == len(items):
        return
    seen: set[object] = set()
    for item in items:
        if item in seen:
            raise InvalidArgument(
                field,
                f"expected each once, but {_shown(item)} stands twice",
                R.ERROR_REASON_DUPLICATE_TARGET,
            )
        seen.add(item)


def text(field: str, value: str, chars_max: int, *, lines: bool = False) -> str:
    """A text for people; of several lines where `lines`."""
    if len(value) > chars_max:
        raise InvalidArgument(
            field,
            f"expected at most {chars_max:,} characters, but got {len(value):,}",
            R.ERROR_REASON_INVALID_TEXT,
        )
    if (_CONTROL_IN_LINES if lines else _CONTROL).search(value):
        raise InvalidArgument(
            field,
            f"expected a text without control characters, but got {_shown(value)}",
            R.ERROR_REASON_INVALID_TEXT,
        )
    return value


def cleaned(value: str, chars_max: int, *, lines: bool = False) -> str:
    """A text that may not be refused because it tells of a failure: cut, controls replaced."""
    return (_CONTROL_IN_LINES if lines else _CONTROL).sub(" ", value[:chars_max])


def expression(field: str, value: str) -> str:
    """A CEL expression as text; the core compiles it and says what is wrong with it."""
    return text(field, value, EXPRESSION_MAX, lines=True)


def reason(value: str, field: str = "reason") -> str:
    """Why somebody does something."""
    return text(field, value, REASON_MAX)


def author(field: str, value: str) -> str:
    """Who does something."""
    return text(field, value, AUTHOR_MAX).strip() or DEFAULT_AUTHOR


def request_id(value: str) -> str:
    """The id of a request that may be repeated, or nothing."""
    if value and not _REQUEST_ID.fullmatch(value):
        raise InvalidArgument(
            "request_id",
            f"expected 16 to 64 of A-Z a-z 0-9 . _ : -, but got {_shown(value)}",
            R.ERROR_REASON_INVALID_REQUEST_ID,
        )
    return value


def number(field: str, value: int, low: int, high: int) -> int:
    """A number within its range."""
    if not low <= value <= high:
        raise InvalidArgument(
            field, f"expected {low:,} to {high:,}, but got {value}", R.ERROR_REASON_INVALID_NUMBER
        )
    return value


def labels(field: str, value: Mapping[str, str]) -> dict[str, str]:
    """Labels of a job."""
    if len(value) > LABELS_MAX:
        raise InvalidArgument(field, f"expected at most {LABELS_MAX} labels, but got {len(value)}")
    found = {}
    for key, content in value.items():
        if not key:
            raise InvalidArgument(field, "expected a key for every label, but one is empty")
        at = f"{field}[{_shown(key)}]"
        found[text(at, key, LABEL_MAX)] = text(at, content, LABEL_MAX)
    return found


def timestamp_ms(field: str, stamp: Timestamp) -> int:
    """An instant after 1970 and before 2999-12-31, in milliseconds."""
    ms = stamp.seconds * 1_000 + stamp.nanos // 1_000_000
    if not 0 <= stamp.nanos < NANOS or not 0 < ms < NEVER_MS:
        raise InvalidArgument(
            field,
            "expected an instant after 1970-01-01 and before 2999-12-31, but got "
            f"{stamp.seconds} seconds and {stamp.nanos} nanoseconds",
            R.ERROR_REASON_INVALID_TIME,
        )
    return ms


def optional_timestamp_ms(message: Message, field: str, path: str = "") -> int:
    """An instant, 0 if it is unset."""
    if not message.HasField(field):
        return 0
    return timestamp_ms(path or field, getattr(message, field))


def duration_ms(field: str, length: Duration, *, low_ms: int = 1) -> int:
    """A length of time in milliseconds, at most ten years."""
    ms = length.seconds * 1_000 + length.nanos // 1_000_000
    if not 0 <= length.nanos < NANOS or not low_ms <= ms <= DURATION_MS_MAX:
        raise InvalidArgument(
            field,
            f"expected {low_ms} ms to 10 years, but got {length.seconds} seconds and "
            f"{length.nanos} nanoseconds",
            R.ERROR_REASON_INVALID_TIME,
        )
    return ms


def optional_duration_ms(message: Message, field: str, path: str = "") -> int:
    """A length of time, 0 if it is unset."""
    return duration_ms(path or field, getattr(message, field)) if message.HasField(field) else 0


def json_object(field: str, value: str) -> str:
    """A JSON object as text; nothing means an empty one."""
    if not value:
        return "{}"
    if not isinstance(_decode(field, value, Any), dict):
        raise _no_json(field, "expected a JSON object such as {}")
    return value


def json_value(field: str, value: str) -> str:
    """Any JSON value as text, or nothing."""
    if value:
        _decode(field, value, msgspec.Raw)
    return value


def _decode(field: str, value: str, kind: Any) -> Any:
    size = len(value) if value.isascii() else len(value.encode())
    if size > JSON_BYTES_MAX:
        raise _no_json(field, f"expected at most 256 KiB, but got {size:,} bytes")
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_json(field, f"expected JSON, but {error}") from None


def _no_json(field: str, sentence: str) -> InvalidArgument:
    return InvalidArgument(field, sentence, R.ERROR_REASON_INVALID_PARAMETER)


def known(field: str, value: int, numbers: Collection[int], what: str) -> int:
    """A number of an enum that exists and is not unspecified."""
    if value not in numbers:
        raise InvalidArgument(
            field,
            f"expected the number of a {what}, but got {value}",
            R.ERROR_REASON_UNKNOWN_STATUS,
        )
    return value


def choice(field: str, value: int, numbers: Collection[int], what: str) -> int:
    """A number of another enum."""
    if value not in numbers:
        raise InvalidArgument(field, f"expected the number of a {what}, but got {value}")
    return value


def unset(path: str, message: Message, fields: Iterable[str]) -> None:
    """Refuse a message in which somebody set what only the server sets."""
    given = {descriptor.name for descriptor, _ in message.ListFields()}
    for field in fields:
        if field in given:
            raise InvalidArgument(
                f"{path}.{field}",
                "expected it unset, because only the server sets it",
                R.ERROR_REASON_READ_ONLY_FIELD,
            )
