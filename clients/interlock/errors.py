"""What can go wrong, as exceptions. The docstring of each class says what the caller may conclude.

The server says why in a google.rpc.Status with an ErrorInfo; its reason picks the class here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.rpc import error_details_pb2
from grpc import StatusCode
from grpc_status import rpc_status  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grpc.aio import AioRpcError

    from interlock.v1.job_outcome_pb2 import Refusal

DOMAIN: Final = "interlock"


class InterlockError(Exception):
    """Something went wrong between this program and an Interlock server."""

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        #: Stable name of the reason, such as ILLEGAL_TRANSITION (interlock.v1.ErrorReason).
        self.reason = reason
        #: The server's sentence.
        self.message = str(self)
        #: What a program may want to know, such as `status` and `allowed`.
        self.metadata = dict(metadata or {})
        #: Seconds after which the server wants to be asked again; None if it did not say.
        self.retry_after = retry_after
        #: The outcome in which the refusal came, if it was one of several.
        self.raw: Any = None


class Refused(InterlockError):  # noqa: N818 - what it says, as its neighbours do
    """The server refused the request; nothing was changed by it."""


class NotFound(Refused):
    """There is no such job, definition, queue, robot, message, partition or lifecycle."""


class InvalidArgument(Refused):
    """The request is wrong whatever the state of the server; repeating it is of no use."""


class IllegalTransition(Refused):
    """The lifecycle does not allow this from the current status; `metadata` says what it allows."""


class AlreadyFinal(Refused):
    """The job is over; its status never changes again."""


class RevisionMismatch(Refused):
    """The job has changed since the expected revision: look again, then decide again."""


class Compacted(Refused):
    """The revision to resume from is not kept any more: take a snapshot and go on from there."""

    @property
    def oldest_revision(self) -> int:
        """The oldest revision from which a watch can resume."""
        return int(self.metadata.get("oldest_revision", "0"))


class HistoryChanged(Refused):
    """The partition was replaced, as by a restored backup: take a snapshot and go on from there.

    Its revisions tell another history now. What a watch has handed out before may not have
    happened in it, so what was made of it has to be made anew from the snapshot.
    """

    @property
    def history_id(self) -> str:
        """The history that the partition has now."""
        return self.metadata.get("history_id", "")


class Overloaded(Refused):
    """The server has too much to do and did not take the request."""


class Unavailable(Refused):
    """The server could not be reached in time, or is stopping; nothing was changed."""


class SessionSuperseded(Refused):
    """Another process took over under the name of this robot."""


class Indeterminate(InterlockError):  # noqa: N818
    """No answer came in time: the change may or may not have been made."""


class ServerError(InterlockError):
    """The server has a bug; its log has more under the error id in `metadata`."""


class ConnectionClosed(InterlockError):  # noqa: N818
    """This connection was closed; connect again."""


_CLASS_OF_REASON: Final[dict[str, type[InterlockError]]] = {
    "ILLEGAL_TRANSITION": IllegalTransition,
    "WRONG_LIFECYCLE": IllegalTransition,
    "NOT_FINAL": IllegalTransition,
    "NOT_EXTERNAL": IllegalTransition,
    "ALREADY_FINAL": AlreadyFinal,
    "REVISION_MISMATCH": RevisionMismatch,
    "REVISION_COMPACTED": Compacted,
    "HISTORY_CHANGED": HistoryChanged,
    "OVERLOADED": Overloaded,
    "TOO_MANY_WATCHES": Overloaded,
    "SLOW_CONSUMER": Overloaded,
    "STORAGE_FULL": Overloaded,
    "DRAINING": Unavailable,
    "GOING_AWAY": Unavailable,
    "OUTCOME_UNKNOWN": Indeterminate,
    "SESSION_SUPERSEDED": SessionSuperseded,
    "INTERNAL": ServerError,
}
_CLASS_OF_CODE: Final[dict[StatusCode, type[InterlockError]]] = {
    StatusCode.INVALID_ARGUMENT: InvalidArgument,
    StatusCode.NOT_FOUND: NotFound,
    StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    StatusCode.UNAVAILABLE: Unavailable,
    StatusCode.DEADLINE_EXCEEDED: Indeterminate,
    StatusCode.CANCELLED: Indeterminate,
    StatusCode.UNKNOWN: Indeterminate,
    StatusCode.INTERNAL: ServerError,
    StatusCode.DATA_LOSS: ServerError,
}
_WRONG_REQUEST: Final = frozenset(
    {
        "MALFORMED_MESSAGE",
        "READ_ONLY_FIELD",
        "EMPTY_BATCH",
        "BATCH_TOO_LARGE",
        "DUPLICATE_TARGET",
        "UNKNOWN_STATUS",
        "FILTER_TOO_COMPLEX",
        "FENCE_UNKNOWN",
        "OUT_OF_BOUNDS",
        "REPLY_REFUSED",
    }
)


def is_wrong_request(reason: str) -> bool:
    """Whether the reason says that the request itself is wrong, whatever the state."""
    return reason.startswith("INVALID_") or reason in _WRONG_REQUEST


def refused(refusal: Refusal, raw: Any = None) -> InterlockError:
    """Return the refusal of one item of a request as the exception it is."""
    kind = _class_of(refusal.reason, Refused)
    error = kind(refusal.message, reason=refusal.reason, metadata=dict(refusal.metadata))
    error.raw = raw
    return error


def from_rpc(error: AioRpcError) -> InterlockError:
    """Return what a failed call means. Never fails itself, whatever the server sent."""
    code = error.code()
    message = error.details() or f"the call failed with {code.name}"
    reason, metadata, retry_after = "", {}, None
    for detail in _details(error):
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    kind = _class_of(reason, _CLASS_OF_CODE.get(code, Refused))
    return kind(message, reason=reason or code.name, metadata=metadata, retry_after=retry_after)


def _class_of(reason: str, default: type[InterlockError]) -> type[InterlockError]:
    if reason.endswith("_NOT_FOUND"):
        return NotFound
    if is_wrong_request(reason):
        return InvalidArgument
    return _CLASS_OF_REASON.get(reason, default)


def _details(error: AioRpcError) -> list[Any]:
    try:
        # grpcio-status reads any object with code, details and trailing_metadata.
        status = rpc_status.from_call(error)
    except ValueError:
        # Details that contradict the code: somebody between the server and us made them up.
        return []
    return list(status.details) if status is not None else []
