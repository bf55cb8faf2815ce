"""The 26 rows of a UiPath job (domain.md C1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.job import Fault, ResumeCondition, ResumeKind
from tests.support.core_driver import UIPATH
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
WAITS_FOR_A_TASK = c.Suspension((ResumeCondition(ResumeKind.PERSON, "task-1"),))


async def started(live: LivePartition, robot: LiveRobot) -> int:
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    return job


async def suspended(live: LivePartition, robot: LiveRobot) -> int:
    job = await started(live, robot)
    await robot.report(K.SUSPENDED, job, suspension=WAITS_FOR_A_TASK)
    return job


async def test_a_job_is_created_started_and_ends_well(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.COMPLETED, job)

    await expect_rows(live, job, "TU-01", by="user")
    await expect_rows(live, job, "TU-04", "TU-08", by="robot")


async def test_a_job_that_a_person_starts_at_the_robot_runs_at_once(live: LivePartition):
    robot = await live.connect()
    job, _ = await live.do(c.StartAtRobot("robot-1", robot.opened.epoch, UIPATH))

    await expect_rows(live, job, "TU-02")


async def test_a_job_that_cannot_be_started_is_faulted_and_restarted(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.COULD_NOT_START, job, fault=Fault("LOGON_FAILED", "wrong password"))
    again = await live.restart_job(job)

    await expect_rows(live, job, "TU-01", "TU-05")
    await expect_rows(live, again, "TU-03", by="user")


@pytest.mark.parametrize(("verb", "row"), [(Verb.STOP, "TU-06"), (Verb.KILL, "TU-07")])
async def test_a_pending_job_is_stopped_at_once(live: LivePartition, verb, row):
    job = await live.submit(UIPATH)
    await live.verb(verb, job)

    await expect_rows(live, job, row, by="user")


@pytest.mark.parametrize(
    ("end", "row"), [(K.FAILED, "TU-09"), (K.CANCELED, "TU-10"), (K.COMPLETED, "TU-08")]
)
async def test_a_running_job_ends_as_its_robot_says(live: LivePartition, end, row):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(end, job)

    await expect_rows(live, job, "TU-04", row, by="robot")


@pytest.mark.parametrize(
    ("end", "row"),
    [
        (K.COMPLETED, "TU-14"),
        (K.CANCELED, "TU-15"),
        (K.FAILED, "TU-16"),
        (K.SUSPENDED, "TU-18"),
    ],
)
async def test_a_stop_lets_the_code_end_as_it_wants(live: LivePartition, end, row):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.STOP, job)
    waits_for = WAITS_FOR_A_TASK if end is K.SUSPENDED else None
    await robot.report(end, job, suspension=waits_for)

    await expect_rows(live, job, "TU-12", by="user")
    await expect_rows(live, job, "TU-12", row)


async def test_a_kill_is_confirmed_by_the_robot(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.KILL, job)
    await robot.report(K.KILLED, job)

    await expect_rows(live, job, "TU-13", by="user")
    await expect_rows(live, job, "TU-13", "TU-19")


async def test_a_scheduled_ending_stops_and_then_kills(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH, stop_after_ms=20 * 60_000, kill_after_ms=60_000)
    await robot.report(K.STARTED, job)
    await live.later(minutes=20)
    await live.later(minutes=1)

    await expect_rows(live, job, "TU-12", "TU-17", by="schedule")


async def test_a_kill_that_nobody_confirms_is_cleaned_up(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.KILL, job)
    await robot.cut()
    await live.later(hours=24)
    await live.later(hours=3)

    await expect_rows(live, job, "TU-13", "TU-20")
    await expect_rows(live, job, "TU-20", by="clock")


async def test_a_job_suspends_itself_and_goes_on_when_the_task_is_done(live: LivePartition):
    robot = await live.connect()
    job = await suspended(live, robot)
    await live.do(c.FireConditions(ResumeKind.PERSON, "task-1"))
    await robot.report(K.STARTED, job)

    await expect_rows(live, job, "TU-11", "TU-21", "TU-24")
    await expect_rows(live, job, "TU-11", "TU-24", by="robot")


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.KILL])
async def test_a_suspended_job_is_stopped_at_once(live: LivePartition, verb):
    robot = await live.connect()
    job = await suspended(live, robot)
    await live.verb(verb, job)

    await expect_rows(live, job, "TU-23", by="user")


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.KILL])
async def test_a_resumed_job_is_stopped_at_once(live: LivePartition, verb):
    robot = await live.connect(slots=1)
    job = await suspended(live, robot)
    await started(live, robot)  # the robot is busy
    await live.verb(Verb.RESUME, job)
    await live.verb(verb, job)

    await expect_rows(live, job, "TU-22", "TU-26", by="user")


async def test_a_resumed_job_whose_fragment_cannot_be_started_is_faulted(live: LivePartition):
    robot = await live.connect()
    job = await suspended(live, robot)
    await live.verb(Verb.RESUME, job)
    await robot.report(K.COULD_NOT_START, job)

    await expect_rows(live, job, "TU-22", "TU-25")
