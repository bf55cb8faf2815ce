"""Recurring submissions: instants, what is missed, what jobs do to their schedule."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.model.definition import Parameter, RestartAction, RestartBehavior
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.model.schedule import Schedule, ScheduleStatus
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver, path
from tests.support.manual_clock import START_MS
from tests.support.windows import HOUR_MS

HOURLY = Recurrence(RecurrenceKind.CRON, "0 * * * *")
S = ScheduleStatus


@pytest.fixture
def core():
    driver = CoreDriver().with_both()
    yield driver
    driver.check_replay()


def put(core: CoreDriver, definition: str, **fields) -> str:
    given = {"recurrence": HOURLY, **fields}
    core.accepted(c.PutSchedules((Schedule("hourly", definition, **given),)))
    return "hourly"


def found(core: CoreDriver) -> Schedule:
    return core.world.schedules["hourly"]


def jobs(core: CoreDriver):
    return list(core.world.jobs.values())


def change(core: CoreDriver, verb: c.ScheduleVerb):
    return core.take(c.ChangeSchedule("hourly", verb))


# -- UiPath -------------------------------------------------------------------------------------


def test_a_trigger_submits_at_its_instant_and_not_before(core):
    core.later(ms=1)
    put(core, UIPATH, count=3, labels={"team": "finance"})
    core.later(ms=HOUR_MS - 2)
    assert not jobs(core)

    core.later(ms=1)

    assert len(jobs(core)) == 3
    assert {job.schedule for job in jobs(core)} == {"hourly"}
    assert jobs(core)[0].labels == {"team": "finance"}
    assert found(core).next_ms == START_MS + 2 * HOUR_MS


def test_a_put_at_the_very_instant_submits_at_once(core):
    put(core, UIPATH)
    core.later()

    assert len(jobs(core)) == 1


def test_missed_instants_are_made_up_for_once(core):
    core.later(ms=1)
    put(core, UIPATH, stop_after_ms=60_000)

    core.later(ms=5 * HOUR_MS + 10)

    (job,) = jobs(core)
    assert job.stop_at_ms == START_MS + 5 * HOUR_MS + 60_000
    assert found(core).recent[-1].at_ms == START_MS + 5 * HOUR_MS
    assert "makes up" in found(core).recent[-1].reason
    assert found(core).next_ms == START_MS + 6 * HOUR_MS


def test_a_firing_that_the_duplicate_rule_refuses_is_skipped(core):
    put(core, UIPATH, robot="robot-1")
    core.later()
    core.later(hours=1)

    assert len(jobs(core)) == 1
    assert [firing.what for firing in found(core).recent] == ["fired", "skipped"]


def test_too_many_failures_in_a_row_hold_a_trigger(core):
    core.connect()
    put(core, UIPATH, failures_max=2, failures_grace_ms=3 * HOUR_MS)
    for _ in range(2):
        core.later()
        core.dispatch()
        core.report(c.ReportKind.STARTED, jobs(core)[-1])
        core.report(c.ReportKind.FAILED, jobs(core)[-1])
        core.archive()
        core.later(hours=1)

    assert found(core).status is S.HELD
    assert [firing.what for firing in found(core).recent] == ["fired", "fired", "disabled"]
    change(core, c.ScheduleVerb.RELEASE)
    assert found(core).failures == 0
    assert found(core).next_ms == START_MS + 2 * HOUR_MS


def test_a_trigger_ends_with_its_count(core):
    put(core, UIPATH, firings_max=2)
    core.later()
    core.later(hours=1)
    core.later(hours=1)

    assert found(core).status is S.FINISHED_JOB_COUNT
    assert len(jobs(core)) == 2


def test_a_trigger_ends_with_its_end_date(core):
    end_ms = START_MS + HOUR_MS
    put(core, UIPATH, recurrence=Recurrence(RecurrenceKind.CRON, "0 * * * *", end_ms=end_ms))
    core.later()
    core.later(hours=1)

    assert found(core).status is S.FINISHED_END_DATE


def test_a_held_trigger_fires_nothing_and_makes_up_for_nothing(core):
    core.later(ms=1)
    put(core, UIPATH)
    change(core, c.ScheduleVerb.HOLD)
    core.later(hours=5)
    assert not jobs(core)

    change(core, c.ScheduleVerb.RELEASE)
    core.later()

    assert not jobs(core)
    assert found(core).next_ms == START_MS + 6 * HOUR_MS


# -- Redwood ------------------------------------------------------------------------------------


def test_a_recurrence_submits_ahead(core):
    core.later(ms=1)
    put(core, REDWOOD, presubmit=3)

    assert [path(job) for job in jobs(core)] == ["New Scheduled"] * 3
    starts = [START_MS + hour * HOUR_MS for hour in (1, 2, 3)]
    assert [job.start_ms for job in jobs(core)] == starts


def finish(core: CoreDriver, job, kind=c.ReportKind.COMPLETED):
    core.dispatch()
    core.report(c.ReportKind.STARTED, job)
    core.report(kind, job)


def test_the_next_one_is_submitted_when_the_one_before_is_over(core):
    core.later(ms=1)
    core.connect()
    put(core, REDWOOD)
    first = jobs(core)[0]
    core.later(hours=1)
    assert len(jobs(core)) == 1

    finish(core, first)

    assert jobs(core)[-1].start_ms == START_MS + 2 * HOUR_MS


def test_one_that_was_late_is_followed_by_the_next_instant_to_come(core):
    core.later(ms=1)
    core.connect()
    put(core, REDWOOD)
    first = jobs(core)[0]
    core.later(hours=5)

    finish(core, first)

    assert jobs(core)[-1].start_ms == START_MS + 6 * HOUR_MS


def test_canceling_all_that_wait_ends_it_and_killing_does_not(core):
    core.later(ms=1)
    put(core, REDWOOD, presubmit=2)
    one, other = jobs(core)
    core.verb(c.Verb.CANCEL, one)
    assert found(core).status is S.ACTIVE
    third = jobs(core)[-1]

    core.accepted(c.ChangeJobs(c.Verb.CANCEL, (other.id, third.id)))

    assert found(core).status is S.FINISHED_MANUALLY
    assert found(core).status_by == "operator"


def test_holding_all_that_wait_holds_it_until_one_is_released(core):
    core.later(ms=1)
    put(core, REDWOOD, presubmit=2)
    one, other = jobs(core)
    core.verb(c.Verb.HOLD, one)
    assert found(core).status is S.ACTIVE

    core.verb(c.Verb.HOLD, other)
    assert found(core).status is S.HELD

    core.verb(c.Verb.RELEASE, one)
    assert found(core).status is S.ACTIVE


def test_a_kill_does_not_end_it(core):
    core.later(ms=1)
    core.connect()
    put(core, REDWOOD)
    first = jobs(core)[0]
    core.later(hours=1)
    core.dispatch()
    core.report(c.ReportKind.STARTED, first)
    core.verb(c.Verb.KILL, first)
    core.report(c.ReportKind.KILLED, first)

    assert first.status == Status.REDWOOD_KILLED
    assert jobs(core)[-1].start_ms == START_MS + 2 * HOUR_MS


def test_a_restart_behavior_can_end_it(core):
    stop = RestartBehavior(int(Status.REDWOOD_ERROR), RestartAction.STOP)
    core.define(REDWOOD, Lifecycle.REDWOOD, restart_behaviors=(stop,))
    core.later(ms=1)
    core.connect()
    put(core, REDWOOD)
    first = jobs(core)[0]
    core.later(hours=1)

    finish(core, first, c.ReportKind.FAILED)

    assert found(core).status is S.FINISHED_MANUALLY
    assert found(core).status_by == f"job {first.id}"


def test_it_ends_with_its_count_and_without_further_instants(core):
    core.later(ms=1)
    put(core, REDWOOD, firings_max=1)
    assert found(core).status is S.FINISHED_JOB_COUNT

    once = Recurrence(RecurrenceKind.RULE, "DTSTART:20260101T050000Z\nRRULE:FREQ=DAILY;COUNT=1")
    core.accepted(c.PutSchedules((Schedule("once", REDWOOD, once, presubmit=2),)))
    assert core.world.schedules["once"].status is S.FINISHED_SUBMIT_FRAME


def test_what_cannot_be_submitted_again_is_modified(core):
    core.later(ms=1)
    core.connect()
    put(core, REDWOOD)
    first = jobs(core)[0]
    core.later(hours=1)
    core.define(
        REDWOOD, Lifecycle.REDWOOD, parameters=(Parameter("file", "string", required=True),)
    )

    finish(core, first)

    assert path(jobs(core)[-1]) == "Modified"
    assert found(core).recent[-1].what == "failed"


def test_a_new_recurrence_plans_anew(core):
    core.later(ms=1)
    put(core, REDWOOD)

    put(core, REDWOOD, recurrence=Recurrence(RecurrenceKind.CRON, "30 * * * *"))

    assert [path(job) for job in jobs(core)] == ["New Scheduled Canceled", "New Scheduled"]
    assert jobs(core)[-1].start_ms == START_MS + HOUR_MS // 2
    assert found(core).version == 2


def test_ending_it_by_hand(core):
    core.later(ms=1)
    put(core, REDWOOD)

    change(core, c.ScheduleVerb.END)

    assert found(core).status is S.FINISHED_MANUALLY
    refusal = change(core, c.ScheduleVerb.RELEASE)
    assert isinstance(refusal, Rejection)
    assert refusal.reason is Reason.SCHEDULE_FINISHED


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"recurrence": Recurrence(RecurrenceKind.CRON, "x")}, Reason.INVALID_WINDOW),
        ({"queue": "nowhere"}, Reason.QUEUE_NOT_FOUND),
        ({"definition": "nothing"}, Reason.DEFINITION_NOT_FOUND),
        ({"count": 2}, Reason.WRONG_LIFECYCLE),
        ({"definition": UIPATH, "presubmit": 2}, Reason.WRONG_LIFECYCLE),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(core, fields, reason):
    given = {"definition": REDWOOD, "recurrence": HOURLY, **fields}

    refusal = core.take(c.PutSchedules((Schedule("hourly", **given),)))

    assert isinstance(refusal, Rejection)
    assert refusal.reason is reason


def test_what_a_schedule_needs_is_in_use(core):
    put(core, UIPATH)

    refusal = core.take(c.DeleteDefinitions((UIPATH,)))

    assert isinstance(refusal, Rejection)
    core.accepted(c.DeleteSchedules(("hourly",)))
