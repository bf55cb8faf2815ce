"""Giving waiting jobs to robots with free slots, in the documented order (domain.md B1, A5).

O(log n) per job: the best job of a pool of equal robots is at the top of a heap. Only pools that
changed are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.rules import chain
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import Dispatch
    from interlock_server.core.lane import Lane, Order, Pool
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def dispatch(world: World, turn: Turn, command: Dispatch) -> bool:
    """Hand out up to `jobs_max` jobs; whether more may be left."""
    left = command.jobs_max
    lanes = world.lanes
    while lanes.chains and left > 0:
        key = next(iter(lanes.chains))
        left -= _serve_chains(world, turn, lanes.by_key[key], left)
    while lanes.dirty_robots and left > 0:
        name = next(iter(lanes.dirty_robots))
        left -= _serve_robot(world, turn, name, left)
    while lanes.dirty and left > 0:
        pool = lanes.pools[next(iter(lanes.dirty))]
        left -= _serve_pool(world, turn, pool, left)
    return bool(lanes.dirty or lanes.dirty_robots or lanes.chains)


def _serve_chains(world: World, turn: Turn, lane: Lane, jobs_max: int) -> int:
    """Start the chains and steps of a lane; the server executes them itself, and has no slots."""
    count = 0
    while count < jobs_max and world.queue_is_open(lane.queue):
        head = lane.head(world.jobs)
        if head is None:
            break
        chain.execute(world, turn, world.jobs[head[3]])
        turn.follow_up(Actor.DISPATCHER, "dispatcher")
        count += 1
    if count < jobs_max:
        world.lanes.chains.pop(lane.key, None)
    return count


def _serve_robot(world: World, turn: Turn, name: str, jobs_max: int) -> int:
    """Give a robot the jobs that only it may take, or better ones of its pool."""
    count = 0
    robot = world.robots.get(name)
    while robot is not None and count < jobs_max and world.free_slots(robot) > 0:
        lane = _own_lane(world, robot)
        if lane is None:
            break
        own = lane.head(world.jobs)
        assert own is not None, "an own lane is chosen by its head"
        pool = world.lanes.pool((frozenset(robot.definitions), frozenset(robot.queues)), world.jobs)
        shared = _best(world, pool, foreground=robot.name not in world.foreground)
        if shared is not None and shared[0] < own:
            lane = shared[1]
        _offer(world, turn, lane, robot)
        count += 1
    if count < jobs_max:
        world.lanes.dirty_robots.pop(name, None)
    return count


def _serve_pool(world: World, turn: Turn, pool: Pool, jobs_max: int) -> int:
    """Give the robots of a pool one job each in turn, until jobs or slots run out."""
    count = 0
    passed = 0  # robots in a row that run a foreground job and find only foreground jobs
    while pool.free and passed < len(pool.free) and count < jobs_max:
        name = next(iter(pool.free))
        best = _best(world, pool, foreground=name not in world.foreground)
        if best is None and name not in world.foreground:
            break
        if best is None:
            passed += 1
        else:
            _offer(world, turn, best[1], world.robots[name])
            count, passed = count + 1, 0
        pool.to_the_end(name)
    if count < jobs_max:
        world.lanes.dirty.pop((pool.definitions, pool.queues), None)
    return count


def _own_lane(world: World, robot: Robot) -> Lane | None:
    """The lane bound to this robot whose head goes first, of those that it may start now."""
    best: tuple[Order, Lane] | None = None
    for lane in world.lanes.by_robot.get(robot.name, ()):
        if lane.definition not in robot.definitions or not world.queue_is_open(lane.queue):
            continue
        if robot.queues and lane.queue not in robot.queues:
            continue
        if lane.foreground and robot.name in world.foreground:
            continue
        head = lane.head(world.jobs)
        if head is not None and (best is None or head < best[0]):
            best = head, lane
    return best[1] if best else None


def _best(world: World, pool: Pool, *, foreground: bool) -> tuple[Order, Lane] | None:
    """The job of a pool that goes first; without `foreground` only background jobs count."""
    lanes, jobs = world.lanes, world.jobs
    found = pool.first(lanes, jobs, world.queue_is_open, foreground=False)
    if foreground:
        other = pool.first(lanes, jobs, world.queue_is_open, foreground=True)
        if other is not None and (found is None or other[0] < found[0]):
            found = other
    return found


def _offer(world: World, turn: Turn, lane: Lane, robot: Robot) -> None:
    head = lane.head(world.jobs)
    assert head is not None, "a lane is served by its head"
    job = world.jobs[head[3]]
    _assign(turn, job, robot)
    world.lanes.refresh(lane, world.jobs)


def _assign(turn: Turn, job: Job, robot: Robot) -> None:
    """Bind the job to the robot as a new attempt, and offer it."""
    turn.set(job, robot=robot.name, attached=True, fence=job.fence + 1)
    if job.lifecycle == Lifecycle.REDWOOD:
        turn.move(job, Trigger.DISPATCH)
    turn.tell(job, EffectKind.OFFER)
