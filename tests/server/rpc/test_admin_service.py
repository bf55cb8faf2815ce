"""Partitions, status, verification, backup and compaction as operators call them."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from interlock.v1 import admin_service_pb2 as pb
from interlock.v1 import job_service_pb2, lifecycle_service_pb2
from interlock_server import __version__
from tests.support.served import RobotCall, reason, refusal


async def test_a_partition_is_empty_and_ready_when_it_is_made(served):
    await served.submit("report")
    await served.admin.CreatePartition(pb.CreatePartitionRequest(name="other"))

    listed = await served.admin.ListPartitions(pb.ListPartitionsRequest())
    jobs = await served.jobs.ListJobs(job_service_pb2.ListJobsRequest(partition="other"))

    assert list(listed.names) == ["default", "other"]
    assert not jobs.jobs


async def test_a_partition_is_made_once(served):
    await served.admin.CreatePartition(pb.CreatePartitionRequest(name="other"))

    error = await refusal(served.admin.CreatePartition(pb.CreatePartitionRequest(name="other")))

    assert error.code() is grpc.StatusCode.ALREADY_EXISTS
    assert reason(error) == "PARTITION_EXISTS"


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "x" * 65, "-", "é", "."])
async def test_a_partition_has_a_plain_name(served, name):
    error = await refusal(served.admin.CreatePartition(pb.CreatePartitionRequest(name=name)))

    assert reason(error) == "INVALID_NAME"


async def test_the_status_counts_what_there_is(served):
    await served.submit("report", 2)
    await served.submit("invoice")
    robot = await RobotCall(served).hello("nothing")

    status = await served.admin.GetStatus(pb.GetStatusRequest())

    assert status.server_version == __version__
    assert status.durability == "off"
    assert dict(status.status_counts) == {"redwood/Queued": 2, "uipath/Pending": 1}
    assert (status.live_jobs, status.archived_jobs, status.robots) == (3, 0, 1)
    assert status.revision == 7
    assert status.journal_bytes > 0
    robot.call.cancel()


async def test_a_verification_ends_clean(served):
    await served.submit("report", 5)

    steps = [step async for step in served.admin.Verify(pb.VerifyRequest())]

    assert [step.done for step in steps][-1]
    assert list(steps[-1].problems) == []
    assert steps[-1].revision == served.partition.history.head_revision
    assert steps[-1].digest


async def test_a_backup_is_a_file_of_the_server(served):
    await served.submit("report")

    done = await served.admin.Backup(pb.BackupRequest(name="before-upgrade"))

    size = Path(done.path).stat().st_size  # noqa: ASYNC240  nothing else runs here
    assert size == done.size_bytes > 0
    assert done.revision == 3


@pytest.mark.parametrize("name", ["../../etc/passwd", ".hidden", "a/b", "x" * 65])
async def test_a_backup_cannot_leave_its_folder(served, name):
    error = await refusal(served.admin.Backup(pb.BackupRequest(name=name)))

    assert reason(error) == "INVALID_NAME"


async def test_the_lifecycles_are_served_whole(served):
    listed = await served.lifecycles.ListLifecycles(lifecycle_service_pb2.ListLifecyclesRequest())
    tables = [
        await served.lifecycles.DescribeLifecycle(
            lifecycle_service_pb2.DescribeLifecycleRequest(name=name)
        )
        for name in listed.names
    ]

    assert list(listed.names) == ["uipath", "redwood"]
    assert [len(table.statuses) for table in tables] == [9, 31]
    assert [len(table.transitions) for table in tables] == [26, 138]
    rows = [row.row for table in tables for row in table.transitions]
    assert rows == list(range(1, 165))


async def test_an_unknown_lifecycle_is_not_found(served):
    error = await refusal(
        served.lifecycles.DescribeLifecycle(
            lifecycle_service_pb2.DescribeLifecycleRequest(name="airflow")
        )
    )

    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert reason(error) == "LIFECYCLE_NOT_FOUND"
