"""Everybody comes back at once after the server died: all watchers, all robots, nothing lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from interlock import connect
from tests.support.own_process import QUICK_RECONNECT, ServerProcess
from tests.support.real_time import pass_time, until
from tests.support.traffic import make_robot, put_catalog

WATCHERS = 300
ROBOTS = 100
JOBS = 1_000
#: How long all of it may take on a machine that does other things too.
PATIENCE_S = 90
SETTLE_S = 0.5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def server(tmp_path):
    with ServerProcess(tmp_path, "--durability", "off") as server:
        yield server


async def follow(watch, seen, last):
    """Watch until something comes after `last`."""
    async for changes in watch.batches():
        seen += [change.revision for change in changes]
        if last.done() and watch.revision > last.result():
            return


async def run_jobs(interlock):
    """Submit jobs and wait until all of them are over."""
    watch = interlock.watch(states=["final"])
    await watch.start()
    specs = [{"definition": name, "count": JOBS // 2} for name in ("report", "invoice")]
    handles = await interlock.submit_many(specs)
    left = {handle.id for handle in handles}
    async with watch:
        async for change in watch:
            left.discard(change.job)
            if not left:
                break


async def submit_marker(interlock):
    """Submit a held job; the revision at which it is held."""
    handle = await interlock.submit("report", hold=True)
    return (await interlock.get(handle.id)).revision


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_three_hundred_watchers_and_a_hundred_robots_come_back_at_once(server, kill):
    last = asyncio.get_running_loop().create_future()
    seen: list[list[int]] = [[] for _ in range(WATCHERS)]
    async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                connect(server.address, timeout=PATIENCE_S, options=QUICK_RECONNECT)
            )
            for _ in range(WATCHERS)
        ]
        user = clients[0]
        await put_catalog(user)
        watches = [client.watch(from_revision=0) for client in clients]
        watching = [
            asyncio.create_task(follow(watch, revisions, last))
            for watch, revisions in zip(watches, seen, strict=True)
        ]
        robots = [make_robot(server.address, f"robot-{number}") for number in range(ROBOTS)]
        shifts = [asyncio.create_task(robot.run()) for robot in robots]
        await asyncio.gather(*(robot.connected() for robot in robots))
        await run_jobs(user)

        await until(lambda: all(seen), within=PATIENCE_S, what="every watcher has seen something")
        await asyncio.to_thread(server.restart, kill=kill)
        await asyncio.gather(*(robot.connected() for robot in robots))
        await run_jobs(user)
        last.set_result(await submit_marker(user))
        await submit_marker(user)
        await asyncio.gather(*watching)
        for watch in watches:
            await watch.close()

        for robot in robots:
            robot.drain()
        await asyncio.gather(*shifts)
        found = [job async for job in user.list(scope="final")]

    # grpc tells this loop of the end of every call through a pipe that holds less than 300 words;
    # whoever collects its objects while the pipe is full waits for ever.
    await pass_time(SETTLE_S)
    assert len(found) == 2 * JOBS
    assert {str(job.status) for job in found} == {"Completed", "Successful"}
    expected = list(range(1, last.result() + 1))
    assert [
        place for place, revisions in enumerate(seen) if revisions[: len(expected)] != expected
    ] == []
    assert all(watch.resumes for watch in watches)
