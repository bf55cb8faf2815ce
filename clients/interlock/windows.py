"""The calls about time windows: when something may happen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.instant import instant_of, to_timestamp
from interlock.v1 import window_service_pb2 as api
from interlock.v1.window_pb2 import TimeWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection

    Windows = list[TimeWindow]

_PAGE_SIZE: Final = 1_000


class Opening(NamedTuple):
    """A time that a window is open: up to, not including, `closes`; None if that is not known."""

    opens: datetime
    closes: datetime | None


class WindowCalls:
    """Calls of WindowService. A put is repeatable: it writes the whole thing."""

    _connection: Connection

    async def put_windows(self, windows: Iterable[TimeWindow | Mapping[str, Any]]) -> Windows:
        """Create or change time windows, all or none; returns them as they are now."""
        connection = self._connection
        request = api.PutWindowsRequest(
            windows=[
                each if isinstance(each, TimeWindow) else TimeWindow(**each) for each in windows
            ],
            requested_by=connection.user,
        )
        response = await connection.call(connection.windows.PutWindows, request)
        return [*response.windows]

    async def list_windows(self) -> Windows:
        """Return all time windows by name."""
        connection = self._connection
        windows: Windows = []
        request = api.ListWindowsRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.windows.ListWindows, request)
            windows += response.windows
            if not response.next_page_token:
                return windows
            request.page_token = response.next_page_token

    async def delete_windows(self, names: Iterable[str]) -> None:
        """Remove time windows that nothing refers to, all or none."""
        connection = self._connection
        request = api.DeleteWindowsRequest(
            names=[names] if isinstance(names, str) else names, requested_by=connection.user
        )
        await connection.call(connection.windows.DeleteWindows, request)

    async def forecast_window(
        self,
        name: str,
        *,
        start: datetime | None = None,
        until: datetime | None = None,
        count: int = 10,
        time_zone: str = "",
    ) -> list[Opening]:
        """Return when a window is open from an instant on; from now on by default.

        The zone counts for windows without one of their own.
        """
        connection = self._connection
        request = api.ForecastWindowRequest(
            window=name,
            from_time=to_timestamp(start),
            until_time=to_timestamp(until),
            count=count,
            time_zone=time_zone,
        )
        response = await connection.call(connection.windows.ForecastWindow, request)
        return [
            Opening(each.open_time.ToDatetime(UTC), instant_of(each, "close_time"))
            for each in response.openings
        ]
