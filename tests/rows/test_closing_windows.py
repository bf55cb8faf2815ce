"""Rows of time windows that close before a process ran, in whatever it waits (domain.md B7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.model.definition import OverduePolicy, WaitEvent
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

JOB, HOLDER = "loader", "posting-run"
EVENT, LOCK, WINDOW = "bank-file", "ledger", "morning"


async def put(live: LivePartition, **fields: Any) -> None:
    await live.do(c.PutEvents((NamedEvent(EVENT),)))
    await live.do(c.PutLocks((Lock(LOCK),)))
    await live.define(JOB, Lifecycle.REDWOOD, **fields)
    await live.define(HOLDER, Lifecycle.REDWOOD, locks=(LockNeed(LOCK),))


def window(opens: str, closes: str) -> TimeWindow:
    hours = WindowRestriction(opens=opens, closes=closes)
    return TimeWindow(WINDOW, elements=(WindowElement((hours,)),))


P = OverduePolicy
#: The status in which the window closes, and the row of each policy.
CLOSINGS = {
    "scheduled": {
        P.OVERDUE: "TR-025",
        P.SCHEDULED: "TR-026",
        P.HELD: "TR-027",
        P.CANCELING: "TR-028",
    },
    "event": {
        P.OVERDUE: "TR-034",
        P.SCHEDULED: "TR-053",
        P.CANCELING: "TR-054",
        P.HELD: "TR-055",
    },
    "queue held": {
        P.OVERDUE: "TR-038",
        P.SCHEDULED: "TR-056",
        P.CANCELING: "TR-057",
        P.HELD: "TR-058",
    },
    "queued": {
        P.OVERDUE: "TR-044",
        P.SCHEDULED: "TR-059",
        P.CANCELING: "TR-060",
        P.HELD: "TR-061",
    },
    "lock": {
        P.OVERDUE: "TR-048",
        P.SCHEDULED: "TR-062",
        P.CANCELING: "TR-063",
        P.HELD: "TR-064",
    },
    "held": {P.OVERDUE: "TR-051", P.CANCELING: "TR-065"},
}
CASES = [
    pytest.param(place, policy, row, id=f"{place}-{policy.name.lower()}")
    for place, rows in CLOSINGS.items()
    for policy, row in rows.items()
]


async def waiting(live: LivePartition, place: str, **fields: Any) -> int:
    """A job that may start between 08:00 and 10:00, and waits there for something else."""
    gates: dict[str, dict[str, Any]] = {
        "event": {"wait_events": (WaitEvent(EVENT),)},
        "lock": {"locks": (LockNeed(LOCK),)},
    }
    needs = gates.get(place, {})
    await live.do(c.PutWindows((window("08:00", "10:00"),)))
    await put(live, window=WINDOW, **needs, **fields)
    if place == "lock":
        robot = await live.connect("robot-1")
        await started(live, robot, HOLDER)
    if place == "queue held":
        await live.do(c.HoldQueue("default"))
    job = await live.submit(JOB)
    if place == "held":
        await live.verb(Verb.HOLD, job)
    if place != "scheduled":
        await live.later(hours=8)
    return job


@pytest.mark.parametrize(("place", "policy", "row"), CASES)
async def test_a_process_does_not_run_before_its_window_closes(
    live: LivePartition, place, policy, row
):
    job = await waiting(live, place, overdue=policy)
    await live.later(hours=10 if place == "scheduled" else 2)

    await expect_rows(live, job, row, by="clock")
    if policy is P.CANCELING:
        await expect_rows(live, job, row, "TR-083")


async def test_an_overdue_process_is_rescheduled_held_or_canceled(live: LivePartition):
    jobs = [await waiting(live, "queued", overdue=P.OVERDUE)]
    jobs += [await live.submit(JOB) for _ in range(2)]
    await live.later(hours=2)
    for verb, job in zip((Verb.RESCHEDULE, Verb.HOLD, Verb.CANCEL), jobs, strict=True):
        await live.verb(verb, job)

    await expect_rows(live, jobs[0], "TR-044", "TR-066")
    await expect_rows(live, jobs[1], "TR-044", "TR-067")
    await expect_rows(live, jobs[2], "TR-044", "TR-068")


async def test_a_calendar_without_a_start_is_never_until_it_is_corrected(live: LivePartition):
    await live.do(c.PutWindows((TimeWindow(WINDOW),)))  # without elements: always closed
    await put(live, window=WINDOW)
    job = await live.submit(JOB)
    await live.do(c.PutWindows((window("08:00", "10:00"),)))
    await live.settle()
    await live.do(c.PutWindows((TimeWindow(WINDOW),)))
    await live.settle()

    await expect_rows(live, job, "TR-009", "TR-069", "TR-029")
    await expect_rows(live, job, "TR-009", "TR-069", "TR-029", by="system")
