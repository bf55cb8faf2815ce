"""The connection of a robot: how it begins, what it may say, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.v1 import job_pb2, job_service_pb2, robot_pb2
from interlock.v1 import robot_service_pb2 as pb
from interlock.v1.status_pb2 import Status
from interlock_server.core.command import ReportKind
from interlock_server.rpc import convert_robot, session
from tests.support.served import INSTANCE, RobotCall, error_info, reason, refusal, serve

K = pb.ReportKind
RK = job_pb2.ResumeKind
S = Status


# -- how it begins ------------------------------------------------------------------------------


async def test_a_robot_is_welcomed_with_its_epoch_and_how_often_to_speak(served):
    robot = RobotCall(served)
    await robot.send(hello=pb.Hello(robot="r", instance=INSTANCE, definitions=["x"], slots=1))

    welcome = await robot.next("welcome")

    assert welcome.epoch == 1
    assert welcome.heartbeat_interval.seconds == 30
    assert welcome.time_to_live.seconds == 300


async def test_the_first_word_has_to_be_hello(served):
    robot = RobotCall(served)
    await robot.send(heartbeat=pb.Heartbeat())

    error = await robot.end()

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason(error) == "HELLO_REQUIRED"


async def test_a_robot_that_hangs_up_before_hello_is_told_so(served):
    robot = RobotCall(served)
    await robot.call.done_writing()

    assert reason(await robot.end()) == "HELLO_REQUIRED"


async def test_a_robot_that_says_nothing_is_not_waited_for(served, monkeypatch):
    monkeypatch.setattr(session, "HELLO_S", 0.01)

    error = await RobotCall(served).end()

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason(error) == "HELLO_TIMEOUT"


async def test_hello_is_said_once(served):
    robot = await RobotCall(served).hello()
    await robot.send(hello=pb.Hello(robot="robot-1", instance=INSTANCE, definitions=["x"], slots=1))

    assert reason(await robot.end()) == "DUPLICATE_HELLO"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"robot": "a/b"}, "INVALID_NAME"),
        ({"instance": "short"}, "INVALID_FIELD"),
        ({"instance": ""}, "INVALID_FIELD"),
        ({"definitions": []}, "EMPTY_BATCH"),
        ({"definitions": ["x", "x"]}, "DUPLICATE_TARGET"),
        ({"queues": [""]}, "INVALID_NAME"),
        ({"slots": 0}, "INVALID_NUMBER"),
        ({"slots": 10_001}, "INVALID_NUMBER"),
        ({"host": "x" * 129}, "INVALID_TEXT"),
        ({"running": [pb.RunningJob(job=0)]}, "INVALID_ID"),
        ({"running": [pb.RunningJob(job=1), pb.RunningJob(job=1)]}, "DUPLICATE_TARGET"),
        ({"partition": "nowhere"}, "PARTITION_NOT_FOUND"),
    ],
)
async def test_a_wrong_hello_is_refused(served, wrong, expected):
    right = {"robot": "r", "instance": INSTANCE, "definitions": ["x"], "slots": 1}
    robot = RobotCall(served)
    await robot.send(hello=pb.Hello(**(right | wrong)))

    assert reason(await robot.end()) == expected
    assert not served.partition.world.robots


async def test_a_newer_session_ends_the_older_one(served):
    older = await RobotCall(served).hello()
    newer = await RobotCall(served).hello()

    assert reason(await older.end()) == "SESSION_SUPERSEDED"
    assert newer.epoch > older.epoch


async def test_a_robot_that_comes_back_hears_what_to_do_with_what_it_has(served):
    (job,) = await served.submit("invoice")
    first = await RobotCall(served).hello()
    await first.next("offers")
    await first.report(K.REPORT_KIND_STARTED, [job])
    first.call.cancel()

    second = RobotCall(served)
    await second.send(
        hello=pb.Hello(
            robot="robot-1",
            instance=INSTANCE,
            definitions=["invoice"],
            slots=1,
            running=[pb.RunningJob(job=job, fence=1, started=True), pb.RunningJob(job=99, fence=1)],
        )
    )
    welcome = await second.next("welcome")

    assert [verdict.verdict for verdict in welcome.verdicts] == [
        pb.Verdict.VERDICT_KEEP,
        pb.Verdict.VERDICT_FORGET,
    ]
    assert welcome.last_sequence == 1


# -- what it says -------------------------------------------------------------------------------


async def test_both_forms_of_a_batch_do_the_same(served):
    jobs = await served.submit("invoice", 2)
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    await robot.send(
        columns=pb.ReportColumns(
            sequence=1, jobs=jobs[:1], fences=[1], kinds=bytes([K.REPORT_KIND_STARTED])
        )
    )
    report = pb.Report(job=jobs[1], fence=1, kind=K.REPORT_KIND_STARTED)
    await robot.send(reports=pb.ReportBatch(sequence=2, reports=[report]))
    ack = await robot.next("report_ack")
    while ack.sequence < 2:
        ack = await robot.next("report_ack")

    assert [await served.status(job) for job in jobs] == [S.STATUS_UIPATH_RUNNING] * 2


async def test_what_is_acknowledged_is_durable_and_what_is_refused_says_why(served):
    (job,) = await served.submit("invoice")
    robot = await RobotCall(served).hello()
    await robot.next("offers")

    ack = await robot.report(K.REPORT_KIND_STARTED, [job, 99], fence=1)

    (refused,) = ack.refused
    assert (refused.index, refused.job, refused.refusal.reason) == (1, 99, "JOB_NOT_FOUND")
    assert ack.revision == served.partition.history.head_revision


async def test_a_repeated_batch_is_acknowledged_again_and_does_nothing(served):
    (job,) = await served.submit("invoice")
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    await robot.report(K.REPORT_KIND_STARTED, [job])
    head = served.partition.history.head_revision

    robot.sequence = 0
    ack = await robot.report(K.REPORT_KIND_STARTED, [job])

    assert ack.sequence == 1
    assert served.partition.history.head_revision == head


async def test_a_missing_batch_ends_the_session(served):
    robot = await RobotCall(served).hello()
    robot.sequence = 4
    await robot.send(columns=pb.ReportColumns(sequence=5, jobs=[1], fences=[1], kinds=bytes([3])))

    error = await robot.end()

    assert reason(error) == "SEQUENCE_GAP"
    assert error_info(error).metadata["expected"] == "1"


def columns(**wrong: Any):
    right: dict[str, Any] = {"sequence": 1, "jobs": [1, 2], "fences": [1], "kinds": b"\x03"}
    return {"columns": pb.ReportColumns(**(right | wrong))}


def detail(**wrong):
    return columns(details=[pb.ReportDetail(**({"index": 0} | wrong))])


def condition(kind: RK.ValueType, key: str = "") -> job_pb2.ResumeCondition:
    return job_pb2.ResumeCondition(kind=kind, key=key)


def suspended(*conditions, **wrong):
    return detail(suspension=pb.Suspension(conditions=conditions, **wrong))


BAD_MESSAGES = [
    ({}, "INVALID_FIELD"),
    (columns(jobs=[]), "EMPTY_BATCH"),
    (columns(jobs=range(1, 10_002)), "BATCH_TOO_LARGE"),
    (columns(jobs=[1, 0]), "INVALID_ID"),
    (columns(jobs=[1, 1 << 63]), "OUT_OF_BOUNDS"),
    (columns(sequence=0), "INVALID_ID"),
    (columns(sequence=1 << 63), "OUT_OF_BOUNDS"),
    (columns(fences=[]), "INVALID_FIELD"),
    (columns(fences=[1, 1, 1]), "INVALID_FIELD"),
    (columns(kinds=b""), "INVALID_FIELD"),
    (columns(kinds=b"\x03\x03\x03"), "INVALID_FIELD"),
    (columns(kinds=b"\x00"), "INVALID_FIELD"),
    (columns(kinds=b"\xff"), "INVALID_FIELD"),
    (detail(index=2), "INVALID_FIELD"),
    (columns(details=[pb.ReportDetail(index=0), pb.ReportDetail(index=0)]), "INVALID_FIELD"),
    (detail(result_json="{"), "INVALID_PARAMETER"),
    (detail(result_json='"' + "x" * 300_000 + '"'), "INVALID_PARAMETER"),
    (detail(reason="x" * 1_025), "INVALID_TEXT"),
    (detail(question=pb.Question(text=" ")), "INVALID_TEXT"),
    (detail(question=pb.Question(text="?", pattern="(")), "INVALID_FIELD"),
    (detail(question=pb.Question(text="?", choices=["x"] * 51)), "BATCH_TOO_LARGE"),
    (suspended(), "EMPTY_BATCH"),
    (suspended(*[condition(RK.RESUME_KIND_PERSON, key="k")] * 101), "BATCH_TOO_LARGE"),
    (suspended(condition(RK.RESUME_KIND_UNSPECIFIED, key="k")), "INVALID_FIELD"),
    (suspended(condition(RK.RESUME_KIND_JOB, key="x")), "INVALID_ID"),
    (suspended(condition(RK.RESUME_KIND_JOB, key="٣")), "INVALID_ID"),
    (suspended(condition(RK.RESUME_KIND_JOB, key="0")), "INVALID_ID"),
    (suspended(condition(RK.RESUME_KIND_TIMER)), "INVALID_TIME"),
    (suspended(condition(RK.RESUME_KIND_ITEM)), "INVALID_FIELD"),
    (suspended(condition(RK.RESUME_KIND_PERSON, key="k"), saved_json="{"), "INVALID_PARAMETER"),
    ({"reports": pb.ReportBatch(sequence=1)}, "EMPTY_BATCH"),
    ({"reports": pb.ReportBatch(sequence=1, reports=[pb.Report(job=1)])}, "INVALID_FIELD"),
    (
        {"reports": pb.ReportBatch(sequence=1, reports=[pb.Report(job=1, kind=K.ValueType(999))])},
        "INVALID_FIELD",
    ),
    ({"goodbye": pb.Goodbye(reason="a\0b")}, "INVALID_TEXT"),
]


@pytest.mark.parametrize(("message", "expected"), BAD_MESSAGES)
async def test_a_wrong_message_ends_the_session_and_changes_nothing(served, message, expected):
    robot = await RobotCall(served).hello()
    await robot.send(**message)

    error = await robot.end()

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == expected
    assert served.partition.history.head_revision == 0


async def test_a_failure_is_recorded_however_it_is_told(served):
    (job,) = await served.submit("invoice")
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    fault = job_pb2.Fault(code="", title="a\x00b" + "x" * 5_000, detail="l1\nl2" + "y" * 50_000)
    report = pb.Report(
        job=job, fence=1, kind=K.REPORT_KIND_FAILED, detail=pb.ReportDetail(fault=fault)
    )
    await robot.send(reports=pb.ReportBatch(sequence=1, reports=[report]))
    await robot.next("report_ack")

    found = (await served.jobs.GetJob(job_service_pb2.GetJobRequest(job=job))).job
    assert found.status == S.STATUS_UIPATH_FAULTED
    assert found.fault.code == "FAILED"
    assert found.fault.title.startswith("a bx")
    assert found.fault.detail.startswith("l1\nl2y")
    assert len(found.fault.detail) == 16 * 1_024


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 9), st.sampled_from(list(ReportKind))),
        min_size=1,
        max_size=20,
    )
)
def test_a_batch_of_messages_is_the_same_command_as_its_columns(reports):
    jobs, fences, kinds = zip(*reports, strict=True)
    as_columns = pb.ReportColumns(sequence=7, jobs=jobs, fences=fences, kinds=bytes(kinds))
    as_messages = pb.ReportBatch(
        sequence=7, reports=[pb.Report(job=j, fence=f, kind=K.ValueType(k)) for j, f, k in reports]
    )

    assert convert_robot.report_of_columns("r", 1, as_columns) == (
        convert_robot.report_of_messages("r", 1, as_messages)
    )


async def test_a_heartbeat_is_answered_with_the_orders_that_are_not_acknowledged(served):
    (job,) = await served.submit("invoice")
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    await robot.report(K.REPORT_KIND_STARTED, [job])
    await served.jobs.StopJobs(job_service_pb2.StopJobsRequest(jobs=[job]))
    (order,) = (await robot.next("orders")).orders

    await robot.send(heartbeat=pb.Heartbeat())
    again = (await robot.next("heartbeat_ack")).orders
    ack = pb.OrderAck(job=job, fence=1, kind=order.kind)
    await robot.send(order_acks=pb.OrderAcks(acks=[ack]))
    await robot.send(heartbeat=pb.Heartbeat())
    after = (await robot.next("heartbeat_ack")).orders

    assert order.kind == pb.OrderKind.ORDER_KIND_STOP
    assert list(again) == [order]
    assert list(after) == []


async def test_a_robot_that_drains_gets_nothing_new(served):
    robot = await RobotCall(served).hello()
    await robot.send(drain=pb.Drain())
    await robot.send(heartbeat=pb.Heartbeat())
    await robot.next("heartbeat_ack")

    (job,) = await served.submit("invoice")
    await robot.send(heartbeat=pb.Heartbeat())
    await robot.next("heartbeat_ack")

    assert await served.status(job) == S.STATUS_UIPATH_PENDING


# -- how it ends --------------------------------------------------------------------------------


async def test_what_was_reported_before_goodbye_counts(served):
    jobs = await served.submit("invoice", 5)
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    for sequence, kind in enumerate((3, 5), start=1):
        await robot.send(
            columns=pb.ReportColumns(sequence=sequence, jobs=jobs, fences=[1], kinds=bytes([kind]))
        )
    await robot.send(goodbye=pb.Goodbye(reason="done"))
    ack = await robot.next("report_ack")
    while ack.sequence < 2:
        ack = await robot.next("report_ack")

    assert await robot.call.read() is grpc.aio.EOF
    assert await robot.call.code() is grpc.StatusCode.OK
    assert {await served.status(job) for job in jobs} == {S.STATUS_UIPATH_SUCCESSFUL}
    (record,) = (await served.robots.ListRobots(pb.ListRobotsRequest())).robots
    assert record.state == robot_pb2.RobotState.ROBOT_STATE_DISCONNECTED


async def test_a_server_that_stops_sends_its_robots_away(tmp_path):
    async with serve(tmp_path) as served:
        robot = await RobotCall(served).hello()
        draining = asyncio.create_task(served.running.partitions.drain())
        await robot.next("going_away")
        error = await robot.end()
        await draining

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(error) == "GOING_AWAY"


# -- robots as people see them ------------------------------------------------------------------


async def test_a_robot_is_shown_with_its_jobs_and_its_state(served):
    jobs = await served.submit("invoice", 2)
    robot = await RobotCall(served).hello(slots=2, host="machine-7")
    await robot.next("offers")

    (record,) = (await served.robots.ListRobots(pb.ListRobotsRequest())).robots

    assert (record.name, record.host, list(record.jobs)) == ("robot-1", "machine-7", jobs)
    assert record.state == robot_pb2.RobotState.ROBOT_STATE_BUSY
    assert not record.unresponsive
    assert record.last_heard_time.seconds > 0


async def test_a_robot_in_maintenance_gets_nothing_new(served):
    await RobotCall(served).hello()

    answer = await served.robots.SetRobotMaintenance(
        pb.SetRobotMaintenanceRequest(robot="robot-1", maintenance=True)
    )
    (job,) = await served.submit("invoice")

    assert answer.robot.maintenance
    assert await served.status(job) == S.STATUS_UIPATH_PENDING


async def test_a_robot_that_is_connected_stays(served):
    robot = await RobotCall(served).hello()

    error = await refusal(served.robots.DeleteRobots(pb.DeleteRobotsRequest(robots=["robot-1"])))
    none = await served.robots.DeleteRobots(pb.DeleteRobotsRequest(all_disconnected=True))
    await robot.send(goodbye=pb.Goodbye())
    assert await robot.call.read() is grpc.aio.EOF
    gone = await served.robots.DeleteRobots(pb.DeleteRobotsRequest(all_disconnected=True))

    assert reason(error) == "IN_USE"
    assert list(none.robots) == []
    assert list(gone.robots) == ["robot-1"]


async def test_a_person_starts_a_job_at_the_robot(served):
    robot = await RobotCall(served).hello()

    answer = await served.robots.StartAtRobot(
        pb.StartAtRobotRequest(
            robot="robot-1", epoch=robot.epoch, definition="invoice", started_by="alice"
        )
    )

    found = (await served.jobs.GetJob(job_service_pb2.GetJobRequest(job=answer.job))).job
    assert (found.status, found.attended) == (S.STATUS_UIPATH_RUNNING, True)
    assert (found.submitted_by, answer.fence) == ("alice", 1)


async def test_offers_are_cut_into_messages_of_a_bounded_size(served):
    jobs = await served.submit("invoice", 30, parameters_json='{"a":"' + "x" * 9_900 + '"}')
    big = await served.submit("report", 12, parameters_json='{"a":"' + "x" * 250_000 + '"}')
    robot = await RobotCall(served).hello(slots=100)

    offered: list[int] = []
    while len(offered) < len(jobs) + len(big):
        offers = await robot.next("offers")
        assert offers.ByteSize() < 2 << 20
        offered += [offer.job for offer in offers.offers]

    assert sorted(offered) == jobs + big
