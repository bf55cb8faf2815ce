"""The calls that look after robots, the server and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grpc.aio import AioRpcError

from interlock.errors import from_rpc
from interlock.v1 import admin_service_pb2 as api
from interlock.v1 import robot_service_pb2 as robot_api
from interlock.v1.job_pb2 import StopStrategy
from interlock.v1.lifecycle_service_pb2 import (
    DescribeLifecycleRequest,
    DescribeLifecycleResponse,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from interlock.connection import Connection
    from interlock.v1.robot_pb2 import Robot

    # A neighbour has a method of that name.
    Names = list[str]
    Robots = list[Robot]

_STRATEGIES: Final = {None: 0, "": 0, "soft_stop": 1, "kill": 2}
_PAGE_SIZE: Final = 1_000
#: A copy or a compaction may well take longer than other calls.
_LONG_TIMEOUT_SECONDS: Final = 600.0


class AdminCalls:
    """Calls of AdminService and LifecycleService, and those of RobotService about robots."""

    _connection: Connection

    async def robots(self) -> Robots:
        """Return all robots by name."""
        connection = self._connection
        robots: Robots = []
        request = robot_api.ListRobotsRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.robots.ListRobots, request)
            robots += response.robots
            if not response.next_page_token:
                return robots
            request.page_token = response.next_page_token

    async def set_maintenance(
        self,
        robot: str,
        maintenance: bool = True,  # noqa: FBT001, FBT002 - set_maintenance("bot-7", False) reads well
        *,
        strategy: str | None = None,
    ) -> Robot:
        """Give a robot no new jobs, or jobs again.

        `strategy` "soft_stop" or "kill" ends UiPath jobs that run on it; else they run on.
        """
        connection = self._connection
        if strategy not in _STRATEGIES:
            raise ValueError(f"expected the strategy soft_stop or kill, but got {strategy!r}")
        request = robot_api.SetRobotMaintenanceRequest(
            robot=robot,
            maintenance=maintenance,
            strategy=StopStrategy.ValueType(_STRATEGIES[strategy]),
            requested_by=connection.user,
        )
        return (await connection.call(connection.robots.SetRobotMaintenance, request)).robot

    async def delete_robots(
        self, names: Iterable[str] = (), *, all_disconnected: bool = False
    ) -> Names:
        """Remove robots that are gone and have no jobs; returns their names."""
        connection = self._connection
        request = robot_api.DeleteRobotsRequest(
            robots=[names] if isinstance(names, str) else names,
            all_disconnected=all_disconnected,
        )
        return [*(await connection.call(connection.robots.DeleteRobots, request)).robots]

    async def server_status(self) -> api.GetStatusResponse:
        """Return how the server and the partition are doing."""
        connection = self._connection
        return await connection.call(connection.admin.GetStatus, api.GetStatusRequest())

    async def list_partitions(self) -> Names:
        """Return the names of all partitions, sorted."""
        connection = self._connection
        request = api.ListPartitionsRequest()
        return [*(await connection.call(connection.admin.ListPartitions, request)).names]

    async def create_partition(self, name: str) -> None:
        """Make an empty partition; it is ready when this returns."""
        connection = self._connection
        request = api.CreatePartitionRequest(name=name)
        await connection.call(connection.admin.CreatePartition, request, repeatable=False)

    async def backup(self, name: str = "") -> api.BackupResponse:
        """Write a consistent copy of the partition into the server's backup directory."""
        connection = self._connection
        return await connection.call(
            connection.admin.Backup,
            api.BackupRequest(name=name),
            timeout=max(connection.timeout, _LONG_TIMEOUT_SECONDS),
            repeatable=False,
        )

    async def compact(self, *, keep_revisions: int | None = None) -> int:
        """Drop journal commits that nothing needs; returns the oldest revision of a watch."""
        connection = self._connection
        response = await connection.call(
            connection.admin.Compact,
            api.CompactRequest(keep_revisions=keep_revisions),
            timeout=max(connection.timeout, _LONG_TIMEOUT_SECONDS),
            repeatable=False,
        )
        return response.oldest_revision

    async def verify(self) -> AsyncIterator[api.VerifyResponse]:
        """Replay the journal beside the live server and compare; yields progress.

        Clean if the last step is `done` and no step names a problem.
        """
        connection = self._connection
        request = api.VerifyRequest(partition=connection.partition)
        steps = connection.end_with_me(connection.admin.Verify(request))
        try:
            async for step in steps:
                yield step
        except AioRpcError as error:
            raise from_rpc(error) from error
        finally:
            steps.cancel()  # a call that is only dropped is never ended

    async def describe_lifecycle(self, name: str) -> DescribeLifecycleResponse:
        """Return the table of one lifecycle, "uipath" or "redwood", whole."""
        connection = self._connection
        request = DescribeLifecycleRequest(name=name)
        return await connection.call(connection.lifecycles.DescribeLifecycle, request)
