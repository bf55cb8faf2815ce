"""Starts in time windows, what happens when they close, and what a new calendar changes."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.model.definition import OverduePolicy
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, CoreDriver, path
from tests.support.manual_clock import START_MS
from tests.support.windows import DAY_MS, HOUR_MS, always, daily, never, on_dates


@pytest.fixture
def core():
    driver = CoreDriver()
    yield driver
    driver.check_replay()


def put(core: CoreDriver, *windows):
    core.accepted(c.PutWindows(windows))


def with_window(core: CoreDriver, **fields) -> CoreDriver:
    """Midnight stands on the clock; the window opens at eight and closes at ten."""
    put(core, daily("mornings", "08:00", "10:00"))
    core.define(REDWOOD, Lifecycle.REDWOOD, window="mornings", **fields)
    return core


# -- finding starts -----------------------------------------------------------------------------


def test_a_job_starts_when_its_window_opens(core):
    job = with_window(core).submit()

    assert path(job) == "New Scheduled"
    assert job.start_ms == START_MS + 8 * HOUR_MS
    assert job.window_closes_ms == START_MS + 10 * HOUR_MS

    core.later(ms=8 * HOUR_MS - 1)
    assert job.status == Status.REDWOOD_SCHEDULED
    core.later(ms=1)
    assert job.status == Status.REDWOOD_QUEUED


def test_a_start_within_an_opening_is_kept(core):
    job = with_window(core).submit(start_ms=START_MS + 9 * HOUR_MS)

    assert job.start_ms == START_MS + 9 * HOUR_MS
    assert job.window_closes_ms == START_MS + 10 * HOUR_MS


def test_a_start_needs_enough_of_an_opening(core):
    job = with_window(core, min_open_ms=HOUR_MS).submit(start_ms=START_MS + 9 * HOUR_MS + 1)

    assert job.start_ms == START_MS + DAY_MS + 8 * HOUR_MS


def test_the_zone_of_the_definition_counts_for_windows_without_one(core):
    job = with_window(core, time_zone="Europe/Berlin").submit()

    assert job.start_ms == START_MS + 7 * HOUR_MS


def test_a_window_named_at_submission_beats_the_one_of_the_definition(core):
    put(core, daily("nights", "02:00", "03:00"))
    job = with_window(core).submit(window="nights")

    assert job.start_ms == START_MS + 2 * HOUR_MS
    assert job.window == "nights"


def test_a_window_that_never_opens_means_never(core):
    put(core, never("closed"))
    core.define(REDWOOD, Lifecycle.REDWOOD, window="closed")

    job = core.submit(start_ms=START_MS + 5)

    assert path(job) == "New Never"
    assert job.start_ms == NEVER_MS
    assert job.info == "no start within two years: time window 'closed' has no opening for it"


def test_a_queue_whose_servers_are_all_stopped_means_never(core):
    core.define(REDWOOD, Lifecycle.REDWOOD)
    with_server(core, "hamburg", stopped=True)

    job = core.submit()

    assert path(job) == "New Never"
    assert "every server of queue 'default' is stopped" in job.info


def with_server(core: CoreDriver, name: str, **fields) -> None:
    from interlock_server.core.change import Cause
    from interlock_server.core.turn import Draft, Turn

    draft = Draft()
    turn = Turn(core.world, draft, Cause(core.now_ms, author="operator"))
    turn.put(ProcessServer(name, providers=(QueueProvider("default"),), **fields))
    turn.review_starts("operator")
    core.drafts.append(draft)


def test_an_unknown_window_is_refused_at_submission(core):
    core.define(REDWOOD, Lifecycle.REDWOOD)

    (outcome,) = core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, window="nights"),)))

    assert outcome.rejection.reason is Reason.WINDOW_NOT_FOUND


def test_many_jobs_of_one_window_get_the_same_opening(core):
    with_window(core)
    core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, count=50),)))

    assert {job.start_ms for job in core.world.jobs.values()} == {START_MS + 8 * HOUR_MS}


# -- closing ------------------------------------------------------------------------------------


def queued(core: CoreDriver, policy: OverduePolicy):
    job = with_window(core, overdue=policy).submit()
    core.later(hours=8)
    assert job.status == Status.REDWOOD_QUEUED
    return job


def test_a_job_that_did_not_run_gets_the_next_opening(core):
    job = queued(core, OverduePolicy.SCHEDULED)

    core.later(hours=2)

    assert path(job) == "New Scheduled Queued Scheduled"
    assert job.start_ms == START_MS + DAY_MS + 8 * HOUR_MS
    assert job.window_closes_ms == START_MS + DAY_MS + 10 * HOUR_MS
    assert job.info == "time window 'mornings' closed at 2026-01-01T10:00:00Z before it ran"


def test_a_job_without_a_next_opening_is_never(core):
    put(core, on_dates("once", "2026-01-01", opens="08:00", closes="10:00"))
    core.define(REDWOOD, Lifecycle.REDWOOD, window="once")
    job = core.submit()
    core.later(hours=8)

    core.later(hours=2)

    assert path(job) == "New Scheduled Queued Scheduled Never"
    assert job.start_ms == NEVER_MS


@pytest.mark.parametrize(
    ("policy", "way"),
    [
        (OverduePolicy.OVERDUE, "Overdue"),
        (OverduePolicy.CANCELING, "Canceling Canceled"),
        (OverduePolicy.HELD, "Held"),
    ],
)
def test_a_policy_decides_what_becomes_of_it(core, policy, way):
    job = queued(core, policy)

    core.later(hours=2)

    assert path(job) == f"New Scheduled Queued {way}"


def test_a_dispatched_job_is_not_overdue(core):
    job = queued(core, OverduePolicy.OVERDUE)
    core.connect()
    assert job.status == Status.REDWOOD_DISPATCHED

    core.later(hours=3)

    assert job.status == Status.REDWOOD_DISPATCHED


def test_a_job_that_comes_back_from_its_robot_after_the_closing_is_overdue(core):
    job = queued(core, OverduePolicy.OVERDUE)
    core.connect()
    core.later(hours=3)

    core.lose()
    core.later()

    assert path(job) == "New Scheduled Queued Dispatched Queued Overdue"


def test_a_job_whose_whole_opening_was_missed_never_looks_as_if_it_could_run(core):
    job = with_window(core, overdue=OverduePolicy.OVERDUE).submit()

    core.later(hours=11)

    assert path(job) == "New Scheduled Overdue"


def test_a_missed_opening_leads_to_the_next_one(core):
    job = with_window(core).submit()

    core.later(hours=11)

    assert path(job) == "New Scheduled Scheduled"
    assert job.start_ms == START_MS + DAY_MS + 8 * HOUR_MS


@pytest.mark.parametrize(
    ("policy", "way"),
    [
        (OverduePolicy.OVERDUE, "New Held Overdue"),
        (OverduePolicy.CANCELING, "New Held Canceling Canceled"),
        (OverduePolicy.HELD, "New Held"),
        (OverduePolicy.SCHEDULED, "New Held"),
    ],
)
def test_a_held_job_can_miss_its_window_too(core, policy, way):
    job = with_window(core, overdue=policy).submit(hold=True)

    core.later(hours=10)

    assert path(job) == way


def test_a_held_job_is_released_into_the_next_opening(core):
    job = with_window(core).submit(hold=True)
    core.later(hours=11)

    core.verb(c.Verb.RELEASE, job)

    assert path(job) == "New Held Scheduled"
    assert job.start_ms == START_MS + DAY_MS + 8 * HOUR_MS


def test_a_job_released_in_its_opening_goes_on_at_once(core):
    job = with_window(core).submit(hold=True)
    core.later(hours=9)

    core.verb(c.Verb.RELEASE, job)

    assert path(job) == "New Held Scheduled Queued"
    assert job.start_ms == START_MS + 8 * HOUR_MS


def test_an_overdue_job_can_be_rescheduled_held_and_canceled(core):
    job = queued(core, OverduePolicy.OVERDUE)
    core.later(hours=2)

    core.verb(c.Verb.HOLD, job)
    core.later(hours=1)
    assert job.status == Status.REDWOOD_HELD
    core.verb(c.Verb.RELEASE, job)
    assert job.start_ms == START_MS + DAY_MS + 8 * HOUR_MS

    core.later(hours=21)
    assert job.status == Status.REDWOOD_QUEUED
    core.later(hours=2)
    assert job.status == Status.REDWOOD_OVERDUE
    core.verb(c.Verb.RESCHEDULE, job, value=0)
    assert job.status == Status.REDWOOD_SCHEDULED
    assert job.start_ms == START_MS + 2 * DAY_MS + 8 * HOUR_MS


# -- a new calendar -----------------------------------------------------------------------------


def test_a_corrected_window_lets_a_never_job_start(core):
    put(core, never("closed"))
    core.define(REDWOOD, Lifecycle.REDWOOD, window="closed")
    job = core.submit(start_ms=START_MS + HOUR_MS)

    put(core, always("closed"))
    core.review()

    assert path(job) == "New Never Scheduled"
    assert job.start_ms == START_MS + HOUR_MS


def test_a_started_server_lets_a_never_job_start(core):
    core.define(REDWOOD, Lifecycle.REDWOOD)
    with_server(core, "hamburg", stopped=True)
    core.review()
    job = core.submit()

    with_server(core, "hamburg")
    core.review()

    assert path(job) == "New Never Scheduled Queued"


def test_a_scheduled_job_moves_with_its_window(core):
    job = with_window(core).submit()

    put(core, daily("mornings", "06:00", "07:00"))
    core.review()

    assert path(job) == "New Scheduled"
    assert job.start_ms == START_MS + 6 * HOUR_MS
    assert job.window_closes_ms == START_MS + 7 * HOUR_MS


def test_a_scheduled_job_whose_window_does_not_open_any_more_is_never(core):
    job = with_window(core).submit()

    put(core, never("mornings"))
    core.review()

    assert path(job) == "New Scheduled Never"


def test_a_waiting_job_gets_the_new_closing(core):
    job = queued(core, OverduePolicy.OVERDUE)

    put(core, daily("mornings", "08:00", "12:00"))
    core.review()
    core.later(hours=3)
    assert job.status == Status.REDWOOD_QUEUED

    core.later(hours=1)
    assert job.status == Status.REDWOOD_OVERDUE


def test_a_waiting_job_whose_window_is_closed_by_hand_waits_for_the_next_opening(core):
    job = queued(core, OverduePolicy.OVERDUE)

    put(core, daily("mornings", "12:00", "13:00"))
    core.review()

    assert path(job) == "New Scheduled Queued Scheduled"
    assert job.start_ms == START_MS + 12 * HOUR_MS


def test_jobs_follow_the_window_of_their_definition(core):
    job = with_window(core).submit()
    put(core, daily("evenings", "18:00", "20:00"))

    core.define(REDWOOD, Lifecycle.REDWOOD, window="evenings")
    core.review()

    assert job.start_ms == START_MS + 18 * HOUR_MS
    core.define(REDWOOD, Lifecycle.REDWOOD)
    core.review()
    assert path(job) == "New Scheduled Queued"


def test_a_review_is_done_in_slices(core):
    with_window(core)
    core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, count=7),)))

    put(core, daily("mornings", "06:00", "07:00"))

    assert core.review(jobs_max=2) == 4
    assert {job.start_ms for job in core.world.jobs.values()} == {START_MS + 6 * HOUR_MS}


# -- which windows there are --------------------------------------------------------------------


def test_a_window_that_cannot_be_is_refused(core):
    refusal = core.take(c.PutWindows((daily("nights", "25:00", "26:00"),)))

    assert isinstance(refusal, Rejection)
    assert refusal.reason is Reason.INVALID_WINDOW


def test_windows_of_one_request_may_refer_to_each_other(core):
    put(core, daily("nights", "02:00", "03:00", disabled_during="holidays"), never("holidays"))

    assert set(core.world.windows) == {"nights", "holidays"}
    assert isinstance(core.take(c.DeleteWindows(("holidays",))), Rejection)
    core.accepted(c.DeleteWindows(("holidays", "nights")))


def test_a_window_that_is_put_as_it_was_keeps_its_version(core):
    put(core, always("any"))
    core.accepted(c.PutWindows((always("any"),)))

    assert core.world.windows["any"].version == 1
    assert core.world.reviewing_starts == "operator"


def test_a_window_in_use_is_not_deleted(core):
    with_window(core)

    refusal = core.take(c.DeleteWindows(("mornings",)))

    assert isinstance(refusal, Rejection)
    assert refusal.reason is Reason.IN_USE


# -- queues -------------------------------------------------------------------------------------


def test_a_queue_gives_nothing_while_its_window_is_closed(core):
    put(core, daily("mornings", "08:00", "10:00"))
    core.define(REDWOOD, Lifecycle.REDWOOD)
    core.accepted(c.PutQueues((Queue("default", window="mornings"),)))
    job = core.submit()
    core.connect()
    assert job.status == Status.REDWOOD_QUEUED

    core.later(hours=8)
    core.dispatch()

    assert job.status == Status.REDWOOD_DISPATCHED
    assert not core.world.queues["default"].closed
    core.later(hours=2)
    assert core.world.queues["default"].closed
    assert core.world.queues["default"].version == 2


def test_a_queue_follows_its_window_at_once(core):
    put(core, never("mornings"))
    core.accepted(c.PutQueues((Queue("default", window="mornings"),)))
    assert core.world.queues["default"].closed

    put(core, always("mornings"))

    assert not core.world.queues["default"].closed


# -- the event of an overdue job ----------------------------------------------------------------


@pytest.mark.parametrize("policy", list(OverduePolicy))
def test_an_overdue_job_raises_its_event_whatever_the_policy(core, policy):
    core.accepted(c.PutEvents((NamedEvent("late"),)))
    job = with_window(core, overdue=policy, overdue_event="late").submit()

    core.later(hours=11)

    (raised,) = core.world.events["late"].raises
    assert raised.by == "time window"
    assert raised.comment == (
        f"job {job.id}: time window 'mornings' closed at 2026-01-01T10:00:00Z before it ran"
    )
