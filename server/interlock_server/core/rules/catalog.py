"""Definitions and queues: writing and deleting them, all of a request or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.model.definition import Definition
from interlock_server.core.model.queue import DEFAULT_QUEUE, SYSTEM_QUEUE, Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import (
    chain_definition,
    closing,
    definition_actions,
    event_gate,
    lock,
    named_event,
    return_code,
    window,
)
from interlock_server.core.rules.queue import missing
from interlock_server.core.rules.server import missing as missing_server
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.zone import zone_fault

if TYPE_CHECKING:
    from interlock_server.core.command import (
        DeleteDefinitions,
        DeleteQueues,
        PutDefinitions,
        PutQueues,
    )
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def put_definitions(
    world: World, turn: Turn, command: PutDefinitions
) -> list[Definition] | Rejection:
    """Create or change definitions. One that is as it was keeps its version."""
    given = {definition.name: definition for definition in command.definitions}
    definitions = {**world.definitions, **given}
    for definition in command.definitions:
        refusal = _definition_refusal(world, definition)
        if refusal is None:
            refusal = chain_definition.refusal(world, definition, definitions)
        if refusal is not None:
            return refusal
    return [_put_definition(world, turn, definition) for definition in command.definitions]


def _definition_refusal(world: World, definition: Definition) -> Rejection | None:
    known = world.definitions.get(definition.name)
    if known is not None and known.lifecycle != definition.lifecycle:
        return Rejection(
            Reason.CONFLICTING_DEFINITION,
            f"definition {definition.name!r} is of lifecycle {Lifecycle(known.lifecycle).text}, "
            "which cannot change;"
            " use another name",
        )
    if known is not None and (known.chain is None) != (definition.chain is None):
        return Rejection(
            Reason.CONFLICTING_DEFINITION,
            f"whether definition {definition.name!r} is a chain cannot change; use another name",
        )
    if definition.queue not in world.queues:
        return missing(definition.queue)
    if definition.server and definition.server not in world.servers:
        return missing_server(world, definition.server)
    if definition.window and definition.window not in world.windows:
        return window.missing(definition.window)
    if definition.time_zone and (fault := zone_fault(definition.time_zone)):
        return Rejection(Reason.INVALID_WINDOW, f"time_zone of {definition.name!r}: {fault}")
    try:
        ranges = return_code.parse(definition.return_code_map)
    except ValueError as error:
        return Rejection(Reason.INVALID_FIELD, f"return_code_map of {definition.name!r}: {error}")
    if not any(low <= 0 <= high for low, high in ranges):
        return Rejection(
            Reason.INVALID_FIELD,
            f"return_code_map of {definition.name!r} leaves out 0; when it is given, list 0 too",
        )
    return (
        named_event.definition_refusal(world, definition)
        or lock.definition_refusal(world, definition)
        or definition_actions.refusal(world, definition)
    )


def _put_definition(world: World, turn: Turn, definition: Definition) -> Definition:
    known = world.definitions.get(definition.name)
    version, updated_ms = (known.version, known.updated_ms) if known else (0, 0)
    same = msgspec.structs.replace(definition, version=version, updated_ms=updated_ms)
    if known == same:
        return same
    changed = msgspec.structs.replace(definition, version=version + 1, updated_ms=turn.now_ms)
    turn.put_definition(changed)
    if known is not None:
        event_gate.follow_definition(world, turn, known, changed)
        lock.follow_definition(world, turn, known, changed)
        if _starts_by(known) != _starts_by(changed):
            turn.review_starts(turn.cause.author)
    return changed


def _starts_by(definition: Definition) -> tuple[str, int, str]:
    """What of a definition decides when its jobs start."""
    return definition.window, definition.min_open_ms, definition.time_zone


def delete_definitions(world: World, turn: Turn, command: DeleteDefinitions) -> Rejection | None:
    """Remove definitions that no live job has."""
    for name in command.names:
        if name not in world.definitions:
            return Rejection(Reason.DEFINITION_NOT_FOUND, f"there is no definition {name!r}")
    for schedule in world.schedules.values():
        if schedule.definition in command.names:
            return Rejection(
                Reason.IN_USE,
                f"definition {schedule.definition!r} is in use by schedule {schedule.name!r}",
            )
    used = next((job for job in world.jobs.values() if job.definition in command.names), None)
    if used is not None:
        return Rejection(
            Reason.IN_USE,
            f"definition {used.definition!r} is in use by job {used.id}; end it first",
            job=used.id,
        )
    user = chain_definition.users_of(command.names, world)
    if user:
        return Rejection(Reason.IN_USE, f"definition {user}; change that first")
    for name in command.names:
        turn.delete_definition(name)
    return None


def put_queues(world: World, turn: Turn, command: PutQueues) -> list[Queue] | Rejection:
    """Create or change queues. Whether one is held is not changed by this."""
    for queue in command.queues:
        if queue.window and queue.window not in world.windows:
            return window.missing(queue.window)
        known = world.queues.get(queue.name)
        if known is not None and known.system != queue.system:
            return Rejection(
                Reason.CONFLICTING_DEFINITION,
                f"whether queue {queue.name!r} is a system queue cannot change; use another name",
            )
    return [_put_queue(world, turn, queue) for queue in command.queues]


def _put_queue(world: World, turn: Turn, queue: Queue) -> Queue:
    known = world.queues.get(queue.name)
    if known is None:
        queue = closing.of_queue(world, queue, turn.now_ms)
        turn.put_queue(queue)
        return queue
    wanted = (queue.description, queue.execution_size, queue.window, queue.counts_chains)
    if wanted == (known.description, known.execution_size, known.window, known.counts_chains):
        return known
    changed = msgspec.structs.replace(
        known,
        description=queue.description,
        execution_size=queue.execution_size,
        window=queue.window,
        counts_chains=queue.counts_chains,
        version=known.version + 1,
    )
    changed = closing.of_queue(world, changed, turn.now_ms)
    turn.put_queue(changed)
    return changed


def delete_queues(world: World, turn: Turn, command: DeleteQueues) -> Rejection | None:
    """Remove queues that no live job and no definition uses; the built-in ones stay."""
    for name in command.names:
        if name not in world.queues:
            return missing(name)
        if name in {DEFAULT_QUEUE, SYSTEM_QUEUE}:
            return Rejection(Reason.IN_USE, f"queue {name!r} is built in and stays")
    for definition in world.definitions.values():
        if definition.queue in command.names:
            return Rejection(
                Reason.IN_USE,
                f"queue {definition.queue!r} is the queue of definition {definition.name!r}",
            )
        if found := definition_actions.queues_of(definition).intersection(command.names):
            return Rejection(
                Reason.IN_USE,
                f"queue {min(found)!r} is in use by an action of definition {definition.name!r}",
            )
    provided = next((name for name in command.names if name in world.providers), None)
    if provided is not None:
        server = next(iter(world.providers[provided]))
        return Rejection(
            Reason.IN_USE,
            f"queue {provided!r} is in use by process server {server!r}; change that first",
        )
    for schedule in world.schedules.values():
        if schedule.queue in command.names:
            return Rejection(
                Reason.IN_USE, f"queue {schedule.queue!r} is the queue of {schedule.name!r}"
            )
    used = next((job for job in world.jobs.values() if job.queue in command.names), None)
    if used is not None:
        return Rejection(
            Reason.IN_USE, f"queue {used.queue!r} has job {used.id}; end it first", job=used.id
        )
    for name in command.names:
        if name in world.moving_queues:
            turn.set_moving_queue(name, "")
        turn.delete_queue(name)
    return None
