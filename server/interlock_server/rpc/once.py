"""A request that may be sent again: its digest, its stored answer, and the answer of a repetition.

What is stored is the serialized response, refusals of single jobs included, so that a repetition is
answered with the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf.message import Message

from interlock_server.engine import Once, Repeated
from interlock_server.rpc import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.command import Command
    from interlock_server.core.vocabulary.actor import Actor
    from interlock_server.partition import Partition

Response = TypeVar("Response", bound=Message)


def digest_of(request: Message, request_id: str) -> bytes:
    """What a repetition has to be equal in: the method's message, without the request_id."""
    request.ClearField("request_id")
    body = request.SerializeToString(deterministic=True)
    request.request_id = request_id  # type: ignore[attr-defined]
    return hashlib.sha256(request.DESCRIPTOR.full_name.encode() + b"\0" + body).digest()


class _Answered(Generic[Response]):
    """Converts the answer when it is decided, once, and keeps the message."""

    def __init__(self, build: Callable[[Any], Response]) -> None:
        self._build = build
        self.message: Response | None = None

    def encode(self, answer: Any) -> bytes:
        self.message = self._build(answer)
        return self.message.SerializeToString()


async def submit_once(
    partition: Partition,
    command: Command,
    request: Message,
    build: Callable[[Any], Response],
    response: type[Response],
    *,
    actor: Actor,
    author: str,
    reason: str = "",
) -> Response:
    """Submit a command and answer with what `build` makes of its answer.

    `build` runs when the command is decided, so the response shows nothing that is not durable by
    the time it is sent. With a `request_id` that was used before, the stored response comes back
    and nothing is done.
    """
    request_id = validate.request_id(request.request_id)  # type: ignore[attr-defined]
    answered = _Answered(build)
    digest = digest_of(request, request_id) if request_id else b""
    once = Once(request_id, digest, answered.encode)
    answer = await partition.submit(command, actor=actor, author=author, reason=reason, once=once)
    if isinstance(answer, Repeated):
        return response.FromString(answer.body)
    assert answered.message is not None, "what is answered was decided, so it was converted"
    return answered.message
