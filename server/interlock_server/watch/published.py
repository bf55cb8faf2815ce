"""One durable commit as watchers see it: stored bytes, and the blocks in them when asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Final

from interlock_server.core.change import ChangeBlock

Blocks = tuple[ChangeBlock, ...]

#: Decoded blocks are some twenty times their bytes, so only about so many changes stay decoded.
DECODED_CHANGES_MAX: Final = 200_000
#: Results kept with one commit; more distinct filters than this do their own work.
CACHED_MAX: Final = 64


class BlockShelf:
    """Decodes commits and keeps the blocks of the ones used last, within a bound."""

    def __init__(
        self, decode: Callable[[bytes], Blocks], *, changes_max: int = DECODED_CHANGES_MAX
    ) -> None:
        self._decode = decode
        self._changes_max = changes_max
        self._decoded: deque[tuple[Published, int]] = deque()
        self._changes = 0

    def decode(self, published: Published) -> Blocks:
        """Decode a commit's bytes and keep the result with it for a while."""
        blocks = self._decode(published.public)
        self.keep(published, blocks)
        return blocks

    def keep(self, published: Published, blocks: Blocks) -> None:
        """Leave blocks with their commit until newer ones need the room."""
        published.put_blocks(blocks)
        changes = published.last_revision - published.first_revision + 1
        self._decoded.append((published, changes))
        self._changes += changes
        while self._changes > self._changes_max and len(self._decoded) > 1:
            oldest, changes = self._decoded.popleft()
            self._changes -= changes
            oldest.forget()


class Published:
    """One durable commit that has changes. Shared by all watchers, so nobody may change it."""

    __slots__ = ("_blocks", "_shelf", "cache", "first_revision", "last_revision", "public")

    def __init__(
        self, first_revision: int, last_revision: int, public: bytes, shelf: BlockShelf
    ) -> None:
        self.first_revision = first_revision
        self.last_revision = last_revision
        #: Exactly the bytes that were made durable.
        self.public = public
        #: What was derived from it, by a key such as that of a filter; use `remember`.
        self.cache: dict[Hashable, Any] = {}
        self._shelf = shelf
        self._blocks: Blocks | None = None

    @property
    def blocks(self) -> Blocks:
        """The changes in it, decoded when first asked for."""
        return self._shelf.decode(self) if self._blocks is None else self._blocks

    def put_blocks(self, blocks: Blocks) -> None:
        """Take blocks that are known to be those of `public`."""
        self._blocks = blocks

    def forget(self) -> None:
        """Give up what can be derived again."""
        self._blocks = None
        self.cache.clear()

    def remember(self, key: Hashable, value: object) -> None:
        """Cache a result for other watchers, as long as there is room."""
        if len(self.cache) < CACHED_MAX:
            self.cache[key] = value
