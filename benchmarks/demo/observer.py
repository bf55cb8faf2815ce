"""Observer: one watch over everything, from the first revision to the last, across a crash.

It counts by itself whether a revision was left out or came twice; nobody tells it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from benchmarks.demo.process import StoryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock import Change, Interlock, Watch

_PATIENCE_SECONDS: Final = 40.0


class Observer:
    """What the watcher saw."""

    def __init__(self, interlock: Interlock) -> None:
        self._watch: Watch = interlock.watch(from_revision=0)
        self._news = asyncio.Event()
        self._failure: Exception | None = None
        self.changes: list[Change] = []
        self.latest: dict[int, Change] = {}
        self._reached: defaultdict[int, list[str]] = defaultdict(list)

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            async with self._watch as watch:
                async for change in watch:
                    self._take(change)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            self._failure = error
            self._news.set()

    def _take(self, change: Change) -> None:
        self.changes.append(change)
        self.latest[change.job] = change
        self._reached[change.job].append(change.to_status)
        self._news.set()

    @property
    def resumes(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._watch.resumes

    @property
    def revision(self) -> int:
        """The last revision that was seen."""
        return self.changes[-1].revision if self.changes else 0

    @property
    def duplicates(self) -> int:
        """How many changes came more than once."""
        return len(self.changes) - len({change.revision for change in self.changes})

    @property
    def gaps(self) -> int:
        """How many revisions between the first and the last did not come."""
        return self.revision - len({change.revision for change in self.changes})

    @property
    def disorder(self) -> int:
        """How many changes came after a later one."""
        revisions = [change.revision for change in self.changes]
        return sum(after <= before for before, after in pairwise(revisions))

    def statuses(self, job: int) -> list[str]:
        """Return the statuses that a job was in, in order."""
        return [*self._reached[job]]

    def status(self, job: int) -> str:
        """Return the status that a job is in, as far as is known."""
        return self.latest[job].to_status if job in self.latest else ""

    def counts(self) -> Counter[str]:
        """Return how many jobs are in each status."""
        return Counter(str(change.to_status) for change in self.latest.values())

    async def reaches(self, job: int, *statuses: str) -> None:
        """Wait until a job has been in one of the statuses."""
        await self.until(
            lambda: bool({*statuses} & {*self._reached[job]}),
            lambda: (
                f"job {job} did not become {' or '.join(statuses)}: it was "
                f"{', '.join(self._reached[job]) or 'never seen'}"
            ),
        )

    async def ends(self, *jobs: int) -> None:
        """Wait until jobs are over."""
        await self.until(
            lambda: all(job in self.latest and self.latest[job].final for job in jobs),
            lambda: (
                "these jobs did not end: "
                + ", ".join(
                    f"{job} ({self.status(job) or 'never seen'})"
                    for job in jobs
                    if job not in self.latest or not self.latest[job].final
                )
            ),
        )

    async def until(self, holds: Callable[[], bool], otherwise: Callable[[], str]) -> None:
        """Wait until something holds; StoryError with a sentence if it does not come true."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not holds():
                    if self._failure is not None:
                        raise StoryError(f"the watch ended: {self._failure}") from self._failure
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise StoryError(f"within {_PATIENCE_SECONDS:g} s {otherwise()}") from None
