"""Actions of Redwood jobs: on change, before and after they run (domain.md B8, RA-13, S15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import (
    Definition,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
)
from interlock_server.core.model.job import Fault
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

K, S, E, Order = ReportKind, Status, RuleEffect, EffectKind
OFFERED = "New Scheduled Queued Dispatched"
ACTING = f"{OFFERED} Assigned PreRunning"
RUNNING = f"{OFFERED} Assigned Running"


def defined(*, actions: bool = True, **fields: Any) -> CoreDriver:
    core = CoreDriver()
    core.accepted(c.PutQueues((Queue("slow"),)))
    core.accepted(c.PutEvents((NamedEvent("accepted"),)))
    core.define(REDWOOD, Lifecycle.REDWOOD, **fields)
    core.connect(actions=actions)
    return core


def offered(core: CoreDriver, **fields: Any) -> Job:
    job = core.submit(**fields)
    core.dispatch()
    return job


def pre(*rules: Rule, **fields: Any) -> CoreDriver:
    return defined(pre_running=rules, **fields)


# -- before it runs -----------------------------------------------------------------------------


def test_a_robot_runs_the_code_when_the_action_has_passed():
    core = pre(Rule("job.priority > 90", E.HOLD))
    job = offered(core)
    core.report(K.ACCEPTED, job)

    assert path(job) == f"{ACTING} Running"
    assert [entry.cause.author for entry in job.history[-2:]] == ["pre-running action"] * 2
    assert core.told(job) == [Order.OFFER, Order.START]
    assert core.report(K.STARTED, job) == []
    core.report(K.COMPLETED, job)
    assert path(job) == f"{ACTING} Running Completed"
    core.check_replay()


@pytest.mark.parametrize(
    ("rule", "way"),
    [
        (Rule("true", E.HOLD), "Held"),
        (Rule("true", E.CANCEL), "Canceled"),
        (Rule("true", E.FAIL, reason="month end is open"), "Error"),
        (Rule("job.parameters.missing > 1", E.HOLD), "Error"),
        (Rule("true", E.RESCHEDULE, delay_ms=60_000), "Scheduled"),
        (Rule("job.queue != 'slow'", E.MOVE, target="slow"), "Scheduled Queued"),
        (Rule("true", E.RAISE_EVENT, target="accepted"), "Running"),
    ],
    ids=lambda value: value.effect.name if isinstance(value, Rule) else value,
)
def test_a_rule_turns_the_job_around(rule: Rule, way: str):
    core = pre(rule)
    job = offered(core)
    core.report(K.ACCEPTED, job)

    assert path(job) == f"{ACTING} {way}"
    if way != "Running":
        assert not job.attached
        assert core.told(job)[:2] == [Order.OFFER, Order.FORGET]
        assert core.report_by("robot-1", K.STARTED, job)[0][1].reason in {
            Reason.NOT_ASSIGNED,
            Reason.ALREADY_FINAL,
        }
    core.check_replay()


def test_a_job_that_was_held_runs_after_its_release():
    core = pre(Rule("old_status == 'Queued' && job.restarts == 0", E.HOLD, reason="look first"))
    job = offered(core)
    core.report(K.ACCEPTED, job)
    assert (job.info, job.pending_status) == ("look first", S.REDWOOD_QUEUED)
    core.define(REDWOOD, Lifecycle.REDWOOD)
    core.verb(Verb.RELEASE, job)
    core.dispatch()
    core.report(K.STARTED, job)

    assert path(job) == f"{ACTING} Held Scheduled Queued Dispatched Assigned Running"


def test_a_job_that_was_put_off_waits_for_its_new_start():
    core = pre(Rule("job.start_time < timestamp('2100-01-01T00:00:00Z')", E.RESCHEDULE, 60_000))
    job = offered(core)
    core.report(K.ACCEPTED, job)
    assert job.start_ms == core.now_ms + 60_000
    core.later(s=60)

    assert path(job).endswith("PreRunning Scheduled Queued")
    core.check_replay()


@pytest.mark.parametrize("first", [K.STARTED, K.COMPLETED])
def test_a_robot_that_does_not_wait_loses_the_job(first: ReportKind):
    core = pre(Rule("false", E.HOLD))
    job = offered(core)
    ((_, refused),) = core.report(first, job)

    assert refused.reason is Reason.NOT_ASSIGNED
    assert path(job) == f"{OFFERED} Queued"
    assert core.told(job) == [Order.OFFER, Order.FORGET]
    core.dispatch()
    assert path(job) == f"{OFFERED} Queued"


def test_a_robot_that_knows_no_actions_is_given_back_what_has_one():
    core = pre(Rule("false", E.HOLD), actions=False)
    job = offered(core)
    core.report(K.ACCEPTED, job)

    assert path(job) == f"{OFFERED} Assigned Queued"
    assert "does not wait" in job.info


def test_a_robot_that_runs_a_job_before_its_action_has_passed_made_it_fail():
    core = defined(pre_running_code=True)
    job = offered(core)
    core.report(K.ACCEPTED, job)
    ((_, refused),) = core.report(K.STARTED, job)

    assert refused.reason is Reason.NOT_ASSIGNED
    assert path(job) == f"{ACTING} Error"


@pytest.mark.parametrize(
    ("detail", "way"),
    [
        ({}, "Running"),
        ({"action": c.ActionOutcome(E.HOLD)}, "Held"),
        ({"action": c.ActionOutcome(E.CANCEL)}, "Canceled"),
        ({"action": c.ActionOutcome(E.FAIL), "reason": "no"}, "Error"),
        ({"fault": Fault("RAISED", "it raised")}, "Error"),
        ({"action": c.ActionOutcome(E.RESCHEDULE, delay_ms=5_000)}, "Scheduled"),
        ({"action": c.ActionOutcome(E.MOVE, queue="slow")}, "Scheduled Queued"),
    ],
)
def test_code_of_the_robot_decides_when_no_rule_does(detail: dict[str, Any], way: str):
    core = defined(pre_running_code=True, pre_running=(Rule("false", E.HOLD),))
    job = offered(core)
    core.report(K.ACCEPTED, job)
    assert path(job) == ACTING
    assert core.told(job) == [Order.OFFER, Order.RUN_PRE_RUNNING]
    core.check_replay()
    assert core.report(K.PRE_RUNNING_DONE, job, **detail) == []

    assert path(job) == f"{ACTING} {way}"
    core.check_replay()


def test_what_the_code_of_a_robot_cannot_decide_is_refused():
    core = defined(pre_running_code=True)
    job = offered(core)
    core.report(K.ACCEPTED, job)

    for outcome in (c.ActionOutcome(E.COMPLETE), c.ActionOutcome(E.MOVE, queue="nowhere")):
        ((_, refused),) = core.report(K.PRE_RUNNING_DONE, job, action=outcome)
        assert refused.reason is Reason.INVALID_FIELD
    assert path(job) == ACTING


@pytest.mark.parametrize(
    ("verb", "way"), [(Verb.CANCEL, "Canceled"), (Verb.KILL, "Killing Killed")]
)
def test_a_person_ends_a_job_during_its_action(verb: Verb, way: str):
    core = defined(pre_running_code=True)
    job = offered(core)
    core.report(K.ACCEPTED, job)
    core.verb(verb, job)
    if verb is Verb.KILL:
        core.report(K.KILLED, job)

    assert path(job) == f"{ACTING} {way}"


def test_a_robot_that_is_lost_during_the_action_makes_it_fail():
    core = defined(pre_running_code=True)
    job = offered(core)
    core.report(K.ACCEPTED, job)
    core.lose()

    assert path(job) == f"{ACTING} Error"


def test_run_time_counts_from_the_action_on():
    core = defined(pre_running_code=True)
    job = offered(core)
    core.report(K.ACCEPTED, job)
    begun_ms = core.now_ms
    core.later(s=3)
    core.report(K.PRE_RUNNING_DONE, job)
    core.later(s=4)
    core.report(K.COMPLETED, job)

    assert (job.run_from_ms, job.run_to_ms) == (begun_ms, begun_ms + 7_000)


# -- after it ran -------------------------------------------------------------------------------


def started(core: CoreDriver) -> Job:
    job = offered(core)
    core.report(K.STARTED, job)
    return job


@pytest.mark.parametrize(
    ("rule", "kind", "detail", "end"),
    [
        (Rule("job.return_code == 4", E.COMPLETE), K.COMPLETED, {"return_code": 4}, "Completed"),
        (Rule("job.return_code == 4", E.COMPLETE), K.COMPLETED, {"return_code": 5}, "Error"),
        (Rule("true", E.FAIL, reason="empty"), K.COMPLETED, {}, "Error"),
        (Rule("job.parameters.x > 1", E.COMPLETE), K.COMPLETED, {}, "Error"),
        (Rule("new_status == 'Canceled'", E.COMPLETE), K.CANCELED, {}, "Completed"),
        (Rule("false", E.COMPLETE), K.CANCELED, {}, "Canceled"),
        (Rule("false", E.COMPLETE), K.REMOTE_GONE, {}, "Unknown"),
        (Rule("true", E.RAISE_EVENT, target="accepted"), K.COMPLETED, {}, "Completed"),
    ],
)
def test_a_rule_may_replace_the_result(
    rule: Rule, kind: ReportKind, detail: dict[str, Any], end: str
):
    core = defined(post_running=(rule,))
    job = started(core)
    core.report(kind, job, **detail)

    assert path(job) == f"{RUNNING} PostRunning {end}"
    assert job.provisional == 0
    assert (job.fault is None) == (end != "Error")
    core.check_replay()


def test_a_killed_job_keeps_that_result():
    core = defined(post_running=(Rule("false", E.FAIL),))
    job = started(core)
    core.verb(Verb.KILL, job)
    core.report(K.KILLED, job)

    assert path(job) == f"{RUNNING} Killing PostRunning Killed"


@pytest.mark.parametrize(
    ("detail", "end"),
    [
        ({}, "Error"),
        ({"action": c.ActionOutcome(E.COMPLETE)}, "Completed"),
        ({"action": c.ActionOutcome(E.FAIL)}, "Error"),
        ({"fault": Fault("RAISED")}, "Error"),
    ],
)
def test_code_of_the_robot_may_replace_the_result(detail: dict[str, Any], end: str):
    core = defined(post_running_code=True)
    job = started(core)
    core.report(K.FAILED, job, fault=Fault("BROKEN", "it broke"))
    assert path(job) == f"{RUNNING} PostRunning"
    assert (job.provisional, job.attached) == (S.REDWOOD_ERROR, True)
    assert core.told(job)[-1] is Order.RUN_POST_RUNNING
    core.check_replay()
    assert core.report(K.POST_RUNNING_DONE, job, **detail) == []

    assert path(job) == f"{RUNNING} PostRunning {end}"
    assert not job.attached
    core.check_replay()


@pytest.mark.parametrize(("back", "end"), [(False, "Unknown"), (True, "Error")])
def test_a_robot_that_is_lost_during_the_post_running_action(back: bool, end: str):  # noqa: FBT001
    core = defined(post_running_code=True)
    job = started(core)
    core.report(K.COMPLETED, job)
    if back:
        core.connect(instance="another")
    else:
        core.lose()

    assert path(job) == f"{RUNNING} PostRunning {end}"
    core.check_replay()


def test_nobody_runs_code_for_a_job_whose_robot_is_gone():
    core = defined(post_running_code=True)
    job = started(core)
    core.say_goodbye()

    assert path(job) == f"{RUNNING} Unknown"


def test_the_action_comes_before_the_question_to_the_operator():
    killed = RestartBehavior(int(S.REDWOOD_KILLED), RestartAction.REQUEST_RESTART)
    core = defined(post_running=(Rule("false", E.FAIL),), restart_behaviors=(killed,))
    job = started(core)
    core.verb(Verb.KILL, job)
    core.report(K.KILLED, job)
    assert path(job) == f"{RUNNING} Killing PostRunning ConsoleRestart"
    message = job.open_message
    assert message is not None
    core.take(c.Reply(message.id, "No restart"))

    assert path(job) == f"{RUNNING} Killing PostRunning ConsoleRestart Killed"
    core.check_replay()


# -- on change ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "way"),
    [
        (Rule("new_status == 'New'", E.HOLD), "New Held"),
        (Rule("new_status == 'New'", E.CANCEL), "New Canceled"),
        (Rule("new_status == 'New'", E.FAIL, reason="no"), "New Error"),
        (Rule("job.parameters.x > 1", E.HOLD), "New Error"),
        (Rule("new_status == 'New'", E.RESCHEDULE, 60_000), "New Scheduled"),
        (Rule("true", E.MOVE, target="slow"), "New Scheduled Queued"),
        (Rule("new_status == 'Scheduled'", E.HOLD), "New Scheduled Queued Held"),
        (Rule("new_status == 'Queued'", E.CANCEL), "New Scheduled Queued Canceled"),
        (Rule("new_status == 'Queued'", E.FAIL), "New Scheduled Queued Held"),
        (Rule("new_status == 'Queued'", E.RESCHEDULE, 60_000), "New Scheduled Queued Scheduled"),
        (
            Rule("new_status == 'Queued'", E.MOVE, target="slow"),
            "New Scheduled Queued Scheduled Queued",
        ),
    ],
    ids=lambda value: f"{value.when} {value.effect.name}" if isinstance(value, Rule) else value,
)
def test_an_on_change_action_turns_the_job_around(rule: Rule, way: str):
    core = defined(on_change=(rule,))
    job = core.submit()

    assert path(job) == way
    if rule.effect is E.MOVE:
        assert job.queue == "slow"
    core.check_replay()


def test_the_action_of_a_job_that_comes_round_is_not_looked_at_for_ever():
    core = defined(on_change=(Rule("new_status == 'Queued'", E.RESCHEDULE, 60_000),))
    job = core.submit()
    for _ in range(3):
        core.later(minutes=1)

    assert path(job) == "New" + 4 * " Scheduled Queued" + " Scheduled"


def test_a_failed_action_leaves_a_message():
    core = defined(on_change=(Rule("new_status == 'Queued' && job.parameters.x > 1", E.HOLD),))
    job = core.submit()

    assert path(job) == "New Scheduled Queued Held"
    assert job.open_message is not None
    assert "on-change action" in job.open_message.text


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pre_running": (Rule("job.prio > 1", E.HOLD),)}, Reason.INVALID_EXPRESSION),
        ({"pre_running": (Rule("job.priority", E.HOLD),)}, Reason.INVALID_EXPRESSION),
        ({"pre_running": (Rule("true", E.COMPLETE),)}, Reason.INVALID_FIELD),
        ({"post_running": (Rule("true", E.HOLD),)}, Reason.INVALID_FIELD),
        ({"on_change": (Rule("true", E.MOVE, target="none"),)}, Reason.QUEUE_NOT_FOUND),
        ({"on_change": (Rule("true", E.RESCHEDULE),)}, Reason.INVALID_FIELD),
        ({"on_change": (Rule("true", E.RAISE_EVENT, target="known"),)}, Reason.INVALID_FIELD),
        ({"pre_running": (Rule("true", E.RAISE_EVENT, target="x"),)}, Reason.EVENT_NOT_FOUND),
        ({"pre_running": (Rule("windows['w']", E.HOLD),)}, Reason.WINDOW_NOT_FOUND),
        (
            {"restart_behaviors": (RestartBehavior(int(S.REDWOOD_HELD), RestartAction.STOP),)},
            Reason.INVALID_FIELD,
        ),
    ],
)
def test_a_definition_that_cannot_work_is_refused(fields: dict[str, Any], reason: Reason):
    core = CoreDriver()
    core.accepted(c.PutEvents((NamedEvent("known"),)))
    refused = core.take(c.PutDefinitions((Definition("d", int(Lifecycle.REDWOOD), **fields),)))

    assert isinstance(refused, Rejection)
    assert refused.reason is reason
    assert "'d'" in refused.sentence


def test_uipath_definitions_have_no_actions():
    core = CoreDriver()
    rule = (Rule("true", E.HOLD),)
    given = Definition("d", int(Lifecycle.UIPATH), on_change=rule)
    refused = core.take(c.PutDefinitions((given,)))

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.WRONG_LIFECYCLE


def test_a_queue_that_an_action_moves_to_stays():
    core = pre(Rule("true", E.MOVE, target="slow"))
    refused = core.take(c.DeleteQueues(("slow",)))

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.IN_USE
