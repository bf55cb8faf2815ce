"""A restart of the server at every kind of wait: nothing fires twice, early or late (P11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import (
    LimitEffect,
    LimitKind,
    RestartAction,
    RestartBehavior,
    RuntimeLimit,
    WaitEvent,
)
from interlock_server.core.model.job import ResumeCondition, ResumeKind
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH
from tests.support.live_partition import started

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.live_partition import LivePartition

K = ReportKind
JOB = "month-end"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Wait(NamedTuple):
    """A job, when something has to happen to it, and the row that this is."""

    job: int
    due_ms: int
    row: str


async def scheduled(live: LivePartition) -> Wait:
    due_ms = live.clock.now_ms() + HOUR_MS
    return Wait(await live.submit(start_ms=due_ms), due_ms, "TR-022")


async def restart_delay(live: LivePartition) -> Wait:
    again = RestartBehavior(int(Status.REDWOOD_ERROR), RestartAction.RESTART, delay_ms=HOUR_MS)
    await live.define(JOB, Lifecycle.REDWOOD, restart_behaviors=(again,))
    robot = await live.connect("robot-1", JOB)
    job = await started(live, robot, JOB)
    await robot.report(K.FAILED, job)
    return Wait(job + 1, live.clock.now_ms() + HOUR_MS, "TR-012")


async def uncertain(live: LivePartition) -> Wait:
    robot = await live.connect()
    job = await started(live, robot)
    await live.kill()
    return Wait(job, live.clock.now_ms() + 600_000, "TR-137")


async def runtime_limit(live: LivePartition) -> Wait:
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=HOUR_MS, effect=LimitEffect.KILL)
    await live.define(JOB, Lifecycle.REDWOOD, runtime_limits=(limit,))
    robot = await live.connect("robot-1", JOB)
    job = await started(live, robot, JOB)
    return Wait(job, live.clock.now_ms() + HOUR_MS, "TR-096")


async def suspended(live: LivePartition) -> Wait:
    robot = await live.connect()
    job = await live.submit(UIPATH)
    due_ms = live.clock.now_ms() + HOUR_MS
    timer = ResumeCondition(ResumeKind.TIMER, at_ms=due_ms)
    await robot.report(K.SUSPENDED, job, suspension=c.Suspension((timer,)))
    return Wait(job, due_ms, "TU-21")


async def scheduled_stop(live: LivePartition) -> Wait:
    job = await live.submit(UIPATH, stop_after_ms=HOUR_MS)
    return Wait(job, live.clock.now_ms() + HOUR_MS, "TU-06")


async def kill_after_stop(live: LivePartition) -> Wait:
    robot = await live.connect()
    job = await live.submit(UIPATH, stop_after_ms=HOUR_MS, kill_after_ms=HOUR_MS)
    await robot.report(K.STARTED, job)
    due_ms = live.clock.now_ms() + 2 * HOUR_MS
    await live.later(hours=1)
    return Wait(job, due_ms, "TU-17")


async def terminating(live: LivePartition) -> Wait:
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    await live.verb(Verb.KILL, job)
    await robot.cut()
    # The first clean-up, every three hours of the day, that finds it a day old.
    return Wait(job, live.clock.now_ms() // DAY_MS * DAY_MS + DAY_MS, "TU-20")


BY_CLOCK = (
    *(scheduled, restart_delay, uncertain, runtime_limit),
    *(suspended, scheduled_stop, kill_after_stop, terminating),
)


async def come_back(live: LivePartition, job: int) -> None:
    """The robot of a job that it runs has survived the restart."""
    record = await live.job(job)
    if record.status == Status.REDWOOD_UNCERTAIN and record.limit_at_ms:
        await live.connect("robot-1", JOB, running=(c.RunningJob(job, record.fence),))


async def made(live: LivePartition, wait: Wait) -> int:
    return sum(event.row == wait.row for event in await live.events(wait.job))


@pytest.mark.parametrize("begin", BY_CLOCK)
async def test_what_the_clock_ends_happens_once_at_its_instant_whatever_restarts(
    live: LivePartition, begin: Callable[[LivePartition], Awaitable[Wait]]
):
    wait = await begin(live)

    await live.kill()
    await come_back(live, wait.job)
    assert await made(live, wait) == 0
    await live.later(ms=wait.due_ms - live.clock.now_ms() - 1)
    assert await made(live, wait) == 0, "early"
    await live.kill()
    await come_back(live, wait.job)
    assert await made(live, wait) == 0, "early, after a restart"
    await live.later(ms=1)
    assert await made(live, wait) == 1, "late"
    await live.kill()
    await live.later(hours=30)
    assert await made(live, wait) == 1, "twice"


# Nobody is killed for its run time while nobody knows whether it runs: that one is left out.
@pytest.mark.parametrize("begin", [begin for begin in BY_CLOCK if begin is not runtime_limit])
async def test_what_came_due_while_the_server_was_down_happens_once_when_it_is_back(
    live: LivePartition, begin: Callable[[LivePartition], Awaitable[Wait]]
):
    wait = await begin(live)

    live.clock.advance(ms=wait.due_ms - live.clock.now_ms() + HOUR_MS)
    await live.kill()
    await live.later(ms=1)
    assert await made(live, wait) == 1
    await live.kill()
    await live.later(hours=30)
    assert await made(live, wait) == 1


async def lock(live: LivePartition) -> int:
    await live.do(c.PutLocks((Lock("ledger"),)))
    await live.define(JOB, Lifecycle.REDWOOD, locks=(LockNeed("ledger"),))
    robot = await live.connect("robot-1", JOB)
    await started(live, robot, JOB)
    job = await live.submit(JOB)
    await live.settle()
    return job


async def test_a_lock_is_kept_over_a_restart_and_granted_once(live: LivePartition):
    job = await lock(live)
    holder = job - 1

    await live.kill()
    assert await live.path(job) == "New Scheduled Queued LockWait"
    assert (await live.job(holder)).locks
    back = await live.connect("robot-1", JOB, running=(c.RunningJob(holder, 1),))
    await back.report(K.COMPLETED, holder, fence=1)
    await live.settle()
    await live.kill()

    assert (await live.path(job)).startswith("New Scheduled Queued LockWait Queued Dispatched")
    assert sum(event.row == "TR-046" for event in await live.events(job)) == 1


async def test_an_event_is_waited_for_over_a_restart_and_taken_once(live: LivePartition):
    await live.do(c.PutEvents((NamedEvent("file"),)))
    wait: Any = (WaitEvent("file", clears=True),)
    await live.define(JOB, Lifecycle.REDWOOD, wait_events=wait)
    first, second = await live.submit(JOB), await live.submit(JOB)

    await live.kill()
    await live.do(c.RaiseEvent("file"))
    await live.kill()

    assert await live.path(first) == "New Scheduled EventWait Queued"
    assert await live.path(second) == "New Scheduled EventWait"
    assert not live.partition.world.events["file"].raises


async def test_a_held_queue_is_held_over_a_restart(live: LivePartition):
    await live.do(c.HoldQueue("default"))
    job = await live.submit(REDWOOD)

    await live.kill()
    await live.connect()
    assert await live.path(job) == "New Scheduled QueueHeld"
    await live.do(c.ReleaseQueue("default"))
    await live.settle()
    await live.kill()

    assert (await live.path(job)).startswith("New Scheduled QueueHeld Queued Dispatched")
    assert sum(event.row == "TR-036" for event in await live.events(job)) == 1
