"""Robots of equal ability, and the best job that they may take, found without a scan.

A `Pool` keeps a `Shelf` for each queue: the heads of the lanes that it serves there. The best of a
shelf stands in the pool's own heap unless the gate before it is closed (`core.gate`). Then the
shelf is parked at that gate, and comes back when the gate opens or a better job arrives: opening a
queue costs as much as there are pools, not lanes or jobs. Everything here is derived.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import heapify, heappop, heappush, heapreplace
from typing import TYPE_CHECKING, NamedTuple

from interlock_server.core.lane import TIDY_FROM, LaneKey, priority_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.gate import GateKey
    from interlock_server.core.lane import Lane, Order
    from interlock_server.core.lanes import Lanes
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.process_server import ProcessServer

    #: The gate that keeps a server from taking a job of a priority from a queue; None if none does.
    GateBefore = Callable[[str, str, int], GateKey | None]


class Ability(NamedTuple):
    """What robots of one pool have in common."""

    definitions: frozenset[str]
    #: Empty for all, as far as the server allows.
    queues: frozenset[str]
    server: str
    resources: frozenset[str]
    #: The pool is for jobs that only this robot may take; "" for jobs that any may take.
    robot: str = ""
    #: The pool is the server program itself, which executes chains.
    chains: bool = False


CHAINS = Ability(frozenset(), frozenset(), "", frozenset(), chains=True)


class Shelf:
    """Heads of the lanes of one queue in one pool, of its foreground or its background lanes."""

    __slots__ = ("_tidy_at", "announced", "foreground", "gate", "heap", "pool", "queue", "told")

    def __init__(self, pool: Pool, queue: str, *, foreground: bool) -> None:
        """Make an empty shelf."""
        self.pool, self.queue, self.foreground = pool, queue, foreground
        self.heap: list[tuple[Order, LaneKey]] = []
        #: The one entry of each lane that counts.
        self.announced: dict[LaneKey, Order] = {}
        #: The one entry in the heap of the pool that counts; parked: the one that was turned away.
        self.told: Order | None = None
        #: Where it is parked; None while it stands in the heap of the pool, or has nothing to give.
        self.gate: GateKey | None = None
        self._tidy_at = TIDY_FROM

    def announce(self, key: LaneKey, head: Order) -> None:
        """Take note of the first job of a lane."""
        if self.announced.get(key) == head:
            return
        self.announced[key] = head
        heappush(self.heap, (head, key))
        if len(self.heap) >= self._tidy_at:
            self.heap = [(order, lane) for lane, order in self.announced.items()]
            heapify(self.heap)
            self._tidy_at = max(TIDY_FROM, 2 * len(self.heap))

    def first(self, lanes: dict[LaneKey, Lane], jobs: dict[int, Job]) -> tuple[Order, Lane] | None:
        """The first job of its lanes. A lane whose first job has left stays in by its next one."""
        heap = self.heap
        while heap:
            order, key = heap[0]
            if self.announced.get(key) != order:
                heappop(heap)
                continue
            lane = lanes[key]
            own = self.pool in lane.pools and lane.foreground == self.foreground
            head = lane.head(jobs) if own else None
            if head == order:
                return order, lane
            if head is None:
                heappop(heap)
                del self.announced[key]
                continue
            self.announced[key] = head
            heapreplace(heap, (head, key))
            if heap[0] == (head, key):  # it is first again, by its next job
                return head, lane
        return None


class Pool:
    """Robots that can take the same jobs: those with a free slot, and the best of each queue."""

    __slots__ = (
        "_clock",
        "_tidy_at",
        "ability",
        "beside",
        "free",
        "heaps",
        "members",
        "offers",
        "provided",
        "shared",
        "shelves",
    )

    def __init__(
        self, ability: Ability, server: ProcessServer | None, shared: Pool | None = None
    ) -> None:
        """Make a pool of an ability, with the server of that ability if there is one."""
        self.ability = ability
        #: The pool in which the one robot of this pool has its seat.
        self.shared = shared
        #: All robots of the ability, connected or not.
        self.members: set[str] = set()
        #: Robots with a free slot that run no foreground job, the one that waits longest first,
        #: and since when; and those with a free slot beside a foreground job.
        #: Ordered, so that the first is found at once however many have left before it.
        self.free: OrderedDict[str, int] = OrderedDict()
        self.beside: OrderedDict[str, int] = OrderedDict()
        self._clock = 0
        self.shelves: dict[tuple[str, bool], Shelf] = {}
        #: Best of each shelf that is not parked: background, foreground.
        self.heaps: tuple[list[tuple[Order, str]], list[tuple[Order, str]]] = ([], [])
        self._tidy_at = TIDY_FROM
        #: Queues of the server; None for robots without a server.
        self.provided: frozenset[str] | None = None
        #: What its robots and their server offer to definitions that need it.
        self.offers: frozenset[str] = frozenset()
        self.follow(server)

    def follow(self, server: ProcessServer | None) -> bool:
        """Take over what the server provides; whether that changed. None: it is not known."""
        before = self.provided, self.offers
        self.offers = self.ability.resources
        if self.ability.server:
            self.provided = frozenset()
            if server is not None:
                self.provided = frozenset(each.queue for each in server.providers)
                self.offers |= frozenset(server.resources)
        return before != (self.provided, self.offers)

    def serves(self, lane: Lane) -> bool:
        """Whether its robots can take jobs of this lane, once all gates are open."""
        ability = self.ability
        if ability.chains or lane.chain:
            return ability.chains and lane.chain
        return (
            lane.robot == ability.robot
            and lane.definition in ability.definitions
            and (not ability.queues or lane.queue in ability.queues)
            and (self.provided is None or lane.queue in self.provided)
            and lane.server in {"", ability.server}
            and lane.resources <= self.offers
        )

    # -- seats ----------------------------------------------------------------------------------

    def seat(self, robot: str, *, beside: bool) -> None:
        """Count a robot with a free slot; `beside`: it runs a foreground job already."""
        taken, other = (self.beside, self.free) if beside else (self.free, self.beside)
        if other:
            other.pop(robot, None)
        if robot not in taken:
            self._clock += 1
            taken[robot] = self._clock

    def unseat(self, robot: str) -> None:
        """Count a robot no more: it has no free slot, or may get no job."""
        self.free.pop(robot, None)
        self.beside.pop(robot, None)

    def to_the_end(self, robot: str) -> None:
        """Let a robot that was just served wait longest, if it still has a free slot."""
        for seats in (self.free, self.beside):
            if robot in seats:
                self._clock += 1
                seats[robot] = self._clock
                seats.move_to_end(robot)

    def robot_for(self, *, foreground: bool) -> str:
        """Who takes the next job: the robot that waits longest of those that may; "" for nobody."""
        if self.shared is not None:
            name = self.ability.robot
            seated = name in self.shared.free or (not foreground and name in self.shared.beside)
            return name if seated else ""
        free = next(iter(self.free), "")
        if foreground or not self.beside:
            return free
        beside = next(iter(self.beside))
        return free if free and self.free[free] < self.beside[beside] else beside

    def is_ready(self, *, foreground: bool = False) -> bool:
        """Whether somebody could take a job."""
        if self.shared is None:
            return bool(self.free or (self.beside and not foreground) or self.ability.chains)
        return bool(self.robot_for(foreground=foreground))

    # -- jobs -----------------------------------------------------------------------------------

    def announce(self, lane: Lane, head: Order, lanes: Lanes) -> None:
        """Take note of the first job of a lane."""
        key = (lane.queue, lane.foreground)
        shelf = self.shelves.get(key)
        if shelf is None:
            shelf = self.shelves[key] = Shelf(self, lane.queue, foreground=lane.foreground)
        shelf.announce(lane.key, head)
        if shelf.told is None or head < shelf.told:
            lanes.unpark(shelf)
            self.tell(shelf, head)

    def tell(self, shelf: Shelf, order: Order) -> None:
        """Let the best job of a shelf stand among those of the others."""
        shelf.told = order
        heap = self.heaps[shelf.foreground]
        heappush(heap, (order, shelf.queue))
        if len(heap) >= self._tidy_at:
            heap[:] = [
                (each.told, each.queue)
                for each in self.shelves.values()
                if each.foreground == shelf.foreground and each.told and each.gate is None
            ]
            heapify(heap)
            self._tidy_at = max(TIDY_FROM, 2 * len(heap))

    def first(
        self, lanes: Lanes, jobs: dict[int, Job], gate_before: GateBefore, *, foreground: bool
    ) -> tuple[Order, Lane] | None:
        """The first job that one of its robots may take now, background or foreground.

        A shelf whose gate is closed is parked there.
        """
        heap = self.heaps[foreground]
        while heap:
            order, queue = heap[0]
            shelf = self.shelves[queue, foreground]
            if shelf.told != order or shelf.gate is not None:
                heappop(heap)
                continue
            best = shelf.first(lanes.by_key, jobs)
            if best is None:
                heappop(heap)
                shelf.told = None
                continue
            if best[0] != order:
                shelf.told = best[0]
                heapreplace(heap, (best[0], queue))
                if heap[0] != (best[0], queue):
                    continue
            gate = gate_before(self.ability.server, queue, priority_in(best[0]))
            if gate is None:
                return best
            heappop(heap)
            lanes.park(shelf, gate)
        return None

    def best(
        self, lanes: Lanes, jobs: dict[int, Job], gate_before: GateBefore
    ) -> tuple[Order, Lane] | None:
        """The first job that somebody of it may take now."""
        found = None
        background, foreground = self.heaps
        if background and (self.free or self.is_ready()):
            found = self.first(lanes, jobs, gate_before, foreground=False)
        if foreground and self.is_ready(foreground=True):
            other = self.first(lanes, jobs, gate_before, foreground=True)
            if other is not None and (found is None or other[0] < found[0]):
                found = other
        return found
