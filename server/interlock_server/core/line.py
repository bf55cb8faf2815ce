"""Jobs that wait for something that has a name, each line in the dispatch order (domain.md B1).

Derived from jobs (P9). Entries of a heap are checked when they are taken and dropped when they are
out of date, so nothing is searched for.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from interlock_server.core.lane import order_of

if TYPE_CHECKING:
    from interlock_server.core.lane import Order
    from interlock_server.core.model.job import Job


class Lines:
    """One line per name."""

    __slots__ = ("dirty", "heaps", "members")

    def __init__(self) -> None:
        """Start with no line."""
        #: Who stands in a line.
        self.members: dict[str, dict[int, None]] = {}
        #: Their places; what is no member's place now is old.
        self.heaps: dict[str, list[Order]] = {}
        #: Names whose first in line may be able to go on.
        self.dirty: dict[str, None] = {}

    def stand(self, name: str, job: Job) -> None:
        """Let a job stand in a line, or find its place there anew."""
        self.members.setdefault(name, {})[job.id] = None
        heappush(self.heaps.setdefault(name, []), order_of(job))

    def leave(self, name: str, job: Job) -> None:
        """Let a job leave a line."""
        members = self.members[name]
        members.pop(job.id, None)
        if not members:
            del self.members[name], self.heaps[name]
            self.dirty.pop(name, None)

    def touch(self, name: str) -> None:
        """Let the first in this line be looked at again."""
        if name in self.members:
            self.dirty[name] = None

    def first(self, name: str, jobs: dict[int, Job]) -> Job | None:
        """Who stands first in a line."""
        members = self.members.get(name)
        if members is None:
            return None
        heap = self.heaps[name]
        while True:  # a line has members, and each has its place in the heap
            job = jobs[heap[0][3]] if heap[0][3] in members else None
            if job is not None and order_of(job) == heap[0]:
                return job
            heappop(heap)

    def count(self, name: str) -> int:
        """How many stand in a line."""
        return len(self.members.get(name, ()))
