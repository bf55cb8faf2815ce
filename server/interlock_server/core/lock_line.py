"""Who holds each lock, and who waits for it in the dispatch order. Derived from jobs (P9).

A job that waits for several locks stands in the line of one that it cannot have now. When that one
is free it gets all of them or moves to the line of another one, so nothing is searched for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.line import Lines

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job


class LockLines(Lines):
    """Holders and lines of all locks of a partition."""

    __slots__ = ("exclusive", "holders", "taken")

    def __init__(self) -> None:
        """Start with no holder and no line."""
        super().__init__()
        #: Counts held, by lock and job.
        self.holders: dict[str, dict[int, int]] = {}
        #: Counts held, by lock.
        self.taken: dict[str, int] = {}
        #: Who holds a lock with nobody beside them, by lock: one job, and only while a snapshot is
        #: read, whose jobs are of different moments, perhaps more.
        self.exclusive: dict[str, set[int]] = {}

    def held(self, lock: str) -> int:
        """How many counts of a lock are held."""
        return self.taken.get(lock, 0)

    def hold(self, job: Job) -> None:
        """Count what a job has."""
        for have in job.locks:
            self.holders.setdefault(have.lock, {})[job.id] = have.counts
            self.taken[have.lock] = self.taken.get(have.lock, 0) + have.counts
            if have.exclusive:
                self.exclusive.setdefault(have.lock, set()).add(job.id)

    def give_back(self, job: Job) -> None:
        """Count what a job has no more."""
        for had in job.locks:
            holders = self.holders[had.lock]
            del holders[job.id]
            self.taken[had.lock] -= had.counts
            if had.exclusive:
                self.exclusive[had.lock].discard(job.id)
                if not self.exclusive[had.lock]:
                    del self.exclusive[had.lock]
            if not holders:
                del self.holders[had.lock], self.taken[had.lock]
            self.touch(had.lock)
