"""Process servers through the SDK, with a whole server and a robot that belongs to one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from interlock import Definition, Refused, Robot, connect
from interlock.v1.process_server_pb2 import QueueProvider
from interlock_server.app import running
from interlock_server.config import Config


@pytest.fixture
async def interlock(tmp_path):
    config = Config(listen=("127.0.0.1:0",), data_dir=str(tmp_path))
    async with running(config) as server, connect(server.addresses[0], user="olga") as interlock:
        await interlock.put_definitions([Definition("report", "redwood")])
        yield interlock


@asynccontextmanager
async def working(robot):
    task = asyncio.create_task(robot.run())
    try:
        await robot.connected()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def make_robot(interlock, **fields):
    robot = Robot(interlock.address, name="bot-1", **fields)

    @robot.job("report")
    async def report(run):
        return {}

    return robot


async def test_a_robot_works_for_its_server(interlock):
    [server] = await interlock.put_servers(
        [{"name": "sap-1", "providers": [QueueProvider(queue="default")], "resources": ["sap"]}]
    )
    assert (server.execution_size, server.version) == (100, 1)

    async with working(make_robot(interlock, server="sap-1", resources=["printer"])):
        job = await interlock.submit("report")
        await interlock.wait(job.id)

        [shown] = await interlock.list_servers()
        assert list(shown.robots) == ["bot-1"]
        [robot] = await interlock.robots()
        assert (robot.server, robot.server_missing) == ("sap-1", False)
        assert list(robot.resources) == ["printer"]
        assert (await interlock.get(job.id)).raw.process_server == "sap-1"


async def test_a_robot_of_an_unknown_server_says_so_and_starts_when_it_is_put(interlock):
    async with working(make_robot(interlock, server="sap-1")):
        job = await interlock.submit("report")
        [robot] = await interlock.robots()
        assert robot.server_missing

        await interlock.put_servers(
            [{"name": "sap-1", "providers": [QueueProvider(queue="default")]}]
        )

        await interlock.wait(job.id)


async def test_servers_are_stopped_held_and_deleted(interlock):
    await interlock.put_servers([{"name": "a", "providers": [QueueProvider(queue="default")]}])

    [stopped] = await interlock.stop_servers(["a"], reason="patching")
    assert (stopped.stopped, stopped.stopped_by, stopped.stop_reason) == (True, "olga", "patching")
    with pytest.raises(Refused, match="stopped already, by 'olga'"):
        await interlock.stop_servers("a")
    assert not (await interlock.start_servers("a"))[0].stopped
    held = await interlock.hold_provider("a", "default", reason="audit")
    assert held.provider_states[0].hold_reason == "audit"
    released = await interlock.release_provider("a", "default")
    assert not released.provider_states[0].held
    await interlock.delete_servers("a")
    assert await interlock.list_servers() == []


async def test_a_strategy_that_is_none_is_refused_at_once(interlock):
    with pytest.raises(ValueError, match="soft_stop or kill"):
        await interlock.stop_servers(["a"], strategy="softly")


def test_resources_are_given_as_a_list():
    with pytest.raises(TypeError, match="resources as a list"):
        Robot(name="bot-1", resources="sap")
