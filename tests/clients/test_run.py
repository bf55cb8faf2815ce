"""Handlers: what they return, raise, ask and wait for, as reports to the server."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from interlock import Refused
from interlock.v1.job_outcome_pb2 import Refusal
from interlock.v1.job_pb2 import ResumeKind
from interlock.v1.robot_service_pb2 import OrderKind
from tests.support.fake_server import DEFINITION
from tests.support.robot_work import (
    ACCEPTED,
    ASKED,
    CANCELED,
    COMPLETED,
    FAILED,
    KILLED,
    NOTED,
    STARTED,
    SUSPENDED,
    UIPATH,
    WAIT_OVER,
    WAITING,
    offer,
    working,
)
from tests.support.until import until


async def test_an_offer_is_accepted_started_and_completed_in_one_message(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        return {"pages": len(run.parameters["month"])}

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, fence=3, parameters='{"month":"2026-10"}'))
        detail = await session.reported(1, COMPLETED)

    assert session.reports == [(1, 3, ACCEPTED), (1, 3, STARTED), (1, 3, COMPLETED)]
    assert detail.result_json == '{"pages":7}'


async def test_a_uipath_offer_needs_no_acceptance(server, robot):
    @robot.job(DEFINITION)
    async def handle(run): ...

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, lifecycle=UIPATH))
        detail = await session.reported(1, COMPLETED)

    assert session.kinds(1) == [STARTED, COMPLETED]
    assert detail.result_json == ""


async def test_a_result_can_have_a_return_code(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        return run.result(return_code=4, pages=2)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        detail = await session.reported(1, COMPLETED)

    assert (detail.return_code, detail.result_json) == (4, '{"pages":2}')


async def test_a_handler_that_raises_fails_its_job_with_the_traceback(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        raise KeyError("month\nof the report")

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        fault = (await session.reported(1, FAILED)).fault

    assert (fault.code, fault.title) == ("KeyError", r"'month\nof the report'")
    assert "in handle" in fault.detail


async def test_a_handler_can_fail_or_cancel_its_job_without_raising(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        if run.id == 1:
            return run.failed("NO_PAPER", "the tray is empty", "tray 2")
        return run.canceled("the month is closed")

    async with working(robot):
        session = await server.session()
        session.offer(offer(1), offer(2))
        fault = (await session.reported(1, FAILED)).fault
        reason = (await session.reported(2, CANCELED)).reason

    assert (fault.code, fault.title, fault.detail) == ("NO_PAPER", "the tray is empty", "tray 2")
    assert reason == "the month is closed"


async def test_a_result_that_is_no_json_fails_the_job(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        return object()

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        fault = (await session.reported(1, FAILED)).fault

    assert fault.code == "INVALID_RESULT"


async def test_a_question_is_answered_by_the_reply(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        first = await run.ask("Post to the ledger?", choices=["yes", "no"])
        second = await run.ask("Sure?", pattern="ye+s")
        return [first, second]

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        question = (await session.reported(1, ASKED)).question
        reply = OrderKind.ORDER_KIND_REPLY
        session.order(1, reply, message=5, reply="yes")
        session.order(1, reply, message=5, reply="yes")  # repeated before it was acknowledged
        await session.until(lambda session: session.kinds(1).count(ASKED) == 2)
        session.order(1, reply, message=6, reply="yees")
        detail = await session.reported(1, COMPLETED)

    assert (question.text, list(question.choices)) == ("Post to the ledger?", ["yes", "no"])
    assert detail.result_json == '["yes","yees"]'


async def test_a_question_that_is_refused_raises_in_the_handler(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        try:
            await run.ask("Well?", pattern="(")
        except Refused as error:
            return error.reason

    async with working(robot):
        session = await server.session()
        session.refusals[1, ASKED] = Refusal(reason="INVALID_FIELD", message="a bad pattern")
        session.offer(offer(1))
        detail = await session.reported(1, COMPLETED)

    assert detail.result_json == '"INVALID_FIELD"'


async def test_a_reply_that_completes_the_job_leaves_no_end_to_report(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.ask("Seen?", completes=True)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        question = (await session.reported(1, ASKED)).question
        session.order(1, OrderKind.ORDER_KIND_REPLY, message=5, reply="yes")
        await until(lambda: not robot.jobs)
        session.offer(offer(2))
        await session.reported(2, STARTED)

    assert question.completes
    assert session.kinds(1) == [ACCEPTED, STARTED, ASKED]


async def test_a_note_is_left_without_waiting(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.note("half done", reply_required=True)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        question = (await session.reported(1, NOTED)).question
        await session.reported(1, COMPLETED)

    assert (question.text, question.reply_required) == ("half done", True)


async def test_a_wait_for_another_job_is_shown(server, robot):
    child = server.add_job()

    @robot.job(DEFINITION)
    async def handle(run):
        ended = await run.wait_for(child.id)
        return ended.status

    async with working(robot):
        session = await server.session()
        session.offer(offer(9))
        waiting = await session.reported(9, WAITING)
        server.move(child.id, 4)
        server.move(child.id, 8)
        detail = await session.reported(9, COMPLETED)

    assert waiting.reason == "waits for job 1"
    assert session.kinds(9) == [ACCEPTED, STARTED, WAITING, WAIT_OVER, COMPLETED]
    assert detail.result_json == '"Successful"'


async def test_a_suspension_ends_the_handler_and_says_what_is_waited_for(server, robot):
    tomorrow = datetime(2026, 10, 2, tzinfo=UTC)

    @robot.job(DEFINITION)
    async def handle(run):
        if run.resume_version:
            return run.saved
        try:
            await run.suspend(until=tomorrow, job=17, any=True, save={"page": 3}, same_robot=True)
        except Exception:  # noqa: BLE001 - a suspension is none
            return "swallowed"

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, lifecycle=UIPATH))
        suspension = (await session.reported(1, SUSPENDED)).suspension
        session.offer(
            offer(1, fence=2, lifecycle=UIPATH, resume_version=1, saved_json='{"page":3}')
        )
        detail = await session.reported(1, COMPLETED)

    timer, job = suspension.conditions
    assert timer.kind == ResumeKind.RESUME_KIND_TIMER
    assert timer.time.ToDatetime(tzinfo=UTC) == tomorrow
    assert (job.kind, job.key) == (ResumeKind.RESUME_KIND_JOB, "17")
    assert (suspension.any, suspension.same_robot) == (True, True)
    assert detail.result_json == suspension.saved_json == '{"page":3}'


async def test_an_end_that_the_server_refuses_fails_the_job_instead(server, robot):
    @robot.job(DEFINITION)
    async def handle(run):
        await run.suspend(person="alice")

    async with working(robot):
        session = await server.session()
        refusal = Refusal(reason="WRONG_LIFECYCLE", message="Redwood jobs do not suspend")
        session.refusals[1, SUSPENDED] = refusal
        session.offer(offer(1))
        fault = (await session.reported(1, FAILED)).fault

    assert (fault.code, fault.title) == ("WRONG_LIFECYCLE", "Redwood jobs do not suspend")


async def test_plain_functions_run_in_threads_and_have_the_same_words(server, robot):
    @robot.job(DEFINITION)
    def handle(run):
        assert threading.current_thread() is not threading.main_thread()
        run.note("in a thread")
        with run.waiting("for paper"):
            pass
        return {"answer": run.ask("Go on?"), "month": run.parameters["month"]}

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, parameters='{"month":"2026-10"}'))
        await session.reported(1, ASKED)
        session.order(1, OrderKind.ORDER_KIND_REPLY, message=5, reply="yes")
        detail = await session.reported(1, COMPLETED)

    assert session.kinds(1)[2:] == [NOTED, WAITING, WAIT_OVER, ASKED, COMPLETED]
    assert detail.result_json == '{"answer":"yes","month":"2026-10"}'


async def test_a_plain_function_suspends_and_fails_like_any_other(server, robot):
    @robot.job(DEFINITION)
    def handle(run):
        if run.id == 1:
            run.suspend(item="invoice-7")
        raise ValueError("no such page")

    async with working(robot):
        session = await server.session()
        session.offer(offer(1, lifecycle=UIPATH), offer(2, lifecycle=UIPATH))
        suspension = (await session.reported(1, SUSPENDED)).suspension
        fault = (await session.reported(2, FAILED)).fault

    assert suspension.conditions[0].key == "invoice-7"
    assert (fault.code, fault.title) == ("ValueError", "no such page")


async def test_a_killed_plain_function_is_reported_when_it_has_returned(server, robot):
    returns = threading.Event()

    @robot.job(DEFINITION)
    def handle(run):
        returns.wait(10)

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, STARTED)
        session.order(1, OrderKind.ORDER_KIND_KILL)
        await session.until(lambda session: session.order_acks)
        before = session.kinds(1)
        returns.set()
        await session.reported(1, KILLED)

    assert before == [ACCEPTED, STARTED]


async def test_a_plain_function_that_waits_is_ended_by_a_kill(server, robot):
    @robot.job(DEFINITION)
    def handle(run):
        run.ask("Well?")

    async with working(robot):
        session = await server.session()
        session.offer(offer(1))
        await session.reported(1, ASKED)
        session.order(1, OrderKind.ORDER_KIND_KILL)
        await session.reported(1, KILLED)

    assert FAILED not in session.kinds(1)
