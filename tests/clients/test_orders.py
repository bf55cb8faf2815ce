"""Orders: stops, kills and attempts that went elsewhere reach the right handler."""

from __future__ import annotations

import asyncio

from interlock import Robot
from interlock.v1.job_outcome_pb2 import Refusal
from interlock.v1.robot_service_pb2 import OrderKind
from tests.support.fake_server import DEFINITION
from tests.support.robot_work import (
    ACCEPTED,
    CANCEL_CONFIRMED,
    COMPLETED,
    KILLED,
    STARTED,
    offer,
    working,
)


async def test_a_stop_is_seen_by_the_handler(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        before = run.should_stop
        await run.stopping()
        return run.result(before=before, after=run.should_stop)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        session.order(1, OrderKind.ORDER_KIND_STOP)
        detail = await session.reported(1, COMPLETED)
        await session.until(lambda session: session.order_acks)

    assert detail.result_json == '{"before":false,"after":true}'
    assert session.order_acks[0].kind == OrderKind.ORDER_KIND_STOP


async def test_a_kill_cancels_the_handler_and_is_confirmed(server, robot):
    cleaned_up = []

    @robot.job(DEFINITION)
    async def handle(run):
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.append(run.id)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        session.order(1, OrderKind.ORDER_KIND_KILL)
        await session.reported(1, KILLED)

    assert cleaned_up == [1]
    assert session.kinds(1) == [ACCEPTED, STARTED, KILLED]


async def test_a_job_that_waits_for_a_slot_can_be_canceled(server):
    robot = Robot(server.address, name="bot-7", slots=1)
    goes_on = asyncio.Event()

    @robot.job(DEFINITION)
    async def handle(run):
        await goes_on.wait()

    async with working(robot):
        session = await server.session()
        session.offer(offer(1), offer(2), offer(3))
        await session.reported(3, ACCEPTED)
        session.order(2, OrderKind.ORDER_KIND_CANCEL)
        await session.reported(2, CANCEL_CONFIRMED)
        goes_on.set()
        await session.reported(3, COMPLETED)

    assert session.kinds(1) == [ACCEPTED, STARTED, COMPLETED]
    assert session.kinds(2) == [ACCEPTED, CANCEL_CONFIRMED]
    assert session.kinds(3) == [ACCEPTED, STARTED, COMPLETED]


async def test_a_forgotten_job_ends_without_a_word(server, robot):
    ended = asyncio.Event()

    @robot.job(DEFINITION)
    async def handle(run):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        session.order(1, OrderKind.ORDER_KIND_FORGET)
        await ended.wait()
        session.offer(offer(2))
        await session.reported(2, STARTED)

        assert robot.jobs == (2,)
    assert session.kinds(1) == [ACCEPTED, STARTED]


async def test_a_kill_of_a_job_that_is_not_there_is_confirmed(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        session = await server.session()
        session.order(9, OrderKind.ORDER_KIND_KILL, fence=2)
        await session.reported(9, KILLED)

    assert session.reports == [(9, 2, KILLED)]


async def test_an_order_about_another_attempt_changes_nothing(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.stopping()

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, fence=2))
        await session.reported(1, STARTED)
        session.order(1, OrderKind.ORDER_KIND_KILL, fence=1)
        session.order(1, OrderKind.ORDER_KIND_STOP, fence=2)
        await session.reported(1, COMPLETED)

    assert KILLED not in session.kinds(1)


async def test_a_newer_attempt_takes_the_place_of_an_older_one(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.stopping()
        return run.fence

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, fence=1))
        await session.reported(1, STARTED)
        session.offer(offer(1, fence=2))
        session.order(1, OrderKind.ORDER_KIND_STOP, fence=2)
        detail = await session.reported(1, COMPLETED)

    assert detail.result_json == "2"
    assert (1, 1, COMPLETED) not in session.reports


async def test_an_offer_that_is_repeated_is_run_once(server, robot):
    runs = []

    @robot.job(DEFINITION)
    async def handle(run):
        runs.append(run.id)
        await run.stopping()

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        session.offer(offer(1))
        session.offer(offer(2))
        await session.reported(2, STARTED)

    assert runs == [1, 2]


async def test_a_report_about_a_job_that_went_elsewhere_ends_its_run(server, robot):
    ended = asyncio.Event()

    @robot.job(DEFINITION)
    async def handle(run):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with working(robot):
        session = await server.session()
        session.refusals[1, STARTED] = Refusal(reason="STALE_FENCE", message="attempt 2 has it")
        session.offer(offer(1))
        await ended.wait()

    assert session.kinds(1) == [ACCEPTED, STARTED]
