"""What a measurement may rely on when it runs another system beside Interlock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class NotInstalled(Exception):  # noqa: N818 - says what is
    """What is missing for a peer, and that `make bench-peers` installs it."""


class WrongCount(Exception):  # noqa: N818 - says what is
    """A peer has counted something else than its load says it did."""


class Rate(NamedTuple):
    """What one round did: `items` units of work in `seconds`."""

    items: int
    seconds: float


class Peer(Protocol):
    """A system with load on it. Use as `async with`: both run while the block does.

    `__aenter__` raises NotInstalled when something is missing. It starts a server of its own on a
    temporary folder, and finds out with how many requests at once it is fastest. Nothing is left
    when the block has ended.
    """

    #: What it is, for people. Versions and the best concurrency are in it inside the block.
    name: str
    #: "transitions/s", "jobs/s" or "changes/s".
    unit: str
    #: What makes an acknowledged item durable; inside the block as the running server says it.
    durability: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def run(self, seconds: float) -> Rate:
        """Run one round. Raises WrongCount when the peer's own count of the items differs."""
