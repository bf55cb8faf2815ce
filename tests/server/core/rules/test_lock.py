"""Locks: all that a job needs or nothing, in the dispatch order, and never more than there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.lock import Lock, LockKind, LockNeed
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import IS_FINAL, Lifecycle, Status
from tests.support.core_driver import CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

S = Status
LEDGER = "ledger"


def driver(*locks: Lock) -> CoreDriver:
    core = CoreDriver()
    core.accepted(c.PutLocks(locks or (Lock(LEDGER),)))
    return core


def define(core: CoreDriver, name: str, *needs: LockNeed) -> None:
    core.define(name, Lifecycle.REDWOOD, locks=needs)


def go(core: CoreDriver) -> None:
    """What the engine does after each group."""
    while core.world.lock_lines.dirty or core.world.lanes.dirty:
        core.take(c.GrantLocks(), Actor.DISPATCHER, "dispatcher")
        core.dispatch()


def end(core: CoreDriver, job: Job) -> None:
    core.report(ReportKind.STARTED, job)
    core.report(ReportKind.COMPLETED, job)
    go(core)


def rows(job: Job) -> list[str]:
    return [row.id for entry in job.history if (row := ROWS[entry.row])]


@pytest.fixture
def core() -> CoreDriver:
    core = driver()
    define(core, "posting", LockNeed(LEDGER))
    core.connect()
    return core


def test_a_lock_lets_one_run_and_the_next_wait(core):
    first, second = core.submit("posting"), core.submit("posting")
    core.dispatch()

    assert (first.status, second.status) == (S.REDWOOD_DISPATCHED, S.REDWOOD_LOCK_WAIT)
    assert rows(second)[-1] == "TR-040"
    assert (second.awaits_lock, second.locks) == (LEDGER, ())
    assert second.history[-1].cause.reason == "waits for lock ledger"
    assert core.world.lock_lines.holders == {LEDGER: {first.id: 1}}

    end(core, first)

    assert rows(second)[-2:] == ["TR-046", "TR-042"]
    assert path(second) == "New Scheduled Queued LockWait Queued Dispatched"
    assert core.world.lock_lines.holders == {LEDGER: {second.id: 1}}
    core.check_replay()


@pytest.mark.parametrize("kind", [ReportKind.WAITING, ReportKind.ASKED])
def test_a_holder_keeps_its_lock_until_it_is_final(core, kind):
    first, second = core.submit("posting"), core.submit("posting")
    core.dispatch()
    core.report(ReportKind.STARTED, first)
    core.report(kind, first, question=c.Question("go on?", reply_required=True))
    go(core)
    assert first.status in {S.REDWOOD_WAITING, S.REDWOOD_CONSOLE}
    assert second.status == S.REDWOOD_LOCK_WAIT

    core.verb(Verb.KILL, first)
    core.report(ReportKind.KILLED, first)
    go(core)

    assert second.status == S.REDWOOD_DISPATCHED


def test_an_offer_that_comes_to_nothing_gives_the_lock_back(core):
    first = core.submit("posting")
    core.dispatch()
    core.report(ReportKind.REFUSED, first)

    assert first.status == S.REDWOOD_QUEUED
    assert core.world.lock_lines.holders == {}


@pytest.mark.parametrize(
    ("verb", "row"), [(Verb.HOLD, "TR-047"), (Verb.CANCEL, "TR-049"), (Verb.RESCHEDULE, "TR-062")]
)
def test_a_job_that_leaves_the_line_lets_the_next_one_through(core, verb, row):
    first, second, third = core.submit("posting"), core.submit("posting"), core.submit("posting")
    core.dispatch()

    core.verb(verb, second, value=core.now_ms + 60_000)
    end(core, first)

    assert row in rows(second)
    assert second.awaits_lock == ""
    assert third.status == S.REDWOOD_DISPATCHED
    core.check_replay()


def test_a_granted_lock_stays_reserved_while_no_robot_is_free(core):
    first, second, third = core.submit("posting"), core.submit("posting"), core.submit("posting")
    core.dispatch()
    core.accepted(c.DrainSession("robot-1", core.epochs["robot-1"]))

    end(core, first)

    assert second.status == S.REDWOOD_QUEUED
    assert core.world.lock_lines.holders == {LEDGER: {second.id: 1}}
    core.connect("robot-2", "posting")
    assert second.status == S.REDWOOD_DISPATCHED

    assert third.status == S.REDWOOD_LOCK_WAIT


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.CANCEL])
def test_a_reserved_lock_is_given_back_by_a_job_that_does_not_start(core, verb):
    first, second, third = core.submit("posting"), core.submit("posting"), core.submit("posting")
    core.dispatch()
    core.accepted(c.DrainSession("robot-1", core.epochs["robot-1"]))
    end(core, first)

    core.verb(verb, second)
    go(core)

    assert second.locks == ()
    assert core.world.lock_lines.holders == {LEDGER: {third.id: 1}}
    core.check_replay()


def test_a_grant_into_a_held_queue_reserves_nothing(core):
    first, second = core.submit("posting"), core.submit("posting")
    core.dispatch()
    core.accepted(c.HoldQueue("default"))
    core.follow_queues()
    end(core, first)

    assert path(second).endswith("LockWait Queued QueueHeld")
    assert core.world.lock_lines.holders == {}


def test_the_first_in_the_dispatch_order_is_first_in_line(core):
    first, low = core.submit("posting"), core.submit("posting", priority=10)
    core.dispatch()
    high = core.submit("posting", priority=90)
    core.dispatch()
    raised = core.submit("posting", priority=5)
    core.dispatch()
    core.verb(Verb.SET_PRIORITY, raised, value=95)

    ended = [first]
    end(core, first)
    for _ in range(3):
        (running,) = (job for job in (low, high, raised) if job.status == S.REDWOOD_DISPATCHED)
        ended.append(running)
        end(core, running)

    assert ended == [first, raised, high, low]


def test_nobody_passes_by_who_stands_before_them():
    core = driver(Lock("licence", kind=LockKind.COUNTED, counts=3))
    define(core, "one", LockNeed("licence", 1))
    define(core, "three", LockNeed("licence", 3))
    core.connect()
    first = core.submit("one")
    core.dispatch()
    big = core.submit("three", priority=60)
    core.dispatch()
    late, early = core.submit("one"), core.submit("one", priority=90)
    core.dispatch()

    assert big.status == S.REDWOOD_LOCK_WAIT
    assert late.status == S.REDWOOD_LOCK_WAIT  # though two counts are free
    assert early.status == S.REDWOOD_DISPATCHED  # before the big one anyhow

    end(core, first)
    end(core, early)
    assert (big.status, late.status) == (S.REDWOOD_DISPATCHED, S.REDWOOD_LOCK_WAIT)


def test_shared_and_exclusive():
    core = driver(Lock("data", kind=LockKind.SHARED_EXCLUSIVE, counts=2))
    define(core, "read", LockNeed("data"))
    define(core, "write", LockNeed("data", exclusive=True))
    core.connect()
    one, two, three = (core.submit("read") for _ in range(3))
    core.dispatch()
    assert [job.status for job in (one, two, three)].count(S.REDWOOD_LOCK_WAIT) == 1
    writer = core.submit("write", priority=99)
    core.dispatch()

    end(core, one)
    assert (writer.status, three.status) == (S.REDWOOD_LOCK_WAIT, S.REDWOOD_LOCK_WAIT)
    end(core, two)
    assert (writer.status, three.status) == (S.REDWOOD_DISPATCHED, S.REDWOOD_LOCK_WAIT)

    # More counts do not let anybody in beside who has it exclusively.
    core.accepted(c.PutLocks((Lock("data", kind=LockKind.SHARED_EXCLUSIVE, counts=9),)))
    go(core)
    assert three.status == S.REDWOOD_LOCK_WAIT
    end(core, writer)
    assert three.status == S.REDWOOD_DISPATCHED
    core.check_replay()


def test_several_locks_are_had_together_or_not_at_all():
    core = driver(Lock("a"), Lock("b"))
    define(core, "only-a", LockNeed("a"))
    define(core, "only-b", LockNeed("b"))
    define(core, "both", LockNeed("a"), LockNeed("b"))
    core.connect()
    has_a, has_b = core.submit("only-a"), core.submit("only-b")
    core.dispatch()
    both = core.submit("both")
    core.dispatch()
    assert both.awaits_lock == "a"

    end(core, has_a)
    assert (both.status, both.awaits_lock, both.locks) == (S.REDWOOD_LOCK_WAIT, "b", ())
    assert "a" not in core.world.lock_lines.holders

    end(core, has_b)
    assert both.status == S.REDWOOD_DISPATCHED
    core.check_replay()


def test_fewer_counts_take_nothing_away():
    core = driver(Lock("licence", kind=LockKind.COUNTED, counts=3))
    define(core, "one", LockNeed("licence"))
    core.connect()
    jobs = [core.submit("one") for _ in range(4)]
    core.dispatch()

    core.accepted(c.PutLocks((Lock("licence", kind=LockKind.COUNTED, counts=1),)))
    assert core.world.lock_lines.held("licence") == 3
    end(core, jobs[0])
    end(core, jobs[1])
    assert jobs[3].status == S.REDWOOD_LOCK_WAIT
    end(core, jobs[2])
    assert jobs[3].status == S.REDWOOD_DISPATCHED


def test_more_counts_let_the_next_through(core):
    core.submit("posting")
    second = core.submit("posting")
    core.dispatch()

    core.accepted(c.PutLocks((Lock(LEDGER, kind=LockKind.COUNTED, counts=2),)))
    go(core)

    assert second.status == S.REDWOOD_DISPATCHED


def test_a_definition_that_needs_less_now_lets_its_jobs_go(core):
    core.submit("posting")
    second = core.submit("posting")
    core.dispatch()
    assert second.status == S.REDWOOD_LOCK_WAIT

    define(core, "posting")
    go(core)

    assert second.status == S.REDWOOD_DISPATCHED
    assert second.locks == ()
    core.check_replay()


def test_what_nobody_could_ever_have_is_refused(core):
    def refused(command: c.Command) -> Reason:
        answer = core.take(command)
        assert isinstance(answer, Rejection)
        return answer.reason

    def needing(*needs: LockNeed) -> c.PutDefinitions:
        definition = core.world.definitions["posting"]
        return c.PutDefinitions((type(definition)("other", definition.lifecycle, locks=needs),))

    assert refused(needing(LockNeed("nothing"))) is Reason.LOCK_NOT_FOUND
    assert refused(needing(LockNeed(LEDGER, 2))) is Reason.INVALID_FIELD
    assert refused(needing(LockNeed(LEDGER, exclusive=True))) is Reason.INVALID_FIELD
    assert refused(needing(LockNeed(LEDGER), LockNeed(LEDGER))) is Reason.INVALID_FIELD
    core.accepted(c.PutLocks((Lock("wide", kind=LockKind.COUNTED, counts=5),)))
    core.accepted(needing(LockNeed("wide", 5)))
    assert refused(c.PutLocks((Lock("wide"),))) is Reason.CONFLICTING_DEFINITION


def test_a_lock_in_use_stays(core):
    def reason(*names: str) -> Reason:
        answer = core.take(c.DeleteLocks(names))
        assert isinstance(answer, Rejection)
        return answer.reason

    job = core.submit("posting")
    assert reason("nothing") is Reason.LOCK_NOT_FOUND
    assert reason(LEDGER) is Reason.IN_USE
    core.dispatch()
    define(core, "posting")
    assert reason(LEDGER) is Reason.IN_USE
    end(core, job)
    core.accepted(c.DeleteLocks((LEDGER,)))
    core.check_replay()


LOCKS = (
    Lock("a"),
    Lock("b", kind=LockKind.COUNTED, counts=3),
    Lock("c", kind=LockKind.SHARED_EXCLUSIVE, counts=2),
)
_needs = st.builds(
    lambda a, b, c_: tuple(
        need
        for need in (
            LockNeed("a") if a else None,
            LockNeed("b", b) if b else None,
            LockNeed("c", max(1, c_), exclusive=c_ == 0) if c_ < 3 else None,
        )
        if need is not None
    ),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 4),
)
_steps = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(1, 99)), min_size=5, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(needs=st.lists(_needs, min_size=2, max_size=4), steps=_steps)
def test_never_more_than_there_is_and_nobody_waits_for_nothing(needs, steps):
    core = driver(*LOCKS)
    for number, each in enumerate(needs):
        define(core, f"job-{number}", *each)
    core.connect(slots=4)
    for what, place, number in steps:
        live = [job for job in core.world.jobs.values() if not IS_FINAL[job.status]]
        job = live[place % len(live)] if live else None
        if job is None or what < 3:
            core.submit(f"job-{number % len(needs)}", priority=number)
        elif what == 3 and job.attached and job.status == S.REDWOOD_DISPATCHED:
            core.report(ReportKind.STARTED, job)
            core.report(ReportKind.COMPLETED if number % 2 else ReportKind.FAILED, job)
        elif what == 4:
            core.verb(Verb.SET_PRIORITY, job, value=number)
        elif what == 5:
            core.verb(Verb.HOLD if number % 2 else Verb.RELEASE, job)
        elif what == 6:
            core.verb(Verb.CANCEL, job)
            if job.status == S.REDWOOD_CANCELING:
                core.report(ReportKind.CANCEL_CONFIRMED, job)
        go(core)
        for lock in LOCKS:
            assert core.world.lock_lines.held(lock.name) <= lock.counts
    for _ in range(len(core.world.jobs) + 1):
        for job in list(core.world.jobs.values()):
            if job.status == S.REDWOOD_HELD:
                core.verb(Verb.RELEASE, job)
            if job.status == S.REDWOOD_DISPATCHED:
                end(core, job)
        go(core)
    assert all(IS_FINAL[job.status] for job in core.world.jobs.values())
    assert core.world.lock_lines.holders == {}
    assert core.world.lock_lines.members == {}
    core.check_replay()
