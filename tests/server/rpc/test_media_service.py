"""Recordings over gRPC: announced, sent in parts, given out in parts, and repeated."""

from __future__ import annotations

import hashlib

import grpc
import pytest

from interlock.v1 import catalog_service_pb2, definition_pb2
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import media_service_pb2 as pb
from interlock.v1.robot_service_pb2 import ReportKind
from interlock.v1.status_pb2 import Lifecycle
from tests.support.served import RobotCall, reason, refusal

FILM = b"what the screen showed " * 40_000


@pytest.fixture
async def job(served):
    """A job that is recorded and was ended by robot-1."""
    filmed = definition_pb2.Definition(
        name="invoice",
        lifecycle=Lifecycle.LIFECYCLE_UIPATH,
        recording=definition_pb2.Recording.RECORDING_ALL,
    )
    await served.catalog.PutDefinitions(
        catalog_service_pb2.PutDefinitionsRequest(definitions=[filmed])
    )
    robot = await RobotCall(served).hello()
    (job,) = await served.submit("invoice")
    await robot.next("offers")
    await robot.report(ReportKind.REPORT_KIND_STARTED, [job])
    await robot.report(ReportKind.REPORT_KIND_COMPLETED, [job])
    return job


def announced(job, **fields):
    return pb.NewMedium(
        **{
            "job": job,
            "robot": "robot-1",
            "fence": 1,
            "name": "screen",
            "content_type": "video/webm",
            "size_bytes": len(FILM),
            "digest": hashlib.sha256(FILM).hexdigest(),
            **fields,
        }
    )


def said(medium, content=FILM, size=100_000):
    yield pb.UploadMediumRequest(medium=medium)
    for start in range(0, len(content), size):
        yield pb.UploadMediumRequest(data=content[start : start + size])


async def test_a_recording_comes_in_and_goes_out_in_parts(served, job):
    kept = (await served.media.UploadMedium(said(announced(job)))).medium

    first, *parts = [
        part
        async for part in served.media.DownloadMedium(
            pb.DownloadMediumRequest(job=job, name="screen")
        )
    ]
    assert first.medium == kept
    assert len(parts) > 1
    assert b"".join(part.data for part in parts) == FILM
    shown = (await served.jobs.GetJob(jobs.GetJobRequest(job=job))).job
    assert [*shown.media] == [kept]
    (listed,) = (await served.jobs.ListJobs(jobs.ListJobsRequest())).jobs
    assert [*listed.media] == [kept]


async def test_asking_whether_it_would_be_kept_keeps_nothing(served, job):
    asked = announced(job, validate_only=True)

    before = await served.media.UploadMedium(said(asked, b""))
    await served.media.UploadMedium(said(announced(job)))
    after = await served.media.UploadMedium(said(asked, b""))

    assert not before.HasField("medium")
    assert after.medium.name == "screen"
    error = await refusal(served.media.UploadMedium(said(announced(job, fence=9), b"")))
    assert (error.code(), reason(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "STALE_FENCE")


async def test_an_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(served, job):
    call = served.media.UploadMedium()
    await call.write(pb.UploadMediumRequest(medium=announced(job)))
    await call.write(pb.UploadMediumRequest(data=FILM[:1_000]))
    call.cancel()

    kept = (await served.media.UploadMedium(said(announced(job)))).medium

    assert (await served.media.ListMedia(pb.ListMediaRequest(job=job))).media == [kept]


@pytest.mark.parametrize(
    ("second", "wanted"),
    [
        (pb.UploadMediumRequest(), "INVALID_FIELD"),
        (pb.UploadMediumRequest(medium=pb.NewMedium()), "INVALID_FIELD"),
        (pb.UploadMediumRequest(data=b"x" * ((1 << 20) + 1)), "OUT_OF_BOUNDS"),
    ],
)
async def test_what_is_no_part_of_the_content_is_refused(served, job, second, wanted):
    def parts():
        yield pb.UploadMediumRequest(medium=announced(job, size_bytes=3 << 20))
        yield second

    assert reason(await refusal(served.media.UploadMedium(parts()))) == wanted


async def test_deleting_says_what_is_gone(served, job):
    kept = (await served.media.UploadMedium(said(announced(job)))).medium

    gone = await served.media.DeleteMedia(pb.DeleteMediaRequest(job=job, names=["screen"]))

    assert [*gone.media] == [kept]
    assert not (await served.media.ListMedia(pb.ListMediaRequest(job=job))).media


async def test_a_job_that_retention_has_deleted_is_told_from_one_that_never_was(served, job):
    partition = served.running.partitions.get("default")
    await partition.journal.delete_archived([job])

    gone = await refusal(served.jobs.GetJob(jobs.GetJobRequest(job=job)))
    never = await refusal(served.jobs.GetJob(jobs.GetJobRequest(job=99)))

    assert reason(gone) == reason(never) == "JOB_NOT_FOUND"
    assert "retention has deleted it" in (gone.details() or "")
    assert never.details() == "there is no job 99"
    error = await refusal(served.media.UploadMedium(said(announced(job), b"")))
    assert reason(error) == "JOB_NOT_FOUND"
