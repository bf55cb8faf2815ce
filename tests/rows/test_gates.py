"""Rows of named events and locks: what keeps a process from running (domain.md B5, B6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import WaitEvent
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind
JOB, HOLDER = "loader", "posting-run"
EVENT, LOCK = "bank-file", "ledger"
HOUR_MS = 3_600_000
#: What may be done to a process that waits, and the value of the verb.
VERBS = {Verb.HOLD: 0, Verb.CANCEL: 0, Verb.RESCHEDULE: 4 * HOUR_MS}


async def do(live: LivePartition, verb: Verb, job: int) -> None:
    value = live.clock.now_ms() + VERBS[verb] if VERBS[verb] else 0
    await live.verb(verb, job, value=value)


async def put(live: LivePartition, **fields: Any) -> None:
    await live.do(c.PutEvents((NamedEvent(EVENT),)))
    await live.do(c.PutLocks((Lock(LOCK),)))
    await live.define(JOB, Lifecycle.REDWOOD, **fields)
    await live.define(HOLDER, Lifecycle.REDWOOD, locks=(LockNeed(LOCK),))


# -- events -------------------------------------------------------------------------------------


async def test_a_process_waits_for_its_event(live: LivePartition):
    await put(live, wait_events=(WaitEvent(EVENT),))
    job = await live.submit(JOB)
    await live.do(c.RaiseEvent(EVENT))

    await expect_rows(live, job, "TR-023", by="dispatcher")
    await expect_rows(live, job, "TR-023", "TR-032")


@pytest.mark.parametrize(
    ("verb", "row"),
    [(Verb.HOLD, "TR-033"), (Verb.CANCEL, "TR-035"), (Verb.RESCHEDULE, "TR-053")],
)
async def test_a_process_that_waits_for_its_event_is_held_canceled_or_rescheduled(
    live: LivePartition, verb, row
):
    await put(live, wait_events=(WaitEvent(EVENT),))
    job = await live.submit(JOB)
    await do(live, verb, job)

    await expect_rows(live, job, row, by="user")


# -- locks --------------------------------------------------------------------------------------


async def test_a_process_waits_for_its_lock(live: LivePartition):
    await put(live, locks=(LockNeed(LOCK),))
    robot = await live.connect()
    holder = await started(live, robot, HOLDER)
    job = await live.submit(JOB)
    await live.settle()
    await robot.report(K.COMPLETED, holder)

    await expect_rows(live, job, "TR-040", "TR-046", "TR-042")
    await expect_rows(live, job, "TR-040", "TR-046", by="dispatcher")


@pytest.mark.parametrize(
    ("verb", "row"),
    [(Verb.HOLD, "TR-047"), (Verb.CANCEL, "TR-049"), (Verb.RESCHEDULE, "TR-062")],
)
async def test_a_process_that_waits_for_its_lock_is_held_canceled_or_rescheduled(
    live: LivePartition, verb, row
):
    await put(live, locks=(LockNeed(LOCK),))
    robot = await live.connect()
    await started(live, robot, HOLDER)
    job = await live.submit(JOB)
    await live.settle()
    await do(live, verb, job)

    await expect_rows(live, job, "TR-040", row)
