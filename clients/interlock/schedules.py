"""The calls about schedules: recurring submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import schedule_service_pb2 as api
from interlock.v1.schedule_pb2 import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection

    Schedules = list[Schedule]

_PAGE_SIZE: Final = 1_000


class ScheduleCalls:
    """Calls of ScheduleService. A put is repeatable: it writes the whole thing."""

    _connection: Connection

    async def put_schedules(self, schedules: Iterable[Schedule | Mapping[str, Any]]) -> Schedules:
        """Create or change schedules, all or none; returns them as they are now.

        One that is over begins again when it is changed.
        """
        connection = self._connection
        request = api.PutSchedulesRequest(
            schedules=[
                each if isinstance(each, Schedule) else Schedule(**each) for each in schedules
            ],
            requested_by=connection.user,
        )
        response = await connection.call(connection.schedules.PutSchedules, request)
        return [*response.schedules]

    async def list_schedules(self) -> Schedules:
        """Return all schedules by name, with their newest firings."""
        connection = self._connection
        schedules: Schedules = []
        request = api.ListSchedulesRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.schedules.ListSchedules, request)
            schedules += response.schedules
            if not response.next_page_token:
                return schedules
            request.page_token = response.next_page_token

    async def delete_schedules(self, names: Iterable[str]) -> None:
        """Remove schedules, all or none; jobs that they have submitted stay."""
        connection = self._connection
        request = api.DeleteSchedulesRequest(
            names=[names] if isinstance(names, str) else names, requested_by=connection.user
        )
        await connection.call(connection.schedules.DeleteSchedules, request)

    async def hold_schedule(self, name: str, *, reason: str = "") -> Schedule:
        """Keep a schedule from submitting; jobs that it has submitted stay as they are."""
        connection = self._connection
        request = api.HoldScheduleRequest(
            schedule=name, reason=reason, requested_by=connection.user
        )
        return (await connection.call(connection.schedules.HoldSchedule, request)).schedule

    async def release_schedule(self, name: str, *, reason: str = "") -> Schedule:
        """Let a held schedule go on with the next instant to come."""
        connection = self._connection
        request = api.ReleaseScheduleRequest(
            schedule=name, reason=reason, requested_by=connection.user
        )
        return (await connection.call(connection.schedules.ReleaseSchedule, request)).schedule

    async def end_schedule(self, name: str, *, reason: str = "") -> Schedule:
        """End a schedule for good; jobs that it has submitted stay as they are."""
        connection = self._connection
        request = api.EndScheduleRequest(schedule=name, reason=reason, requested_by=connection.user)
        return (await connection.call(connection.schedules.EndSchedule, request)).schedule
