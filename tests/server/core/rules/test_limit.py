"""Runtime limits: how they are found, and what missing one does (R29, RA-17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import (
    LimitBasis,
    LimitEffect,
    LimitKind,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import REDWOOD, CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

K, Order = ReportKind, EffectKind
RUNNING = "New Scheduled Queued Dispatched Assigned Running"
MAXIMUM, MINIMUM = LimitKind.MAXIMUM, LimitKind.MINIMUM


def limited(*limits: RuntimeLimit, **fields: Any) -> CoreDriver:
    core = CoreDriver()
    core.accepted(c.PutEvents((NamedEvent("late"), NamedEvent("early"))))
    core.define(REDWOOD, Lifecycle.REDWOOD, runtime_limits=limits, **fields)
    core.connect(actions=True)
    return core


def started(core: CoreDriver, **fields: Any) -> Job:
    job = core.submit(**fields)
    core.dispatch()
    core.report(K.STARTED, job)
    return job


def fixed(s: int, effect: LimitEffect = LimitEffect.NONE, **fields: Any) -> RuntimeLimit:
    return RuntimeLimit(MAXIMUM, duration_ms=s * 1000, effect=effect, **fields)


def raises(core: CoreDriver, event: str) -> int:
    return len(core.world.events[event].raises)


def test_a_maximum_kills_the_job():
    core = limited(fixed(60, LimitEffect.KILL, event="late"))
    job = started(core)
    core.later(s=59)
    assert path(job) == RUNNING
    core.check_replay()
    core.later(s=1)

    assert path(job) == f"{RUNNING} Killing"
    assert core.told(job)[-1] is Order.KILL
    assert raises(core, "late") == 1
    core.report(K.KILLED, job)
    assert path(job) == f"{RUNNING} Killing Killed"
    core.check_replay()


def test_a_maximum_makes_the_job_error():
    core = limited(fixed(60, LimitEffect.ERROR))
    job = started(core)
    core.later(minutes=2)

    assert path(job) == f"{RUNNING} Error"
    assert job.fault is not None
    assert job.fault.code == "RUNTIME_LIMIT"
    assert core.told(job)[-1] is Order.FORGET
    core.check_replay()


def test_the_post_running_action_looks_at_an_error_of_a_limit():
    rule = Rule("new_status == 'Error'", RuleEffect.COMPLETE)
    core = limited(fixed(60, LimitEffect.ERROR), post_running=(rule,), post_running_code=True)
    job = started(core)
    core.later(minutes=2)

    assert path(job) == f"{RUNNING} PostRunning Completed"


def test_several_maxima_are_missed_one_after_another():
    core = limited(fixed(60, event="late"), fixed(90, LimitEffect.KILL, event="late"))
    job = started(core)
    core.later(s=60)
    assert (path(job), raises(core, "late"), job.limits_missed) == (RUNNING, 1, (0,))
    core.later(s=30)

    assert (path(job), raises(core, "late")) == (f"{RUNNING} Killing", 2)


def test_a_limit_counts_from_the_first_instant_although_the_server_restarted():
    core = limited(fixed(60, LimitEffect.KILL))
    job = started(core)
    core.later(s=30)
    core.restart_server()
    core.later(s=40)
    assert path(job) == f"{RUNNING} Uncertain"
    core.connect(actions=True, running=(c.RunningJob(job.id, job.fence),))

    assert path(job) == f"{RUNNING} Uncertain Running Killing"
    assert job.history[-1].cause.author == "runtime limit"
    core.check_replay()


@pytest.mark.parametrize(
    ("effect", "way"), [(LimitEffect.KILL, "Killing"), (LimitEffect.ERROR, "Running Error")]
)
def test_a_job_that_waits_can_run_for_too_long(effect: LimitEffect, way: str):
    core = limited(fixed(60, effect))
    job = started(core)
    core.report(K.WAITING, job)
    core.later(minutes=2)

    assert path(job) == f"{RUNNING} Waiting {way}"


def test_a_question_is_answered_before_a_job_becomes_error():
    core = limited(fixed(60, LimitEffect.ERROR))
    job = started(core)
    core.report(K.ASKED, job, question=c.Question("go on?"))
    core.later(minutes=2)
    assert path(job) == f"{RUNNING} Console"
    message = job.open_message
    assert message is not None
    core.accepted(c.Reply(message.id, "yes"))

    assert path(job) == f"{RUNNING} Console Running Error"


@pytest.mark.parametrize(
    ("effect", "way"), [(LimitEffect.KILL, "Killing"), (LimitEffect.ERROR, "Error")]
)
def test_the_pre_running_action_counts(effect: LimitEffect, way: str):
    core = limited(fixed(60, effect), pre_running_code=True)
    job = core.submit()
    core.dispatch()
    core.report(K.ACCEPTED, job)
    core.later(minutes=2)

    assert path(job) == f"New Scheduled Queued Dispatched Assigned PreRunning {way}"


def test_a_minimum_raises_its_event_at_the_end():
    core = limited(RuntimeLimit(MINIMUM, duration_ms=60_000, event="early"))
    quick = started(core)
    core.later(s=59)
    core.report(K.COMPLETED, quick)
    assert (raises(core, "early"), quick.limits_missed) == (1, (0,))
    slow = started(core)
    core.later(s=60)
    core.report(K.COMPLETED, slow)

    assert (raises(core, "early"), slow.limits_missed) == (1, ())
    core.check_replay()


@pytest.mark.parametrize(
    ("limit", "length_ms"),
    [
        (RuntimeLimit(MAXIMUM, LimitBasis.ESTIMATE_PERCENT, percent=150, event="late"), 150_000),
        (RuntimeLimit(MAXIMUM, LimitBasis.ESTIMATE_OFFSET, 20_000, event="late"), 120_000),
    ],
)
def test_an_estimate_is_made_of_jobs_that_completed(limit: RuntimeLimit, length_ms: int):
    core = limited(limit)
    for s in (80, 120):
        job = started(core)
        assert job.limit_at_ms == 0 or s == 120
        core.later(s=s)
        core.report(K.COMPLETED, job)
    failed = started(core)
    core.later(s=1)
    core.report(K.FAILED, failed)

    assert (core.world.run_times[REDWOOD].count, core.world.run_times[REDWOOD].average_ms) == (
        2,
        100_000,
    )
    job = started(core)
    assert job.limits_ms == (length_ms,)
    assert job.limit_at_ms == core.now_ms + length_ms
    core.check_replay()


def test_a_limit_can_be_an_expression_over_the_job():
    text = "job.priority > 60 ? duration('2m') : duration('90s')"
    core = limited(RuntimeLimit(MAXIMUM, LimitBasis.EXPRESSION, expression=text, event="late"))

    assert started(core, priority=70).limits_ms == (120_000,)
    assert started(core).limits_ms == (90_000,)


def test_an_expression_that_fails_is_no_limit_and_leaves_a_note():
    text = "job.parameters.minutes * 60"
    core = limited(RuntimeLimit(MAXIMUM, LimitBasis.EXPRESSION, expression=text, event="late"))
    job = started(core)

    assert (job.limits_ms, job.limit_at_ms) == ((0,), 0)
    assert "does not apply" in job.messages[0].text


def test_a_job_that_was_turned_around_is_measured_anew():
    core = limited(
        fixed(60, LimitEffect.KILL),
        pre_running=(Rule("job.restarts == 0 && job.priority < 60", RuleEffect.HOLD),),
    )
    job = core.submit()
    core.dispatch()
    core.report(K.ACCEPTED, job)
    assert job.limit_at_ms == 0
    core.later(minutes=5)
    core.verb(Verb.SET_PRIORITY, job, value=80)
    core.verb(Verb.RELEASE, job)
    core.dispatch()
    core.report(K.ACCEPTED, job)

    assert path(job).endswith("Held Scheduled Queued Dispatched Assigned PreRunning Running")
    assert job.limit_at_ms == core.now_ms + 60_000
