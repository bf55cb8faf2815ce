"""Deadlines come from the clock and the World; a restart neither moves nor repeats one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.vocabulary.status import Status
from tests.support.core_driver import REDWOOD, UIPATH
from tests.support.live_partition import LivePartition
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MINUTE_MS = 60_000


@pytest.fixture
async def live() -> AsyncIterator[LivePartition]:
    partition = await LivePartition.start()
    await partition.define_both()
    yield partition
    await partition.check_recovery()
    await partition.close()


async def test_nothing_happens_before_its_time(live: LivePartition):
    job = await live.submit(start_ms=live.clock.now_ms() + MINUTE_MS)

    await live.later(ms=MINUTE_MS - 1)
    assert await live.path(job) == "New Scheduled"
    await live.later(ms=1)
    assert await live.path(job) == "New Scheduled Queued"


async def test_what_came_due_while_the_server_was_down_is_done_at_the_start(live: LivePartition):
    started = await live.submit(start_ms=live.clock.now_ms() + MINUTE_MS)
    stopped = await live.submit(UIPATH, stop_after_ms=2 * MINUTE_MS)

    live.clock.advance(s=600)
    await live.kill()
    await live.later(ms=0)

    assert await live.paths(started, stopped) == ["New Scheduled Queued", "Pending Stopped"]


async def test_a_deadline_that_was_moved_counts_only_at_its_new_time(live: LivePartition):
    now_ms = live.clock.now_ms()
    sooner, later = [await live.submit(start_ms=now_ms + 5 * MINUTE_MS) for _ in range(2)]
    await live.verb(Verb.RESCHEDULE, sooner, value=now_ms + MINUTE_MS)
    await live.verb(Verb.RESCHEDULE, later, value=now_ms + 9 * MINUTE_MS)

    await live.later(minutes=1)
    assert await live.paths(sooner, later) == ["New Scheduled Queued", "New Scheduled"]
    await live.later(minutes=5)
    assert await live.path(later) == "New Scheduled"
    await live.later(minutes=3)
    assert await live.path(later) == "New Scheduled Queued"


async def test_a_deadline_of_a_job_that_is_over_means_nothing(live: LivePartition):
    job = await live.submit(start_ms=live.clock.now_ms() + MINUTE_MS)
    await live.verb(Verb.CANCEL, job)

    await live.later(minutes=1)

    assert await live.path(job) == "New Scheduled Canceled"
    assert live.partition.world.deadlines == []


async def test_a_held_job_does_not_start_by_itself(live: LivePartition):
    job = await live.submit(start_ms=live.clock.now_ms() + MINUTE_MS, hold=True)

    await live.later(minutes=2)
    assert await live.path(job) == "New Held"
    await live.verb(Verb.RELEASE, job)
    assert await live.path(job) == "New Held Scheduled Queued"


async def test_very_many_deadlines_at_one_instant_are_done_in_slices(live: LivePartition):
    at_ms = live.clock.now_ms() + MINUTE_MS
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=1300, start_ms=at_ms),)))
    before = live.journal.head_commit

    await live.later(minutes=1)

    assert live.partition.world.status_counts[Status.REDWOOD_QUEUED] == 1300
    assert live.journal.head_commit >= before + 2


async def test_a_wall_clock_that_is_set_forward_lets_deadlines_pass(live: LivePartition):
    job = await live.submit(start_ms=live.clock.now_ms() + MINUTE_MS)

    live.clock.jump(ms=MINUTE_MS)
    await live.partition.timers.pass_due()

    assert await live.path(job) == "New Scheduled Queued"


async def test_an_earlier_deadline_wakes_the_timers(live: LivePartition):
    """The loop looks again on its own when something became durable."""
    await live.settle()
    live.clock.advance(s=120)

    job = await live.submit(UIPATH, trigger_ms=live.clock.now_ms() - MINUTE_MS, stop_after_ms=1)

    await until(lambda: job not in live.partition.world.jobs)
    assert await live.path(job) == "Pending Stopped"


async def test_a_clean_up_that_was_due_while_the_server_was_down_is_made_up_for(
    live: LivePartition,
):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(c.ReportKind.STARTED, job)
    await live.verb(Verb.KILL, job)
    await robot.cut()

    live.clock.advance(s=25 * 3600)
    await live.kill()
    await live.later(ms=0)

    assert await live.path(job) == "Pending Running Terminating Faulted"


async def test_clean_ups_are_at_whole_multiples_of_the_period(live: LivePartition):
    timers = live.partition.timers
    await live.later(ms=0)
    first = timers._last_clean_up

    await live.later(hours=2.9)
    assert timers._last_clean_up == first
    await live.later(hours=0.1)
    assert timers._last_clean_up == first + 1
