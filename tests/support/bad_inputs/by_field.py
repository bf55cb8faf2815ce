"""Bad inputs that follow from the fields that requests share: names, ids, texts, pages, filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from interlock.v1.filter_pb2 import Filter
from tests.support.api_methods import METHODS, Method
from tests.support.bad_inputs.accepted import ACCEPTED
from tests.support.bad_inputs.row import BadInput, changed
from tests.support.bad_inputs.scene import USED_REQUEST_ID

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.support.bad_inputs.scene import Scene

#: what, value, reason
Wrong = tuple[str, Any, str]

BEYOND_63_BITS: Final = 1 << 63
BIDI: Final = "\u202egnp.exe"
EMOJI: Final = "\U0001f916"
BAD_NAMES: Final = (
    ("empty", ""),
    ("with a slash", "../x"),
    ("too long", "x" * 129),
    ("with NUL", "a\0b"),
    ("with CRLF", "a\r\nb"),
    ("bidi", BIDI),
    ("emoji", EMOJI * 100),
)
BAD_TEXTS: Final = (("escape", "\x1b[31mred"), ("NUL", "a\0b"), ("CRLF", "a\r\nb"), ("bidi", BIDI))

_PAGE: Final = (
    ("a negative size", "page_size", -1, "INVALID_PAGE_SIZE"),
    ("garbage as a token", "page_token", "garbage", "INVALID_PAGE_TOKEN"),
    ("a token of no letters", "page_token", "\u00e9\u00e9", "INVALID_PAGE_TOKEN"),
    ("a very long token", "page_token", "A" * 5_000, "INVALID_PAGE_TOKEN"),
)


def named(field: str, *, reason: str = "INVALID_NAME") -> list[Wrong]:
    """What is wrong with a single name."""
    return [(f"{field} {what}", {field: value}, reason) for what, value in BAD_NAMES]


def text(field: str, chars_max: int) -> list[Wrong]:
    """What is wrong with a text of one line."""
    return [
        (f"{field} too long", {field: "x" * (chars_max + 1)}, "INVALID_TEXT"),
        *((f"{field} with {what}", {field: value}, "INVALID_TEXT") for what, value in BAD_TEXTS),
    ]


def names(field: str) -> list[Wrong]:
    """What is wrong with a list of names."""
    many = [f"name-{number}" for number in range(1_001)]
    return [
        (f"no {field}", {field: []}, "EMPTY_BATCH"),
        (f"1,001 {field}", {field: many}, "BATCH_TOO_LARGE"),
        (f"{field} twice", {field: ["same", "same"]}, "DUPLICATE_TARGET"),
        *(
            (f"one of {field} {what}", {field: ["fine", value]}, "INVALID_NAME")
            for what, value in BAD_NAMES
        ),
    ]


_JOBS: Final[list[Wrong]] = [
    ("no jobs", {"jobs": []}, "EMPTY_BATCH"),
    ("job 0", {"jobs": [0]}, "INVALID_ID"),
    ("job 0 among others", {"jobs": [1, 0]}, "INVALID_ID"),
    ("a job beyond 63 bits", {"jobs": [BEYOND_63_BITS]}, "OUT_OF_BOUNDS"),
    ("the largest number as job", {"jobs": [(1 << 64) - 1]}, "OUT_OF_BOUNDS"),
    ("a job twice", {"jobs": [5, 6, 5]}, "DUPLICATE_TARGET"),
    ("1,001 jobs", {"jobs": range(1, 1_002)}, "BATCH_TOO_LARGE"),
    ("an unknown job", {"jobs": [10**9]}, "JOB_NOT_FOUND"),
]
_ONE_ID: Final[list[Wrong]] = [
    ("{} 0", 0, "INVALID_ID"),
    ("a {} beyond 63 bits", BEYOND_63_BITS, "OUT_OF_BOUNDS"),
]
_REQUEST_ID: Final[list[Wrong]] = [
    ("a short request_id", {"request_id": "too-short"}, "INVALID_REQUEST_ID"),
    ("a long request_id", {"request_id": "x" * 65}, "INVALID_REQUEST_ID"),
    ("a request_id with spaces", {"request_id": "with some spaces"}, "INVALID_REQUEST_ID"),
    ("a request_id with CRLF", {"request_id": "with\r\nline-breaks"}, "INVALID_REQUEST_ID"),
    ("a used request_id", {"request_id": USED_REQUEST_ID}, "REQUEST_ID_CONFLICT"),
]
_FILTER: Final[list[Wrong]] = [
    ("501 values", {"jobs": range(1, 502)}, "FILTER_TOO_COMPLEX"),
    ("status 999", {"statuses": [999]}, "UNKNOWN_STATUS"),
    ("status 0", {"statuses": [0]}, "UNKNOWN_STATUS"),
    ("status -1", {"statuses": [-1]}, "UNKNOWN_STATUS"),
    ("state 0", {"states": [0]}, "UNKNOWN_STATUS"),
    ("state 9", {"states": [9]}, "UNKNOWN_STATUS"),
    ("lifecycle 9", {"lifecycles": [9]}, "UNKNOWN_STATUS"),
    ("job 0", {"jobs": [0]}, "INVALID_ID"),
    ("a job beyond 63 bits", {"jobs": [BEYOND_63_BITS]}, "OUT_OF_BOUNDS"),
    ("definition with a slash", {"definitions": ["a/b"]}, "INVALID_NAME"),
    ("queue that injects", {"queues": ["'; DROP TABLE job;--"]}, "INVALID_NAME"),
    ("robot bidi", {"robots": [BIDI]}, "INVALID_NAME"),
    ("label without a key", {"labels": {"": "x"}}, "INVALID_FIELD"),
    ("33 labels", {"labels": {f"k{n}": "v" for n in range(33)}}, "INVALID_FIELD"),
    ("label with NUL", {"labels": {"k": "a\0b"}}, "INVALID_TEXT"),
]
_WHO: Final = ("requested_by", "submitted_by", "replied_by", "started_by")


def by_field() -> Iterator[BadInput]:
    """All bad inputs that follow from the descriptors."""
    for method in METHODS.values():
        if not method.reads_stream:
            yield from _malformed(method)
            for what, fields, reason in _of_fields(method.fields):
                yield _changed(method.name, what, fields, reason)


def _malformed(method: Method) -> Iterator[BadInput]:
    truncated = {
        "a truncated tag": b"\xff\xff\xff",
        "a truncated field": b"\x0a\x7f",
        "groups 200 deep": b"\xfb\x3f" * 200 + b"\xfc\x3f" * 200,
    }
    first = method.request.DESCRIPTOR.fields_by_number.get(1)
    if first is not None and first.type == first.TYPE_STRING:
        truncated["bytes that are no UTF-8"] = b"\x0a\x02\xff\xfe"
    for what, data in truncated.items():
        yield BadInput(method.name, what, data, "MALFORMED_MESSAGE")


def _of_fields(fields: dict[str, Any]) -> Iterator[Wrong]:
    if "partition" in fields:
        for what, value in BAD_NAMES[1:]:
            yield f"partition {what}", {"partition": value}, "PARTITION_NOT_FOUND"
    if "request_id" in fields:
        yield from _REQUEST_ID
    for who in _WHO:
        if who in fields:
            yield from text(who, 128)
    if "reason" in fields:
        yield from text("reason", 1_024)
    if "page_token" in fields:
        yield from ((what, {field: value}, reason) for what, field, value, reason in _PAGE)
    if "filter" in fields:
        for what, given, reason in _FILTER:
            yield f"filter {what}", {"filter": Filter(**given)}, reason
    yield from _of_ids(fields)


def _of_ids(fields: dict[str, Any]) -> Iterator[Wrong]:
    if "jobs" in fields and fields["jobs"].message_type is None:
        yield from _JOBS
    for field, unknown in (("job", "JOB_NOT_FOUND"), ("message", "MESSAGE_NOT_FOUND")):
        if field in fields:
            yield from ((what.format(field), {field: id_}, why) for what, id_, why in _ONE_ID)
            yield f"an unknown {field}", {field: 10**9}, unknown
    if "names" in fields:
        yield from names("names")
    if "robots" in fields:
        yield from names("robots")
    for field in ("queue", "robot"):
        if field in fields:
            needed = "job" not in fields  # an edit that names none leaves it as it is
            yield from (wrong for wrong in named(field) if needed or wrong[1][field])
    if "expected_revision" in fields:
        beyond = {"expected_revision": BEYOND_63_BITS}
        yield "an expected_revision beyond 63 bits", beyond, "OUT_OF_BOUNDS"
        if "jobs" in fields:
            both = {"expected_revision": 1, "jobs": [5, 6]}
            yield "an expected_revision of two jobs", both, "INVALID_FIELD"
        yield "another expected_revision", {"expected_revision": 1}, "REVISION_MISMATCH"


def _changed(rpc: str, what: str, fields: dict[str, Any], reason: str) -> BadInput:
    accepted: Callable[[Scene], Message] = ACCEPTED[rpc]
    names_it = reason.startswith("INVALID") or reason in {"EMPTY_BATCH", "BATCH_TOO_LARGE"}
    field = "" if len(fields) > 1 or not names_it else next(iter(fields))
    return BadInput(
        rpc,
        what,
        lambda scene: changed(accepted(scene), **fields),
        reason,
        field,
        ("revision",) if reason == "REVISION_MISMATCH" else (),
    )
