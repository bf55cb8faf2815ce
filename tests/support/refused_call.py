"""What a refused call says, taken apart, and what every refusal has to keep to."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status  # type: ignore[import-untyped]

from interlock.v1.error_reason_pb2 import ErrorReason

SENTENCE_CHARS_MAX: Final = 512
TRAILER_BYTES_MAX: Final = 2_048
#: What HTTP/2 counts for a header beside its name and value.
_HEADER_BYTES: Final = 32
#: Traces of the inside of a program.
_INTERNALS: Final = re.compile(
    r"Traceback|File \"|line \d+, in|<class|<function| object at 0x|interlock_server|site-packages"
    r"|NoneType|KeyError|ValueError|TypeError|AttributeError|AssertionError|hunter2"
)
#: How a sentence says what was expected or is the case.
_EXPLAINS: Final = re.compile(
    r"\b(expected|there is no|has to|may not|leaves out|in use|is in|stays|cannot|only|already|"
    r"still has|look again|is no|which is|no open|needs no|was used|held|are for|hold is|not "
    r"completed|took over|has job|is the queue of|is for|is connected|is required|not known|send|"
    r"connect again|make room|not \d+)\b"
)


class RefusedCall(NamedTuple):
    """A refusal as a client sees it."""

    code: grpc.StatusCode
    sentence: str
    reason: str
    metadata: dict[str, str]
    #: Path of the field that was wrong; "" if none was named.
    field: str
    retry_s: float
    trailer_bytes: int


def refused_call(error: grpc.RpcError) -> RefusedCall:
    """Take the error of a call apart."""
    call: Any = error
    sentence = call.details() or ""
    status = rpc_status.from_call(call)
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details if status is not None else ():
        for kind in (info, request, retry):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    return RefusedCall(
        call.code(),
        sentence,
        info.reason,
        dict(info.metadata),
        request.field_violations[0].field if request.field_violations else "",
        retry.retry_delay.ToTimedelta().total_seconds(),
        _trailer_bytes(call, sentence),
    )


def _trailer_bytes(call: Any, sentence: str) -> int:
    """The trailers as they were on the wire: text percent-encoded, binary in base64."""
    size = len("grpc-status") + 2 + _HEADER_BYTES
    size += len("grpc-message") + len(quote(sentence, safe=" !\"#$&'()*+,/:;<=>?@[\\]^`{|}~"))
    size += _HEADER_BYTES
    for key, value in call.trailing_metadata() or ():
        long = len(value) * 4 // 3 + 1 if key.endswith("-bin") else len(value)
        size += len(key) + long + _HEADER_BYTES
    return size


def broken_manners(refused: RefusedCall) -> list[str]:
    """Sentences about what every refusal has to keep to and this one does not."""
    broken = []
    said = refused.sentence
    if len(said) > SENTENCE_CHARS_MAX:
        broken.append(f"the sentence has {len(said)} characters")
    if not said.isprintable():
        broken.append(f"the sentence has control characters: {said!r}")
    if any(not each.isprintable() for each in refused.metadata.values()):
        broken.append(f"the metadata have control characters: {refused.metadata!r}")
    if refused.trailer_bytes > TRAILER_BYTES_MAX:
        broken.append(f"the trailers have {refused.trailer_bytes} bytes")
    if _INTERNALS.search(said):
        broken.append(f"the sentence shows the inside of the program: {said!r}")
    if not _EXPLAINS.search(said):
        broken.append(f"the sentence does not say what was expected: {said!r}")
    if f"ERROR_REASON_{refused.reason}" not in ErrorReason.keys():  # noqa: SIM118  no mapping
        broken.append(f"{refused.reason!r} is no ErrorReason")
    return broken
