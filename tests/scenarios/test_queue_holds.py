"""Holding and releasing a queue with very many jobs in it (domain.md B4, RA-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Status
from tests.support.core_driver import REDWOOD

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


async def test_a_queue_hold_takes_2000_jobs_in_slices_and_gives_them_back(live: LivePartition):
    await live.put_queue("night")
    busy = await live.submit(queue="night")
    robot = await live.connect(slots=1)
    (outcomes,) = [await live.do(c.SubmitJobs((c.NewJob(REDWOOD, queue="night", count=2000),)))]
    jobs = [outcome.job for outcome in outcomes]
    elsewhere = await live.submit()

    await live.do(c.HoldQueue("night"), author="planner", reason="month end")
    await live.settle()
    counts = live.partition.world.status_counts
    assert counts[Status.REDWOOD_QUEUE_HELD] == 2000
    assert await live.path(jobs[-1]) == "New Scheduled Queued QueueHeld"
    event = (await live.events(jobs[-1]))[-1]
    assert (event.actor, event.author, event.reason) == ("user", "planner", "month end")
    assert max(len(block) for block in await blocks(live, "Queued>QueueHeld")) <= 500

    late = await live.submit(queue="night")
    assert await live.path(late) == "New Scheduled QueueHeld"
    await robot.report(K.COMPLETED, busy)  # what runs goes on
    await robot.hear()
    assert elsewhere in robot.offers  # and nothing of the queue is dispatched

    await live.do(c.ReleaseQueue("night"), author="planner")
    await live.settle()
    assert counts[Status.REDWOOD_QUEUE_HELD] == 0
    assert await live.path(late) == "New Scheduled QueueHeld Queued"


async def blocks(live: LivePartition, change: str) -> list[list[int]]:
    """The revisions of a change, block by block."""
    found: list[list[int]] = []
    for event in await live.events():
        if event.change == change:
            if found and found[-1][-1] == event.revision - 1 and len(found[-1]) < 500:
                found[-1].append(event.revision)
            else:
                found.append([event.revision])
    return found


async def test_a_hold_that_is_still_moving_its_jobs_goes_on_after_a_kill(in_process: LivePartition):
    await in_process.do(c.SubmitJobs((c.NewJob(REDWOOD, count=1200),)))
    in_process.journal.hold()
    hold = in_process.partition.engine.submit(c.HoldQueue("default"))
    in_process.journal.release()
    await hold
    await in_process.kill()
    await in_process.settle()

    assert in_process.partition.world.status_counts[Status.REDWOOD_QUEUE_HELD] == 1200
    robot = await in_process.connect()
    assert robot.offers == {}


async def test_holding_a_queue_again_while_its_jobs_come_and_go(live: LivePartition):
    jobs = [await live.submit() for _ in range(3)]
    for _ in range(3):
        await live.do(c.HoldQueue("default"))
        await live.settle()
        await live.do(c.ReleaseQueue("default"))
        await live.settle()

    assert await live.path(jobs[0]) == "New Scheduled Queued" + " QueueHeld Queued" * 3
    robot = await live.connect()
    assert list(robot.offers) == jobs


async def test_the_system_queue_cannot_be_held(live: LivePartition):
    with pytest.raises(Rejection) as refused:
        await live.do(c.HoldQueue("System"))

    assert refused.value.reason is Reason.QUEUE_IS_SYSTEM
