"""What has to hold of a World is noticed when it does not: each check can fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import invariants
from interlock_server.core.command import ReportKind
from interlock_server.core.model.job import NEVER_MS, StopStrategy
from interlock_server.core.model.lock import HeldLock, Lock
from interlock_server.core.model.named_event import NamedEvent, Raise
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import UIPATH, CoreDriver
from tests.support.placed_job import placed

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.world import World

S = Status


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_a_job_in_any_status_can_be_whole(status):
    core, _ = placed(status)

    invariants.check(core.world)


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (S.UIPATH_RUNNING, {"ended_ms": 5}, "end time is set exactly while it is final"),
        (S.UIPATH_FAULTED, {"ended_ms": 0}, "end time is set exactly while it is final"),
        (S.UIPATH_PENDING, {"run_start_ms": 5}, "has no run start"),
        (S.UIPATH_TERMINATING, {"terminating_since_ms": 0}, "terminating_since is set"),
        (S.UIPATH_RUNNING, {"terminating_since_ms": 5}, "terminating_since is set"),
        (S.UIPATH_STOPPING, {"stop_strategy": StopStrategy.KILL}, "means a soft stop"),
        (S.REDWOOD_NEVER, {"start_ms": 5}, "Never means a start in 2999"),
        (S.REDWOOD_SCHEDULED, {"start_ms": NEVER_MS}, "a start in 2999 means Never"),
        (S.REDWOOD_UNCERTAIN, {"uncertain_until_ms": 0}, "has a deadline"),
        (S.REDWOOD_RUNNING, {"robot": ""}, "a robot has it, but none is named"),
        (S.REDWOOD_RUNNING, {"fence": 0}, "a robot has it without a fence"),
        (S.UIPATH_SUSPENDED, {"attached": True, "fence": 1}, "holds no robot"),
        (S.REDWOOD_RUNNING, {"robot": "robot-2"}, "its robot does not know of it"),
        (S.REDWOOD_RUNNING, {"history": "cut"}, "its history ends in its status"),
        (S.REDWOOD_RUNNING, {"queue": "night"}, "queue loads differ"),
        (S.REDWOOD_QUEUED, {"priority": 99}, "stands in no lane"),
        (S.REDWOOD_EVENT_WAIT, {"priority": 99}, "lacks the place of a job"),
        (S.REDWOOD_EVENT_WAIT, {"events_missing": ()}, "exactly while it is in EventWait"),
        (S.REDWOOD_EVENT_WAIT, {"events_seen": ("FILE_ARRIVED",)}, "is waited for once (C4.8)"),
        (S.REDWOOD_QUEUED, {"events_again_ms": 5}, "looked at again only in EventWait"),
        (S.REDWOOD_EVENT_WAIT, {"events_again_ms": 5}, "among the deadlines"),
        (S.REDWOOD_LOCK_WAIT, {"awaits_lock": ""}, "exactly while it is in LockWait"),
        (S.REDWOOD_LOCK_WAIT, {"locks": (HeldLock("a", 1),)}, "holds no lock (C4.7)"),
        (S.REDWOOD_RUNNING, {"locks": (HeldLock("a", 1),)}, "who holds locks differs"),
    ],
)
def test_a_field_that_does_not_fit_the_status_is_found(
    status, fields: dict[str, Any], expected: str
):
    core, job = placed(status)
    for name, value in fields.items():
        if name == "history":
            job.history[-1] = type(job.history[-1])(1, 5, job.history[-1].cause)
        else:
            setattr(job, name, value)

    assert any(expected in problem for problem in invariants.problems(core.world))


@pytest.mark.parametrize(
    ("status", "harm", "expected"),
    [
        (S.REDWOOD_RUNNING, lambda world: world.robot_jobs.clear(), "jobs of robots differ"),
        (S.REDWOOD_RUNNING, lambda world: world.queue_load.clear(), "queue loads differ"),
        (S.REDWOOD_QUEUE_HELD, lambda world: world.queue_held.clear(), "jobs in QueueHeld differ"),
        (S.REDWOOD_CONSOLE, lambda world: world.open_messages.clear(), "open messages differ"),
        (S.REDWOOD_QUEUED, lambda world: world.lanes.by_key.clear(), "stands in no lane"),
        (S.UIPATH_TERMINATING, lambda world: world.terminating.clear(), "in Terminating differ"),
        (S.UIPATH_SUSPENDED, lambda world: world.resume_by_key.clear(), "jobs wait for differs"),
        (S.REDWOOD_UNCERTAIN, lambda world: world.deadlines.clear(), "among the deadlines"),
        (S.REDWOOD_NEW, lambda world: world.status_counts.append(1), "status counts differ"),
        (S.REDWOOD_NEW, lambda world: world.live_counts.clear(), "counts of live jobs differ"),
        (S.REDWOOD_NEW, lambda world: world.auto_submits.update(a={"b": None}), "events submit"),
        (S.REDWOOD_EVENT_WAIT, lambda world: world.event_lines.members.clear(), "waits for event"),
        (S.REDWOOD_EVENT_WAIT, lambda world: world.events.clear(), "which is not there"),
        (S.REDWOOD_EVENT_WAIT, lambda world: _raise(world, "FILE_ARRIVED"), "still wait for it"),
        (S.REDWOOD_LOCK_WAIT, lambda world: world.lock_lines.members.clear(), "waits for lock"),
        (S.REDWOOD_LOCK_WAIT, lambda world: _free(world, "ledger"), "which it could have"),
        (
            S.REDWOOD_LOCK_WAIT,
            lambda world: world.lock_lines.holders.update(ledger={9: 1}),
            "who holds locks differs",
        ),
    ],
)
def test_an_index_that_differs_from_a_scan_is_found(
    status, harm: Callable[[Any], None], expected: str
):
    core, _ = placed(status)

    harm(core.world)

    assert any(expected in problem for problem in invariants.problems(core.world))


def _raise(world: World, event: str) -> None:
    world.events[event] = NamedEvent(event, raises=(Raise(5, "ann"),))


def _free(world: World, lock: str) -> None:
    world.locks[lock] = Lock(lock)
    world.lock_lines.dirty.clear()


def test_more_held_than_there_is_and_others_beside_an_exclusive_holder_are_found():
    core, job = placed(S.REDWOOD_RUNNING)
    core.world.locks["a"] = Lock("a", version=1)
    job.locks = (HeldLock("a", 2, exclusive=True),)
    core.world.lock_lines.hold(job)
    core.world.lock_lines.holders["a"][999] = 1

    found = list(invariants.problems(core.world))

    assert any("more is held of lock 'a'" in problem for problem in found)
    core.world.lock_lines.holders["a"].pop(999)
    core.checked = False
    other = core.submit()
    other.locks = (HeldLock("a", 1),)
    core.world.lock_lines.hold(other)
    assert any("held exclusively, and by others" in p for p in invariants.problems(core.world))


def test_two_pending_twins_are_found():
    core = CoreDriver(checked=False).with_both()
    core.submit(UIPATH, robot="robot-1")
    core.world.pending_twins.clear()
    core.submit(UIPATH, robot="robot-1")

    assert any("two Pending jobs" in problem for problem in invariants.problems(core.world))


def test_two_foreground_jobs_on_one_robot_are_found():
    core = CoreDriver(checked=False)
    core.define("screen", Lifecycle.UIPATH)
    first, second = core.submit("screen"), core.submit("screen")
    core.connect()
    core.report(ReportKind.STARTED, first, second)
    core.define("screen", Lifecycle.UIPATH, foreground=True)

    assert any("two foreground jobs" in problem for problem in invariants.problems(core.world))


def test_a_pool_that_was_not_told_of_a_waiting_job_is_found():
    core = CoreDriver(checked=False).with_both()
    core.connect()
    core.submit()
    for pool in core.world.lanes.pools.values():
        for shelf in pool.shelves.values():
            shelf.announced.clear()

    assert any("was not told" in problem for problem in invariants.problems(core.world))
