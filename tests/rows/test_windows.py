"""Rows of time windows, of starts that cannot be found, and of schedules (domain.md B3.3, B7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock.v1 import schedule_service_pb2 as api
from interlock.v1.schedule_pb2 import Recurrence, Schedule
from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import OverduePolicy, WaitEvent
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.window import TimeWindow
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import started
from tests.support.manual_clock import START_MS
from tests.support.rows import expect_rows
from tests.support.windows import DAY_MS, HOUR_MS, always, daily, never, on_dates

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

JOB, HOLDER, EVENT, LOCK, LATE = "loader", "posting-run", "bank-file", "ledger", "late"
P = OverduePolicy
#: Row that leads out of a status, by policy.
ROWS = {
    "Scheduled": {
        P.OVERDUE: "TR-025",
        P.SCHEDULED: "TR-026",
        P.HELD: "TR-027",
        P.CANCELING: "TR-028",
    },
    "EventWait": {
        P.OVERDUE: "TR-034",
        P.SCHEDULED: "TR-053",
        P.HELD: "TR-055",
        P.CANCELING: "TR-054",
    },
    "QueueHeld": {
        P.OVERDUE: "TR-038",
        P.SCHEDULED: "TR-056",
        P.HELD: "TR-058",
        P.CANCELING: "TR-057",
    },
    "Queued": {P.OVERDUE: "TR-044", P.SCHEDULED: "TR-059", P.HELD: "TR-061", P.CANCELING: "TR-060"},
    "LockWait": {
        P.OVERDUE: "TR-048",
        P.SCHEDULED: "TR-062",
        P.HELD: "TR-064",
        P.CANCELING: "TR-063",
    },
    "Held": {P.OVERDUE: "TR-051", P.CANCELING: "TR-065"},
}


async def put(live: LivePartition, *windows: TimeWindow) -> None:
    await live.do(c.PutWindows(windows))
    await live.settle()


async def define(live: LivePartition, **fields: Any) -> None:
    """Midnight stands on the clock; the window opens at eight and closes at ten."""
    await put(live, daily("mornings", "08:00", "10:00"))
    await live.do(c.PutEvents((NamedEvent(EVENT), NamedEvent(LATE))))
    await live.do(c.PutLocks((Lock(LOCK),)))
    given = {"window": "mornings", "overdue_event": LATE, **fields}
    await live.define(JOB, Lifecycle.REDWOOD, **given)


async def bring_into(live: LivePartition, status: str, policy: OverduePolicy) -> int:
    """A job that waits in a status when its window closes."""
    needs: dict[str, Any] = {}
    if status == "EventWait":
        needs["wait_events"] = (WaitEvent(EVENT),)
    elif status == "LockWait":
        needs["locks"] = (LockNeed(LOCK),)
    await define(live, overdue=policy, **needs)
    if status == "LockWait":
        await live.define(HOLDER, Lifecycle.REDWOOD, locks=(LockNeed(LOCK),))
        robot = await live.connect("robot-1", HOLDER, JOB)
        await started(live, robot, HOLDER)
    elif status == "QueueHeld":
        await live.do(c.HoldQueue("default"))
    job = await live.submit(JOB, hold=status == "Held")
    if status != "Scheduled":
        await live.later(hours=8)
    assert (await live.path(job)).split()[-1] == status
    return job


@pytest.mark.parametrize(
    ("status", "policy", "row"),
    [(status, policy, row) for status, rows in ROWS.items() for policy, row in rows.items()],
)
async def test_the_policy_decides_what_becomes_of_a_job_whose_window_closes(
    live: LivePartition, status, policy, row
):
    job = await bring_into(live, status, policy)

    await live.later(hours=3 if status != "Scheduled" else 11)

    await expect_rows(live, job, row, by="clock")
    if policy is P.CANCELING:
        await expect_rows(live, job, row, "TR-083")
    found = await live.job(job)
    if policy is P.SCHEDULED:
        assert found.start_ms == START_MS + DAY_MS + 8 * HOUR_MS
    (raised,) = live.partition.world.events[LATE].raises
    assert "time window 'mornings' closed at 2026-01-01T10:00:00Z" in raised.comment


async def test_a_start_is_the_first_opening(live: LivePartition):
    await define(live)
    job = await live.submit(JOB)
    await live.later(ms=8 * HOUR_MS - 1)
    assert await live.path(job) == "New Scheduled"
    await live.later(ms=1)

    await expect_rows(live, job, "TR-003", by="system")
    await expect_rows(live, job, "TR-003", "TR-022")


async def test_an_overdue_job_is_rescheduled_held_or_canceled(live: LivePartition):
    await define(live, overdue=P.OVERDUE)
    jobs = [await live.submit(JOB) for _ in range(3)]
    await live.later(hours=11)
    again, held, canceled = jobs

    await live.verb(Verb.RESCHEDULE, again)
    await live.verb(Verb.HOLD, held)
    await live.verb(Verb.CANCEL, canceled)

    await expect_rows(live, again, "TR-025", "TR-066")
    await expect_rows(live, held, "TR-025", "TR-067")
    await expect_rows(live, canceled, "TR-025", "TR-068")
    await expect_rows(live, again, "TR-066", by="user")


async def test_an_impossible_calendar_is_never_until_it_is_corrected(live: LivePartition):
    await put(live, never("closed"))
    await live.define(JOB, Lifecycle.REDWOOD, window="closed")
    fixed, given_up, held = [await live.submit(JOB) for _ in range(3)]
    assert (await live.job(fixed)).start_ms == NEVER_MS

    await live.verb(Verb.CANCEL, given_up)
    await live.verb(Verb.HOLD, held)
    await put(live, always("closed"))

    await expect_rows(live, fixed, "TR-009", "TR-069", "TR-022")
    await expect_rows(live, fixed, "TR-009", "TR-069", by="system")
    await expect_rows(live, given_up, "TR-009", "TR-071")
    await expect_rows(live, held, "TR-009", "TR-070")


async def test_a_calendar_that_becomes_impossible_takes_the_start_away(live: LivePartition):
    await define(live)
    job = await live.submit(JOB)

    await put(live, never("mornings"))

    await expect_rows(live, job, "TR-003", "TR-029")
    await expect_rows(live, job, "TR-029", by="system")


async def test_a_stopped_server_means_never_until_it_is_started(live: LivePartition):
    hamburg = ProcessServer("hamburg", providers=(QueueProvider("default"),))
    await live.do(c.PutServers((hamburg,)))
    await live.do(c.StopServers(("hamburg",)))
    await live.define(JOB, Lifecycle.REDWOOD)
    job = await live.submit(JOB)

    await live.do(c.StartServers(("hamburg",)))
    await live.settle()

    await expect_rows(live, job, "TR-009", "TR-069")


async def test_a_job_without_another_opening_is_never(live: LivePartition):
    await put(live, on_dates("once", "2026-01-01", opens="08:00", closes="10:00"))
    await live.define(JOB, Lifecycle.REDWOOD, window="once")
    job = await live.submit(JOB)
    await live.later(hours=8)
    await live.later(hours=2)

    await expect_rows(live, job, "TR-022", "TR-059", "TR-029")


# -- restarts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(ROWS))
async def test_a_restart_while_a_job_waits_changes_nothing(live: LivePartition, status):
    job = await bring_into(live, status, P.OVERDUE)
    before = await live.path(job)

    await live.kill()
    assert await live.path(job) == before
    await live.later(hours=10)
    await live.kill()
    await live.later(hours=1)

    assert (await live.path(job)).split().count("Overdue") == 1
    assert len(live.partition.world.events[LATE].raises) == 1


async def test_an_opening_that_passes_while_the_server_is_down_is_not_used(live: LivePartition):
    await define(live, overdue=P.SCHEDULED)
    job = await live.submit(JOB)
    await live.later(hours=9)

    live.clock.advance(s=2 * 3600)
    await live.kill()
    await live.connect()
    await live.later(s=0)

    assert "Dispatched" not in await live.path(job)
    assert (await live.job(job)).start_ms == START_MS + DAY_MS + 8 * HOUR_MS


async def test_a_review_goes_on_after_a_restart(live: LivePartition):
    await put(live, never("closed"))
    await live.define(JOB, Lifecycle.REDWOOD, window="closed")
    jobs = [await live.submit(JOB) for _ in range(3)]

    await live.do(c.PutWindows((always("closed"),)))
    await live.kill()
    await live.settle()

    for job in jobs:
        await expect_rows(live, job, "TR-069")


# -- clocks that change -------------------------------------------------------------------------


async def test_a_window_follows_the_wall_clock_over_the_change_to_summer_time(live: LivePartition):
    """Clocks go forward in Berlin on 29 March 2026: eight o'clock is at seven, then at six."""
    await put(live, daily("mornings", "08:00", "10:00", time_zone="Europe/Berlin"))
    await live.define(JOB, Lifecycle.REDWOOD, window="mornings")
    days = 86  # to 28 March
    before = await live.submit(JOB, start_ms=START_MS + days * DAY_MS)
    after = await live.submit(JOB, start_ms=START_MS + (days + 1) * DAY_MS)

    assert (await live.job(before)).start_ms == START_MS + days * DAY_MS + 7 * HOUR_MS
    found = await live.job(after)
    assert found.start_ms == START_MS + (days + 1) * DAY_MS + 6 * HOUR_MS
    assert found.window_closes_ms == found.start_ms + 2 * HOUR_MS


