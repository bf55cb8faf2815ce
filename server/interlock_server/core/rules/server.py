"""Process servers: what they provide, starting and stopping them, and holding one provider (B4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from interlock_server.core.holding import holds_slot
from interlock_server.core.model.job import StopStrategy
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import closing, ending
from interlock_server.core.rules.queue import missing as missing_queue
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import (
        DeleteServers,
        HoldProvider,
        PutServers,
        ReleaseProvider,
        StartServers,
        StopServers,
    )
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def missing(world: World, name: str) -> Rejection:
    """Refuse because there is no such process server."""
    known = ", ".join(sorted(world.servers)[:10]) or "none yet"
    return Rejection(
        Reason.SERVER_NOT_FOUND,
        f"there is no process server {name!r} (known: {known}); put it first",
    )


def queue_is_served(world: World, queue: str, server: str = "") -> bool:
    """Whether a job of the queue may hope for a server that is not stopped (RA-10).

    True if no server is a provider of the queue at all: robots without a server serve it then. With
    `server` only that one counts.
    """
    if server:
        named = world.servers.get(server)
        return named is None or not named.stopped
    providers = world.providers.get(queue)
    return not providers or any(not world.servers[name].stopped for name in providers)


# -- the records --------------------------------------------------------------------------------


def put_servers(world: World, turn: Turn, command: PutServers) -> list[ProcessServer] | Rejection:
    """Create or change servers. Whether one is stopped or a provider held is not changed by it."""
    for server in command.servers:
        for provider in server.providers:
            if provider.queue not in world.queues:
                return missing_queue(provider.queue)
            if provider.window and provider.window not in world.windows:
                return Rejection(
                    Reason.WINDOW_NOT_FOUND,
                    f"there is no time window {provider.window!r}; put it first",
                )
    return [_put_server(world, turn, server) for server in command.servers]


def _put_server(world: World, turn: Turn, given: ProcessServer) -> ProcessServer:
    known = world.servers.get(given.name)
    held = {each.queue: each for each in known.providers} if known else {}
    providers = tuple(
        msgspec.structs.replace(
            each, held=had.held, held_by=had.held_by, hold_reason=had.hold_reason
        )
        if (had := held.get(each.queue))
        else each
        for each in given.providers
    )
    server = msgspec.structs.replace(
        given,
        providers=providers,
        stopped=known.stopped if known else False,
        stopped_by=known.stopped_by if known else "",
        stop_reason=known.stop_reason if known else "",
        version=known.version if known else 0,
        updated_ms=known.updated_ms if known else 0,
    )
    server = closing.of_server(world, server, turn.now_ms)
    if server == known:
        return server
    served = set() if known is None else {each.queue for each in known.providers}
    server = _write(turn, server)
    if served != {each.queue for each in server.providers}:
        turn.review_starts(turn.cause.author)
    return server


def _write(turn: Turn, server: ProcessServer, **changes: Any) -> ProcessServer:
    changed = msgspec.structs.replace(
        server, version=server.version + 1, updated_ms=turn.now_ms, **changes
    )
    turn.put(changed)
    return changed


def delete_servers(world: World, turn: Turn, command: DeleteServers) -> Rejection | None:
    """Remove servers that no robot with a session belongs to and nothing asks for by name."""
    names = set(command.names)
    for name in command.names:
        if name not in world.servers:
            return missing(world, name)
    for robot in world.robots.values():
        if robot.server in names and (not robot.lost or world.robot_jobs.get(robot.name)):
            return Rejection(
                Reason.IN_USE,
                f"robot {robot.name!r} belongs to process server {robot.server!r}; stop it first",
                robot=robot.name,
            )
    for definition in world.definitions.values():
        if definition.server in names:
            return Rejection(
                Reason.IN_USE,
                f"definition {definition.name!r} runs only on process server "
                f"{definition.server!r}; change it first",
                definition=definition.name,
            )
    used = next((job for job in world.jobs.values() if job.server in names), None)
    if used is not None:
        return Rejection(
            Reason.IN_USE,
            f"job {used.id} runs only on process server {used.server!r}; end it first",
            job=used.id,
        )
    for name in command.names:
        turn.delete(world.servers[name])
    turn.review_starts(turn.cause.author)
    return None


# -- what people do to them ---------------------------------------------------------------------


def start_servers(
    world: World, turn: Turn, command: StartServers
) -> list[ProcessServer] | Rejection:
    """Let servers take jobs again, all or none; jobs that are Never may have a start now."""
    refusal = _state_refusal(world, command.names, stopped=True)
    if refusal is not None:
        return refusal
    started = [
        _write(turn, world.servers[name], stopped=False, stopped_by="", stop_reason="")
        for name in command.names
    ]
    turn.review_starts(turn.cause.author)
    return started


def stop_servers(world: World, turn: Turn, command: StopServers) -> list[ProcessServer] | Rejection:
    """Let servers take no more jobs, all or none. Jobs that run go on, unless a strategy is given.

    A soft stop asks the UiPath jobs to end; a kill ends those of both lifecycles.
    """
    refusal = _state_refusal(world, command.names, stopped=False)
    if refusal is not None:
        return refusal
    author, reason = turn.cause.author, turn.cause.reason
    stopped = [
        _write(turn, world.servers[name], stopped=True, stopped_by=author, stop_reason=reason)
        for name in command.names
    ]
    if command.strategy:
        _end_jobs(world, turn, frozenset(command.names), command.strategy)
    turn.review_starts(author)
    return stopped


def _state_refusal(world: World, names: tuple[str, ...], *, stopped: bool) -> Rejection | None:
    for name in names:
        server = world.servers.get(name)
        if server is None:
            return missing(world, name)
        if server.stopped != stopped:
            by = f", by {server.stopped_by!r}" if server.stopped else ""
            state = "stopped" if server.stopped else "started"
            return Rejection(
                Reason.ALREADY_SO, f"process server {name!r} is {state} already{by}", server=name
            )
    return None


def _end_jobs(world: World, turn: Turn, servers: frozenset[str], strategy: StopStrategy) -> None:
    person = turn.cause
    jobs = [
        world.jobs[job_id]
        for robot in world.robots
        for job_id in sorted(world.robot_jobs.get(robot, ()))
        if world.jobs[job_id].process_server in servers
    ]
    trigger, end = (
        (Trigger.KILL, ending.kill)
        if strategy is StopStrategy.KILL
        else (Trigger.STOP, ending.stop)
    )
    for job in jobs:
        if holds_slot(job) and next_row(
            job.status, trigger
        ):  # what is only offered keeps its offer
            end(world, turn, job)
            if turn.cause.actor != person.actor:
                turn.follow_up(Actor(person.actor), person.author, person.reason)


def hold_provider(world: World, turn: Turn, command: HoldProvider) -> ProcessServer | Rejection:
    """Let a server take no more jobs of one queue; other servers still do (domain.md B4, R14)."""
    found = _provider(world, command.server, command.queue)
    if isinstance(found, Rejection):
        return found
    server, provider = found
    if provider.held:
        return Rejection(
            Reason.ALREADY_SO,
            f"queue {provider.queue!r} is held on process server {server.name!r} already, "
            f"by {provider.held_by!r}",
        )
    cause = turn.cause
    held = msgspec.structs.replace(
        provider, held=True, held_by=cause.author, hold_reason=cause.reason
    )
    return _put_provider(turn, server, held)


def release_provider(
    world: World, turn: Turn, command: ReleaseProvider
) -> ProcessServer | Rejection:
    """Let a server take jobs of a queue again."""
    found = _provider(world, command.server, command.queue)
    if isinstance(found, Rejection):
        return found
    server, provider = found
    if not provider.held:
        return Rejection(
            Reason.ALREADY_SO,
            f"expected queue {provider.queue!r} held on process server {server.name!r}, "
            "but it is not",
        )
    free = msgspec.structs.replace(provider, held=False, held_by="", hold_reason="")
    return _put_provider(turn, server, free)


def _provider(
    world: World, name: str, queue: str
) -> tuple[ProcessServer, QueueProvider] | Rejection:
    server = world.servers.get(name)
    if server is None:
        return missing(world, name)
    provider = next((each for each in server.providers if each.queue == queue), None)
    if provider is None:
        served = ", ".join(each.queue for each in server.providers) or "none"
        return Rejection(
            Reason.QUEUE_NOT_FOUND,
            f"expected a queue of process server {name!r} ({served}), but it does not serve "
            f"{queue!r}",
            server=name,
            queue=queue,
        )
    return server, provider


def _put_provider(turn: Turn, server: ProcessServer, provider: QueueProvider) -> ProcessServer:
    providers = tuple(
        provider if each.queue == provider.queue else each for each in server.providers
    )
    return _write(turn, server, providers=providers)
