"""Who has which job: what robots, servers and queues carry, and what changes behind their gates.

A part of `core.apply`, which alone calls it: derived counts, and the seats of robots in pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.process_server import ProcessServer
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.world import World

#: Statuses in which a robot gives the job a slot.
HOLDING: Final = frozenset(
    {
        Status.UIPATH_RUNNING,
        Status.UIPATH_STOPPING,
        Status.UIPATH_TERMINATING,
        Status.REDWOOD_DISPATCHED,
        Status.REDWOOD_ASSIGNED,
        Status.REDWOOD_PRE_RUNNING,
        Status.REDWOOD_RUNNING,
        Status.REDWOOD_POST_RUNNING,
        Status.REDWOOD_WAITING,
        Status.REDWOOD_KILLING,
        Status.REDWOOD_CANCELING,
        Status.REDWOOD_CONSOLE,
        Status.REDWOOD_UNCERTAIN,
    }
)


def holds_slot(job: Job) -> bool:
    """Whether the job's status means that a robot has it."""
    return job.status in HOLDING


def runs_chain(job: Job) -> bool:
    """Whether the job is a chain that the server executes now; its steps are part of it."""
    return job.chain is not None and job.status in HOLDING


def attach(world: World, job: Job) -> None:
    """Count a job for the robot, the queue and the server that have it."""
    world.robot_jobs.setdefault(job.robot, set()).add(job.id)
    world.queue_load[job.queue] = world.queue_load.get(job.queue, 0) + 1
    if job.process_server:
        _count_server(world, job, 1)
    if _is_foreground(world, job):
        world.foreground[job.robot] = job.id
    robot = world.robots.get(job.robot)
    if robot is not None:
        seat(world, robot)


def detach(world: World, job: Job) -> None:
    """Count a job no more: no robot has it."""
    job.attached = False
    world.robot_jobs[job.robot].discard(job.id)
    if world.foreground.get(job.robot) == job.id:
        del world.foreground[job.robot]
    world.queue_load[job.queue] -= 1
    look_behind_queue(world, job.queue)
    if job.process_server:
        _count_server(world, job, -1)
    robot = world.robots.get(job.robot)
    if robot is not None:
        seat(world, robot)


def _count_server(world: World, job: Job, count: int) -> None:
    """Keep the loads of the server that has a job; a gate that was full may open."""
    server, provider = job.process_server, (job.process_server, job.queue)
    world.server_load[server] = world.server_load.get(server, 0) + count
    world.provider_load[provider] = world.provider_load.get(provider, 0) + count
    if count < 0:
        if provider in world.lanes.parked:
            world.lanes.open_gate(provider, world.jobs)
        if server in world.lanes.parked_pools and world.server_gate(server) is None:
            world.lanes.open_server(server)


def count_chain(world: World, queue: str, count: int) -> None:
    """Keep how many chains of a queue are executed; they may count for its execution size."""
    world.queue_chains[queue] = world.queue_chains.get(queue, 0) + count
    if count < 0:
        look_behind_queue(world, queue)


def look_behind_queue(world: World, queue: str) -> None:
    """Look at what a queue kept back, if it is open now."""
    gate = ("", queue)
    if gate in world.lanes.parked and queue in world.queues and world.queue_is_open(queue):
        world.lanes.open_gate(gate, world.jobs)


def seat(world: World, robot: Robot) -> None:
    """Offer the robot's free slots to its pool, or take it out if it has none."""
    world.lanes.seat(
        robot,
        world.servers.get(robot.server),
        world.jobs,
        has_slot=world.free_slots(robot) > 0,
        beside=robot.name in world.foreground,
    )


def _is_foreground(world: World, job: Job) -> bool:
    # In recovery a job may be newer than the definitions of the snapshot; the journal brings them.
    definition = world.definitions.get(job.definition)
    return definition is not None and definition.foreground


def put_server(world: World, server: ProcessServer) -> None:
    """Write one version of a process server; its robots may be able to take other jobs now."""
    _forget_providers(world, server.name)
    world.servers[server.name] = server
    for provider in server.providers:
        world.providers.setdefault(provider.queue, {})[server.name] = provider
    world.lanes.follow_server(server.name, server, world.jobs)
    for provider in server.providers:  # a gate that stays closed is found closed again
        world.lanes.open_gate((server.name, provider.queue), world.jobs)
    world.lanes.open_server(server.name)


def _forget_providers(world: World, server: str) -> None:
    for provider in world.servers[server].providers if server in world.servers else ():
        providers = world.providers[provider.queue]
        del providers[server]
        if not providers:
            del world.providers[provider.queue]


def delete_server(world: World, name: str) -> None:
    """Remove a process server; robots that still name it get nothing."""
    _forget_providers(world, name)
    del world.servers[name]
    world.lanes.follow_server(name, None, world.jobs)
