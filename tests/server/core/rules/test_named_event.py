"""Named events: raised, pending, cleared, and handed to who waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.model.definition import WaitEvent
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

FILE = "FILE_ARRIVED"
BOOK = "BOOK_OPEN"


@pytest.fixture
def core() -> CoreDriver:
    core = CoreDriver()
    core.accepted(c.PutEvents((NamedEvent(FILE), NamedEvent(BOOK))))
    return core


def loader(core: CoreDriver, *events: str, clears: bool = False, **fields: Any) -> None:
    waits = tuple(WaitEvent(event, clears=clears) for event in events or (FILE,))
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits, **fields)


def pending(core: CoreDriver, event: str = FILE) -> int:
    return len(core.world.events[event].raises)


def went_by(job: Job) -> str:
    row = ROWS[job.history[-1].row]
    assert row is not None
    return row.id


def test_a_raise_is_raised_first_and_pending_after(core):
    first = core.accepted(c.RaiseEvent(FILE, "monday"), author="ann")
    second = core.accepted(c.RaiseEvent(FILE, "tuesday"), author="bob")

    assert [(each.by, each.comment) for each in second.raises] == [
        ("ann", "monday"),
        ("bob", "tuesday"),
    ]
    assert first.is_raised
    assert first.raises[0].at_ms == core.now_ms

    assert core.accepted(c.ClearEvent(FILE)).raises == second.raises[1:]
    assert core.accepted(c.ClearEvent(FILE)).raises == ()
    refused = core.take(c.ClearEvent(FILE))
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.EVENT_NOT_RAISED
    core.check_replay()


def test_raises_are_bounded(core):
    core.checked = False
    for _ in range(1_000):
        core.accepted(c.RaiseEvent(FILE))

    refused = core.take(c.RaiseEvent(FILE))

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.TOO_LARGE
    assert pending(core) == 1_000


@pytest.mark.parametrize(
    "command", [c.RaiseEvent("no"), c.ClearEvent("no"), c.DeleteEvents(("no",))]
)
def test_an_event_that_is_not_there_is_refused(core, command):
    refused = core.take(command)

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.EVENT_NOT_FOUND


def test_a_job_waits_until_all_its_events_are_raised(core):
    loader(core, FILE, BOOK)
    job = core.submit("loader")

    assert (job.status, job.events_missing) == (Status.REDWOOD_EVENT_WAIT, (FILE, BOOK))
    assert went_by(job) == "TR-023"

    core.accepted(c.RaiseEvent(BOOK))
    assert (job.status, job.events_missing) == (Status.REDWOOD_EVENT_WAIT, (FILE,))

    core.accepted(c.RaiseEvent(FILE, "bank.csv"))
    assert went_by(job) == "TR-032"
    assert (job.events_seen, job.events_missing) == ((BOOK, FILE), ())
    cause = job.history[-1].cause
    assert (cause.actor, cause.author, cause.reason) == (Actor.NAMED_EVENT, FILE, "bank.csv")
    assert (pending(core), pending(core, BOOK)) == (1, 1)
    core.check_replay()


def test_what_is_raised_already_is_not_waited_for(core):
    loader(core)
    core.accepted(c.RaiseEvent(FILE))

    job = core.submit("loader")

    assert path(job) == "New Scheduled Queued"
    assert job.events_seen == (FILE,)


def test_an_event_is_waited_for_once(core):
    loader(core)
    core.accepted(c.RaiseEvent(FILE))
    job = core.submit("loader")
    core.accepted(c.ClearEvent(FILE))

    core.verb(Verb.HOLD, job)
    core.verb(Verb.RELEASE, job)

    assert job.status == Status.REDWOOD_QUEUED


def test_one_that_clears_leaves_nothing_for_the_next(core):
    loader(core, clears=True)
    late, early = core.submit("loader"), core.submit("loader", priority=80)

    core.accepted(c.RaiseEvent(FILE))

    assert (early.status, late.status) == (Status.REDWOOD_QUEUED, Status.REDWOOD_EVENT_WAIT)
    assert pending(core) == 0
    core.accepted(c.RaiseEvent(FILE))
    assert late.status == Status.REDWOOD_QUEUED
    core.accepted(c.RaiseEvent(FILE))
    assert pending(core) == 1
    core.check_replay()


def test_those_that_do_not_clear_go_on_together_up_to_the_first_that_does(core):
    loader(core, clears=True)
    core.define("reader", Lifecycle.REDWOOD, wait_events=(WaitEvent(FILE),))
    before = core.submit("reader", priority=90)
    clearing = core.submit("loader", priority=80)
    behind = core.submit("reader", priority=70)

    core.accepted(c.RaiseEvent(FILE))

    statuses = [Status(job.status) for job in (before, clearing, behind)]
    assert statuses == [Status.REDWOOD_QUEUED, Status.REDWOOD_QUEUED, Status.REDWOOD_EVENT_WAIT]


def test_a_raise_that_a_job_took_starts_no_second_one(core):
    """Two loaders, one file: the book that opens later lets only one of them go on."""
    loader(core, FILE, BOOK)
    core.define(
        "loader",
        Lifecycle.REDWOOD,
        wait_events=(WaitEvent(FILE, clears=True), WaitEvent(BOOK)),
    )
    first, second = core.submit("loader"), core.submit("loader")

    core.accepted(c.RaiseEvent(FILE))
    core.accepted(c.RaiseEvent(BOOK))

    assert (first.status, second.status) == (Status.REDWOOD_QUEUED, Status.REDWOOD_EVENT_WAIT)
    assert second.events_missing == (FILE,)


def test_a_changed_priority_changes_the_place_in_line(core):
    loader(core, clears=True)
    first, second = core.submit("loader"), core.submit("loader")
    core.verb(Verb.SET_PRIORITY, second, value=99)

    core.accepted(c.RaiseEvent(FILE))

    assert (first.status, second.status) == (Status.REDWOOD_EVENT_WAIT, Status.REDWOOD_QUEUED)


@pytest.mark.parametrize(
    ("verb", "row"), [(Verb.HOLD, "TR-033"), (Verb.CANCEL, "TR-035")], ids=["hold", "cancel"]
)
def test_a_job_that_leaves_waits_no_more(core, verb, row):
    loader(core)
    job = core.submit("loader")

    core.verb(verb, job)

    assert went_by(job) == row
    assert job.events_missing == ()
    assert core.world.event_lines.members == {}
    core.check_replay()


def test_a_job_whose_queue_is_held_meanwhile_does_not_say_queued(core):
    loader(core)
    job = core.submit("loader")
    core.accepted(c.HoldQueue("default"), author="ann")

    core.accepted(c.RaiseEvent(FILE))

    assert path(job) == "New Scheduled EventWait Queued QueueHeld"
    assert job.history[-1].cause.author == "ann"


def test_many_who_wait_follow_slice_by_slice(core):
    loader(core)
    (*_,) = core.accepted(c.SubmitJobs((c.NewJob("loader", count=700),)))
    core.accepted(c.RaiseEvent(FILE))
    waiting = [job for job in core.world.jobs.values() if job.events_missing]
    assert len(waiting) == 200

    newcomer = core.submit("loader")
    assert newcomer.status == Status.REDWOOD_EVENT_WAIT  # nobody passes by who waits

    core.commit(moves_max=150)
    assert core.world.event_lines.dirty
    core.accepted(c.ClearEvent(FILE))  # who waited when it was raised is not passed over
    assert {Status(job.status) for job in core.world.jobs.values()} == {Status.REDWOOD_QUEUED}
    assert pending(core) == 0
    core.check_replay()


def test_an_event_in_use_stays(core):
    loader(core)
    job = core.submit("loader")

    def reason() -> Reason:
        answer = core.take(c.DeleteEvents((BOOK, FILE)))
        assert isinstance(answer, Rejection)
        return answer.reason

    assert reason() is Reason.IN_USE
    core.verb(Verb.CANCEL, job)
    assert reason() is Reason.IN_USE
    core.define("loader", Lifecycle.REDWOOD)
    core.accepted(c.DeleteEvents((BOOK, FILE)))
    assert core.world.events == {}
    core.check_replay()


def test_writing_an_event_keeps_its_raises(core):
    core.accepted(c.RaiseEvent(FILE))

    (same, changed) = (
        core.accepted(c.PutEvents((NamedEvent(FILE),)))[0],
        core.accepted(c.PutEvents((NamedEvent(FILE, "from the bank"),)))[0],
    )

    assert (same.version, changed.version) == (1, 2)
    assert len(changed.raises) == 1


def test_a_definition_cannot_name_an_event_that_is_not_there(core):
    with pytest.raises(AssertionError, match="names event 'MISSING'"):
        loader(core, "MISSING")
