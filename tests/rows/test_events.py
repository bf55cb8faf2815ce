"""Rows of the gates for named events and locks (domain.md B3.4, B3.7, B5, B6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import AutoSubmit, EventRaise, WaitEvent
from interlock_server.core.model.lock import Lock, LockKind, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
FILE = "FILE_ARRIVED"
LEDGER = "ledger"
MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
async def catalog(live: LivePartition) -> None:
    await live.do(c.PutEvents((NamedEvent(FILE, "from the bank"),)))
    await live.do(c.PutLocks((Lock(LEDGER, "one posting at a time"),)))


async def define_loader(live: LivePartition, *, locks: bool = False, **fields: Any) -> None:
    """It loads a file that has arrived, and leaves nothing for the next one."""
    await live.define(
        "loader",
        Lifecycle.REDWOOD,
        wait_events=(WaitEvent(FILE, clears=True),),
        locks=(LockNeed(LEDGER),) if locks else (),
        **fields,
    )


async def define_posting(live: LivePartition) -> None:
    await live.define("posting", Lifecycle.REDWOOD, locks=(LockNeed(LEDGER),))


async def complete(live: LivePartition, robot: LiveRobot, job: int) -> None:
    if not (await live.path(job)).endswith("Running"):
        await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)


async def test_the_last_missing_event_queues_a_job(live: LivePartition):
    await define_loader(live)
    job = await live.submit("loader")
    await live.do(c.RaiseEvent(FILE, "bank.csv"), author="ann")

    await expect_rows(live, job, "TR-023", by="dispatcher")
    await expect_rows(live, job, "TR-023", "TR-032")
    (_, raised) = (await live.events(job))[-2:]
    assert (raised.actor, raised.author, raised.reason) == ("named_event", FILE, "bank.csv")


async def test_an_event_that_is_raised_holds_nobody_up(live: LivePartition):
    await define_loader(live)
    await live.do(c.RaiseEvent(FILE))
    job = await live.submit("loader")

    await expect_rows(live, job, "TR-022", by="dispatcher")


@pytest.mark.parametrize(("verb", "row"), [(Verb.HOLD, "TR-033"), (Verb.CANCEL, "TR-035")])
async def test_a_job_that_waits_for_an_event_is_held_or_canceled(live: LivePartition, verb, row):
    await define_loader(live)
    job = await live.submit("loader")
    await live.verb(verb, job)

    await expect_rows(live, job, "TR-023", row)
    await expect_rows(live, job, row, by="user")


async def test_a_job_that_waits_for_an_event_gets_another_start(live: LivePartition):
    await define_loader(live)
    job = await live.submit("loader")
    await live.verb(Verb.RESCHEDULE, job, value=live.clock.now_ms() + MINUTE_MS)

    await expect_rows(live, job, "TR-023", "TR-053")


async def test_events_come_before_the_hold_of_a_queue(live: LivePartition):
    await define_loader(live)
    job = await live.submit("loader")
    await live.do(c.HoldQueue("default"))
    await live.do(c.RaiseEvent(FILE))

    await expect_rows(live, job, "TR-023", "TR-032", "TR-041")
    await live.do(c.RaiseEvent(FILE))
    after = await live.submit("loader")
    await expect_rows(live, after, "TR-024", by="dispatcher")


async def test_a_job_raises_by_reaching_a_status_and_a_raise_submits_another(live: LivePartition):
    await define_loader(live, auto_submit=AutoSubmit.ALWAYS)
    done = EventRaise(FILE, statuses=(int(Status.REDWOOD_COMPLETED),), comment="fetched")
    await live.define("fetch", Lifecycle.REDWOOD, event_raises=(done,))
    robot = await live.connect()
    fetch = await live.submit("fetch")
    await complete(live, robot, fetch)
    await live.settle()

    loader = fetch + 1
    await expect_rows(live, loader, "TR-001", by="named_event")
    await expect_rows(live, loader, "TR-001", "TR-003", "TR-022", "TR-042")


async def test_a_lock_that_is_taken_lets_a_job_wait_and_run_after(live: LivePartition):
    await define_posting(live)
    robot = await live.connect()
    holder = await started(live, robot, "posting")
    waiting = await live.submit("posting")
    await complete(live, robot, holder)

    await expect_rows(live, waiting, "TR-040", "TR-046", "TR-042", by="dispatcher")


@pytest.mark.parametrize(
    ("verb", "row"),
    [(Verb.HOLD, "TR-047"), (Verb.CANCEL, "TR-049"), (Verb.RESCHEDULE, "TR-062")],
)
async def test_a_job_that_waits_for_a_lock_is_held_canceled_or_rescheduled(
    live: LivePartition, verb, row
):
    await define_posting(live)
    robot = await live.connect()
    await started(live, robot, "posting")
    waiting = await live.submit("posting")
    await live.verb(verb, waiting, value=live.clock.now_ms() + MINUTE_MS)

    await expect_rows(live, waiting, "TR-040", row)
    await expect_rows(live, waiting, row, by="user")


async def test_a_lock_and_its_line_outlive_the_server(live: LivePartition):
    await define_posting(live)
    robot = await live.connect()
    holder = await started(live, robot, "posting")
    waiting = await live.submit("posting")
    await live.settle()
    await live.kill()
    robot = await live.connect(running=(c.RunningJob(holder, 1),))
    assert (await live.path(waiting)).endswith("LockWait")
    await robot.report(K.COMPLETED, holder, fence=1)

    await expect_rows(live, waiting, "TR-040", "TR-046", "TR-042")


async def test_a_bank_file_is_loaded_never_beside_the_posting_run(live: LivePartition):
    """S12: event, then lock; the more urgent loader first."""
    await define_loader(live, locks=True)
    await define_posting(live)
    robot = await live.connect()
    posting = await started(live, robot, "posting")
    await robot.report(K.WAITING, posting)
    low, high = await live.submit("loader"), await live.submit("loader", priority=80)
    await live.do(c.RaiseEvent(FILE, "first"))
    await live.do(c.RaiseEvent(FILE, "second"))
    await live.settle()
    assert (await live.path(low)).endswith("LockWait")
    assert (await live.path(high)).endswith("LockWait")

    await robot.report(K.WAIT_OVER, posting)
    await complete(live, robot, posting)
    assert (await live.path(low)).endswith("LockWait")
    await complete(live, robot, high)
    await complete(live, robot, low)

    for loader in (high, low):
        await expect_rows(live, loader, "TR-023", "TR-032", "TR-040", "TR-046", "TR-042", "TR-090")
    await expect_rows(live, posting, "TR-093", "TR-109", "TR-090")


async def test_what_is_shared_is_not_had_exclusively(live: LivePartition):
    await live.do(c.PutLocks((Lock("data", kind=LockKind.SHARED_EXCLUSIVE, counts=2),)))
    await live.define("read", Lifecycle.REDWOOD, locks=(LockNeed("data"),))
    await live.define("write", Lifecycle.REDWOOD, locks=(LockNeed("data", exclusive=True),))
    robot = await live.connect()
    readers = [await started(live, robot, "read") for _ in range(2)]
    writer = await live.submit("write")
    for reader in readers:
        await complete(live, robot, reader)

    await expect_rows(live, writer, "TR-040", "TR-046", "TR-042")
