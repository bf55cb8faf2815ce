"""What has to hold between waiting jobs, robots and gates at any time: nothing is forgotten.

Each index against a full scan (P9), and each pool against what its robots could take: a job that
may start now is in a pool that will be looked at.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from interlock_server.core.holding import runs_chain
from interlock_server.core.lane import order_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.lane import Lane, Order
    from interlock_server.core.pool import Pool, Shelf
    from interlock_server.core.world import World


def problems(world: World) -> Iterator[str]:
    """Say what does not hold, one sentence each."""
    yield from _loads(world)
    yield from _seats(world)
    heads = {lane: _first(world, lane) for lane in world.lanes.by_key.values()}
    for pool in world.lanes.pools.values():
        yield from _pool(world, pool, heads)
    for server, parked in world.lanes.parked_pools.items():
        if parked and world.server_gate(server) is None:
            yield f"pools are parked at server {server}, which is open"


def _first(world: World, lane: Lane) -> Order | None:
    """The first job of a lane by a scan, which drops nothing: a check changes nothing."""
    waiting = (world.jobs.get(entry[3]) for entry in lane.heap)
    return min((order_of(job) for job in waiting if job and lane.holds(job)), default=None)


def _loads(world: World) -> Iterator[str]:
    jobs = world.jobs.values()
    with_servers = [job for job in jobs if job.attached and job.process_server]
    for what, scanned, kept in (
        ("servers", Counter(job.process_server for job in with_servers), world.server_load),
        (
            "providers",
            Counter((job.process_server, job.queue) for job in with_servers),
            world.provider_load,
        ),
        ("chains", Counter(job.queue for job in jobs if runs_chain(job)), world.queue_chains),
    ):
        if scanned != Counter({key: count for key, count in kept.items() if count}):
            yield f"loads of {what} differ from a scan"
    providers = {
        (provider.queue, server.name): provider
        for server in world.servers.values()
        for provider in server.providers
    }
    if providers != {
        (queue, server): provider
        for queue, of_queue in world.providers.items()
        for server, provider in of_queue.items()
    }:
        yield "providers of queues differ from a scan"


def _seats(world: World) -> Iterator[str]:
    seated: dict[str, bool] = {}
    for pool in world.lanes.pools.values():
        for names, beside in ((pool.free, False), (pool.beside, True)):
            for name in names:
                if name in seated:
                    yield f"robot {name} has two seats"
                seated[name] = beside
                if name not in pool.members:
                    yield f"robot {name} has a seat in a pool of other robots"
    if seated != {
        robot.name: robot.name in world.foreground
        for robot in world.robots.values()
        if world.free_slots(robot) > 0
    }:
        yield "seats differ from the free slots of robots"


def _pool(world: World, pool: Pool, heads: dict[Lane, Order | None]) -> Iterator[str]:
    ability = pool.ability
    server = world.servers.get(ability.server)
    provided = frozenset(each.queue for each in server.providers) if server else frozenset()
    if pool.provided != (provided if ability.server else None):
        yield f"a pool of server {ability.server} does not know what that provides"
    best: dict[Shelf, Order] = {}
    for lane, head in heads.items():
        if pool.serves(lane) != (pool in lane.pools):
            yield f"lane {lane.key} and a pool do not agree whether one serves the other"
        if head is None or not pool.serves(lane) or lane.queue not in world.queues:
            continue
        yield from _head(world, pool, lane, head)
        shelf = pool.shelves.get((lane.queue, lane.foreground))
        if shelf is not None:
            best[shelf] = min(head, best.get(shelf, head))
    for shelf, order in best.items():
        yield from _shelf(world, shelf, order)


def _head(world: World, pool: Pool, lane: Lane, head: Order) -> Iterator[str]:
    """The first job of a lane is known to the pool, which is marked if that may start now."""
    shelf = pool.shelves.get((lane.queue, lane.foreground))
    announced = shelf.announced.get(lane.key) if shelf is not None else None
    if shelf is None or announced is None or announced > head:
        yield f"lane {lane.key} waits, but a pool that serves it was not told"
        return
    if (announced, lane.key) not in shelf.heap:
        yield f"lane {lane.key} waits, but is not among the heads of a pool that serves it"
    server = pool.ability.server
    may_start = (
        (not server or world.server_gate(server) is None)
        and world.gate_before(server, lane.queue, -head[0]) is None
        and pool.is_ready(foreground=lane.foreground)
    )
    if may_start and pool not in world.lanes.dirty:
        yield f"job {head[3]} may start, but nobody is going to look at its pool"


def _shelf(world: World, shelf: Shelf, best: Order) -> Iterator[str]:
    """The best of a shelf is known to the pool, or is parked at a gate that is closed."""
    if shelf.told is None or shelf.told > best:
        yield f"queue {shelf.queue} has a job, but its pool was not told of the queue"
    elif shelf.gate is None:
        if (shelf.told, shelf.queue) not in shelf.pool.heaps[shelf.foreground]:
            yield f"queue {shelf.queue} has a job, but is not in the heap of its pool"
    else:
        server, queue = shelf.gate
        closed = world.provider_gate(server, queue, -best[0]) if server else world.queue_gate(queue)
        if closed is None:
            yield f"queue {shelf.queue} is parked at {shelf.gate}, which is open"
        if shelf not in world.lanes.parked.get(shelf.gate, ()):
            yield f"queue {shelf.queue} is parked where nobody looks"
