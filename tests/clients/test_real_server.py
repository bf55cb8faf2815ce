"""The SDK with a whole server: whole lives, both forms of a watch, and restarts in between."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from interlock import AlreadyFinal, Definition, Robot, connect
from interlock_server.app import running
from interlock_server.config import Config
from tests.support.until import until


@asynccontextmanager
async def serving(directory, port=0):
    config = Config(listen=(f"127.0.0.1:{port}",), data_dir=str(directory))
    async with running(config) as server:
        yield server.addresses[0]


@asynccontextmanager
async def working(robot):
    task = asyncio.create_task(robot.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def interlock(tmp_path):
    async with serving(tmp_path) as address, connect(address, user="alice") as interlock:
        await interlock.put_definitions(
            [Definition("Invoice", "uipath"), Definition("Report", "redwood")]
        )
        yield interlock


async def story(interlock, job):
    return [str(entry) for entry in await interlock.history(job)]


async def test_a_uipath_job_suspends_resumes_and_succeeds(interlock):
    robot = Robot(interlock.address, name="bot")

    @robot.job("Invoice")
    async def handle(run):
        if not run.resume_version:
            await run.suspend(until=timedelta(milliseconds=1), save={"page": 3})
        return run.saved

    async with working(robot):
        job = await interlock.submit("Invoice", {"month": "2026-10"})
        ended = await interlock.wait(job.id)

    assert (ended.status, ended.result) == ("Successful", {"page": 3})
    assert await story(interlock, job.id) == [
        "→ Pending",
        "Pending → Running",
        "Running → Suspended",
        "Suspended → Resumed",
        "Resumed → Running",
        "Running → Successful",
    ]


async def test_a_redwood_job_asks_waits_and_completes(interlock):
    robot = Robot(interlock.address, name="bot", slots=2)

    @robot.job("Invoice")
    async def handle_child(run): ...

    @robot.job("Report")
    def handle(run):
        child = run.block(run.interlock.submit("Invoice"))
        status = run.wait_for(child.id).status
        return [status, run.ask("Post it?", ["yes", "no"])]

    async with working(robot):
        job = await interlock.submit("Report")
        async with interlock.watch(from_revision=0, jobs=[job.id], statuses=["Console"]) as watch:
            await anext(watch)
        (message,) = await interlock.messages()
        await interlock.reply(message.id, "yes")
        ended = await interlock.wait(job.id)

    assert (ended.status, ended.result) == ("Completed", ["Successful", "yes"])
    assert (await story(interlock, job.id))[-6:] == [
        "Assigned → Running",
        "Running → Waiting",
        "Waiting → Running",
        "Running → Console",
        "Console → Running",
        "Running → Completed",
    ]


async def test_a_stop_and_a_kill_reach_the_handlers(interlock):
    robot = Robot(interlock.address, name="bot", slots=2)

    @robot.job("Invoice")
    async def handle(run):
        await run.stopping()
        return run.canceled("as told")

    @robot.job("Report")
    async def handle_report(run):
        await asyncio.Event().wait()

    async with working(robot):
        stopped = await interlock.submit("Invoice")
        killed = await interlock.submit("Report")
        await until(lambda: len(robot.jobs) == 2)
        await interlock.stop(stopped.id, reason="enough")
        await interlock.kill(killed.id)
        ends = [(await interlock.wait(job.id)).status for job in (stopped, killed)]

    assert ends == ["Stopped", "Killed"]
    with pytest.raises(AlreadyFinal):
        await interlock.kill(killed.id)


async def test_both_forms_of_a_watch_tell_the_same_story(interlock):
    robot = Robot(interlock.address, name="bot", slots=20)

    @robot.job("Invoice")
    async def handle(run): ...

    @robot.job("Report")
    async def handle_report(run):
        return run.result(return_code=run.parameters["n"] % 2)

    async with working(robot):
        specs = [
            {"definition": name, "parameters": {"n": n}}
            for n in range(30)
            for name in ("Invoice", "Report")
        ]
        jobs = await interlock.submit_many(specs)
        await asyncio.gather(*(interlock.wait(job.id) for job in jobs))

    head = (await interlock.server_status()).revision
    stories = []
    for columns in (True, False):
        changes = []
        async with interlock.watch(from_revision=0, columns=columns) as watch:
            async for batch in watch.batches():
                changes += batch
                if watch.revision >= head:
                    break
        stories.append(changes)

    assert stories[0] == stories[1]
    assert [change.revision for change in stories[0]] == list(range(1, head + 1))


@pytest.mark.slow
async def test_jobs_robots_and_watches_outlive_a_restart_of_the_server(tmp_path):
    goes_on = asyncio.Event()
    async with serving(tmp_path) as address:
        port = int(address.rpartition(":")[2])
        interlock = connect(address, user="alice")
        await interlock.put_definitions([Definition("Invoice", "uipath")])
        robot = Robot(address, name="bot", slots=2)

        @robot.job("Invoice")
        async def handle(run):
            await goes_on.wait()
            return run.id

        watch = interlock.watch()
        await watch.start()
        task = asyncio.create_task(robot.run())
        job = await interlock.submit("Invoice")
        started = [await anext(watch), await anext(watch)]

    goes_on.set()
    async with serving(tmp_path, port):
        ended = await interlock.wait(job.id)
        last = await anext(watch)
        robot.drain()
        await task
        await watch.close()
        await interlock.close()

    assert [str(change) for change in (*started, last)] == [
        "→ Pending",
        "Pending → Running",
        "Running → Successful",
    ]
    assert ended.result == job.id
    assert watch.resumes >= 1
