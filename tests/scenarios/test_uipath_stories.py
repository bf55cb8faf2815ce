"""The stories of domain.md D about UiPath jobs, and those that its rules tell beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import LossPolicy
from interlock_server.core.model.job import (
    Fault,
    ResumeCondition,
    ResumeKind,
    StopStrategy,
)
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import UIPATH

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


async def test_s1_morning_report_goes_to_a_free_robot_and_a_higher_priority_overtakes(
    live: LivePartition,
):
    report = await live.submit(UIPATH, priority=45)
    urgent = await live.submit(UIPATH, priority=65)
    assert (await live.job(report)).robot == ""

    robot = await live.connect(slots=1)
    assert list(robot.offers) == [urgent]
    for job in (urgent, report):
        assert await robot.report(K.STARTED, job) == []
        assert (await live.job(job)).robot == "robot-1"
        await robot.report(K.COMPLETED, job, result='{"rows": 7}')
        await robot.hear()

    assert await live.paths(report, urgent) == ["Pending Running Successful"] * 2
    assert (await live.job(report)).result == '{"rows": 7}'
    assert await live.changes(report) == [
        (report, "->Pending"),
        (report, "Pending>Running"),
        (report, "Running>Successful"),
    ]


async def test_s2_a_second_pending_job_of_a_process_for_one_robot_is_refused(live: LivePartition):
    await live.define("process-b", Lifecycle.UIPATH)
    robot = await live.connect("robot-x", slots=1)
    first = await live.submit(UIPATH, robot="robot-x")
    await robot.report(K.STARTED, first)

    await live.later(minutes=1)
    second = await live.submit(UIPATH, robot="robot-x")
    await live.later(minutes=1)
    other = await live.submit("process-b", robot="robot-x")
    await live.later(minutes=3)
    with pytest.raises(Rejection, match=r"already has a pending job") as refused:
        await live.submit(UIPATH, robot="robot-x")

    assert refused.value.reason is Reason.JOB_ALREADY_PENDING
    assert refused.value.metadata["job"] == str(second)
    for job in (first, second, other):
        await robot.report(K.COMPLETED, job)
    assert await live.paths(first, second, other) == ["Pending Running Successful"] * 3
    order = [job for job, change in await live.changes() if change == "Running>Successful"]
    assert order == [first, second, other]  # chronological


async def test_s2_with_dynamic_allocation_all_are_accepted(live: LivePartition):
    jobs = [await live.submit(UIPATH) for _ in range(3)]

    assert await live.paths(*jobs) == ["Pending"] * 3


async def test_s4_a_failed_job_is_restarted_by_hand_until_it_works(live: LivePartition):
    robot = await live.connect()
    first = await live.submit(UIPATH, parameters='{"month": 7}', labels={"team": "finance"})
    await robot.report(
        K.COULD_NOT_START, first, fault=Fault("LOGON_FAILED", "the password is wrong")
    )

    second = await live.restart_job(first)
    await robot.report(K.STARTED, second)
    await robot.report(K.FAILED, second, fault=Fault("UNHANDLED", "no such file"))
    third = await live.restart_job(second)
    await robot.report(K.STARTED, third)
    await robot.report(K.COMPLETED, third)

    assert await live.paths(first, second, third) == [
        "Pending Faulted",
        "Pending Running Faulted",
        "Pending Running Successful",
    ]
    last = await live.job(third)
    assert (last.restarted_from, last.parameters) == (second, '{"month": 7}')
    assert last.labels == {"team": "finance"}
    failed = await live.job(first)
    assert failed.fault is not None
    assert failed.fault.code == "LOGON_FAILED"
    assert failed.run_start_ms == 0


async def test_a_job_that_is_not_final_is_not_restarted(live: LivePartition):
    job = await live.submit(UIPATH)

    with pytest.raises(Rejection, match="only a final job") as refused:
        await live.restart_job(job)

    assert refused.value.reason is Reason.NOT_FINAL


@pytest.mark.parametrize("pushed", [True, False])
@pytest.mark.parametrize(
    ("end", "path"),
    [
        (K.COMPLETED, "Pending Running Stopping Successful"),
        (K.FAILED, "Pending Running Stopping Faulted"),
        (K.CANCELED, "Pending Running Stopping Stopped"),
    ],
)
async def test_s5_a_polite_stop_ends_as_the_code_ends(live: LivePartition, pushed, end, path):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)

    await live.verb(Verb.STOP, job)
    await robot.hear()
    assert robot.told() == [(job, EffectKind.STOP)]
    if not pushed:  # the push was lost; the heartbeats say it until it is acknowledged
        assert await robot.heartbeat() == [EffectKind.STOP]
        assert await robot.heartbeat() == [EffectKind.STOP]
        robot.stream.acknowledge(job, robot.offers[job].fence, EffectKind.STOP, 0)
        assert await robot.heartbeat() == []
    await robot.report(end, job)

    assert await live.path(job) == path
    assert (await live.job(job)).stop_strategy is StopStrategy.SOFT_STOP


async def test_a_stop_that_is_not_heeded_can_be_turned_into_a_kill_and_not_back(
    live: LivePartition,
):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)

    await live.verb(Verb.STOP, job)
    assert (await live.verb(Verb.STOP, job)).unchanged
    await live.verb(Verb.KILL, job)
    assert (await live.verb(Verb.KILL, job)).unchanged
    with pytest.raises(Rejection, match="is Terminating"):
        await live.verb(Verb.STOP, job)
    await robot.report(K.KILLED, job)

    assert await live.path(job) == "Pending Running Stopping Terminating Stopped"


async def test_s7_a_kill_that_is_never_confirmed_is_cleaned_up_after_a_day(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    await live.verb(Verb.KILL, job)
    ordered_ms = live.clock.now_ms()
    await robot.cut()  # the host has no power

    await live.silence(s=119)
    assert not live.partition.sessions.is_unresponsive("robot-1")
    await live.silence(s=2)
    assert live.partition.sessions.is_unresponsive("robot-1")
    await live.silence(minutes=10)
    assert (await live.job(job)).status == Status.UIPATH_TERMINATING
    await live.later(hours=12)
    await live.restart()  # of this server: it must not begin the day anew
    await live.later(hours=11)
    assert (await live.job(job)).status == Status.UIPATH_TERMINATING

    while (await live.job(job)).status == Status.UIPATH_TERMINATING:
        await live.later(minutes=1)

    hours = (live.clock.now_ms() - ordered_ms) / 3_600_000
    assert 24 <= hours <= 27
    assert live.clock.now_ms() // 60_000 % 180 == 0  # a pass every three hours
    assert await live.path(job) == "Pending Running Terminating Faulted"
    faulted = await live.job(job)
    assert faulted.fault is not None
    assert faulted.fault.code == "TERMINATING_TIMEOUT"
    (event,) = [e for e in await live.events(job) if e.change == "Terminating>Faulted"]
    assert (event.actor, event.author) == ("clock", "clean-up")


async def test_s9_a_network_cut_leaves_the_job_running_until_its_robot_reports(
    live: LivePartition,
):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    await robot.cut()

    await live.silence(minutes=5)
    assert live.partition.sessions.is_unresponsive("robot-1")
    assert (await live.job(job)).status == Status.UIPATH_RUNNING

    back = await live.connect(running=robot.running(job))
    assert back.opened.verdicts == (c.Verdict.KEEP,)
    assert not live.partition.sessions.is_unresponsive("robot-1")
    await back.report(K.COMPLETED, job, fence=1)
    assert await live.path(job) == "Pending Running Successful"


async def test_s9_a_robot_that_comes_back_without_the_job_has_lost_it(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    await robot.cut()

    await live.connect(instance="a new program")

    assert await live.path(job) == "Pending Running Faulted"
    lost = await live.job(job)
    assert lost.fault is not None
    assert lost.fault.code == "ROBOT_LOST"


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (LossPolicy.WAIT, Status.UIPATH_RUNNING),
        (LossPolicy.FAULT, Status.UIPATH_FAULTED),
        (LossPolicy.RERUN, Status.UIPATH_RUNNING),
    ],
)
async def test_silence_for_the_whole_time_to_live_does_what_the_policy_says(
    live: LivePartition, policy, status
):
    await live.define("night-run", Lifecycle.UIPATH, on_robot_loss=policy)
    robot = await live.connect("robot-1", "night-run")
    spare = await live.connect("robot-2", slots=1)
    job = await live.submit("night-run")
    if job not in robot.offers:
        await robot.hear()
    first = robot if job in robot.offers else spare
    await first.report(K.STARTED, job)
    other = spare if first is robot else robot
    await first.cut()

    for _ in range(6):  # the other robot is well
        await live.silence(minutes=1)
        other.stream.heard()
    await other.hear()

    found = await live.job(job)
    assert found.status == status
    assert (found.robot != first.name) is (policy is LossPolicy.RERUN)
    if policy is LossPolicy.RERUN:
        assert other.offers[job].fence == 2
        await other.report(K.STARTED, job)
        await other.report(K.COMPLETED, job)
        back = await live.connect(first.name, running=first.running(job))
        assert back.opened.verdicts == (c.Verdict.FORGET,)
        assert await live.path(job) == "Pending Running Successful"


async def test_a_rerun_that_its_robot_refuses_is_offered_to_another_one(live: LivePartition):
    await live.define("night-run", Lifecycle.UIPATH, on_robot_loss=LossPolicy.RERUN)
    robot = await live.connect("robot-1", "night-run")
    job = await live.submit("night-run")
    await robot.report(K.STARTED, job)
    again = await live.connect("robot-1", "night-run", instance="a new program")
    assert again.offers[job].fence == 2

    await again.report(K.REFUSED, job, reason="no licence")
    other = await live.connect("robot-2", "night-run")

    assert other.offers[job].fence == 3


async def test_a_rerun_that_was_started_again_is_stopped_like_any_other(live: LivePartition):
    await live.define("night-run", Lifecycle.UIPATH, on_robot_loss=LossPolicy.RERUN)
    robot = await live.connect("robot-1", "night-run")
    job = await live.submit("night-run")
    await robot.report(K.STARTED, job)
    again = await live.connect("robot-1", "night-run", instance="a new program")
    await again.cut()
    back = await live.connect(
        "robot-1", "night-run", instance="a new program", running=again.running(job)
    )

    await live.verb(Verb.STOP, job)
    await back.hear()

    assert (await live.job(job)).status == Status.UIPATH_STOPPING
    assert back.told() == [(job, EffectKind.STOP)]


async def test_a_goodbye_with_a_running_job_faults_it(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)

    await robot.goodbye()

    assert await live.path(job) == "Pending Running Faulted"


async def test_a_job_waits_for_another_one_without_a_robot(live: LivePartition):
    robot = await live.connect()
    parent, child = await live.submit(UIPATH), await live.submit(UIPATH)
    await robot.report(K.STARTED, parent, child)

    await robot.report(K.SUSPENDED, parent, suspension=waits_for(ResumeKind.JOB, str(child)))
    suspended = await live.job(parent)
    assert (suspended.attached, suspended.saved) == (False, '"where it was"')
    await robot.report(K.FAILED, child)
    await robot.hear()

    offer = robot.offers[parent]
    assert (offer.fence, offer.resume_version, offer.saved) == (2, 1, '"where it was"')
    await live.later(minutes=1)
    await robot.report(K.STARTED, parent)
    await robot.report(K.COMPLETED, parent)
    assert await live.path(parent) == "Pending Running Suspended Resumed Running Successful"
    ended = await live.job(parent)
    assert ended.resume_ms == ended.run_start_ms + 60_000
    changes = await live.changes()
    assert changes.index((child, "Running>Faulted")) < changes.index((parent, "Suspended>Resumed"))


async def test_a_job_that_waits_for_one_that_has_ended_goes_on_at_once(live: LivePartition):
    robot = await live.connect()
    parent, child = await live.submit(UIPATH), await live.submit(UIPATH)
    await robot.report(K.COMPLETED, child)
    await live.settle()

    await robot.report(K.SUSPENDED, parent, suspension=waits_for(ResumeKind.JOB, str(child)))

    assert await live.path(parent) == "Pending Running Suspended Resumed"


async def test_a_delay_ends_by_itself_also_over_a_restart_of_the_server(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    at_ms = live.clock.now_ms() + 3_600_000
    await robot.report(
        K.SUSPENDED, job, suspension=c.Suspension((ResumeCondition(ResumeKind.TIMER, "", at_ms),))
    )

    await live.later(minutes=59)
    await live.kill()
    assert (await live.job(job)).status == Status.UIPATH_SUSPENDED
    await live.later(minutes=1)

    assert await live.path(job) == "Pending Running Suspended Resumed"


@pytest.mark.parametrize("kind", [ResumeKind.PERSON, ResumeKind.ITEM])
@pytest.mark.parametrize("any_", [True, False])
async def test_a_task_or_an_item_that_is_done_lets_its_job_go_on(live: LivePartition, kind, any_):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    both = (ResumeCondition(kind, "first"), ResumeCondition(kind, "second"))
    await robot.report(K.SUSPENDED, job, suspension=c.Suspension(both, any=any_))

    await live.do(c.FireConditions(kind, "nobody waits for it"))
    (outcome,) = await live.do(c.FireConditions(kind, "second"))
    assert outcome.job == job
    resumed = (await live.job(job)).status == Status.UIPATH_RESUMED
    assert resumed is any_
    await live.do(c.FireConditions(kind, "first"))

    assert await live.path(job) == "Pending Running Suspended Resumed"


async def test_a_person_can_end_a_wait(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.SUSPENDED, job, suspension=waits_for(ResumeKind.PERSON, "task"))

    await live.verb(Verb.RESUME, job)

    assert await live.path(job) == "Pending Running Suspended Resumed"
    with pytest.raises(Rejection, match="is Resumed"):
        await live.verb(Verb.RESUME, job)


async def test_a_job_that_resumes_on_the_same_robot_waits_for_it(live: LivePartition):
    robot = await live.connect("robot-1")
    job = await live.submit(UIPATH)
    suspension = c.Suspension((ResumeCondition(ResumeKind.ITEM, "i"),), same_robot=True)
    await robot.report(K.SUSPENDED, job, suspension=suspension)
    await robot.goodbye()
    other = await live.connect("robot-2")

    await live.verb(Verb.RESUME, job)
    await other.hear()
    assert job not in other.offers

    again = await live.connect("robot-1")
    assert again.offers[job].fence == 2


async def test_a_suspended_or_resumed_job_is_stopped_at_once(live: LivePartition):
    robot = await live.connect()
    waiting, resumed = await live.submit(UIPATH), await live.submit(UIPATH)
    for job in (waiting, resumed):
        await robot.report(K.SUSPENDED, job, suspension=waits_for(ResumeKind.ITEM, "item"))
    await robot.goodbye()
    await live.verb(Verb.RESUME, resumed)

    await live.verb(Verb.STOP, waiting)
    await live.verb(Verb.KILL, resumed)
    await live.do(c.FireConditions(ResumeKind.ITEM, "item"))  # it waits for nothing any more

    assert await live.paths(waiting, resumed) == [
        "Pending Running Suspended Stopped",
        "Pending Running Suspended Resumed Stopped",
    ]


async def test_a_scheduled_ending_counts_from_the_trigger_and_its_kill_from_the_stop(
    live: LivePartition,
):
    due_ms = live.clock.now_ms()
    await live.later(minutes=15)  # it left the queue late
    robot = await live.connect()
    job = await live.submit(
        UIPATH, trigger_ms=due_ms, stop_after_ms=20 * 60_000, kill_after_ms=10 * 60_000
    )
    await robot.report(K.STARTED, job)

    await live.later(minutes=4)
    assert (await live.job(job)).status == Status.UIPATH_RUNNING
    await live.later(minutes=1)
    assert (await live.job(job)).status == Status.UIPATH_STOPPING
    await live.kill()  # the instants survive a restart
    await live.later(minutes=9)
    assert (await live.job(job)).status == Status.UIPATH_STOPPING
    await live.later(minutes=1)

    events = await live.events(job)
    assert [e.change for e in events][-2:] == ["Running>Stopping", "Stopping>Terminating"]
    assert {(e.actor, e.author) for e in events[-2:]} == {("schedule", "scheduled ending")}


async def test_a_scheduled_ending_stops_what_is_still_pending(live: LivePartition):
    job = await live.submit(UIPATH, stop_after_ms=60_000)

    await live.later(minutes=1)

    assert await live.path(job) == "Pending Stopped"


async def test_a_scheduled_kill_without_a_stop_before_it(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH, kill_after_ms=60_000)
    await robot.report(K.STARTED, job)

    await live.later(minutes=1)

    assert await live.path(job) == "Pending Running Terminating"


async def test_a_job_that_a_person_starts_at_the_robot_is_running_at_once(live: LivePartition):
    robot = await live.connect()

    job, fence = await live.do(
        c.StartAtRobot("robot-1", robot.opened.epoch, UIPATH), author="a clerk"
    )
    await robot.report(K.COMPLETED, job, fence=fence)

    assert await live.path(job) == "Running Successful"
    found = await live.job(job)
    assert (found.attended, found.submitted_by, found.robot) == (True, "a clerk", "robot-1")
    assert await live.changes(job) == [(job, "->Running"), (job, "Running>Successful")]


async def test_one_foreground_job_at_a_time_and_background_jobs_beside_it(live: LivePartition):
    await live.define("screen", Lifecycle.UIPATH, foreground=True)
    robot = await live.connect()
    first, second = await live.submit("screen"), await live.submit("screen")
    beside = await live.submit(UIPATH)
    await robot.hear()
    assert sorted(robot.offers) == [first, beside]
    with pytest.raises(Rejection, match="already runs a foreground job"):
        await live.do(c.StartAtRobot("robot-1", robot.opened.epoch, "screen"))

    await robot.report(K.COMPLETED, first)
    await robot.hear()

    assert second in robot.offers


@pytest.mark.parametrize(
    ("strategy", "path"),
    [
        (StopStrategy.NONE, "Pending Running"),
        (StopStrategy.SOFT_STOP, "Pending Running Stopping"),
        (StopStrategy.KILL, "Pending Running Terminating"),
    ],
)
async def test_maintenance_gives_no_new_jobs_and_ends_those_that_run_only_if_asked(
    live: LivePartition, strategy, path
):
    robot = await live.connect(slots=2)
    running, offered = await live.submit(UIPATH), await live.submit(UIPATH)
    await robot.report(K.STARTED, running)

    await live.do(c.SetMaintenance("robot-1", maintenance=True, strategy=strategy))
    later = await live.submit(UIPATH)

    assert await live.paths(running, offered, later) == [path, "Pending", "Pending"]
    assert not (await live.job(later)).attached


async def test_an_old_attempt_cannot_speak_for_the_present_one(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.SUSPENDED, job, suspension=waits_for(ResumeKind.ITEM, "i"))
    await live.verb(Verb.RESUME, job)
    await robot.hear()
    assert robot.offers[job].fence == 2

    (refused,) = await robot.report(K.COMPLETED, job, fence=1)

    assert refused.reason is Reason.STALE_FENCE
    assert await live.path(job) == "Pending Running Suspended Resumed"


def waits_for(kind: ResumeKind, key: str) -> c.Suspension:
    return c.Suspension((ResumeCondition(kind, key),), saved='"where it was"')
