"""Robots that die, sleep or come back too late, and a server that sleeps itself."""

from __future__ import annotations

import signal

import pytest

from interlock.v1 import robot_service_pb2 as robot_pb
from interlock.v1.catalog_service_pb2 import PutDefinitionsRequest
from interlock.v1.definition_pb2 import Definition
from interlock.v1.robot_service_pb2 import ReportKind as K
from interlock.v1.status_pb2 import Lifecycle
from tests.crash.life import Life
from tests.crash.plain_robot import PlainRobot, start_all
from tests.crash.reading import verified
from tests.crash.scene import (
    TIME_TO_LIVE_S,
    RobotProcess,
    path,
    serving,
    status,
    statuses,
    submit,
    until_all,
)
from tests.support.real_time import pass_time

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

COUNT = 10


async def test_every_late_report_of_a_robot_that_slept_through_its_session_is_refused(
    tmp_path, scoreboard
):
    async with serving(tmp_path) as (server, life):
        jobs = await submit(life, "rerun", COUNT)
        zombie = await RobotProcess.start(server.address, "zombie", COUNT, "rerun")
        try:
            assert set((await zombie.says())["started"]) == {str(job) for job in jobs}
            zombie.send(signal.SIGSTOP)
            heir = PlainRobot(life, "heir", "rerun")
            await heir.connect()
            await start_all([heir], COUNT)

            zombie.send(signal.SIGCONT)
            await zombie.tell()
            late = await zombie.says()
        finally:
            await zombie.gone()

        assert sum(late["old stream"].values()) == COUNT
        assert late["verdicts"] == {"VERDICT_FORGET": COUNT}
        assert late["new stream"] == {"STALE_FENCE": COUNT}
        assert set(await statuses(life, jobs)) == {"STATUS_UIPATH_RUNNING"}
        assert await heir.report(K.REPORT_KIND_COMPLETED) == []
        assert set(await statuses(life, jobs)) == {"STATUS_UIPATH_SUCCESSFUL"}
        assert {tuple(await path(life, job)) for job in jobs} == {
            ("PENDING", "RUNNING", "SUCCESSFUL")
        }
        assert await verified(life) == []
        await heir.vanish()
        scoreboard.count("zombie", late_reports=2 * COUNT, refused=2 * COUNT, **late)


async def test_jobs_of_a_robot_that_was_killed_become_what_their_definitions_say(
    tmp_path, scoreboard
):
    async with serving(tmp_path) as (server, life):
        jobs = {
            name: (await submit(life, name))[0] for name in ("redwood", "wait", "fault", "rerun")
        }
        victim = await RobotProcess.start(server.address, "victim", len(jobs), *jobs)
        await victim.says()

        victim.send(signal.SIGKILL)
        await victim.gone()

        await until_all(life, [jobs["fault"]], "STATUS_UIPATH_FAULTED")
        heir = PlainRobot(life, "heir", "rerun")
        await heir.connect()
        await start_all([heir], 1)
        assert await heir.report(K.REPORT_KIND_COMPLETED) == []
        await until_all(life, [jobs["redwood"]], "STATUS_REDWOOD_UNKNOWN")
        assert (await path(life, jobs["redwood"]))[-3:] == ["RUNNING", "UNCERTAIN", "UNKNOWN"]
        assert await status(life, jobs["rerun"]) == "STATUS_UIPATH_SUCCESSFUL"
        assert await status(life, jobs["wait"]) == "STATUS_UIPATH_RUNNING"
        assert await verified(life) == []
        await heir.vanish()
        scoreboard.count("robot killed", jobs=len(jobs))


async def test_offers_to_a_robot_that_was_lost_go_to_another_one(tmp_path):
    async with serving(tmp_path) as (_, life):
        jobs = [*await submit(life, "redwood", 2), *await submit(life, "wait", 1)]
        lost = PlainRobot(life, "lost", "redwood", "wait")
        await lost.connect()
        offered = await lost.offered(3)
        await lost.report(K.REPORT_KIND_ACCEPTED, {jobs[0]: offered[jobs[0]]})
        heir = PlainRobot(life, "heir", "redwood", "wait")
        await heir.connect()

        await lost.vanish()

        assert await heir.offered(3) == dict.fromkeys(jobs, 2)
        assert await heir.report(K.REPORT_KIND_COMPLETED) == []
        assert (await path(life, jobs[0])).count("DISPATCHED") == 2
        await heir.vanish()


