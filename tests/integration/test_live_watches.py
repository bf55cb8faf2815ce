"""Watches while things happen: snapshots, slow readers, and a server that stops."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from interlock.v1 import admin_service_pb2 as admin
from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import watch_service_pb2 as pb
from interlock.v1.definition_pb2 import Definition
from interlock.v1.filter_pb2 import Filter
from interlock.v1.status_pb2 import Lifecycle, State
from tests.support.api_methods import Stubs
from tests.support.collected import Collected, collect
from tests.support.own_process import ServerProcess
from tests.support.raw_robot import RawRobot
from tests.support.refused_call import broken_manners, refused_call
from tests.support.selected import learn
from tests.support.traffic import traffic
from tests.support.watch_promises import Truth, broken_promises

#: A disk that takes its time, so that memory is ahead of it.
SLOW_DISK = {"INTERLOCK_FAILPOINTS": "journal.before_commit=sleep:5"}
DEFINITION = Definition(name="report", lifecycle=Lifecycle.LIFECYCLE_REDWOOD)
STREAMS = 12
SLOW_READERS = 30


async def head(stubs):
    return (await stubs.admin.GetStatus(admin.GetStatusRequest())).revision


async def submit_held(stubs, count):
    """Submit jobs that stay where they are; two changes each."""
    new = jobs.NewJob(definition="report", hold=True, count=count, reference="x" * 100)
    answer = await stubs.jobs.SubmitJobs(jobs.SubmitJobsRequest(jobs=[new]))
    return answer.revision


def truth_of(events):
    return Truth([event.revision for event in events])


async def follow(stubs, done, **request):
    """Watch until `done` says which revision is the last."""
    collected = Collected(stubs, pb.WatchRequest(**request)).open()
    while not (done.done() and collected.revision >= done.result()):
        assert await collected.next() is not None
    await collected.close()
    return collected


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    with ServerProcess(folder, "--durability", "off", environment=SLOW_DISK) as server:
        yield server


async def test_watches_that_begin_in_the_middle_miss_nothing_and_repeat_nothing(slow_server):
    done = asyncio.get_running_loop().create_future()
    only_held = Filter(states=[State.STATE_PRE_RUNNING])
    async with (
        slow_server.async_channel() as channel,
        traffic(slow_server.address, seed=3) as user,
        asyncio.TaskGroup() as watching,
    ):
        stubs = Stubs(channel)
        watches = []
        for number in range(STREAMS):
            request: dict[str, Any] = {"filter": only_held} if number % 3 == 2 else {}
            if number % 3:
                request["snapshot"] = True
            watches.append(watching.create_task(follow(stubs, done, **request)))
            await user.act(6)
        await user.act(20)
        done.set_result(await head(stubs))

    async with slow_server.async_channel() as channel:
        stubs = Stubs(channel)
        events = (await collect(stubs, done.result(), from_revision=0)).events
        knowledge = await learn(stubs)
    for number, watch in enumerate(task.result() for task in watches):
        filtered = number % 3 == 2
        expected = [
            event for event in events if not filtered or knowledge.selects(only_held, event)
        ]
        since = watch.record.from_revision
        seen = [event for event in watch.events if event.revision <= done.result()]
        assert broken_promises(watch.record, truth_of(expected)) == []
        assert seen == [event for event in expected if event.revision > since]
        if number % 3:
            check_snapshot(watch, events, only_held if filtered else Filter(), knowledge)


def check_snapshot(watch, events, selected, knowledge):
    """A snapshot shows exactly the live jobs of its revision that match, as they were then."""
    last = {}
    for event in events:
        if event.revision <= watch.record.from_revision:
            last[event.job] = event
    live = {
        job: (event.to, event.revision)
        for job, event in last.items()
        if not knowledge.is_final(event.to) and knowledge.selects(selected, event)
    }
    assert {job.id: (job.status, job.revision) for job in watch.snapshot} == live


@pytest.fixture
def server(tmp_path):
    with ServerProcess(tmp_path, "--durability", "off") as server:
        with server.channel() as channel:
            Stubs(channel).catalog.PutDefinitions(
                catalog.PutDefinitionsRequest(definitions=[DEFINITION])
            )
        yield server


async def test_watchers_that_do_not_read_hurt_nobody_and_lose_nothing(server):
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(server.async_channel()) for _ in range(SLOW_READERS + 4)
        ]
        user, *others = [Stubs(channel) for channel in channels]
        request = pb.WatchRequest(from_revision=0)
        slow = [Collected(stubs, request).open() for stubs in others[:SLOW_READERS]]
        healthy = [Collected(stubs, request).open() for stubs in others[SLOW_READERS:]]
        for watch in slow:
            await watch.next()  # it is open, and then nobody reads it any more

        last = 0
        for _ in range(10):
            last = await submit_held(user, 1_000)
            await asyncio.gather(*(watch.until(last) for watch in healthy))

        events = healthy[0].events
        assert [event.revision for event in events] == list(range(1, last + 1))
        assert all(watch.events == events for watch in healthy)
        assert last == 20_000
        # Half of them wake up and read on; the others come back on a new stream.
        for place, watch in enumerate(slow):
            if place % 2:
                for _ in range(place % 5):
                    await watch.next()
                await watch.close()
                watch.open()
            await watch.until(last)
            assert broken_promises(watch.record, truth_of(events)) == []
            assert watch.record.complete_to == last
            await watch.close()
            watch.events.clear()
        for watch in healthy:
            await watch.close()


async def test_a_server_that_stops_sends_everybody_away_and_says_where_to_resume(server):
    async with server.async_channel() as channel:
        stubs = Stubs(channel)
        last = await submit_held(stubs, 100)
        watches = [
            Collected(stubs, pb.WatchRequest(from_revision=0)).open() for _ in range(STREAMS)
        ]
        for watch in watches:
            await watch.until(last)
        with server.channel() as blocking:
            robot = RawRobot(blocking, "robot-1").hello("report")
            health = health_pb2_grpc.HealthStub(channel)
            healths = health.Watch(health_pb2.HealthCheckRequest())
            assert (await healths.read()).status == health_pb2.HealthCheckResponse.SERVING

            code = await asyncio.to_thread(server.stop)

            assert code == 0
            assert (await healths.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            with pytest.raises(grpc.RpcError) as ended:
                assert robot.listen() == ["going_away"]
            robot.end()
        assert refused_call(ended.value).reason == "GOING_AWAY"
        for watch in watches:
            refused = await ending(watch)
            assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "GOING_AWAY")
            assert refused.metadata == {"resume_revision": str(last)}
            assert refused.retry_s > 0
            assert broken_manners(refused) == []


async def ending(watch):
    """Read a watch to the refusal at its end."""
    with pytest.raises(grpc.RpcError) as error:
        await watch.to_end()
    return refused_call(error.value)


async def test_a_watch_goes_on_where_the_stopped_server_left_it(server):
    async with server.async_channel() as channel:
        stubs = Stubs(channel)
        watch = Collected(stubs, pb.WatchRequest(from_revision=0)).open()
        last = await submit_held(stubs, 50)
        await watch.until(last)
        for kill in (False, True):
            await asyncio.to_thread(server.restart, kill=kill)
            with pytest.raises(grpc.RpcError):
                await watch.to_end()
            await channel.channel_ready()
            watch.open()
            last = await submit_held(stubs, 50)
            await watch.until(last)
        await watch.close()

        assert broken_promises(watch.record, truth_of(watch.events)) == []
        assert [event.revision for event in watch.events] == list(range(1, last + 1))
