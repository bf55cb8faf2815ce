"""Giving waiting jobs to robots with free slots, in the documented order (domain.md B1, A5).

O(log n) per job: the best job of a pool of equal robots is at the top of a heap, and marked pools
race for what they share: the room in a queue, locks. Only pools that changed are looked at.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from interlock_server.core.lane import waits
from interlock_server.core.rules import chain_start, lock
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import Dispatch
    from interlock_server.core.lane import Lane, Order
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.pool import Pool
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

    #: Pools by their best job; the number keeps those with the same one in their order.
    Race = list[tuple[Order, int, Lane, Pool]]


def dispatch(world: World, turn: Turn, command: Dispatch) -> bool:
    """Hand out up to `jobs_max` jobs, the first in the dispatch order first.

    Answers whether more may be left.
    """
    lanes = world.lanes
    race: Race = []
    entered, started, left = 0, 0, command.jobs_max
    while left > 0:
        while (marked := lanes.take_marked()) is not None:
            entered += 1
            best = _best(world, marked)
            if best is not None:
                heappush(race, (best[0], entered, best[1], marked))
        if not race:
            break
        order, entered_at, lane, pool = heappop(race)
        if entered_at <= started:  # another pool may have taken the job since, or the last room
            lanes.mark(pool)
            continue
        _start(world, turn, world.jobs[order[3]], lane, pool)
        lanes.mark(pool)
        started, left = entered, left - 1
    for _, _, _, pool in race:
        lanes.mark(pool)
    return bool(lanes.dirty)


def _best(world: World, pool: Pool) -> tuple[Order, Lane] | None:
    """The first job that somebody of the pool may take now."""
    server = pool.ability.server
    if server and world.server_gate(server) is not None:
        world.lanes.park_pool(pool)
        return None
    return pool.best(world.lanes, world.jobs, world.gate_before)


def _start(world: World, turn: Turn, job: Job, lane: Lane, pool: Pool) -> None:
    """Start the job that is next, unless it has to wait for something else."""
    if not lock.reserve(world, turn, job):
        assert not waits(job), "a job that may not start waits somewhere else"
        return
    if pool.ability.chains:
        chain_start.execute(world, turn, job)
        turn.follow_up(Actor.DISPATCHER, "dispatcher")
        return
    name = pool.robot_for(foreground=lane.foreground)
    _assign(turn, job, world.robots[name])
    (pool.shared or pool).to_the_end(name)


def _assign(turn: Turn, job: Job, robot: Robot) -> None:
    """Bind the job to the robot as a new attempt, and offer it."""
    fields: dict[str, Any] = {"robot": robot.name, "attached": True, "fence": job.fence + 1}
    if job.process_server != robot.server:
        fields["process_server"] = robot.server
    turn.set(job, **fields)
    if job.lifecycle == Lifecycle.REDWOOD:
        turn.move(job, Trigger.DISPATCH)
    turn.tell(job, EffectKind.OFFER)
