"""RobotService: robots as people see them, and the door to their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import robot_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.robot_service_pb2_grpc import RobotServiceServicer
from interlock_server.core.command import DeleteRobots, SetMaintenance
from interlock_server.core.model.job import StopStrategy
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_robot, page, validate
from interlock_server.rpc.errors import InvalidArgument, Refused
from interlock_server.rpc.once import submit_once
from interlock_server.rpc.partition_lookup import find_partition
from interlock_server.rpc.session import serve_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grpc.aio import ServicerContext

    from interlock.v1 import robot_pb2
    from interlock_server.core.model.robot import Robot
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]


class RobotService(RobotServiceServicer):
    """Connects robots and shows them."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def Session(self, _requests: Any, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """Serve the connection of one robot. Messages are read and written through the context."""
        await serve_session(self._partitions, context)

    async def StartAtRobot(  # noqa: N802
        self, request: pb.StartAtRobotRequest, _context: Context
    ) -> pb.StartAtRobotResponse:
        """Create a job that a person started at the robot."""
        command = convert_robot.start_at_robot(request)
        partition = self._partition(request)

        def build(answer: tuple[int, int]) -> pb.StartAtRobotResponse:
            job, fence = answer
            return pb.StartAtRobotResponse(revision=partition.world.revision, job=job, fence=fence)

        return await submit_once(
            partition,
            command,
            request,
            build,
            pb.StartAtRobotResponse,
            actor=Actor.USER,
            author=validate.author("started_by", request.started_by),
        )

    async def ListRobots(  # noqa: N802
        self, request: pb.ListRobotsRequest, _context: Context
    ) -> pb.ListRobotsResponse:
        """Show all robots by name."""
        partition = self._partition(request)

        def look(world: Any) -> tuple[list[robot_pb2.Robot], str]:
            found = page.by_name(world.robots.values(), request, lambda robot: robot.name)
            return [_robot(partition, each) for each in found.items], found.next_token

        robots, next_token = await partition.read(look)
        return pb.ListRobotsResponse(robots=robots, next_page_token=next_token)

    async def SetRobotMaintenance(  # noqa: N802
        self, request: pb.SetRobotMaintenanceRequest, _context: Context
    ) -> pb.SetRobotMaintenanceResponse:
        """Start or end maintenance of a robot."""
        strategy = StopStrategy(
            validate.choice("strategy", request.strategy, tuple(StopStrategy), "stop strategy")
        )
        name = validate.name("robot", request.robot)
        if strategy and not request.maintenance:
            raise InvalidArgument("strategy", "expected it only when maintenance starts")
        partition = self._partition(request)

        def build(record: Robot) -> pb.SetRobotMaintenanceResponse:
            return pb.SetRobotMaintenanceResponse(
                revision=partition.world.revision, robot=_robot(partition, record)
            )

        return await submit_once(
            partition,
            SetMaintenance(name, request.maintenance, strategy),
            request,
            build,
            pb.SetRobotMaintenanceResponse,
            actor=Actor.USER,
            author=validate.author("requested_by", request.requested_by),
        )

    async def DeleteRobots(  # noqa: N802
        self, request: pb.DeleteRobotsRequest, _context: Context
    ) -> pb.DeleteRobotsResponse:
        """Remove robots that are disconnected or unresponsive and have no jobs."""
        partition = self._partition(request)
        names = _robots_to_delete(partition, request)

        def build(answer: Sequence[str]) -> pb.DeleteRobotsResponse:
            return pb.DeleteRobotsResponse(robots=answer)

        return await submit_once(
            partition,
            DeleteRobots(names),
            request,
            build,
            pb.DeleteRobotsResponse,
            actor=Actor.USER,
            author=validate.DEFAULT_AUTHOR,
        )


def _robot(partition: Partition, record: Robot) -> robot_pb2.Robot:
    sessions = partition.sessions
    return convert_robot.robot(
        record,
        partition.world,
        unresponsive=sessions.is_unresponsive(record.name),
        last_heard_ms=sessions.last_heard_ms(record.name),
    )


def _robots_to_delete(partition: Partition, request: pb.DeleteRobotsRequest) -> tuple[str, ...]:
    world = partition.world
    if request.all_disconnected:
        if request.robots:
            raise InvalidArgument("robots", "expected none together with all_disconnected")
        return tuple(
            robot.name
            for robot in world.robots.values()
            if not _is_there(partition, robot) and not world.robot_jobs.get(robot.name)
        )
    validate.batch("robots", len(request.robots))
    names = validate.names("robots", request.robots)
    for name in names:
        robot = world.robots.get(name)
        if robot is not None and _is_there(partition, robot):
            raise Refused(
                ErrorReason.ERROR_REASON_IN_USE,
                f"robot {name!r} is connected; stop it first",
                metadata={"robot": name},
            )
    return names


def _is_there(partition: Partition, robot: Robot) -> bool:
    """Whether a robot is neither disconnected nor unresponsive."""
    return not robot.lost and not partition.sessions.is_unresponsive(robot.name)
