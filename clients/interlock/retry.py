"""Repeats a call until it is answered, refused, or its time is over.

A request is repeated with the same request_id, so that the server carries it out once. What a
caller may conclude when the time is over depends on whether the server may have seen it.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

from grpc import StatusCode
from grpc.aio import AioRpcError

from interlock.errors import Indeterminate, InterlockError, Unavailable, from_rpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_FIRST_DELAY_SECONDS: Final = 0.05
_DELAY_MAX_SECONDS: Final = 2.0
#: An attempt gets this part of the time, so that a lost answer does not cost all of it.
_ATTEMPTS_WANTED: Final = 3
_REPEATED_CODES: Final = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.UNKNOWN,
        StatusCode.CANCELLED,
    }
)
#: How grpc begins the details of a call that never left this machine.
_NEVER_SENT: Final = ("failed to connect to all addresses", "DNS resolution failed")


class Backoff:
    """Delays that grow and are spread at random, so that many clients do not come back at once."""

    def __init__(
        self, first: float = _FIRST_DELAY_SECONDS, most: float = _DELAY_MAX_SECONDS
    ) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        """Start again with the shortest delay."""
        self._next = self._first

    def next_delay(self, at_least: float | None = None) -> float:
        """Return how many seconds to wait now."""
        delay = self._next * random.uniform(0.5, 1.0)  # noqa: S311 - spreading, not secrecy
        self._next = min(self._next * 2, self._most)
        return max(delay, at_least or 0.0)


def was_never_sent(error: AioRpcError) -> bool:
    """Whether the server cannot have seen the call."""
    details = error.details() or ""
    return error.code() is StatusCode.UNAVAILABLE and details.startswith(_NEVER_SENT)


async def call(
    method: Callable[..., Awaitable[Any]], request: Any, *, timeout: float, repeatable: bool
) -> Any:
    """Return the answer. Raises Refused if there will be none, Indeterminate if nobody knows.

    A request that is not repeatable is sent again only if the server cannot have seen it.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    backoff = Backoff()
    changes_something = "request_id" in request.DESCRIPTOR.fields_by_name or not repeatable
    seen_by_server = False
    attempt_timeout = timeout / _ATTEMPTS_WANTED if repeatable else timeout
    while True:
        remaining = deadline - loop.time()
        try:
            return await method(request, timeout=max(min(remaining, attempt_timeout), 0.001))
        except AioRpcError as failure:
            error = from_rpc(failure)
            never_sent = was_never_sent(failure)
            seen_by_server |= not never_sent and _may_have_been_done(error)
            again = never_sent or (repeatable and _is_worth_repeating(failure, error))
            delay = backoff.next_delay(error.retry_after)
            if not again or loop.time() + delay >= deadline:
                raise _verdict(error, seen=seen_by_server and changes_something) from failure
        await asyncio.sleep(delay)


def _is_worth_repeating(failure: AioRpcError, error: InterlockError) -> bool:
    return failure.code() in _REPEATED_CODES or error.reason == "OVERLOADED"


def _may_have_been_done(error: InterlockError) -> bool:
    return isinstance(error, Indeterminate) or error.reason == StatusCode.UNAVAILABLE.name


def _verdict(error: InterlockError, *, seen: bool) -> InterlockError:
    doubtful = isinstance(error, Indeterminate | Unavailable)
    if not doubtful:
        return error
    kind = Indeterminate if seen else Unavailable
    return kind(error.message, reason=error.reason, metadata=error.metadata)
