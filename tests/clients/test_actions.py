"""Actions of a robot with a whole server: what a handler's `pre_running` and `post_running` do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest

from interlock import Definition, PostRun, PreRun, Robot, connect
from interlock_server.app import running
from interlock_server.config import Config
from tests.support.until import until

ACTING = "New Scheduled Queued Dispatched Assigned PreRunning"


@asynccontextmanager
async def working(robot):
    task = asyncio.create_task(robot.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def serving(directory, port=0):
    config = Config(listen=(f"127.0.0.1:{port}",), data_dir=str(directory))
    async with running(config) as server:
        yield server.addresses[0]


@pytest.fixture
async def interlock(tmp_path):
    async with serving(tmp_path) as address, connect(address) as interlock:
        await interlock.put_queues([{"name": "slow"}])
        yield interlock


async def define(interlock, **fields):
    await interlock.put_definitions([Definition("Load", "redwood", **fields)])


async def path(interlock, job):
    return " ".join(entry.to_status for entry in await interlock.history(job))


async def test_a_job_runs_when_its_action_has_passed(interlock):
    await define(interlock, pre_running_code=True, post_running_code=True)
    robot = Robot(interlock.address, name="bot")
    told: list[Any] = []

    @robot.job("Load")
    async def load(run):
        told.append("run")
        return run.result(return_code=4, rows=3)

    @load.pre_running
    async def check(run: PreRun):
        told.append((run.old_status, run.parameters))

    @load.post_running
    async def accept(run: PostRun):
        told.append((run.new_status, run.ended, run.return_code, run.result))
        return run.completed("4 is good enough")

    async with working(robot):
        job = await interlock.submit("Load", {"file": "a.csv"})
        ended = await interlock.wait(job.id)
        await until(lambda: not robot.jobs)

    assert await path(interlock, job.id) == f"{ACTING} Running PostRunning Completed"
    assert (ended.result, ended.info) == ({"rows": 3}, "4 is good enough")
    assert told == [
        ("Queued", {"file": "a.csv"}),
        "run",
        ("Error", "completed", 4, {"rows": 3}),
    ]


@pytest.mark.parametrize(
    ("decide", "way"),
    [
        (lambda run: run.hold("month end"), "Held"),
        (lambda run: run.cancel(), "Canceled"),
        (lambda run: run.fail("no"), "Error"),
        (lambda run: run.reschedule(3600), "Scheduled"),
        (lambda run: run.move("slow"), "Scheduled Queued"),
        (lambda run: run.move("nowhere"), "Error"),
        (lambda run: 1 / 0, "Error"),
        (lambda run: "yes", "Error"),
    ],
    ids=["hold", "cancel", "fail", "reschedule", "move", "nowhere", "raise", "nonsense"],
)
async def test_an_action_in_a_thread_turns_its_job_around(interlock, decide, way):
    await define(interlock, pre_running_code=True)
    robot = Robot(interlock.address, name="bot", queues=["default"])

    @robot.job("Load")
    def load(run):
        raise AssertionError("it must not run")

    load.pre_running(decide)
    async with working(robot):
        job = await interlock.submit("Load")
        end = way.rpartition(" ")[2]
        await until_status(interlock, job.id, end)
        await until(lambda: not robot.jobs)

    assert await path(interlock, job.id) == f"{ACTING} {way}"


async def until_status(interlock, job, status):
    while (await interlock.get(job)).status != status:  # noqa: ASYNC110  every look is a call
        await asyncio.sleep(0)


async def test_rules_alone_let_a_robot_start(interlock):
    await define(interlock, pre_running=[{"when": "false", "effect": "hold"}])
    robot = Robot(interlock.address, name="bot", slots=3)

    @robot.job("Load")
    async def load(run): ...

    async with working(robot):
        jobs = await interlock.submit_many([{"definition": "Load"}] * 10)
        for job in jobs:
            await interlock.wait(job.id)

    for job in jobs:
        assert await path(interlock, job.id) == f"{ACTING} Running Completed"


async def test_a_robot_without_the_action_makes_the_job_fail(interlock):
    await define(interlock, pre_running_code=True)
    robot = Robot(interlock.address, name="bot")

    @robot.job("Load")
    async def load(run): ...

    async with working(robot):
        job = await interlock.submit("Load")
        ended = await interlock.wait(job.id)

    assert ended.status == "Error"
    assert "no such action" in ended.info


async def test_a_job_is_killed_during_its_action(interlock):
    await define(interlock, pre_running_code=True)
    robot = Robot(interlock.address, name="bot")

    @robot.job("Load")
    async def load(run): ...

    @load.pre_running
    async def wait(run):
        await asyncio.Event().wait()

    async with working(robot):
        job = await interlock.submit("Load")
        await until_status(interlock, job.id, "PreRunning")
        await interlock.kill(job.id)
        ended = await interlock.wait(job.id)
        await until(lambda: not robot.jobs)

    assert ended.status == "Killed"


async def test_a_post_running_action_that_raises_is_an_error(interlock):
    await define(interlock, post_running_code=True)
    robot = Robot(interlock.address, name="bot")

    @robot.job("Load")
    def load(run): ...

    @load.post_running
    def check(run):
        raise ValueError("it has no rows")

    async with working(robot):
        job = await interlock.submit("Load")
        ended = await interlock.wait(job.id)

    assert (ended.status, ended.fault.title) == ("Error", "it has no rows")


async def test_orders_are_said_again_after_a_restart_of_the_server(tmp_path):
    goes_on = asyncio.Event()
    async with serving(tmp_path) as address:
        robot = Robot(address, name="bot")

        @robot.job("Load")
        async def load(run): ...

        @load.pre_running
        async def check(run):
            await goes_on.wait()

        task = asyncio.create_task(robot.run())
        async with connect(address) as interlock:
            await define(interlock, pre_running_code=True, post_running_code=True)
            job = await interlock.submit("Load")
            await until_status(interlock, job.id, "PreRunning")
    goes_on.set()
    async with (
        serving(tmp_path, int(address.rpartition(":")[2])) as address,
        connect(address) as interlock,
    ):
        ended = await interlock.wait(job.id)
        assert ended.fault is not None
        assert ended.fault.code == "NO_ACTION"
        assert await path(interlock, job.id) == f"{ACTING} Running PostRunning Error"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_handler_is_still_a_function():
    robot = Robot("localhost:1", name="bot")

    @robot.job("Load")
    async def load(run):
        """Load a file."""
        return run

    assert await load("anything") == "anything"
    assert (load.__name__, load.__doc__, load.definition) == ("load", "Load a file.", "Load")
    load.pre_running(print)
    with pytest.raises(ValueError, match="one pre-running action"):
        load.pre_running(print)
