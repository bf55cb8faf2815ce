"""What becomes of a Redwood process when its robot or the server is lost (domain.md S17, RA-15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import UIPATH
from tests.support.live_partition import START, started

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


@pytest.mark.parametrize(
    ("found", "path"),
    [
        (K.COMPLETED, f"{START} Uncertain Completed"),
        (K.FAILED, f"{START} Uncertain Error"),
        (K.KILLED, f"{START} Uncertain Killed"),
    ],
)
async def test_s17_after_a_restart_of_the_server_an_end_message_is_found(
    live: LivePartition, found, path
):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    assert (await live.job(job)).status == Status.REDWOOD_UNCERTAIN
    back = await live.connect(running=robot.running(job, ended=True))
    assert back.opened.verdicts == (c.Verdict.KEEP,)
    await back.report(found, job, fence=1)

    assert await live.path(job) == path


async def test_s17_after_a_restart_of_the_server_the_agent_is_still_at_work(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    back = await live.connect(running=robot.running(job))
    await back.report(K.COMPLETED, job, fence=1)

    assert await live.path(job) == f"{START} Uncertain Running Completed"


async def test_s17_after_a_restart_of_the_server_nothing_is_heard(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    await live.later(minutes=9)
    await live.kill()  # another restart must not begin the ten minutes anew
    assert (await live.job(job)).status == Status.REDWOOD_UNCERTAIN
    await live.later(minutes=1)

    assert await live.path(job) == f"{START} Uncertain Unknown"
    (event,) = [e for e in await live.events(job) if e.change == "Uncertain>Unknown"]
    assert event.actor == "clock"


async def test_s17_a_definition_can_have_its_own_time_to_stay_uncertain(live: LivePartition):
    await live.define("quick", Lifecycle.REDWOOD, uncertain_timeout_ms=5_000)
    robot = await live.connect()
    job = await started(live, robot, "quick")

    await live.kill()
    await live.later(s=5)

    assert await live.path(job) == f"{START} Uncertain Unknown"


async def test_s17_a_process_whose_runner_died_on_the_host_is_an_error(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    await live.connect(instance="a new program")

    assert await live.path(job) == f"{START} Error"


async def test_s17_a_process_whose_remote_job_was_deleted_is_unknown(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await robot.report(K.REMOTE_GONE, job)

    assert await live.path(job) == f"{START} Unknown"


async def test_silence_for_the_whole_time_to_live_makes_it_uncertain_and_a_return_goes_on(
    live: LivePartition,
):
    robot = await live.connect()
    job, waiting = await started(live, robot), await started(live, robot)
    offered, accepted = await live.submit(), await live.submit()
    await robot.report(K.WAITING, waiting)
    await robot.report(K.ACCEPTED, accepted)
    await robot.cut()

    await live.silence(minutes=5)
    assert await live.paths(job, waiting, offered, accepted) == [
        f"{START} Uncertain",
        f"{START} Waiting Uncertain",
        "New Scheduled Queued Dispatched Queued",
        "New Scheduled Queued Dispatched Assigned Queued",
    ]

    back = await live.connect(running=robot.running(job, waiting))
    await back.report(K.WAIT_OVER, waiting, fence=1)
    assert await live.paths(job, waiting) == [
        f"{START} Uncertain Running",
        f"{START} Waiting Uncertain Running",
    ]
    assert {back.offers[each].fence for each in (offered, accepted)} == {2}


async def test_a_cut_that_is_shorter_than_the_time_to_live_changes_nothing(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    await live.silence(s=299)
    await live.connect(running=robot.running(job))

    assert await live.path(job) == START


async def test_a_robot_that_comes_back_before_it_started_a_job_has_not_started_it(
    live: LivePartition,
):
    robot = await live.connect()
    redwood, uipath = await live.submit(), await live.submit(UIPATH)
    await robot.report(K.ACCEPTED, redwood, uipath)
    await robot.cut()

    back = await live.connect(running=robot.running(redwood, uipath, started=False))

    assert back.opened.verdicts == (c.Verdict.KEEP,) * 2
    assert await live.paths(redwood, uipath) == [
        "New Scheduled Queued Dispatched Assigned",
        "Pending",
    ]
    assert (await live.job(uipath)).attached


async def test_a_stall_of_the_server_is_no_robots_fault(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    live.clock.advance(s=3600)  # the machine slept
    await live.partition.sessions.look()
    await live.silence(s=298)
    assert await live.path(job) == START

    await live.silence(s=1)
    assert await live.path(job) == f"{START} Uncertain"


async def test_a_cancel_that_a_robot_cannot_confirm_is_confirmed_by_its_loss(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.ACCEPTED, job)
    await live.verb(Verb.CANCEL, job)
    await robot.cut()

    await live.silence(minutes=5)

    assert await live.path(job) == "New Scheduled Queued Dispatched Assigned Canceling Canceled"


async def test_a_kill_is_said_again_after_a_restart_of_the_server(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.KILL, job)

    await live.kill()
    back = await live.connect(running=robot.running(job))
    assert back.opened.verdicts == (c.Verdict.KILL,)
    assert back.told() == [(job, EffectKind.KILL)]
    await back.report(K.KILLED, job, fence=1)

    assert await live.path(job) == f"{START} Killing Killed"


async def test_a_kill_that_its_lost_robot_never_got_counts_when_the_robot_is_back(
    live: LivePartition,
):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()
    await live.verb(Verb.KILL, job)
    await live.silence(minutes=5)
    assert await live.path(job) == f"{START} Killing Uncertain"

    back = await live.connect(running=robot.running(job))
    assert back.opened.verdicts == (c.Verdict.KILL,)
    await back.report(K.KILLED, job, fence=1)

    assert await live.path(job) == f"{START} Killing Uncertain Running Killing Killed"
