"""The stories of domain.md D about events, locks and actions: S12, S15."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import AutoSubmit, Rule, RuleEffect, WaitEvent
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import START, started

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind
LOADER, POSTING = "load-file", "posting-run"
ASSIGNED = "New Scheduled Queued Dispatched Assigned"


async def bank(live: LivePartition, **loader: Any) -> None:
    await live.do(c.PutEvents((NamedEvent("bank-file"),)))
    await live.do(c.PutLocks((Lock("ledger"),)))
    await live.define(
        LOADER,
        Lifecycle.REDWOOD,
        wait_events=(WaitEvent("bank-file", clears=True),),
        locks=(LockNeed("ledger"),),
        **loader,
    )
    await live.define(POSTING, Lifecycle.REDWOOD, locks=(LockNeed("ledger"),))


async def test_s12_the_loader_waits_for_its_file_and_then_for_the_posting_run(
    live: LivePartition,
):
    await bank(live)
    robot = await live.connect()
    posting = await started(live, robot, POSTING)
    await robot.report(K.WAITING, posting)
    loader, second = await live.submit(LOADER), await live.submit(LOADER)
    assert await live.paths(loader, second) == ["New Scheduled EventWait"] * 2

    await live.do(c.RaiseEvent("bank-file", "the first file"))
    await live.settle()
    assert await live.path(loader) == "New Scheduled EventWait Queued LockWait"
    assert await live.path(second) == "New Scheduled EventWait"  # the loader took the file
    await live.do(c.RaiseEvent("bank-file", "the second file"))
    await live.settle()

    await robot.report(K.WAIT_OVER, posting)  # it keeps the lock while it waits and runs
    assert (await live.path(loader)).endswith("LockWait")
    await robot.report(K.COMPLETED, posting)
    await robot.report(K.STARTED, loader)
    assert (await live.path(second)).endswith("LockWait")
    await robot.report(K.COMPLETED, loader)

    path = f"New Scheduled EventWait Queued LockWait {START.removeprefix('New Scheduled ')}"
    assert await live.path(loader) == f"{path} Completed"
    assert await live.path(posting) == f"{START} Waiting Running Completed"
    changes = await live.changes()
    assert changes.index((posting, "Running>Completed")) < changes.index(
        (loader, "LockWait>Queued")
    )
    assert changes.index((loader, "Running>Completed")) < changes.index((second, "LockWait>Queued"))


async def test_s12_of_two_loaders_the_one_with_the_higher_priority_gets_the_lock(
    live: LivePartition,
):
    await bank(live)
    robot = await live.connect()
    posting = await started(live, robot, POSTING)
    early, late, urgent = [
        await live.submit(LOADER, priority=priority) for priority in (50, 50, 80)
    ]
    for _ in range(3):
        await live.do(c.RaiseEvent("bank-file"))
    await live.settle()

    await robot.report(K.COMPLETED, posting)
    for job in (urgent, early, late):
        await live.settle()
        assert (await live.path(job)).endswith("LockWait Queued Dispatched")
        await robot.report(K.COMPLETED, job)


# -- S15 ----------------------------------------------------------------------------------------


async def month_end(live: LivePartition, **fields: Any) -> Any:
    await live.define("close", Lifecycle.REDWOOD, **fields)
    return await live.connect("robot-1", "close", actions=True)


async def test_s15_a_post_running_action_accepts_return_code_4(live: LivePartition):
    robot = await month_end(
        live,
        pre_running=(Rule("false", RuleEffect.HOLD),),
        post_running=(Rule("job.return_code == 4", RuleEffect.COMPLETE),),
    )
    job = await live.submit("close")
    await robot.report(K.ACCEPTED, job)
    began_ms = live.clock.now_ms()
    await robot.report(K.STARTED, job)
    await live.later(minutes=5)
    await robot.report(K.COMPLETED, job, return_code=4)

    assert await live.path(job) == f"{ASSIGNED} PreRunning Running PostRunning Completed"
    found = await live.job(job)
    # The run time includes PreRunning and leaves PostRunning out (C4.10).
    assert (found.run_from_ms, found.run_to_ms) == (began_ms, began_ms + 300_000)


async def test_s15_a_pre_running_action_holds_it_while_month_end_is_open(live: LivePartition):
    await live.do(c.PutLocks((Lock("ledger"),)))
    open_ = "job.restarts == 0 && job.priority == 50"
    robot = await month_end(
        live,
        locks=(LockNeed("ledger"),),
        pre_running=(Rule(open_, RuleEffect.HOLD, reason="month-end is open"),),
        post_running=(Rule("false", RuleEffect.COMPLETE),),
    )
    job = await live.submit("close")
    await robot.report(K.ACCEPTED, job)
    held = await live.job(job)
    assert (held.attached, held.locks) == (False, ())  # slot and locks are free
    await live.verb(Verb.SET_PRIORITY, job, value=60)
    await live.verb(Verb.RELEASE, job)
    await robot.report(K.ACCEPTED, job)
    await robot.report(K.STARTED, job)
    await robot.report(K.FAILED, job)

    again = "Scheduled Queued Dispatched Assigned PreRunning Running PostRunning Error"
    assert await live.path(job) == f"{ASSIGNED} PreRunning Held {again}"


async def test_s15_a_pre_running_action_that_fails_is_an_error(live: LivePartition):
    robot = await month_end(live, pre_running=(Rule("true", RuleEffect.FAIL),))
    job = await live.submit("close")
    await robot.report(K.ACCEPTED, job)

    assert await live.path(job) == f"{ASSIGNED} PreRunning Error"


async def test_s12_a_file_that_nobody_waits_for_submits_a_loader(live: LivePartition):
    await bank(live, auto_submit=AutoSubmit.ALWAYS)
    await live.do(c.RaiseEvent("bank-file", "the first file"))
    await live.settle()
    (loader,) = [job.id for job in live.partition.world.jobs.values() if job.definition == LOADER]

    assert await live.path(loader) == "New Scheduled Queued"
    assert (await live.events(loader))[0].actor == "named_event"
