"""Named events: raised, pending, cleared, and handed to who waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import AutoSubmit, Definition, EventRaise, WaitEvent
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
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
    assert core.replayed().event_lines.dirty  # a restart goes on with them
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


# -- waits that apply only at times -------------------------------------------------------------


def put_window(core: CoreDriver, opens: str, closes: str, name: str = "night") -> None:
    element = WindowElement((WindowRestriction(opens=opens, closes=closes),))
    core.accepted(c.PutWindows((TimeWindow(name, elements=(element,)),)), author="ann")
    while core.world.reviewing_starts:
        core.take(c.ReviewStarts(), Actor.SYSTEM, "calendar")


def clock_at(core: CoreDriver, hour: int) -> None:
    """The next time that it is this hour, in UTC."""
    core.later(ms=(hour * 3_600_000 - core.now_ms) % 86_400_000)


def test_a_wait_applies_only_while_its_window_is_open(core):
    put_window(core, "22:00", "06:00")
    clock_at(core, 12)
    waits = (WaitEvent(FILE, window="night"),)
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)

    by_day = core.submit("loader")
    assert by_day.status == Status.REDWOOD_QUEUED
    clock_at(core, 23)
    by_night = core.submit("loader")
    assert by_night.status == Status.REDWOOD_EVENT_WAIT

    clock_at(core, 5)
    assert by_night.status == Status.REDWOOD_EVENT_WAIT
    clock_at(core, 6)
    assert path(by_night) == "New Scheduled EventWait Scheduled Queued"
    assert [went.id for entry in by_night.history[-2:] if (went := ROWS[entry.row])] == [
        "TR-053",
        "TR-022",
    ]
    core.check_replay()


def test_a_window_that_is_changed_changes_what_is_waited_for(core):
    put_window(core, "22:00", "06:00")
    clock_at(core, 23)
    core.define("loader", Lifecycle.REDWOOD, wait_events=(WaitEvent(FILE, window="night"),))
    job = core.submit("loader")

    put_window(core, "01:00", "06:00")

    assert path(job) == "New Scheduled EventWait Scheduled Queued"
    refused = core.take(c.DeleteWindows(("night",)))
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.IN_USE
    core.check_replay()


def test_a_wait_that_applies_while_closed_begins_to_apply_while_the_job_waits(core):
    put_window(core, "22:00", "06:00")
    clock_at(core, 23)
    waits = (WaitEvent(BOOK), WaitEvent(FILE, window="night", while_closed=True))
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)
    job = core.submit("loader")
    assert job.events_missing == (BOOK,)

    clock_at(core, 7)
    assert job.events_missing == (BOOK, FILE)
    clock_at(core, 23)
    assert job.events_missing == (BOOK,)
    core.check_replay()


def test_a_wait_applies_only_if_its_condition_holds(core):
    waits = (WaitEvent(FILE, condition="job.priority < 50"),)
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)

    assert core.submit("loader", priority=60).status == Status.REDWOOD_QUEUED
    assert core.submit("loader", priority=40).status == Status.REDWOOD_EVENT_WAIT


@pytest.mark.parametrize(
    ("priority", "status"), [(60, Status.REDWOOD_QUEUED), (45, Status.REDWOOD_EVENT_WAIT)]
)
def test_a_condition_follows_what_a_person_changes_of_the_job(core, priority, status):
    waits = (WaitEvent(FILE, condition="job.priority < 50"),)
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)
    job = core.submit("loader", priority=40)

    core.verb(Verb.SET_PRIORITY, job, value=priority)

    assert job.status == status


def test_a_condition_that_reads_the_time_is_looked_at_again(core):
    clock_at(core, 11)
    waits = (WaitEvent(FILE, condition="now.getHours() < 12"),)
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)
    job = core.submit("loader")

    core.later(minutes=59)
    assert job.status == Status.REDWOOD_EVENT_WAIT
    core.later(minutes=2)
    assert job.status == Status.REDWOOD_QUEUED
    core.check_replay()


def test_a_condition_that_cannot_be_told_applies_and_says_so(core):
    waits = (WaitEvent(FILE, condition="job.parameters.bank == 'A'"),)
    core.define("loader", Lifecycle.REDWOOD, wait_events=waits)

    job = core.submit("loader")

    assert job.status == Status.REDWOOD_EVENT_WAIT
    assert "cannot be told" in job.info
    assert core.submit("loader", parameters='{"bank": "B"}').status == Status.REDWOOD_QUEUED


@pytest.mark.parametrize(
    ("wait", "reason"),
    [
        (WaitEvent(FILE, condition="job.prioritty > 1"), Reason.INVALID_EXPRESSION),
        (WaitEvent(FILE, condition="1 + 1"), Reason.INVALID_EXPRESSION),
        (WaitEvent(FILE, condition="windows['no']"), Reason.WINDOW_NOT_FOUND),
        (WaitEvent(FILE, window="no"), Reason.WINDOW_NOT_FOUND),
    ],
)
def test_a_wait_that_nobody_could_look_at_is_refused(core, wait, reason):
    definition = Definition("loader", int(Lifecycle.REDWOOD), wait_events=(wait,))

    refused = core.take(c.PutDefinitions((definition,)))

    assert isinstance(refused, Rejection)
    assert refused.reason is reason


def test_a_definition_that_waits_for_something_else_now_says_so_to_its_jobs(core):
    loader(core, FILE)
    job, other = core.submit("loader"), core.submit("loader")
    core.verb(Verb.HOLD, other)

    loader(core, BOOK)
    assert job.events_missing == (BOOK,)
    core.define("loader", Lifecycle.REDWOOD)

    assert job.status == Status.REDWOOD_QUEUED
    assert core.world.event_lines.members == {}
    core.check_replay()


# -- jobs that raise and clear ------------------------------------------------------------------


def raising(core: CoreDriver, *raises: EventRaise, name: str = "writer") -> Job:
    core.define(name, Lifecycle.REDWOOD, event_raises=raises)
    job = core.submit(name)
    if not core.epochs:
        core.connect()
    core.dispatch()
    core.report(ReportKind.STARTED, job)
    return job


def test_a_job_raises_and_clears_by_reaching_a_status(core):
    job = raising(
        core,
        EventRaise(FILE, statuses=(int(Status.REDWOOD_RUNNING),), comment="it began"),
        EventRaise(FILE, clears=True, statuses=(int(Status.REDWOOD_COMPLETED),)),
        EventRaise(BOOK, statuses=(int(Status.REDWOOD_COMPLETED), int(Status.REDWOOD_ERROR))),
    )

    (raised,) = core.world.events[FILE].raises
    assert (raised.by, raised.comment) == (f"job {job.id}", "it began")
    assert pending(core, BOOK) == 0

    core.report(ReportKind.COMPLETED, job)
    assert pending(core) == 0
    assert core.world.events[BOOK].raises[0].comment == "writer is Completed"
    core.check_replay()


@pytest.mark.parametrize(("code", "raises"), [(4, 1), (5, 0)])
def test_a_job_raises_only_with_its_return_code(core, code, raises):
    statuses = (int(Status.REDWOOD_ERROR),)
    job = raising(core, EventRaise(FILE, statuses=statuses, return_codes="0-4"))

    core.report(ReportKind.FAILED, job, return_code=code)

    assert pending(core) == raises


def test_a_raise_of_a_job_lets_another_one_go_in_the_same_turn(core):
    loader(core)
    waiting = core.submit("loader")

    raising(core, EventRaise(FILE, statuses=(int(Status.REDWOOD_RUNNING),)))

    assert waiting.status in {Status.REDWOOD_QUEUED, Status.REDWOOD_DISPATCHED}
    core.check_replay()


def test_raises_that_find_no_place_are_counted(core):
    core.checked = False
    for _ in range(1_000):
        core.accepted(c.RaiseEvent(FILE))

    raising(core, EventRaise(FILE, statuses=(int(Status.REDWOOD_RUNNING),)))

    assert (pending(core), core.world.events[FILE].dropped) == (1_000, 1)


def test_return_codes_that_are_none_are_refused(core):
    with pytest.raises(AssertionError, match="return_codes"):
        raising(core, EventRaise(FILE, statuses=(5,), return_codes="many"))


# -- raises that submit -------------------------------------------------------------------------


def live(core: CoreDriver, name: str = "loader") -> list[Job]:
    return [job for job in core.world.jobs.values() if job.definition == name]


def test_a_raise_submits_always(core):
    loader(core, clears=True, auto_submit=AutoSubmit.ALWAYS)

    core.accepted(c.RaiseEvent(FILE, "bank.csv"))
    core.accepted(c.RaiseEvent(FILE))

    first, second = live(core)
    assert path(first) == path(second) == "New Scheduled Queued"
    cause = first.history[0].cause
    assert (cause.actor, cause.author) == (Actor.NAMED_EVENT, FILE)
    assert (first.submitted_by, cause.reason) == (FILE, "bank.csv")
    assert pending(core) == 0
    core.check_replay()


def test_a_raise_submits_only_one(core):
    loader(core, auto_submit=AutoSubmit.ONLY_ONE)

    core.accepted(c.RaiseEvent(FILE))
    core.accepted(c.RaiseEvent(FILE))
    (only,) = live(core)
    core.verb(Verb.CANCEL, only)
    core.accepted(c.RaiseEvent(FILE))

    assert len(live(core)) == 2
    core.check_replay()


def test_a_raise_submits_who_wants_that_now(core):
    loader(core, auto_submit=AutoSubmit.ALWAYS)
    loader(core, BOOK, auto_submit=AutoSubmit.ALWAYS)
    core.accepted(c.RaiseEvent(FILE))
    assert live(core) == []
    core.accepted(c.RaiseEvent(BOOK))
    assert len(live(core)) == 1
    loader(core, BOOK)
    core.accepted(c.RaiseEvent(BOOK))
    assert len(live(core)) == 1


def test_a_circle_of_raises_and_submissions_ends(core):
    """Each job raises at once what submits the other: one of each, and the turn is over."""
    for name, waits, raises in (("ping", FILE, BOOK), ("pong", BOOK, FILE)):
        core.define(
            name,
            Lifecycle.REDWOOD,
            wait_events=(WaitEvent(waits, clears=True),),
            auto_submit=AutoSubmit.ALWAYS,
            event_raises=(EventRaise(raises, statuses=(int(Status.REDWOOD_QUEUED),)),),
        )

    core.accepted(c.RaiseEvent(FILE))

    assert (len(live(core, "ping")), len(live(core, "pong"))) == (1, 1)
    assert pending(core) == 1
    core.check_replay()
