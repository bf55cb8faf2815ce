"""The shared history of what was committed: recent commits in memory, older ones on disk.

Publishing appends once and wakes the sleepers, whatever their number; a watcher costs a number and,
while it sleeps, a future. Nothing is ever dropped for slowness: who falls behind the memory reads
from disk, in bounded slices and one slice at a time, off the commit path.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from interlock_server.watch.cursor import Cursor
from interlock_server.watch.ends import HistoryClosed, RevisionInFuture
from interlock_server.watch.published import Blocks, BlockShelf, Published
from interlock_server.watch.resume import blocks_after

RING_BYTES_MAX: Final = 64 * 1024 * 1024
#: What a commit costs in memory beside its bytes.
PUBLISHED_BYTES: Final = 600
#: So many watchers keep the loop busy for longer than a commit takes. They are woken at intervals
#: of PACE_S for each of them, twice what writing to one takes: that leaves half of the time to
#: those who make changes, and what they write has several commits. With 100 watchers they receive
#: half as much again.
PACED_FROM: Final = 16
PACE_S: Final = 100e-6
#: Evicted entries are cut off the list when there are so many: cutting moves all that stay.
EVICTED_MAX: Final = 1024
#: Slices read from disk that are kept for other watchers at the same place: after a restart all
#: of them come back at once.
SLICES_MAX: Final = 16


class StoredChanges(Protocol):
    """What is read from disk for one commit."""

    @property
    def first_revision(self) -> int:
        """Revision of its first change."""

    @property
    def last_revision(self) -> int:
        """Revision of its last change."""

    @property
    def public(self) -> bytes:
        """Its changes as stored."""


#: Called with (after_revision, bytes_max); raises Compacted.
ReadChanges = Callable[[int, int], Awaitable[Sequence[StoredChanges]]]


class History:
    """Durable commits of one partition, in order, for any number of cursors."""

    def __init__(
        self,
        *,
        head_revision: int,
        read_changes: ReadChanges,
        decode: Callable[[bytes], Blocks],
        encode: Callable[[Blocks], bytes] | None = None,
        ring_bytes_max: int = RING_BYTES_MAX,
    ) -> None:
        #: Revision of the newest published change.
        self.head_revision = head_revision
        self._read_changes = read_changes
        self._encode = encode
        self._shelf = BlockShelf(decode)
        self._ring_bytes_max = ring_bytes_max
        # Entries before `_first` are evicted; `_lasts` holds the last revisions, for bisecting.
        self._ring: list[Published] = []
        self._lasts: list[int] = []
        self._first = 0
        self._ring_bytes = 0
        self._ring_after = head_revision
        self._sleepers: set[asyncio.Future[bool]] = set()
        self._is_waking = False
        self._next_wake = 0.0
        self._slices: OrderedDict[tuple[int, int], list[Published]] = OrderedDict()
        self._disk_turn = asyncio.Lock()
        self._closed = False
        #: What was made last of several commits: first and last revision, and the result. Watchers
        #: that are woken together take the same commits.
        self.last_made: tuple[int, int, Any] = (0, 0, None)

    @property
    def closed(self) -> bool:
        """Whether the server is going away."""
        return self._closed

    def publish(
        self, first_revision: int, last_revision: int, public: bytes, blocks: Blocks | None = None
    ) -> None:
        """Append a commit that has become durable and has changes; wakes who waits for it."""
        assert first_revision == self.head_revision + 1, "commits are published in order, once"
        assert last_revision >= first_revision, "a commit without changes is not published"
        published = Published(first_revision, last_revision, public, self._shelf)
        if blocks is not None:
            self._shelf.keep(published, blocks)
        self._ring.append(published)
        self._lasts.append(last_revision)
        self._ring_bytes += len(public) + PUBLISHED_BYTES
        self.head_revision = last_revision
        if self._ring_bytes > self._ring_bytes_max:
            self._evict()
        self._wake()

    def cursor(self, after_revision: int) -> Cursor:
        """Start to read after a revision; RevisionInFuture if it does not exist yet.

        Whether the changes after it are still there is found by the first `take`. If the revision
        lies within a commit, the rest of that commit comes first; whole if there is no `encode`.
        """
        if after_revision > self.head_revision:
            raise RevisionInFuture(after_revision, self.head_revision)
        return Cursor(self, after_revision)

    async def wait_beyond(self, revision: int) -> None:
        """Wait until there is a change after `revision`; HistoryClosed if none will come."""
        while self.head_revision <= revision:
            if self._closed:
                raise HistoryClosed(revision)
            sleeper = self.sleeper()
            try:
                await sleeper
            finally:
                self.wake_no_more(sleeper)

    def sleeper(self) -> asyncio.Future[bool]:
        """Make a future that is done when something was published or the server is going away.

        Whoever stops to wait for it hands it to `wake_no_more`.
        """
        sleeper: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._sleepers.add(sleeper)
        return sleeper

    def wake_no_more(self, sleeper: asyncio.Future[bool]) -> None:
        """Forget a sleeper."""
        self._sleepers.discard(sleeper)

    def close(self) -> None:
        """Wake everybody, so that every watch ends with the revision to resume from."""
        self._closed = True
        self._wake(at_once=True)

    def recent(self, after_revision: int, bytes_max: int) -> list[Published]:
        """Commits after a revision if they are in memory, else none."""
        if after_revision < self._ring_after:
            return []
        found: list[Published] = []
        size = 0
        start = bisect_right(self._lasts, after_revision, self._first)
        for index in range(start, len(self._ring)):
            published = self._ring[index]
            size += len(published.public)
            if found and size > bytes_max:
                break
            found.append(published)
        return self._cut_first(found, after_revision)

    async def read(self, after_revision: int, bytes_max: int) -> list[Published]:
        """Commits after a revision from disk, at least one; Compacted if they are gone."""
        # One at a time: a thousand watchers that come back together queue here, where they can
        # be cancelled and find what the one before has read, and not on the reader's thread.
        async with self._disk_turn:
            key = (after_revision, bytes_max)
            found = self._slices.get(key)
            if found is None:
                stored = await self._read_changes(after_revision, bytes_max)
                found = self._slices[key] = [
                    Published(each.first_revision, each.last_revision, each.public, self._shelf)
                    for each in stored
                    # What is durable and not yet published is left to `publish`.
                    if each.last_revision <= self.head_revision
                ]
                if len(self._slices) > SLICES_MAX:
                    self._slices.popitem(last=False)
        assert found, "what was published is in the journal or compacted"
        return self._cut_first(found, after_revision)

    def _cut_first(self, found: list[Published], after_revision: int) -> list[Published]:
        """Leave out what the watcher has if it resumes from within a commit."""
        if not found or found[0].first_revision > after_revision or self._encode is None:
            return found
        whole = found[0]
        blocks = blocks_after(whole.blocks, after_revision)
        public = self._encode(blocks)
        cut = Published(after_revision + 1, whole.last_revision, public, self._shelf)
        self._shelf.keep(cut, blocks)
        return [cut, *found[1:]]

    def _evict(self) -> None:
        while self._ring_bytes > self._ring_bytes_max and self._first < len(self._ring) - 1:
            published = self._ring[self._first]
            self._ring_bytes -= len(published.public) + PUBLISHED_BYTES
            self._ring_after = published.last_revision
            self._first += 1
        if self._first > EVICTED_MAX:
            del self._ring[: self._first]
            del self._lasts[: self._first]
            self._first = 0

    def _wake(self, *, at_once: bool = False) -> None:
        """Wake all sleepers in one callback: publishing costs the same for any number of them.

        Many are not woken for every commit but for all of some time, see PACED_FROM.
        """
        if not self._sleepers or (self._is_waking and not at_once):
            return
        loop = next(iter(self._sleepers)).get_loop()
        if at_once or len(self._sleepers) < PACED_FROM or loop.time() >= self._next_wake:
            loop.call_soon(self._wake_all, loop)
        else:
            loop.call_at(self._next_wake, self._wake_all, loop)
        self._is_waking = True

    def _wake_all(self, loop: asyncio.AbstractEventLoop) -> None:
        sleepers, self._sleepers = self._sleepers, set()
        self._is_waking = False
        self._next_wake = loop.time() + len(sleepers) * PACE_S
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(True)
