"""Definitions and queues: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import queue_pb2
from interlock_server.core.command import PutDefinitions, PutQueues
from interlock_server.core.model.queue import Queue
from interlock_server.rpc import convert_definition, validate

if TYPE_CHECKING:
    from interlock.v1 import catalog_service_pb2
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
EXECUTION_SIZE_MAX: Final = 1_000_000


def put_definitions(request: catalog_service_pb2.PutDefinitionsRequest) -> PutDefinitions:
    """Check definitions to write."""
    validate.batch("definitions", len(request.definitions))
    definitions = tuple(
        convert_definition.record(f"definitions[{index}]", each)
        for index, each in enumerate(request.definitions)
    )
    validate.distinct("definitions", [each.name for each in definitions])
    return PutDefinitions(definitions)


def put_queues(request: catalog_service_pb2.PutQueuesRequest) -> PutQueues:
    """Check queues to write."""
    validate.batch("queues", len(request.queues))
    queues = tuple(
        _queue_record(f"queues[{index}]", each) for index, each in enumerate(request.queues)
    )
    validate.distinct("queues", [each.name for each in queues])
    return PutQueues(queues)


def _queue_record(path: str, given: queue_pb2.Queue) -> Queue:
    output = ("held", "held_by", "hold_reason", "load", "waiting", "version", "window_closed")
    validate.unset(path, given, output)
    return Queue(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        execution_size=validate.number(
            f"{path}.execution_size", given.execution_size, 0, EXECUTION_SIZE_MAX
        ),
        system=given.system,
        window=validate.optional_name(f"{path}.window", given.window),
        counts_chains=given.counts_chains,
    )


def queue(record: Queue, world: World) -> queue_pb2.Queue:
    """A queue, with what its jobs say about it now."""
    return queue_pb2.Queue(
        name=record.name,
        description=record.description,
        execution_size=record.execution_size,
        system=record.system,
        held=record.held,
        held_by=record.held_by,
        hold_reason=record.hold_reason,
        load=world.queue_load.get(record.name, 0),
        waiting=world.queue_waiting.get(record.name, 0)
        + len(world.queue_held.get(record.name, ())),
        version=record.version,
        window=record.window,
        window_closed=record.closed,
        counts_chains=record.counts_chains,
    )
