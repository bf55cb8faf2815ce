"""What is refused, as gRPC says it: the one table from reason to status code, and the rich status.

Every refusal has a google.rpc.ErrorInfo of the domain `interlock`. Sizes are bounded, because a
status that is too large reaches the client as another error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import StatusCode

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server import engine
from interlock_server.core.compacted import Compacted
from interlock_server.core.rejection import Rejection
from interlock_server.watch.ends import HistoryClosed, RevisionInFuture

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN: Final = "interlock"
#: Bytes of the sentence that is sent. Where it is not ASCII each of them is three on the wire.
SENTENCE_BYTES_MAX: Final = 512
#: Bytes of the rich status; base64 makes a third more of it, and trailers stay within 2 KiB.
STATUS_BYTES_MAX: Final = 1_100
METADATA_VALUE_MAX: Final = 200
OVERLOADED_RETRY_MS: Final = 200

_PREFIX: Final = "ERROR_REASON_"
R = ErrorReason

_CODES: Final[dict[StatusCode, tuple[ErrorReason.ValueType, ...]]] = {
    StatusCode.INVALID_ARGUMENT: (
        R.ERROR_REASON_MALFORMED_MESSAGE,
        R.ERROR_REASON_INVALID_NAME,
        R.ERROR_REASON_INVALID_ID,
        R.ERROR_REASON_INVALID_TEXT,
        R.ERROR_REASON_INVALID_PARAMETER,
        R.ERROR_REASON_INVALID_NUMBER,
        R.ERROR_REASON_INVALID_TIME,
        R.ERROR_REASON_INVALID_REQUEST_ID,
        R.ERROR_REASON_INVALID_FIELD,
        R.ERROR_REASON_READ_ONLY_FIELD,
        R.ERROR_REASON_EMPTY_BATCH,
        R.ERROR_REASON_BATCH_TOO_LARGE,
        R.ERROR_REASON_DUPLICATE_TARGET,
        R.ERROR_REASON_UNKNOWN_STATUS,
        R.ERROR_REASON_FILTER_TOO_COMPLEX,
        R.ERROR_REASON_INVALID_PAGE_SIZE,
        R.ERROR_REASON_INVALID_PAGE_TOKEN,
        R.ERROR_REASON_FENCE_UNKNOWN,
        R.ERROR_REASON_OUT_OF_BOUNDS,
        R.ERROR_REASON_REPLY_REFUSED,
        R.ERROR_REASON_INVALID_EXPRESSION,
        R.ERROR_REASON_INVALID_WINDOW,
        R.ERROR_REASON_INVALID_CHAIN,
    ),
    StatusCode.NOT_FOUND: (
        R.ERROR_REASON_PARTITION_NOT_FOUND,
        R.ERROR_REASON_JOB_NOT_FOUND,
        R.ERROR_REASON_DEFINITION_NOT_FOUND,
        R.ERROR_REASON_QUEUE_NOT_FOUND,
        R.ERROR_REASON_ROBOT_NOT_FOUND,
        R.ERROR_REASON_MESSAGE_NOT_FOUND,
        R.ERROR_REASON_LIFECYCLE_NOT_FOUND,
        R.ERROR_REASON_WINDOW_NOT_FOUND,
        R.ERROR_REASON_EVENT_NOT_FOUND,
        R.ERROR_REASON_LOCK_NOT_FOUND,
        R.ERROR_REASON_SERVER_NOT_FOUND,
        R.ERROR_REASON_SCHEDULE_NOT_FOUND,
        R.ERROR_REASON_MEDIUM_NOT_FOUND,
        R.ERROR_REASON_STEP_NOT_FOUND,
    ),
    StatusCode.ALREADY_EXISTS: (R.ERROR_REASON_PARTITION_EXISTS,),
    StatusCode.FAILED_PRECONDITION: (
        R.ERROR_REASON_JOB_ALREADY_PENDING,
        R.ERROR_REASON_ILLEGAL_TRANSITION,
        R.ERROR_REASON_ALREADY_FINAL,
        R.ERROR_REASON_WRONG_LIFECYCLE,
        R.ERROR_REASON_NOT_FINAL,
        R.ERROR_REASON_QUEUE_IS_SYSTEM,
        R.ERROR_REASON_QUEUE_NOT_HELD,
        R.ERROR_REASON_QUEUE_ALREADY_HELD,
        R.ERROR_REASON_MESSAGE_CLOSED,
        R.ERROR_REASON_NOT_EXTERNAL,
        R.ERROR_REASON_IN_USE,
        R.ERROR_REASON_CONFLICTING_DEFINITION,
        R.ERROR_REASON_EVENT_NOT_RAISED,
        R.ERROR_REASON_ALREADY_SO,
        R.ERROR_REASON_SCHEDULE_FINISHED,
        R.ERROR_REASON_RECORDING_REFUSED,
        R.ERROR_REASON_NO_SESSION,
        R.ERROR_REASON_SESSION_SUPERSEDED,
        R.ERROR_REASON_STALE_FENCE,
        R.ERROR_REASON_NOT_ASSIGNED,
        R.ERROR_REASON_SEQUENCE_GAP,
        R.ERROR_REASON_HELLO_REQUIRED,
        R.ERROR_REASON_DUPLICATE_HELLO,
        R.ERROR_REASON_SESSION_LOST,
        R.ERROR_REASON_REQUEST_ID_CONFLICT,
        R.ERROR_REASON_HISTORY_CHANGED,
    ),
    StatusCode.DEADLINE_EXCEEDED: (R.ERROR_REASON_HELLO_TIMEOUT,),
    StatusCode.ABORTED: (R.ERROR_REASON_REVISION_MISMATCH,),
    StatusCode.OUT_OF_RANGE: (
        R.ERROR_REASON_REVISION_COMPACTED,
        R.ERROR_REASON_REVISION_IN_FUTURE,
    ),
    StatusCode.RESOURCE_EXHAUSTED: (
        R.ERROR_REASON_SLOW_CONSUMER,
        R.ERROR_REASON_TOO_MANY_WATCHES,
        R.ERROR_REASON_OVERLOADED,
        R.ERROR_REASON_STORAGE_FULL,
        R.ERROR_REASON_TOO_LARGE,
    ),
    StatusCode.DATA_LOSS: (R.ERROR_REASON_DIGEST_MISMATCH,),
    StatusCode.UNAVAILABLE: (
        R.ERROR_REASON_DRAINING,
        R.ERROR_REASON_GOING_AWAY,
        R.ERROR_REASON_OUTCOME_UNKNOWN,
    ),
    StatusCode.INTERNAL: (R.ERROR_REASON_INTERNAL,),
}
#: Status code of each reason.
CODE_OF: Final[dict[int, StatusCode]] = {
    reason: code for code, reasons in _CODES.items() for reason in reasons
}


class Refused(Exception):  # noqa: N818  a refusal is no error of the program
    """A refusal that becomes the status of the call."""

    def __init__(
        self,
        reason: int,
        sentence: str,
        *,
        metadata: Mapping[str, str] | None = None,
        field: str = "",
        retry_after_ms: int = 0,
    ) -> None:
        """`field` names what is wrong with the request, `retry_after_ms` when to ask again."""
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.metadata = dict(metadata or {})
        self.field = field
        self.retry_after_ms = retry_after_ms


class InvalidArgument(Refused):
    """A field of the request is wrong, whatever the state of the server."""

    def __init__(
        self, field: str, sentence: str, reason: int = R.ERROR_REASON_INVALID_FIELD
    ) -> None:
        """Say where and what: `expected …, but …`."""
        super().__init__(reason, f"{field}: {sentence}", field=field)


def reason_name(reason: int) -> str:
    """Name of a reason as clients see it: ILLEGAL_TRANSITION."""
    return R.Name(R.ValueType(reason)).removeprefix(_PREFIX)


def reason_number(name: str) -> int:
    """Number of the reason with this name."""
    return R.Value(_PREFIX + name)


def refusal_of(error: BaseException) -> Refused | None:
    """The refusal that an exception stands for; None for a bug."""
    match error:
        case Refused():
            return error
        case Rejection():
            return Refused(int(error.reason), error.sentence, metadata=error.metadata)
        case Compacted():
            oldest = {"oldest_revision": str(error.oldest_revision)}
            return Refused(R.ERROR_REASON_REVISION_COMPACTED, str(error), metadata=oldest)
        case RevisionInFuture():
            head = {"revision": str(error.head_revision)}
            return Refused(R.ERROR_REASON_REVISION_IN_FUTURE, str(error), metadata=head)
        case HistoryClosed():
            return going_away(error.resume_revision)
        case DecodeError():
            return malformed()
    return _engine_refusal(error)


def _engine_refusal(error: BaseException) -> Refused | None:
    match error:
        case engine.Draining():
            return Refused(
                R.ERROR_REASON_DRAINING,
                "the server is stopping; send the same request again when it is back",
                retry_after_ms=1_000,
            )
        case engine.Overloaded():
            return Refused(
                R.ERROR_REASON_OVERLOADED,
                "too much work is waiting; send the same request again a little later",
                retry_after_ms=OVERLOADED_RETRY_MS,
            )
        case engine.OutcomeUnknown():
            return Refused(
                R.ERROR_REASON_OUTCOME_UNKNOWN,
                "the change may or may not be durable; send the same request again, with the same "
                "request_id, to find out",
            )
        case engine.StorageFull():
            return Refused(
                R.ERROR_REASON_STORAGE_FULL,
                "the disk has too little space for changes; make room on it. Reading still works",
                retry_after_ms=10_000,
            )
    return None


def malformed() -> Refused:
    """The refusal of bytes that are not the message."""
    return Refused(
        R.ERROR_REASON_MALFORMED_MESSAGE,
        "expected the request message of this method, but the bytes are no such message",
    )


def going_away(resume_revision: int | None = None) -> Refused:
    """The end of a stream because the server is stopping."""
    at = {} if resume_revision is None else {"resume_revision": str(resume_revision)}
    return Refused(
        R.ERROR_REASON_GOING_AWAY,
        "the server is stopping; connect again, nothing is lost",
        metadata=at,
        retry_after_ms=500,
    )


def printable(text: str, bytes_max: int = SENTENCE_BYTES_MAX) -> str:
    """The text without characters that could act on a terminal, cut to so many bytes."""
    cleaned = "".join(each if each.isprintable() else " " for each in text)
    if cleaned.isascii():
        return cleaned if len(cleaned) <= bytes_max else f"{cleaned[: bytes_max - 3]}..."
    return _cut_on_the_wire(cleaned.encode("utf-8", "replace").decode(), bytes_max)


def _cut_on_the_wire(text: str, bytes_max: int) -> str:
    """Cut a text to the bytes that it has when everything but ASCII is percent-encoded."""
    left = bytes_max - 3
    for place, each in enumerate(text):
        left -= 1 if each.isascii() else 3 * len(each.encode())
        if left < 0:
            return f"{text[:place]}..."
    return text


def rich_status(refused: Refused) -> status_pb2.Status:
    """The google.rpc.Status of a refusal."""
    code = CODE_OF[refused.reason]
    message = printable(refused.sentence)
    info = error_details_pb2.ErrorInfo(
        reason=reason_name(refused.reason),
        domain=DOMAIN,
        metadata={
            key: printable(value, METADATA_VALUE_MAX) for key, value in refused.metadata.items()
        },
    )
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=message)
    status.details.add().Pack(info)
    if refused.retry_after_ms:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(refused.retry_after_ms)
        status.details.add().Pack(retry)
    _add_violation(status, refused, code)
    if status.ByteSize() > STATUS_BYTES_MAX:
        del status.details[1:]
        status.message = printable(refused.sentence, SENTENCE_BYTES_MAX // 2)
    return status


def _add_violation(status: status_pb2.Status, refused: Refused, code: StatusCode) -> None:
    if refused.field:
        request = error_details_pb2.BadRequest()
        request.field_violations.add(field=refused.field, description=status.message)
        status.details.add().Pack(request)
    elif code is StatusCode.FAILED_PRECONDITION:
        failure = error_details_pb2.PreconditionFailure()
        failure.violations.add(
            type=reason_name(refused.reason),
            subject=refused.metadata.get("status", ""),
            description=status.message,
        )
        status.details.add().Pack(failure)


def no_job(job_id: int, next_job: int) -> Refused:
    """There never was such a job, or it was deleted: ids are given once, in order."""
    job = {"job": str(job_id)}
    if job_id < next_job:
        return Refused(
            R.ERROR_REASON_JOB_NOT_FOUND,
            f"there is no job {job_id} any more: it is over, and retention has deleted it",
            metadata={**job, "deleted": "true"},
        )
    return Refused(R.ERROR_REASON_JOB_NOT_FOUND, f"there is no job {job_id}", metadata=job)
