"""Waiting jobs that the same robots can take, in the documented order (domain.md B1).

A lane is a heap. Entries are checked when they are taken, never searched for: what is out of date
is dropped then. `core.pool` has those who take from lanes.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.vocabulary.status import STATUS_NUMBERS, Status

if TYPE_CHECKING:
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from interlock_server.core.pool import Pool

#: Priority (largest first), start of the top-level parent, own start, id (domain.md B1).
Order = tuple[int, int, int, int]

#: The largest priority. What is left to it sorts as it should, and unlike a negative number it is
#: no new object: 32 bytes for each job that waits.
_HIGHEST: Final = 100

_WAITING: Final = frozenset({Status.REDWOOD_QUEUED, Status.UIPATH_PENDING, Status.UIPATH_RESUMED})
_IS_WAITING: Final = tuple(number in _WAITING for number in range(STATUS_NUMBERS))
#: Statuses in which a job waits for a robot, or may do so.
MAY_WAIT: Final = tuple(
    number in _WAITING or number == Status.UIPATH_RUNNING for number in range(STATUS_NUMBERS)
)
#: Entries of a heap before it is first looked through for those that are out of date.
TIDY_FROM: Final = 64


class LaneKey(NamedTuple):
    """What jobs of one lane have in common; "" for any robot and for any server."""

    definition: str
    queue: str
    robot: str
    server: str


def key_of(job: Job) -> LaneKey:
    """The lane in which a job waits."""
    return LaneKey(job.definition, job.queue, bound_robot(job), job.server)


def order_of(job: Job) -> Order:
    """Place of a job in the dispatch order; smaller goes first."""
    return (_HIGHEST - job.priority, job.top_start_ms, job.start_ms, job.id)


def priority_in(order: Order) -> int:
    """The priority of whoever has this place."""
    return _HIGHEST - order[0]


def waits(job: Job, status: int = 0) -> bool:
    """Whether a job waits for a robot now, or would in another status, whatever its lifecycle."""
    status = status or job.status
    return not job.attached and (
        _IS_WAITING[status] or (job.attempt_lost and status == Status.UIPATH_RUNNING)
    )


def bound_robot(job: Job) -> str:
    """The only robot that may take the job; "" for any."""
    if job.suspension is not None and job.status == Status.UIPATH_RESUMED:
        return job.robot if job.resume_on_same_robot else job.requested_robot
    return job.requested_robot


class Lane:
    """Waiting jobs of one definition, queue, requested robot and requested server."""

    __slots__ = (
        "_tidy_at",
        "chain",
        "definition",
        "foreground",
        "heap",
        "key",
        "pools",
        "queue",
        "resources",
        "robot",
        "server",
    )

    def __init__(self, key: LaneKey, definition: Definition | None) -> None:
        """Make an empty lane."""
        self.key = key
        self.definition, self.queue, self.robot, self.server = key
        self.foreground = False
        #: Its jobs are chains and steps, which the server executes itself.
        self.chain = False
        #: What a robot and its server have to offer together.
        self.resources: frozenset[str] = frozenset()
        self.heap: list[Order] = []
        self._tidy_at = TIDY_FROM
        #: Those who take from it.
        self.pools: dict[Pool, None] = {}
        self.follow(definition)

    def follow(self, definition: Definition | None) -> bool:
        """Take over what the definition says of who may take its jobs; whether that changed.

        In recovery a job may be newer than the definitions of the snapshot; the journal brings
        them.
        """
        if definition is None:
            return False
        before = (self.foreground, self.chain, self.resources, self.server)
        self.chain = definition.chain is not None
        self.foreground = definition.foreground and not self.chain
        self.resources = frozenset(definition.resources)
        self.server = self.key.server or definition.server
        return before != (self.foreground, self.chain, self.resources, self.server)

    def add(self, job: Job, jobs: dict[int, Job]) -> Order:
        """Let a waiting job stand here."""
        order = order_of(job)
        heappush(self.heap, order)
        if len(self.heap) >= self._tidy_at:
            self.heap = list({entry for entry in self.heap if self._counts(entry, jobs)})
            heapify(self.heap)
            self._tidy_at = max(TIDY_FROM, 2 * len(self.heap))
        return order

    def fill(self, orders: list[Order]) -> None:
        """Let all jobs that wait stand in an empty lane."""
        self.heap = orders
        heapify(self.heap)
        self._tidy_at = max(TIDY_FROM, 2 * len(orders))

    def head(self, jobs: dict[int, Job]) -> Order | None:
        """Order of the first job that still waits here; drops entries that are out of date."""
        heap = self.heap
        while heap:
            if self._counts(heap[0], jobs):
                return heap[0]
            heappop(heap)
        return None

    def _counts(self, entry: Order, jobs: dict[int, Job]) -> bool:
        job = jobs.get(entry[3])
        return (
            job is not None
            and not job.attached  # what has left is with a robot, as a rule: seen at once
            and self.holds(job)
            and order_of(job) == entry
        )

    def holds(self, job: Job) -> bool:
        """Whether the job waits in this lane now."""
        return (
            waits(job)
            and job.definition == self.definition
            and job.queue == self.queue
            and bound_robot(job) == self.robot
            and job.server == self.key.server
        )
