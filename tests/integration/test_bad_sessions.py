"""What a robot may not say ends its session or is refused report by report; no job changes."""

from __future__ import annotations

import grpc
import pytest

from interlock.v1 import robot_service_pb2 as pb
from tests.support.bad_inputs.of_sessions import BAD_REPORTS, BAD_SESSIONS, NAME
from tests.support.bad_inputs.scene import Scene
from tests.support.raw_robot import RawRobot
from tests.support.refused_call import broken_manners, refused_call


@pytest.fixture(scope="module")
def scene(channel):
    scene = Scene(channel)
    yield scene
    scene.close()


def ended(robot):
    """Read a session to its end, which has to be a refusal."""
    with pytest.raises(grpc.RpcError) as error:
        robot.listen()
    robot.end()
    return refused_call(error.value)


@pytest.mark.parametrize("bad", BAD_SESSIONS, ids=[bad.id for bad in BAD_SESSIONS])
def test_a_wrong_word_ends_the_session_and_changes_no_job(channel, scene, bad):
    robot = RawRobot(channel, NAME)
    if bad.welcomed:
        robot.hello("report", queues=["empty"])
    before = scene.jobs_now()

    for said in bad.said:
        if isinstance(said, bytes):
            robot.say(said)
        else:
            robot.say(**said)
    if not bad.said:
        robot.end()
    refused = ended(robot)

    assert (refused.reason, refused.code) == (bad.reason, bad.code), refused.sentence
    assert broken_manners(refused) == []
    assert refused.field.startswith(bad.field), refused
    assert set(bad.metadata) <= refused.metadata.keys()
    assert scene.jobs_now() == before


@pytest.mark.parametrize("bad", BAD_REPORTS, ids=[bad.id for bad in BAD_REPORTS])
def test_a_wrong_report_is_refused_and_changes_nothing_but_its_number(scene, bad):
    before = scene.jobs_now()

    ack = scene.robot.report(bad.kind, bad.job(scene), bad.fence, **bad.detail)

    assert [refused.refusal.reason for refused in ack.refused] == [bad.reason]
    refusal = ack.refused[0].refusal
    assert refusal.message
    assert refusal.message.isprintable()
    assert len(refusal.message) <= 512
    assert set(bad.metadata) <= refusal.metadata.keys()
    assert scene.jobs_now() == before


def test_good_reports_around_a_bad_one_count(scene):
    jobs = [scene.submit("report"), scene.submit("report")]
    scene.robot.offered(2)
    scene.robot.sequence += 1
    columns = pb.ReportColumns(
        sequence=scene.robot.sequence,
        jobs=[jobs[0], scene.foreign, jobs[1]],
        fences=[1],
        kinds=bytes([pb.REPORT_KIND_COMPLETED]),
    )

    scene.robot.say(columns=columns)
    ack = scene.robot.hear("report_ack")

    assert [(refused.index, refused.job) for refused in ack.refused] == [(1, scene.foreign)]
    assert all(scene.job(job).HasField("end_time") for job in jobs)


def test_a_batch_that_is_sent_again_is_acknowledged_again_and_changes_nothing(scene):
    scene.robot.report(pb.REPORT_KIND_COMPLETED, scene.foreign)
    before = scene.jobs_now()

    scene.robot.sequence -= 1
    again = scene.robot.report(pb.REPORT_KIND_COMPLETED, scene.foreign)

    assert [refused.refusal.reason for refused in again.refused] == ["NOT_ASSIGNED"]
    assert scene.jobs_now() == before


def test_a_second_session_of_a_robot_ends_the_first(channel, scene):
    first = RawRobot(channel, "twin").hello("report", queues=["empty"])

    second = RawRobot(channel, "twin").hello("report", queues=["empty"])
    refused = ended(first)

    assert refused.reason == "SESSION_SUPERSEDED"
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert broken_manners(refused) == []
    assert second.epoch > first.epoch
    second.cancel()


def test_a_session_that_was_replaced_reports_nothing(channel, scene):
    first = RawRobot(channel, "runner").hello("report", queues=["empty"])
    job = scene.submit("report", queue="empty")
    first.offered()
    second = RawRobot(channel, "runner").hello(
        "report", queues=["empty"], running=[pb.RunningJob(job=job, fence=1)]
    )
    before = scene.jobs_now()

    first.say(
        reports=pb.ReportBatch(
            sequence=1, reports=[pb.Report(job=job, fence=1, kind=pb.REPORT_KIND_COMPLETED)]
        )
    )
    refused = ended(first)

    assert refused.reason == "SESSION_SUPERSEDED"
    assert scene.jobs_now() == before
    second.report(pb.REPORT_KIND_COMPLETED, job)
    assert scene.job(job).HasField("end_time")
    second.cancel()
