"""A row of the table of bad inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.message import Message
from grpc import StatusCode

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.rpc.errors import CODE_OF

if TYPE_CHECKING:
    from tests.support.bad_inputs.scene import Scene

#: A request, its bytes, or how to make one in the scene.
Request = Message | bytes | Callable[["Scene"], Message | bytes]


class BadInput(NamedTuple):
    """One bad input of one rpc, and what has to be said about it."""

    rpc: str
    what: str
    request: Request
    reason: str
    #: Path of the field that the refusal has to name; "" for any.
    field: str = ""
    #: Keys that its metadata has to have.
    metadata: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """How a test of it is called."""
        return f"{self.rpc.partition('/')[2]}-{self.what}".replace(" ", "_")

    @property
    def code(self) -> StatusCode:
        """The status code that belongs to its reason."""
        return code_of(self.reason)

    def message(self, scene: Scene) -> Message | bytes:
        """The request in this scene."""
        return self.request(scene) if callable(self.request) else self.request


def code_of(reason: str) -> StatusCode:
    """The status code that the API gives to a reason, as its comments in the protos say."""
    return CODE_OF[ErrorReason.Value(f"ERROR_REASON_{reason}")]


def changed(request: Message, **fields: Any) -> Message:
    """A copy of a request in which these fields are as given; None clears one."""
    copy = type(request)()
    copy.CopyFrom(request)
    for name, value in fields.items():
        copy.ClearField(name)
        if value is not None:
            copy.MergeFrom(type(request)(**{name: value}))
    return copy
