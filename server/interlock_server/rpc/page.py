"""Pages of a list: their size, and tokens that say where the next one begins.

A token holds the last key of its page and a digest of what was asked for, so that it is refused
with another filter. It holds no secret and stays good when the server restarts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.message import Message

SIZE_MAX: Final = 1_000
_TOKEN_CHARS_MAX: Final = 1_024
_DIGEST_BYTES: Final = 12

Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """Some items, and the token of the next page; "" if this is the last."""

    items: list[Item]
    next_token: str


def size_of(page_size: int, default: int) -> int:
    """How many items a page has; more than 1,000 is taken as 1,000."""
    if page_size < 0:
        raise InvalidArgument(
            "page_size",
            f"expected 0 or more, but got {page_size}",
            ErrorReason.ERROR_REASON_INVALID_PAGE_SIZE,
        )
    return min(page_size or default, SIZE_MAX)


def digest_of(request: Message) -> bytes:
    """What has to be the same for all pages of a list: everything but size and token."""
    same = type(request)()
    same.CopyFrom(request)
    same.ClearField("page_size")
    same.ClearField("page_token")
    body = request.DESCRIPTOR.full_name.encode() + same.SerializeToString(deterministic=True)
    return hashlib.sha256(body).digest()[:_DIGEST_BYTES]


def token(digest: bytes, last: int | str) -> str:
    """The token of the page after the item with this key."""
    body = msgspec.msgpack.encode((digest, last))
    check = hashlib.sha256(body).digest()[:4]
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


def position(request: Any, digest: bytes, kind: type[Item]) -> Item | None:
    """The key after which the page begins, None for the first page."""
    text: str = request.page_token
    if not text:
        return None
    try:
        if len(text) > _TOKEN_CHARS_MAX or not text.isascii():
            raise _bad_token()
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        check, body = data[:4], data[4:]
        found, last = msgspec.msgpack.decode(body)
    except (binascii.Error, ValueError, TypeError, msgspec.DecodeError):
        raise _bad_token() from None
    if found != digest or check != hashlib.sha256(body).digest()[:4] or not isinstance(last, kind):
        raise _bad_token()
    return last


def _bad_token() -> InvalidArgument:
    return InvalidArgument(
        "page_token",
        "expected the next_page_token of the same request, but it is none; start at the first page",
        ErrorReason.ERROR_REASON_INVALID_PAGE_TOKEN,
    )


def by_name(
    items: Iterable[Item], request: Any, name_of: Callable[[Item], str], default: int = SIZE_MAX
) -> Page[Item]:
    """A page of things that are listed by name."""
    size = size_of(request.page_size, default)
    digest = digest_of(request)
    after = position(request, digest, str) or ""
    found = sorted((item for item in items if name_of(item) > after), key=name_of)
    kept = found[:size]
    more = len(found) > size
    return Page(kept, token(digest, name_of(kept[-1])) if more else "")
