"""Process servers: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import process_server_pb2 as pb
from interlock_server.core.command import PutServers
from interlock_server.core.model.process_server import (
    EXECUTION_SIZE,
    ProcessServer,
    QueueProvider,
)
from interlock_server.rpc import validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock.v1 import process_server_service_pb2
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
PROVIDERS_MAX: Final = 1_000
SERVER_SIZE_MAX: Final = 100_000
PROVIDER_SIZE_MAX: Final = 1_000_000
ROBOTS_SHOWN_MAX: Final = 1_000
_OUTPUT: Final = (
    *("stopped", "stopped_by", "stop_reason", "load", "provider_states", "robots", "version"),
    "update_time",
)


def put_servers(request: process_server_service_pb2.PutServersRequest) -> PutServers:
    """Check process servers to write."""
    validate.batch("servers", len(request.servers))
    servers = tuple(
        _record(f"servers[{index}]", each) for index, each in enumerate(request.servers)
    )
    validate.distinct("servers", [each.name for each in servers])
    return PutServers(servers)


def _record(path: str, given: pb.ProcessServer) -> ProcessServer:
    validate.unset(path, given, _OUTPUT)
    if len(given.providers) > PROVIDERS_MAX:
        raise validate.too_large(f"{path}.providers", len(given.providers), PROVIDERS_MAX)
    providers = tuple(
        _provider(f"{path}.providers[{index}]", each) for index, each in enumerate(given.providers)
    )
    validate.distinct(f"{path}.providers", [each.queue for each in providers])
    return ProcessServer(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        providers=providers,
        resources=validate.names(
            f"{path}.resources", given.resources, count_max=validate.RESOURCES_MAX
        ),
        execution_size=validate.number(
            f"{path}.execution_size", given.execution_size, 0, SERVER_SIZE_MAX
        )
        or EXECUTION_SIZE,
    )


def _provider(path: str, given: pb.QueueProvider) -> QueueProvider:
    return QueueProvider(
        queue=validate.name(f"{path}.queue", given.queue),
        execution_size=validate.number(
            f"{path}.execution_size", given.execution_size, 0, PROVIDER_SIZE_MAX
        ),
        hold_level=validate.number(
            f"{path}.hold_level", given.hold_level, 0, validate.PRIORITY_MAX
        ),
        window=validate.optional_name(f"{path}.window", given.window),
    )


def messages(records: Sequence[ProcessServer], world: World) -> list[pb.ProcessServer]:
    """Process servers, with what their robots and the jobs of those say about them now."""
    robots: dict[str, list[str]] = {record.name: [] for record in records}
    for robot in world.robots.values():
        if robot.connected and robot.server in robots:
            robots[robot.server].append(robot.name)
    return [_message(record, world, sorted(robots[record.name])) for record in records]


def _message(record: ProcessServer, world: World, robots: list[str]) -> pb.ProcessServer:
    found = pb.ProcessServer(
        name=record.name,
        description=record.description,
        providers=[
            pb.QueueProvider(
                queue=each.queue,
                execution_size=each.execution_size,
                hold_level=each.hold_level,
                window=each.window,
            )
            for each in record.providers
        ],
        resources=record.resources,
        execution_size=record.execution_size,
        stopped=record.stopped,
        stopped_by=record.stopped_by,
        stop_reason=record.stop_reason,
        load=world.server_load.get(record.name, 0),
        provider_states=[
            pb.ProviderState(
                queue=each.queue,
                held=each.held,
                held_by=each.held_by,
                hold_reason=each.hold_reason,
                window_closed=each.closed,
                load=world.provider_load.get((record.name, each.queue), 0),
            )
            for each in record.providers
        ],
        robots=robots[:ROBOTS_SHOWN_MAX],
        version=record.version,
    )
    if record.updated_ms:
        found.update_time.FromMilliseconds(record.updated_ms)
    return found
