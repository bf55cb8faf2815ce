"""Waiting jobs in the documented order, so that the next one for a robot is found without a scan.

A `Lane` holds the waiting jobs of one definition, queue and requested robot. A `Pool` stands for
robots of equal
ability and holds the best job of every lane that they can serve. Entries are checked when they are
taken, never searched for: what is out of date is dropped then. Everything here is derived from the
jobs.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job

#: Priority (largest first), start of the top-level parent, own start, id (domain.md B1).
Order = tuple[int, int, int, int]
LaneKey = tuple[str, str, str]
PoolKey = tuple[frozenset[str], frozenset[str]]

_WAITING = frozenset({Status.REDWOOD_QUEUED, Status.UIPATH_PENDING, Status.UIPATH_RESUMED})


def order_of(job: Job) -> Order:
    """Place of a job in the dispatch order; smaller goes first."""
    return (-job.priority, job.top_start_ms, job.start_ms, job.id)


def waits(job: Job, status: int = 0) -> bool:
    """Whether a job waits for a robot now, or would in another status, whatever its lifecycle."""
    status = status or job.status
    return not job.attached and (
        status in _WAITING or (status == Status.UIPATH_RUNNING and job.attempt_lost)
    )


def bound_robot(job: Job) -> str:
    """The only robot that may take the job; "" for any."""
    if job.resume_on_same_robot and job.status == Status.UIPATH_RESUMED:
        return job.robot
    return job.requested_robot


class Lane:
    """Waiting jobs that the same robots can take."""

    __slots__ = ("chain", "definition", "foreground", "heap", "key", "pools", "queue", "robot")

    def __init__(self, key: LaneKey, *, foreground: bool, chain: bool) -> None:
        """Make an empty lane for a definition, a queue and a requested robot ("" for any)."""
        self.key = key
        self.definition, self.queue, self.robot = key
        self.foreground = foreground
        #: Its jobs are chains and steps, which the server executes itself.
        self.chain = chain
        self.heap: list[Order] = []
        self.pools: list[Pool] = []

    def head(self, jobs: dict[int, Job]) -> Order | None:
        """Order of the first job that still waits here; drops entries that are out of date."""
        heap = self.heap
        while heap:
            first = heap[0]
            job = jobs.get(first[3])
            if job is not None and self.holds(job) and order_of(job) == first:
                return first
            heappop(heap)
        return None

    def holds(self, job: Job) -> bool:
        """Whether the job waits in this lane now."""
        return (
            waits(job)
            and job.definition == self.definition
            and job.queue == self.queue
            and bound_robot(job) == self.robot
        )


class Pool:
    """Robots of equal ability: those with a free slot, and the best job of each lane they serve."""

    __slots__ = ("announced", "definitions", "free", "heads", "queues")

    def __init__(self, key: PoolKey) -> None:
        """Make a pool for robots that can run `key[0]` and serve queues `key[1]` (empty: all)."""
        self.definitions, self.queues = key
        #: Heads of background and of foreground lanes, kept apart: a robot runs one foreground job
        #: at a time.
        self.heads: tuple[list[tuple[Order, LaneKey]], list[tuple[Order, LaneKey]]] = ([], [])
        #: The one entry of each lane that counts, and in which of the two heaps it is; what else
        #: the heaps hold of that lane is old.
        self.announced: dict[LaneKey, tuple[Order, bool]] = {}
        #: Connected robots with a free slot, the one that waits longest first.
        self.free: dict[str, None] = {}

    def serves(self, lane: Lane) -> bool:
        """Whether its robots can take jobs of this lane."""
        return (
            not lane.robot
            and not lane.chain
            and lane.definition in self.definitions
            and (not self.queues or lane.queue in self.queues)
        )

    def announce(self, lane: Lane, head: Order) -> None:
        """Take note of the first job of a lane."""
        entry = (head, lane.foreground)
        if self.announced.get(lane.key) != entry:
            self.announced[lane.key] = entry
            heappush(self.heads[lane.foreground], (head, lane.key))

    def first(
        self,
        lanes: Lanes,
        jobs: dict[int, Job],
        queue_is_open: Callable[[str], bool],
        *,
        foreground: bool,
    ) -> tuple[Order, Lane] | None:
        """The first job that one of its robots may take now, background or foreground.

        A lane whose first job has left stays in by its next one. A lane whose queue is closed
        drops out: it is announced again when the queue opens.
        """
        heads = self.heads[foreground]
        while heads:
            order, key = heads[0]
            if self.announced.get(key) != (order, foreground):
                heappop(heads)
                continue
            lane = lanes.by_key[key]
            head = lane.head(jobs)
            is_open = queue_is_open(lane.queue)
            if head == order and is_open:
                return order, lane
            heappop(heads)
            del self.announced[key]
            if head is not None and is_open:
                self.announce(lane, head)
        return None

    def to_the_end(self, robot: str) -> None:
        """Let a robot that was just served wait longest, if it still has a free slot."""
        if robot in self.free:
            del self.free[robot]
            self.free[robot] = None


class Lanes:
    """All lanes and pools of a partition."""

    __slots__ = ("by_key", "by_queue", "by_robot", "chains", "dirty", "dirty_robots", "pools")

    def __init__(self) -> None:
        """Start with no lane and no pool."""
        self.by_key: dict[LaneKey, Lane] = {}
        self.by_queue: dict[str, list[Lane]] = {}
        self.by_robot: dict[str, list[Lane]] = {}
        self.pools: dict[PoolKey, Pool] = {}
        #: Lanes of chains whose first job may be able to start now.
        self.chains: dict[LaneKey, None] = {}
        #: Pools that may have something to dispatch, in the order in which that came up.
        self.dirty: dict[PoolKey, None] = {}
        #: Robots whose own lanes may have something to dispatch.
        self.dirty_robots: dict[str, None] = {}

    def add(self, job: Job, definition: Definition | None, jobs: dict[int, Job]) -> None:
        """Let a waiting job stand in its lane; the pools hear of it if it goes first there."""
        key = (job.definition, job.queue, bound_robot(job))
        lane = self.by_key.get(key) or self._new_lane(key, definition)
        order = order_of(job)
        heappush(lane.heap, order)
        if lane.head(jobs) == order:  # what was before it may be out of date
            self._announce(lane, order)

    def refresh(self, lane: Lane, jobs: dict[int, Job]) -> None:
        """Tell the pools of a lane its head, after the old one left or the queue opened."""
        head = lane.head(jobs)
        if head is not None:
            self._announce(lane, head)

    def refresh_queue(self, queue: str, jobs: dict[int, Job]) -> None:
        """Tell the pools about every lane of a queue that opened or has room again."""
        for lane in self.by_queue.get(queue, ()):
            self.refresh(lane, jobs)

    def pool(self, key: PoolKey, jobs: dict[int, Job]) -> Pool:
        """Find or make the pool of an ability; a new one looks once at every lane."""
        pool = self.pools.get(key)
        if pool is None:
            pool = self.pools[key] = Pool(key)
            for lane in self.by_key.values():
                if pool.serves(lane):
                    lane.pools.append(pool)
                    self.refresh(lane, jobs)
        return pool

    def follow_definition(self, definition: Definition, jobs: dict[int, Job]) -> None:
        """Follow a definition that changed, or that came after the jobs of its lanes (recovery)."""
        chain = definition.chain is not None
        for lane in self.by_key.values():
            if lane.definition == definition.name and (
                (lane.foreground, lane.chain) != (definition.foreground, chain)
            ):
                lane.foreground, lane.chain = definition.foreground, chain
                lane.pools = [pool for pool in self.pools.values() if pool.serves(lane)]
                self.refresh(lane, jobs)

    def waiting_in(self, queue: str, lifecycle: int, jobs: dict[int, Job]) -> Iterator[Job]:
        """The jobs of one lifecycle that wait in a queue, first of each lane first.

        Whoever takes one has to move it before the next: the heads are found by what has left.
        """
        for lane in self.by_queue.get(queue, ()):
            while (head := lane.head(jobs)) is not None and jobs[head[3]].lifecycle == lifecycle:
                yield jobs[head[3]]

    def _new_lane(self, key: LaneKey, definition: Definition | None) -> Lane:
        # In recovery a job may be newer than the definitions of the snapshot; the journal brings
        # them, and `follow_definition` makes up for it.
        foreground = definition is not None and definition.foreground
        chain = definition is not None and definition.chain is not None
        lane = self.by_key[key] = Lane(key, foreground=foreground, chain=chain)
        self.by_queue.setdefault(lane.queue, []).append(lane)
        if lane.robot:
            self.by_robot.setdefault(lane.robot, []).append(lane)
        lane.pools = [pool for pool in self.pools.values() if pool.serves(lane)]
        return lane

    def _announce(self, lane: Lane, head: Order) -> None:
        if lane.chain:
            self.chains[lane.key] = None
            return
        if lane.robot:
            self.dirty_robots[lane.robot] = None
            return
        for pool in lane.pools:
            pool.announce(lane, head)
            self.dirty[pool.definitions, pool.queues] = None
