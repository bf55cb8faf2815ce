"""Robots: what runs goes on whatever happens to the connection, and every end is told once."""

from __future__ import annotations

import asyncio
import signal

import grpc
import pytest

from interlock import NotFound, Robot, SessionSuperseded
from interlock.v1.robot_service_pb2 import Verdict
from tests.support.fake_server import DEFINITION, Failure
from tests.support.robot_work import (
    ACCEPTED,
    COMPLETED,
    KILLED,
    REFUSED,
    STARTED,
    UIPATH,
    offer,
    working,
)
from tests.support.until import until


async def test_a_robot_says_who_it_is_and_what_it_can_run(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    @robot.job("Another")
    async def handle_another(run): ...

    async with working(robot):
        hello = (await server.session()).hello

    assert (hello.robot, hello.host, hello.slots) == ("bot-7", "h1", 2)
    assert list(hello.queues) == ["finance"]
    assert list(hello.definitions) == ["Another", DEFINITION]
    assert len(hello.instance) == 32


async def test_a_job_runs_on_over_a_broken_connection(server, robot):
    goes_on = asyncio.Event()

    @robot.job(DEFINITION)
    async def handle(run):
        await goes_on.wait()
        return "done"

    async with working(robot):
        first = await server.session()
        first.offer(offer(1, fence=4))
        await first.reported(1, STARTED)
        await until(lambda: server.sequence_of[first.hello.instance] >= 1)
        first.end(Failure(grpc.StatusCode.UNAVAILABLE))
        second = await server.session()
        goes_on.set()
        await second.reported(1, COMPLETED)

    (running,) = second.hello.running
    assert (running.job, running.fence, running.started, running.ended) == (1, 4, True, False)
    assert second.hello.instance == first.hello.instance
    assert second.reports == [(1, 4, COMPLETED)]


async def test_reports_that_were_not_acknowledged_are_sent_again(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        first = await server.session()
        first.acknowledges = False
        first.offer(offer(1))
        await first.reported(1, COMPLETED)
        first.end(Failure(grpc.StatusCode.UNAVAILABLE))
        second = await server.session()
        await second.reported(1, COMPLETED)

    (running,) = second.hello.running
    assert (running.job, running.ended) == (1, True)
    assert [batch.sequence for batch in second.batches] == [b.sequence for b in first.batches]
    assert second.reports == first.reports


async def test_reports_that_were_recorded_are_not_sent_again(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        first = await server.session()
        first.acknowledges = False
        first.offer(offer(1))
        await first.reported(1, COMPLETED)
        recorded = first.batches[-1].sequence  # durable, but the acknowledgement was lost
        server.sequence_of[first.hello.instance] = recorded
        first.end(Failure(grpc.StatusCode.UNAVAILABLE))
        second = await server.session()
        second.offer(offer(2))
        await second.reported(2, COMPLETED)

    assert second.kinds(1) == []
    assert second.batches[0].sequence == recorded + 1


async def test_a_server_that_forgot_what_it_recorded_meets_a_new_instance(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        first = await server.session()
        first.offer(offer(1))
        await first.reported(1, COMPLETED)
        last = first.batches[-1].sequence
        await until(lambda: server.sequence_of[first.hello.instance] == last)
        first.acknowledges = False
        first.offer(offer(2))
        await first.reported(2, COMPLETED)
        server.sequence_of[first.hello.instance] = 0  # put back from a copy
        first.end(Failure(grpc.StatusCode.UNAVAILABLE))
        second = await server.session()
        third = await server.session()
        await third.reported(2, COMPLETED)

    assert second.hello.instance == first.hello.instance
    assert third.hello.instance != first.hello.instance
    assert third.batches[0].sequence == 1


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [
        (Verdict.VERDICT_STOP, [COMPLETED]),
        (Verdict.VERDICT_KILL, [KILLED]),
        (Verdict.VERDICT_FORGET, []),
    ],
)
async def test_a_verdict_on_return_is_carried_out(server, robot, verdict, kinds):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.stopping()

    async with working(robot):
        first = await server.session()
        first.offer(offer(1))
        await until(lambda: server.sequence_of[first.hello.instance] >= 1)
        server.answers["verdict"] = verdict
        first.end(Failure(grpc.StatusCode.UNAVAILABLE))
        second = await server.session()
        await until(lambda: not robot.jobs)
        second.offer(offer(2))
        await second.reported(2, STARTED)

    assert second.kinds(1) == kinds


@pytest.mark.parametrize("ending", ["going_away", "end"])
async def test_a_robot_comes_back_to_a_server_that_went_away(server, robot, ending):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        first = await server.session()
        getattr(first, ending)()
        second = await server.session()

    assert second is not first


async def test_a_robot_outlives_a_restart_of_the_server(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        await server.session()
        await server.stop()
        await server.start()
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, COMPLETED)


async def test_a_robot_that_was_superseded_ends_with_an_error(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.stopping()

    async with working(robot) as running:
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        session.end(Failure(grpc.StatusCode.FAILED_PRECONDITION, "SESSION_SUPERSEDED"))
        with pytest.raises(SessionSuperseded):
            await running


async def test_a_robot_without_a_partition_ends_with_an_error(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    server.fail("Session", Failure(grpc.StatusCode.NOT_FOUND, "PARTITION_NOT_FOUND"))

    with pytest.raises(NotFound):
        await robot.run()


async def test_heartbeats_are_sent_while_nothing_happens(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        session = await server.session()
        await session.until(lambda session: session.heartbeats >= 2)


async def test_a_draining_robot_refuses_offers_finishes_and_says_goodbye(server, robot):
    goes_on = asyncio.Event()

    @robot.job(DEFINITION)
    async def handle(run):
        await goes_on.wait()

    async with working(robot) as running:
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        robot.drain()
        await session.until(lambda session: session.drained)
        session.offer(offer(2))
        await session.reported(2, REFUSED)
        goes_on.set()
        await running

    assert session.kinds(1) == [ACCEPTED, STARTED, COMPLETED]
    assert session.goodbye is not None


async def test_jobs_that_outlast_the_grace_time_are_left_to_the_goodbye(server):
    robot = Robot(server.address, name="bot-7", grace=0.01)

    @robot.job(DEFINITION)
    async def handle(run):
        await asyncio.Event().wait()

    async with working(robot) as running:
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        robot.drain()
        await running

    assert session.kinds(1) == [ACCEPTED, STARTED]
    assert session.goodbye is not None


async def test_a_robot_can_run_again_after_it_was_drained(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    for _ in range(2):
        async with working(robot) as running:
            await server.session()
            robot.drain()
            await running


async def test_reports_made_while_batches_are_under_way_go_out_together(server):
    robot = Robot(server.address, name="bot-7", slots=2_000)

    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        session = await server.session()
        session.offer(*(offer(job, lifecycle=UIPATH) for job in range(1, 2_001)))
        await session.until(lambda session: len(session.reports) == 4_000)

    assert max(len(batch.jobs) for batch in session.batches) == 1_000
    assert len(session.batches) <= 8


async def test_a_robot_without_handlers_does_not_start(robot):
    with pytest.raises(ValueError, match="at least one handler"):
        await robot.run()


async def test_a_definition_has_one_handler(robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    with pytest.raises(ValueError, match="one handler"):
        robot.job(DEFINITION)(handle)


def test_a_decorator_without_a_name_is_told_what_is_missing(robot):
    with pytest.raises(TypeError, match=r'@robot\.job\("DailyReport"\)'):
        robot.job(lambda run: None)


async def test_a_served_robot_drains_on_a_signal(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    serving = asyncio.ensure_future(robot._serve())
    session = await server.session()
    signal.raise_signal(signal.SIGTERM)
    await serving

    assert session.goodbye is not None


async def test_a_second_signal_ends_a_served_robot_at_once(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await asyncio.Event().wait()

    serving = asyncio.ensure_future(robot._serve())
    session = await server.session()
    session.offer(offer(1))
    await session.reported(1, STARTED)
    signal.raise_signal(signal.SIGINT)
    await session.until(lambda session: session.drained)
    signal.raise_signal(signal.SIGINT)
    await serving

    assert session.goodbye is None
