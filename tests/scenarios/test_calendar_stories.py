"""The story of domain.md D about calendars: S14; and restarts while a window is open (P11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import OverduePolicy, WaitEvent
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.model.schedule import Schedule
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import START

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind
JOB, WINDOW = "first-workday", "outside-workdays"
RUN = f"New Never {START.removeprefix('New ')} Completed"


def window(*restrictions: WindowRestriction) -> TimeWindow:
    return TimeWindow(WINDOW, elements=(WindowElement(restrictions),))


#: The first workday of a month, and never on a workday: the two never meet.
FIRST_WORKDAY = WindowRestriction(rule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1")
WEEKEND = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=SA,SU")


async def run(live: LivePartition, job: int, *definitions: str, **fields: Any) -> None:
    robot = await live.connect("robot-1", *definitions, **fields)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)


async def test_s14_a_conflict_in_the_calendar_is_fixed_later(live: LivePartition):
    await live.do(c.PutWindows((window(FIRST_WORKDAY, WEEKEND),)))
    await live.define(JOB, Lifecycle.REDWOOD, window=WINDOW)
    job, given_up = await live.submit(JOB), await live.submit(JOB)
    assert (await live.job(job)).start_ms == NEVER_MS

    await live.verb(Verb.CANCEL, given_up)
    await live.do(c.PutWindows((window(FIRST_WORKDAY),)))  # 1 January 2026 is a Thursday
    await live.settle()
    await run(live, job, JOB)

    assert await live.path(job) == RUN
    assert await live.path(given_up) == "New Never Canceled"


async def test_s14_a_queue_whose_only_server_is_shut_down(live: LivePartition):
    await live.do(c.PutQueues((Queue("night"),)))
    await live.do(c.PutServers((ProcessServer("sap", providers=(QueueProvider("night"),)),)))
    await live.do(c.StopServers(("sap",)))
    await live.define(JOB, Lifecycle.REDWOOD, queue="night")
    job = await live.submit(JOB)
    assert await live.path(job) == "New Never"
    assert (await live.job(job)).start_ms == NEVER_MS

    await live.do(c.StartServers(("sap",)))
    await live.settle()
    await run(live, job, JOB, server="sap")

    assert await live.path(job) == RUN


@pytest.mark.parametrize("place", ["Queued", "EventWait"])
async def test_a_window_closes_once_at_its_instant_whatever_restarts(live: LivePartition, place):
    await live.do(c.PutEvents((NamedEvent("file"),)))
    await live.do(c.PutWindows((window(WindowRestriction(opens="08:00", closes="10:00")),)))
    waits: Any = (WaitEvent("file"),) if place == "EventWait" else ()
    await live.define(
        JOB,
        Lifecycle.REDWOOD,
        window=WINDOW,
        wait_events=waits,
        overdue=OverduePolicy.OVERDUE,
        overdue_event="file",
    )
    job = await live.submit(JOB)

    await live.kill()
    await live.later(hours=8)
    assert await live.path(job) == f"New Scheduled {place}"
    await live.kill()
    await live.later(ms=2 * 3_600_000 - 1)
    assert await live.path(job) == f"New Scheduled {place}", "early"
    await live.kill()
    await live.later(ms=1)
    assert await live.path(job) == f"New Scheduled {place} Overdue", "late"
    await live.kill()
    await live.later(hours=48)

    assert await live.path(job) == f"New Scheduled {place} Overdue", "twice"
    assert len(live.partition.world.events["file"].raises) == 1


async def test_a_recurrence_fires_once_for_each_instant_whatever_restarts(live: LivePartition):
    await live.define(JOB, Lifecycle.REDWOOD)
    begins_ms = live.clock.now_ms() + 3_600_000
    every_hour = Recurrence(RecurrenceKind.INTERVAL, interval_ms=3_600_000, start_ms=begins_ms)
    await live.do(c.PutSchedules((Schedule("hourly", JOB, every_hour, count=1),)))
    robot = await live.connect("robot-1", JOB)
    ran = 0
    for _ in range(3):
        await live.kill()
        await live.later(ms=3_600_000 - 1)
        robot = await live.connect("robot-1", JOB)
        assert sum(job in robot.offers for job in robot.offers) == 0, "early"
        await live.later(ms=1)
        await robot.hear()
        (job,) = robot.offers
        ran += 1
        await robot.report(K.STARTED, job)
        await robot.report(K.COMPLETED, job)

    started = [change for _, change in await live.changes() if change == "Assigned>Running"]
    assert len(started) == ran == 3
