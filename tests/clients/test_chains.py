"""Chains through the SDK, with a whole server and a robot that runs the calls."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from interlock import Definition, Refused, Robot, connect
from interlock_server.app import running
from interlock_server.config import Config

STEPS = [
    {"name": "load", "calls": [{"name": "a", "definition": "report"}]},
    {
        "name": "post",
        "calls": [
            {"name": "b", "definition": "report"},
            {"name": "bad", "definition": "broken"},
        ],
    },
]


@pytest.fixture
async def interlock(tmp_path):
    config = Config(listen=("127.0.0.1:0",), data_dir=str(tmp_path))
    async with running(config) as server, connect(server.addresses[0], user="olga") as interlock:
        await interlock.put_definitions(
            [
                Definition("report", "redwood"),
                Definition("broken", "redwood"),
                Definition("nightly", "redwood", chain={"steps": STEPS}),
            ]
        )
        yield interlock


@asynccontextmanager
async def working(interlock):
    robot = Robot(interlock.address, name="bot-1")

    @robot.job("report")
    async def report(run):
        return {}

    @robot.job("broken")
    async def broken(run):
        raise ValueError("it broke")

    task = asyncio.create_task(robot.run())
    try:
        await robot.connected()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def names(tree):
    return [
        (depth, node.job.call or node.job.step or node.job.definition, str(node.job.status))
        for depth, node in tree.walk()
    ]


async def test_a_chain_is_shown_as_a_tree_and_its_calls_are_switched(interlock):
    chain = await interlock.submit("nightly", hold=True)
    tree = await interlock.chain(chain.id)
    off = next(node.job for _, node in tree.walk() if node.job.call == "bad")

    assert (await interlock.disable(off.id)).status == "Disabled"
    with pytest.raises(Refused, match="one by one"):
        await interlock.disable(off.parent)
    assert (await interlock.enable(off.id)).status == "Chained"
    assert (await interlock.disable([off.id]))[0].status == "Disabled"

    await interlock.release(chain.id)
    async with working(interlock):
        done = await interlock.wait(chain.id)

    assert done.status == "Completed"
    assert names(await interlock.chain(off.id)) == [(0, "bad", "Disabled")]
    assert names(await interlock.chain(chain.id)) == [
        (0, "nightly", "Completed"),
        (1, "load", "Completed"),
        (2, "a", "Completed"),
        (1, "post", "Completed"),
        (2, "b", "Completed"),
        (2, "bad", "Disabled"),
    ]


async def test_a_chain_is_restarted_where_it_failed(interlock):
    async with working(interlock):
        chain = await interlock.submit("nightly")
        assert (await interlock.wait(chain.id)).status == "Error"

        again = await interlock.restart(chain.id, from_error=True)
        await interlock.wait(again.job)
        with pytest.raises(Refused, match="no step 'nowhere'"):
            await interlock.restart(chain.id, start_at_step="nowhere")
        with pytest.raises(Refused, match="no step 'nowhere'"):
            await interlock.submit("nightly", start_at_step="nowhere")

    found = [job async for job in interlock.list(chains=[again.job])]
    assert {job.step: str(job.status) for job in found if job.call == ""} == {
        "": "Error",
        "load": "Skipped",
        "post": "Error",
    }
    assert len(found) == 6