# -- schedules ----------------------------------------------------------------------------------


async def test_a_recurrence_submits_again_and_again_over_restarts(live: LivePartition):
    await live.define(JOB, Lifecycle.REDWOOD)
    nightly = Schedule(name="nightly", definition=JOB, recurrence=Recurrence(cron="0 2 * * *"))
    stub = live.stubs.schedules  # type: ignore[attr-defined]
    await stub.PutSchedules(api.PutSchedulesRequest(schedules=[nightly]))
    robot = await live.connect()
    first = 1
    await live.kill()
    await live.later(hours=2)
    await live.kill()
    robot = await live.connect("robot-2")
    await robot.report(ReportKind.STARTED, first)
    await robot.report(ReportKind.COMPLETED, first)
    await live.kill()

    assert (await live.job(first + 1)).start_ms == START_MS + DAY_MS + 2 * HOUR_MS
    await expect_rows(live, first, "TR-001", by="schedule")
    stub = live.stubs.schedules  # type: ignore[attr-defined]
    listed = await stub.ListSchedules(api.ListSchedulesRequest())
    (found,) = listed.schedules
    assert (found.status_code, found.firings) == ("A", 2)


async def test_a_time_trigger_fires_once_for_what_was_missed(live: LivePartition):
    await live.define("report", Lifecycle.UIPATH)
    hourly = Schedule(name="hourly", definition="report", recurrence=Recurrence(cron="30 * * * *"))
    stub = live.stubs.schedules  # type: ignore[attr-defined]
    await stub.PutSchedules(api.PutSchedulesRequest(schedules=[hourly]))
    live.clock.advance(s=5 * 3600)
    await live.kill()
    await live.later(s=0)
    await live.kill()
    await live.later(s=0)

    assert len(live.partition.world.jobs) == 1
    await expect_rows(live, 1, "TU-01", by="schedule")
