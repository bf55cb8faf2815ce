"""WindowService: time windows, and when they are open."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import window_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.window_service_pb2_grpc import WindowServiceServicer
from interlock_server.core import calendar
from interlock_server.core.command import DeleteWindows
from interlock_server.core.openings import NEVER_HORIZON_MS
from interlock_server.core.rules import window as rules
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.zone import zone_fault
from interlock_server.rpc import convert_window, page, validate
from interlock_server.rpc.errors import InvalidArgument
from interlock_server.rpc.once import Response, submit_once
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from grpc.aio import ServicerContext

    from interlock_server.core.command import Command
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

COUNT: Final = 10
COUNT_MAX: Final = 1_000
#: How far a forecast looks at most.
FORECAST_MS_MAX: Final = 10 * 366 * 24 * 3_600_000


class WindowService(WindowServiceServicer):
    """Keeps time windows. A request is carried out whole or not at all."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def _submit(
        self,
        request: Any,
        command: Command,
        build: Callable[[Any], Response],
        response: type[Response],
    ) -> Response:
        return await submit_once(
            self._partition(request),
            command,
            request,
            build,
            response,
            actor=Actor.USER,
            author=validate.author("requested_by", request.requested_by),
        )

    async def PutWindows(  # noqa: N802
        self, request: pb.PutWindowsRequest, _context: Context
    ) -> pb.PutWindowsResponse:
        """Create or change time windows."""
        command = convert_window.put_windows(request)
        return await self._submit(
            request,
            command,
            lambda answer: pb.PutWindowsResponse(
                windows=[convert_window.message(each) for each in answer]
            ),
            pb.PutWindowsResponse,
        )

    async def ListWindows(  # noqa: N802
        self, request: pb.ListWindowsRequest, _context: Context
    ) -> pb.ListWindowsResponse:
        """Show time windows by name."""
        found = await self._partition(request).read(
            lambda world: page.by_name(world.windows.values(), request, lambda each: each.name)
        )
        return pb.ListWindowsResponse(
            windows=[convert_window.message(each) for each in found.items],
            next_page_token=found.next_token,
        )

    async def DeleteWindows(  # noqa: N802
        self, request: pb.DeleteWindowsRequest, _context: Context
    ) -> pb.DeleteWindowsResponse:
        """Remove time windows that nothing refers to."""
        validate.batch("names", len(request.names))
        command = DeleteWindows(validate.names("names", request.names))
        return await self._submit(
            request, command, lambda _: pb.DeleteWindowsResponse(), pb.DeleteWindowsResponse
        )

    async def ForecastWindow(  # noqa: N802
        self, request: pb.ForecastWindowRequest, _context: Context
    ) -> pb.ForecastWindowResponse:
        """Say when a time window is open from an instant on."""
        partition = self._partition(request)
        name = validate.name("window", request.window)
        count = validate.number("count", request.count, 0, COUNT_MAX) or COUNT
        zone = request.time_zone or "UTC"
        if fault := zone_fault(zone):
            raise InvalidArgument("time_zone", fault, ErrorReason.ERROR_REASON_INVALID_WINDOW)
        from_ms = validate.optional_timestamp_ms(request, "from_time") or partition.now_ms()
        until_ms = validate.optional_timestamp_ms(request, "until_time")
        until_ms = until_ms or from_ms + NEVER_HORIZON_MS
        if not from_ms < until_ms <= from_ms + FORECAST_MS_MAX:
            raise InvalidArgument(
                "until_time",
                "expected an instant after from_time, and at most ten years after it",
                ErrorReason.ERROR_REASON_INVALID_TIME,
            )

        def look(world: World) -> pb.ForecastWindowResponse:
            if name not in world.windows:
                raise rules.missing(name)
            found = calendar.openings(world.windows, name, from_ms, until_ms, zone)
            return pb.ForecastWindowResponse(
                openings=convert_window.openings(islice(found, count), until_ms)
            )

        return await partition.read(look)
