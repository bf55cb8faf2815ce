"""Robots: what runs goes on whatever happens to the connection, and every end is told once."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import grpc
import pytest

from interlock import NotFound, Refused, Robot, SessionSuperseded
from interlock.v1.job_pb2 import ResumeKind
from interlock.v1.job_service_pb2 import Refusal
from interlock.v1.robot_service_pb2 import Offer, OrderKind, ReportKind, Verdict
from interlock.v1.status_pb2 import Lifecycle
from tests.support.fake_server import DEFINITION, Failure
from tests.support.until import until

UIPATH, REDWOOD = Lifecycle.LIFECYCLE_UIPATH, Lifecycle.LIFECYCLE_REDWOOD
ACCEPTED = ReportKind.REPORT_KIND_ACCEPTED
REFUSED = ReportKind.REPORT_KIND_REFUSED
STARTED = ReportKind.REPORT_KIND_STARTED
COMPLETED = ReportKind.REPORT_KIND_COMPLETED
FAILED = ReportKind.REPORT_KIND_FAILED
CANCELED = ReportKind.REPORT_KIND_CANCELED
KILLED = ReportKind.REPORT_KIND_KILLED
CANCEL_CONFIRMED = ReportKind.REPORT_KIND_CANCEL_CONFIRMED
ASKED = ReportKind.REPORT_KIND_ASKED
NOTED = ReportKind.REPORT_KIND_NOTED
SUSPENDED = ReportKind.REPORT_KIND_SUSPENDED
WAITING = ReportKind.REPORT_KIND_WAITING
WAIT_OVER = ReportKind.REPORT_KIND_WAIT_OVER


def offer(job, *, fence=1, lifecycle=REDWOOD, parameters="{}", **fields):
    return Offer(
        job=job,
        fence=fence,
        definition=DEFINITION,
        lifecycle=lifecycle,
        parameters_json=parameters,
        **fields,
    )


@asynccontextmanager
async def working(robot):
    """Let a robot run while the block runs, then end it at once."""
    running = asyncio.create_task(robot.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def robot(server):
    return Robot(server.address, name="bot-7", slots=2, queues=["finance"], host="h1")


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
