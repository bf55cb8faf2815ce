"""Who holds each lock, and who waits for it in the dispatch order. Derived from jobs (P9).

A job that waits for several locks stands in the line of one that it cannot have now. When that one
is free it gets all of them or moves to the line of another one, so nothing is searched for.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from interlock_server.core.lane import order_of
from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from interlock_server.core.lane import Order
    from interlock_server.core.model.job import Job


class LockLines:
    """Holders and lines of all locks of a partition."""

    __slots__ = ("dirty", "holders", "lines")

    def __init__(self) -> None:
        """Start with no holder and no line."""
        #: Counts held, by lock and job.
        self.holders: dict[str, dict[int, int]] = {}
        #: Waiting jobs of each lock, as a heap; entries are checked when they are taken.
        self.lines: dict[str, list[Order]] = {}
        #: Locks of which something was given back, or which were changed, and that have a line.
        self.dirty: dict[str, None] = {}

    def held(self, lock: str) -> int:
        """How many counts of a lock are held."""
        return sum(self.holders.get(lock, {}).values())

    def hold(self, job: Job) -> None:
        """Count what a job has."""
        for have in job.locks:
            self.holders.setdefault(have.lock, {})[job.id] = have.counts

    def give_back(self, job: Job) -> None:
        """Count what a job has no more."""
        for had in job.locks:
            holders = self.holders[had.lock]
            holders.pop(job.id, None)
            if not holders:
                del self.holders[had.lock]
            self.touch(had.lock)

    def touch(self, lock: str) -> None:
        """Look at the line of a lock again."""
        if lock in self.lines:
            self.dirty[lock] = None

    def stand(self, job: Job) -> None:
        """Let a job in LockWait stand in the line that it names."""
        heappush(self.lines.setdefault(job.awaits_lock, []), order_of(job))
        self.touch(job.awaits_lock)

    def first(self, lock: str, jobs: dict[int, Job]) -> Order | None:
        """Who stands first in the line of a lock; drops entries that are out of date."""
        line = self.lines.get(lock)
        while line:
            job = jobs.get(line[0][3])
            if (
                job is not None
                and job.status == Status.REDWOOD_LOCK_WAIT
                and job.awaits_lock == lock
                and order_of(job) == line[0]
            ):
                return line[0]
            heappop(line)
        self.lines.pop(lock, None)
        self.dirty.pop(lock, None)
        return None
