"""Who gets a job, and when: the order, the limits, and that no waiting job is forgotten."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.queue import Queue
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver


@pytest.fixture
def core() -> CoreDriver:
    return CoreDriver().with_both()


def offered(core: CoreDriver) -> list[int]:
    """Jobs in the order in which they were offered."""
    return [
        effect.job.id
        for draft in core.drafts
        for effect in draft.effects
        if effect.kind is EffectKind.OFFER
    ]


def end(core: CoreDriver, job) -> None:
    assert core.report(ReportKind.COMPLETED, job) == []
    core.dispatch()


def test_jobs_go_by_priority_then_by_start_then_by_id(core):
    late = core.submit(priority=50)
    core.now_ms += 1000
    urgent = core.submit(priority=80)
    last = core.submit(priority=50)
    same = core.submit(priority=50)

    core.connect()

    assert offered(core) == [urgent.id, late.id, last.id, same.id]


def test_a_job_of_higher_priority_overtakes_while_both_wait(core):
    busy = core.submit(UIPATH)
    core.connect(slots=1)
    usual = core.submit(UIPATH, priority=45)
    urgent = core.submit(UIPATH, priority=65)

    end(core, busy)

    assert urgent.attached
    assert not usual.attached


@pytest.mark.parametrize("definition", [REDWOOD, UIPATH])
@pytest.mark.parametrize("leave", ["end", "hold", "lower"])
def test_the_next_job_of_a_lane_is_served_when_the_first_one_has_left(core, definition, leave):
    busy = core.submit(definition)
    core.connect(slots=1)
    first, second = core.submit(definition), core.submit(definition)
    core.dispatch()

    if leave == "lower":
        core.verb(Verb.SET_PRIORITY, first, value=10)
    elif leave == "hold" and definition == REDWOOD:
        core.verb(Verb.HOLD, first)
    else:
        core.verb(Verb.CANCEL if definition == REDWOOD else Verb.STOP, first)
    end(core, busy)

    assert second.attached


def test_a_job_whose_priority_falls_is_still_served_when_it_is_alone(core):
    busy = core.submit()
    core.connect(slots=1)
    job = core.submit(priority=60)

    core.verb(Verb.SET_PRIORITY, job, value=10)
    core.verb(Verb.SET_PRIORITY, job, value=5)
    core.verb(Verb.SET_PRIORITY, job, value=10)
    end(core, busy)

    assert job.attached


def test_a_job_that_left_its_lane_and_came_back_is_offered_once(core):
    job = core.submit()
    for _ in range(3):
        core.verb(Verb.HOLD, job)
        core.verb(Verb.RELEASE, job)

    core.connect()

    assert offered(core) == [job.id]


def test_every_pool_that_serves_a_lane_hears_of_its_next_job(core):
    core.define("other", Lifecycle.REDWOOD)
    busy = [core.submit(), core.submit()]
    core.connect("robot-1", REDWOOD, slots=1)
    core.connect("robot-2", REDWOOD, "other", slots=1)
    assert {job.robot for job in busy} == {"robot-1", "robot-2"}
    first, second, third = core.submit(), core.submit(), core.submit()

    core.verb(Verb.CANCEL, first)
    for job in busy:
        end(core, job)

    assert {second.robot, third.robot} == {"robot-1", "robot-2"}


def test_no_more_jobs_of_a_queue_are_with_robots_than_its_execution_size(core):
    core.accepted(c.PutQueues((Queue("narrow", execution_size=2),)))
    jobs = [core.submit(queue="narrow") for _ in range(5)]

    core.connect()
    assert [job.attached for job in jobs] == [True, True, False, False, False]

    end(core, jobs[0])
    assert [job.attached for job in jobs] == [False, True, True, False, False]


def test_a_queue_that_gets_a_larger_execution_size_goes_on(core):
    core.accepted(c.PutQueues((Queue("narrow", execution_size=1),)))
    jobs = [core.submit(queue="narrow") for _ in range(3)]
    core.connect()
    core.verb(Verb.CANCEL, jobs[1])

    core.accepted(c.PutQueues((Queue("narrow", execution_size=0),)))
    core.dispatch()

    assert jobs[2].attached


def test_a_robot_runs_one_foreground_job_at_a_time_and_background_jobs_beside_it(core):
    core.define("screen", Lifecycle.UIPATH, foreground=True)
    first, second = core.submit("screen"), core.submit("screen")
    beside = core.submit(UIPATH)

    core.connect()
    assert (first.attached, second.attached, beside.attached) == (True, False, True)

    end(core, first)
    assert second.attached


def test_a_definition_that_becomes_foreground_while_its_jobs_wait_is_treated_as_that(core):
    busy = core.submit(UIPATH)
    core.connect(slots=1)
    first, second = core.submit(UIPATH), core.submit(UIPATH)
    core.define(UIPATH, Lifecycle.UIPATH, foreground=True)
    core.connect("robot-2", slots=5)

    assert [first.attached, second.attached] == [True, False]
    end(core, busy)
    assert second.robot == "robot-1"


def test_a_job_for_one_robot_waits_for_that_robot(core):
    job = core.submit(UIPATH, robot="robot-2")

    core.connect("robot-1")
    assert not job.attached

    core.connect("robot-2")
    assert job.robot == "robot-2"


def test_a_robot_takes_the_better_of_its_own_and_the_common_jobs(core):
    own = core.submit(UIPATH, robot="robot-1", priority=45)
    common = core.submit(UIPATH, priority=65)

    core.connect("robot-1", slots=1)

    assert (own.attached, common.attached) == (False, True)
    end(core, common)
    assert own.attached


def test_a_robot_gets_only_what_it_can_run_and_only_from_its_queues(core):
    core.accepted(c.PutQueues((Queue("night"),)))
    other = core.submit(queue="night")

    core.connect("robot-1", UIPATH)
    core.connect("robot-2", REDWOOD, queues=("default",))
    assert not other.attached

    core.connect("robot-3", REDWOOD, queues=("night",))
    assert other.robot == "robot-3"


@pytest.mark.parametrize("why", ["draining", "maintenance", "broken"])
def test_a_robot_that_takes_no_jobs_gets_none(core, why):
    core.connect()
    match why:
        case "draining":
            core.accepted(c.DrainSession("robot-1", core.epochs["robot-1"]))
        case "maintenance":
            core.accepted(c.SetMaintenance("robot-1", maintenance=True))
        case _:
            core.break_stream()

    job = core.submit()
    core.dispatch()
    assert job.status == Status.REDWOOD_QUEUED

    core.accepted(c.SetMaintenance("robot-1", maintenance=False))
    core.connect()
    assert job.attached


def test_jobs_are_shared_out_among_equal_robots(core):
    core.connect("robot-1")
    core.connect("robot-2")
    jobs = [core.submit() for _ in range(6)]

    core.dispatch()

    assert sorted(job.robot for job in jobs) == ["robot-1"] * 3 + ["robot-2"] * 3


def test_a_slice_of_dispatching_leaves_the_rest_to_the_next_one(core):
    for _ in range(5):
        core.submit()
    core.take(c.OpenSession("robot-2", "i", (REDWOOD,), slots=5), Actor.ROBOT, "robot-2")

    assert core.take(c.Dispatch(2), Actor.DISPATCHER, "dispatcher") is True
    assert core.take(c.Dispatch(2), Actor.DISPATCHER, "dispatcher") is True
    assert core.take(c.Dispatch(2), Actor.DISPATCHER, "dispatcher") is False
    assert offered(core) == [1, 2, 3, 4, 5]


def test_entries_out_of_date_of_a_lane_do_not_let_its_next_job_overtake(core):
    core.define("other", Lifecycle.REDWOOD)
    busy = core.submit()
    core.connect(slots=1)
    gone = core.submit(priority=60)
    core.verb(Verb.CANCEL, gone)
    last, first = core.submit(priority=20), core.submit(priority=80)
    between = core.submit("other", priority=50)
    core.verb(Verb.CANCEL, first)

    end(core, busy)

    assert (between.attached, last.attached) == (True, False)
