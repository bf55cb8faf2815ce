"""A watcher's place in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.watch.ends import HistoryClosed

if TYPE_CHECKING:
    import asyncio

    from interlock_server.watch.history import History
    from interlock_server.watch.published import Published


class Cursor:
    """Reads the history in order, each change once and none left out, at the watcher's pace."""

    __slots__ = ("_history", "_sleeper", "revision")

    def __init__(self, history: History, after_revision: int) -> None:
        self._history = history
        self._sleeper: asyncio.Future[bool] | None = None
        #: The last revision taken; a watch can be resumed from here.
        self.revision = after_revision

    async def take(self, *, bytes_max: int) -> list[Published]:
        """Wait for commits and return whole ones, more than `bytes_max` only if the first is.

        Empty if `nudge` ended the wait. Raises Compacted if they are gone, and HistoryClosed when
        the server is going away. A cancelled call has taken nothing.
        """
        while True:
            found = self.take_nowait(bytes_max=bytes_max)
            if found:
                return found
            if self._history.head_revision > self.revision:
                return self._taken(await self._history.read(self.revision, bytes_max))
            if not await self._sleep():
                return []

    async def _sleep(self) -> bool:
        """Wait until something may be new; false if it was a nudge."""
        sleeper = self._sleeper = self._history.sleeper()
        try:
            return await sleeper
        finally:
            self._sleeper = None
            self._history.wake_no_more(sleeper)

    def nudge(self) -> None:
        """Let a `take` that waits return without anything; does nothing if none does."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(False)

    def take_nowait(self, *, bytes_max: int) -> list[Published]:
        """As `take`, but empty if there is nothing new or it has to come from disk."""
        if self._history.closed:
            raise HistoryClosed(self.revision)
        return self._taken(self._history.recent(self.revision, bytes_max))

    def _taken(self, found: list[Published]) -> list[Published]:
        if found:
            self.revision = found[-1].last_revision
        return found
