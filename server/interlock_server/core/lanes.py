"""All lanes and pools of a partition, and which pools have to be looked at.

A pool is marked when something comes up that one of its robots may take: a job, a free slot, or a
gate that opens. Dispatching looks at marked pools only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.lane import Lane, LaneKey, bound_robot, key_of, order_of, waits
from interlock_server.core.pool import CHAINS, Ability, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.gate import GateKey
    from interlock_server.core.lane import Order
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.process_server import ProcessServer
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.pool import Shelf


class Lanes:
    """All lanes and pools of a partition."""

    __slots__ = (
        "_own",
        "_pool_of",
        "_robot_lanes",
        "by_definition",
        "by_key",
        "by_queue",
        "dirty",
        "parked",
        "parked_pools",
        "pools",
    )

    def __init__(self) -> None:
        """Start with no lane, and with the one pool that is always there."""
        self.by_key: dict[LaneKey, Lane] = {}
        self.by_queue: dict[str, list[Lane]] = {}
        self.by_definition: dict[str, list[Lane]] = {}
        #: Robots that some lane is for.
        self._robot_lanes: set[str] = set()
        self.pools: dict[Ability, Pool] = {CHAINS: Pool(CHAINS, None)}
        #: The pool of each robot that had a free slot since it has its ability, and the one of
        #: jobs that only it may take.
        self._pool_of: dict[str, Pool] = {}
        self._own: dict[str, Pool] = {}
        #: Pools that may have something to dispatch, in the order in which that came up.
        self.dirty: dict[Pool, None] = {}
        #: Shelves by the gate that is closed before them, and pools of servers that give nothing.
        self.parked: dict[GateKey, dict[Shelf, None]] = {}
        self.parked_pools: dict[str, dict[Pool, None]] = {}

    # -- jobs -----------------------------------------------------------------------------------

    def add(self, job: Job, definition: Definition | None, jobs: dict[int, Job]) -> None:
        """Let a waiting job stand in its lane; the pools hear of it if it goes first there."""
        key = key_of(job)
        lane = self.by_key.get(key) or self._new_lane(key, definition)
        order = lane.add(job, jobs)
        if lane.head(jobs) == order:  # what was before it may be out of date
            self._announce(lane, lane.pools, jobs)

    def fill(self, jobs: dict[int, Job], definitions: dict[str, Definition]) -> None:
        """Let every job that waits stand in its lane, of which there are none yet."""
        found: dict[tuple[str, str, str, str], list[Order]] = {}
        for job in jobs.values():
            if waits(job):
                key = (job.definition, job.queue, bound_robot(job), job.server)
                found.setdefault(key, []).append(order_of(job))
        for key, orders in found.items():
            lane = self._new_lane(LaneKey(*key), definitions.get(key[0]))
            lane.fill(orders)
            self._announce(lane, lane.pools, jobs)

    def follow_definition(self, definition: Definition, jobs: dict[int, Job]) -> None:
        """Follow a definition that changed, or that came after the jobs of its lanes (recovery)."""
        for lane in self.by_definition.get(definition.name, ()):
            if lane.follow(definition):
                lane.pools = {pool: None for pool in self.pools.values() if pool.serves(lane)}
                self._announce(lane, lane.pools, jobs)

    def waiting_in(self, queue: str, lifecycle: int, jobs: dict[int, Job]) -> Iterator[Job]:
        """The jobs of one lifecycle that wait in a queue, first of each lane first.

        Whoever takes one has to move it before the next: the heads are found by what has left.
        """
        for lane in self.by_queue.get(queue, ()):
            while (head := lane.head(jobs)) is not None and jobs[head[3]].lifecycle == lifecycle:
                yield jobs[head[3]]

    def _new_lane(self, key: LaneKey, definition: Definition | None) -> Lane:
        lane = self.by_key[key] = Lane(key, definition)
        self.by_queue.setdefault(lane.queue, []).append(lane)
        self.by_definition.setdefault(lane.definition, []).append(lane)
        if lane.robot and lane.robot not in self._robot_lanes:
            self._robot_lanes.add(lane.robot)
            if lane.robot in self._pool_of:
                self._new_own_pool(lane.robot)
        lane.pools = {pool: None for pool in self.pools.values() if pool.serves(lane)}
        return lane

    def _announce(self, lane: Lane, pools: dict[Pool, None], jobs: dict[int, Job]) -> None:
        head = lane.head(jobs)
        if head is None:
            return
        for pool in pools:
            pool.announce(lane, head, self)
            self.mark(pool)

    # -- pools ----------------------------------------------------------------------------------

    def mark(self, pool: Pool) -> None:
        """Look at a pool, if somebody of it could take a job."""
        if pool not in self.dirty and (pool.free or pool.is_ready()):
            self.dirty[pool] = None

    def take_marked(self) -> Pool | None:
        """The pool that was marked first, which is not marked any more; None if none is."""
        pool = next(iter(self.dirty), None)
        if pool is not None:
            del self.dirty[pool]
        return pool

    def seat(
        self,
        robot: Robot,
        server: ProcessServer | None,
        jobs: dict[int, Job],
        *,
        has_slot: bool,
        beside: bool,
    ) -> None:
        """Follow the slots of a robot. `beside`: it runs a foreground job."""
        name = robot.name
        pool = self._pool_of.get(name)
        if not has_slot:
            if pool is not None:
                pool.unseat(name)
            return
        if pool is None:
            pool = self._join(robot, server, jobs)
        pool.seat(name, beside=beside)
        self.mark(pool)
        if name in self._own:
            self.mark(self._own[name])

    def _join(self, robot: Robot, server: ProcessServer | None, jobs: dict[int, Job]) -> Pool:
        ability = Ability(
            frozenset(robot.definitions),
            frozenset(robot.queues),
            robot.server,
            frozenset(robot.resources),
        )
        pool = self.pools.get(ability)
        if pool is None:
            pool = self.pools[ability] = Pool(ability, server)
            self.offer(pool, jobs)
        pool.members.add(robot.name)
        self._pool_of[robot.name] = pool
        if robot.name in self._robot_lanes:
            self._new_own_pool(robot.name, server)
            self.offer(self._own[robot.name], jobs)
        return pool

    def _new_own_pool(self, robot: str, server: ProcessServer | None = None) -> None:
        shared = self._pool_of[robot]
        ability = shared.ability._replace(robot=robot)
        pool = self.pools[ability] = self._own[robot] = Pool(ability, server, shared)
        pool.provided, pool.offers = shared.provided, shared.offers

    def offer(self, pool: Pool, jobs: dict[int, Job]) -> None:
        """Let a pool that is new, or whose server changed, look once at every lane."""
        for lane in self.by_key.values():
            if pool.serves(lane):
                if pool not in lane.pools:
                    lane.pools[pool] = None
                    self._announce(lane, {pool: None}, jobs)
            else:
                lane.pools.pop(pool, None)

    def resign(self, robot: str) -> None:
        """Let a robot leave its pools for good; a pool without robots goes."""
        pool = self._pool_of.pop(robot, None)
        if pool is None:
            return
        pool.unseat(robot)
        pool.members.discard(robot)
        own = self._own.pop(robot, None)
        for each in (own, None if pool.members else pool):
            if each is not None:
                self._drop(each)

    def _drop(self, pool: Pool) -> None:
        del self.pools[pool.ability]
        self.dirty.pop(pool, None)
        self.parked_pools.get(pool.ability.server, {}).pop(pool, None)
        for shelf in pool.shelves.values():
            self.unpark(shelf)
        for lane in self.by_key.values():
            lane.pools.pop(pool, None)

    def follow_server(self, name: str, server: ProcessServer | None, jobs: dict[int, Job]) -> None:
        """Follow a server that was put or deleted (None)."""
        for pool in self.pools.values():
            if pool.ability.server == name and pool.follow(server):
                self.offer(pool, jobs)

    # -- gates ----------------------------------------------------------------------------------

    def park(self, shelf: Shelf, gate: GateKey) -> None:
        """Put a shelf aside until this gate opens."""
        shelf.gate = gate
        self.parked.setdefault(gate, {})[shelf] = None

    def unpark(self, shelf: Shelf) -> None:
        """Let a shelf not wait for its gate any more. It still has to tell its pool."""
        if shelf.gate is not None:
            shelves = self.parked[shelf.gate]
            del shelves[shelf]
            if not shelves:
                del self.parked[shelf.gate]
            shelf.gate = None

    def park_pool(self, pool: Pool) -> None:
        """Put a pool aside until its server gives jobs again."""
        self.parked_pools.setdefault(pool.ability.server, {})[pool] = None

    def open_gate(self, gate: GateKey, jobs: dict[int, Job]) -> None:
        """Look again at what was parked here."""
        for shelf in list(self.parked.get(gate, ())):
            self.unpark(shelf)
            shelf.told = None
            best = shelf.first(self.by_key, jobs)
            if best is not None:
                shelf.pool.tell(shelf, best[0])
                self.mark(shelf.pool)

    def open_server(self, server: str) -> None:
        """Look again at the pools of a server that gave nothing."""
        for pool in self.parked_pools.pop(server, ()):
            self.mark(pool)


class QuietLanes(Lanes):
    """What a World has while it is replayed: nobody takes from lanes then.

    They are made at the end, once, which takes a quarter of the time.
    """

    __slots__ = ()

    def add(self, job: Job, definition: Definition | None, jobs: dict[int, Job]) -> None:
        """Wait for the end."""

    def seat(
        self,
        robot: Robot,
        server: ProcessServer | None,
        jobs: dict[int, Job],
        *,
        has_slot: bool,
        beside: bool,
    ) -> None:
        """Wait for the end."""