async def test_no_session_is_lost_because_the_server_was_stopped(tmp_path, scoreboard):
    async with serving(tmp_path) as (server, life):
        robots = [PlainRobot(life, f"robot-{number}", f"d{number}") for number in range(COUNT)]
        for number in range(COUNT):
            await _define(life, f"d{number}")
        jobs = [(await submit(life, f"d{number}"))[0] for number in range(COUNT)]
        for robot in robots:
            await robot.connect(beats=False)
        await start_all(robots, 1)

        server.send(signal.SIGSTOP)
        await pass_time(2 * TIME_TO_LIVE_S)
        server.send(signal.SIGCONT)
        await pass_time(0.6 * TIME_TO_LIVE_S)

        found = (await life.robots.ListRobots(robot_pb.ListRobotsRequest())).robots
        assert [robot.state for robot in found].count(4) == 0
        assert [robot.ended for robot in robots] == [""] * COUNT
        for robot in robots:
            assert await robot.report(K.REPORT_KIND_COMPLETED) == []
            await robot.vanish()
        assert {tuple((await path(life, job))[-2:]) for job in jobs} == {("RUNNING", "COMPLETED")}
        scoreboard.count("server stopped", sessions=COUNT, lost=0, stopped_s=2 * TIME_TO_LIVE_S)


async def test_after_a_kill_running_jobs_become_what_their_robots_say_or_unknown(
    tmp_path, scoreboard
):
    async with serving(tmp_path) as (server, life):
        groups = {}
        for name in ("back", "late", "never"):
            redwood, uipath = (
                await submit(life, "redwood", COUNT),
                await submit(life, "wait", COUNT),
            )
            robot = PlainRobot(life, name, "redwood", "wait", slots=2 * COUNT)
            await robot.connect()
            await start_all([robot], 2 * COUNT)
            groups[name] = robot, redwood, uipath
        for robot, _, _ in groups.values():
            await robot.vanish()

        server.kill()
        await server.start()

        async with Life(server.address) as after:
            all_redwood = [job for _, redwood, _ in groups.values() for job in redwood]
            assert set(await statuses(after, all_redwood)) == {"STATUS_REDWOOD_UNCERTAIN"}
            back = await _come_back(after, groups["back"][0])
            assert await back.report(K.REPORT_KIND_COMPLETED) == []
            unknown = [*groups["late"][1], *groups["never"][1]]
            await until_all(after, unknown, "STATUS_REDWOOD_UNKNOWN")
            late = await _come_back(after, groups["late"][0])
            refused = await late.report(K.REPORT_KIND_COMPLETED)

            assert len(refused) == COUNT  # the Redwood jobs: a final status never changes
            expected = {
                "back": ("STATUS_REDWOOD_COMPLETED", "STATUS_UIPATH_SUCCESSFUL"),
                "late": ("STATUS_REDWOOD_UNKNOWN", "STATUS_UIPATH_SUCCESSFUL"),
                "never": ("STATUS_REDWOOD_UNKNOWN", "STATUS_UIPATH_RUNNING"),
            }
            for name, (_, redwood, uipath) in groups.items():
                assert set(await statuses(after, redwood)) == {expected[name][0]}, name
                assert set(await statuses(after, uipath)) == {expected[name][1]}, name
            assert await verified(after) == []
            await back.vanish()
            await late.vanish()
        scoreboard.count("restart with running jobs", jobs=6 * COUNT)


async def _come_back(life, robot):
    """The same robot in a new life, with everything that it had."""
    again = PlainRobot(life, robot.name, "redwood", "wait")
    again.jobs = dict(robot.jobs)
    await again.connect(robot.jobs)
    return again


async def _define(life, name):
    definition = Definition(name=name, lifecycle=Lifecycle.LIFECYCLE_REDWOOD)
    await life.catalog.PutDefinitions(PutDefinitionsRequest(definitions=[definition]))
