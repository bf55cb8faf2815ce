"""Every wrong request is refused with its reason, in few printable words, and changes nothing."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import filter_pb2, job_service_pb2, queue_pb2, watch_service_pb2
from interlock.v1 import robot_service_pb2 as robots
from interlock.v1.definition_pb2 import Definition, Parameter
from interlock.v1.status_pb2 import Status
from interlock_server.rpc import errors
from tests.support.served import reason, refusal

CANARY = "hunter2"
ID_MAX = (1 << 64) - 1


def submit(**new: Any):
    request = job_service_pb2.SubmitJobsRequest(
        jobs=[job_service_pb2.NewJob(**({"definition": "report"} | new))]
    )
    return "jobs", "SubmitJobs", request


def hold(**fields: Any):
    return "jobs", "HoldJobs", job_service_pb2.HoldJobsRequest(**({"jobs": [1]} | fields))


def listing(**fields: Any):
    return "jobs", "ListJobs", job_service_pb2.ListJobsRequest(**fields)


def selecting(**fields: Any):
    return listing(filter=filter_pb2.Filter(**fields))


def verb(name: str, **fields: Any):
    return "jobs", name, getattr(job_service_pb2, f"{name}Request")(**fields)


def define(**fields: Any):
    right: dict[str, Any] = {"name": "x", "lifecycle": 2}
    given = Definition(**(right | fields))
    return "catalog", "PutDefinitions", catalog.PutDefinitionsRequest(definitions=[given])


def queue(**fields: Any):
    given = queue_pb2.Queue(**({"name": "x"} | fields))
    return "catalog", "PutQueues", catalog.PutQueuesRequest(queues=[given])


def watch(**fields: Any):
    return "watches", "Watch", watch_service_pb2.WatchRequest(**fields)


def robot(name: str, **fields: Any):
    return "robots", name, getattr(robots, f"{name}Request")(**fields)


UNKNOWN = filter_pb2.Filter(statuses=[Status.ValueType(999)])
NEW = job_service_pb2.NewJob(definition="report")

BAD_REQUESTS = [
    # ids
    (verb("GetJob", job=0), "INVALID_ID"),
    (verb("GetJob", job=ID_MAX), "OUT_OF_BOUNDS"),
    (verb("GetJob", job=5), "JOB_NOT_FOUND"),
    (hold(jobs=[0]), "INVALID_ID"),
    (hold(jobs=[ID_MAX]), "OUT_OF_BOUNDS"),
    (hold(jobs=[99]), "JOB_NOT_FOUND"),
    (hold(expected_revision=ID_MAX), "OUT_OF_BOUNDS"),
    # names and texts
    (submit(definition=""), "INVALID_NAME"),
    (submit(definition="../x"), "INVALID_NAME"),
    (submit(definition="a\r\nb"), "INVALID_NAME"),
    (submit(queue="é"), "INVALID_NAME"),
    (submit(robot="\u202ex"), "INVALID_NAME"),
    (submit(definition=CANARY), "DEFINITION_NOT_FOUND"),
    (submit(queue="nowhere"), "QUEUE_NOT_FOUND"),
    (submit(reference="x" * 129), "INVALID_TEXT"),
    (submit(reference="a\x1b[31mb"), "INVALID_TEXT"),
    (hold(reason="x" * 2_048), "INVALID_TEXT"),
    (hold(reason="a\nb"), "INVALID_TEXT"),
    (hold(requested_by="x" * 129), "INVALID_TEXT"),
    (hold(partition="nowhere"), "PARTITION_NOT_FOUND"),
    # batches
    (verb("SubmitJobs"), "EMPTY_BATCH"),
    (verb("SubmitJobs", jobs=[NEW] * 1_001), "BATCH_TOO_LARGE"),
    (submit(count=10_001), "INVALID_NUMBER"),
    (hold(jobs=[]), "EMPTY_BATCH"),
    (hold(jobs=range(1, 1_002)), "BATCH_TOO_LARGE"),
    (hold(jobs=[1, 1]), "DUPLICATE_TARGET"),
    (hold(jobs=[1, 2], expected_revision=1), "INVALID_FIELD"),
    # numbers and times
    (submit(priority=101), "INVALID_NUMBER"),
    (submit(priority=-1), "INVALID_NUMBER"),
    (submit(count=2, robot="r"), "INVALID_FIELD"),
    (submit(start_time={"seconds": 253_402_300_800}), "INVALID_TIME"),
    (submit(start_time={"nanos": -1}), "INVALID_TIME"),
    (submit(start_time={"seconds": 1, "nanos": 2_000_000_000}), "INVALID_TIME"),
    (submit(start_time={"seconds": -1_000_000_000}), "INVALID_TIME"),
    (submit(stop_after={"seconds": -1}), "INVALID_TIME"),
    (submit(kill_after={"seconds": 1 << 60}), "INVALID_TIME"),
    (submit(stop_after={"seconds": 5}), "WRONG_LIFECYCLE"),
    (verb("SetJobPriority", jobs=[1], priority=0), "INVALID_NUMBER"),
    (verb("RescheduleJobs", jobs=[1], start_time={"seconds": -5}), "INVALID_TIME"),
    # parameters
    (submit(parameters_json="["), "INVALID_PARAMETER"),
    (submit(parameters_json="[]"), "INVALID_PARAMETER"),
    (submit(parameters_json='{"a":"' + "x" * 270_000 + '"}'), "INVALID_PARAMETER"),
    (submit(parameters_json="[" * 100_000), "INVALID_PARAMETER"),
    (verb("CompleteJobs", jobs=[1], result_json="{"), "INVALID_PARAMETER"),
    (submit(labels={str(number): "x" for number in range(33)}), "INVALID_FIELD"),
    (submit(labels={"": "x"}), "INVALID_FIELD"),
    (submit(labels={"a": "x" * 129}), "INVALID_TEXT"),
    # repeated requests
    (hold(request_id="x" * 15), "INVALID_REQUEST_ID"),
    (hold(request_id="x" * 65), "INVALID_REQUEST_ID"),
    (hold(request_id="x x x x x x x x x x"), "INVALID_REQUEST_ID"),
    # lists and filters
    (listing(page_size=-1), "INVALID_PAGE_SIZE"),
    (listing(page_token="forged"), "INVALID_PAGE_TOKEN"),
    (listing(scope=9), "INVALID_FIELD"),
    (selecting(statuses=[999]), "UNKNOWN_STATUS"),
    (selecting(statuses=[0]), "UNKNOWN_STATUS"),
    (selecting(statuses=[10]), "UNKNOWN_STATUS"),
    (selecting(states=[5]), "UNKNOWN_STATUS"),
    (selecting(lifecycles=[3]), "UNKNOWN_STATUS"),
    (selecting(jobs=range(1, 502)), "FILTER_TOO_COMPLEX"),
    (selecting(jobs=[0]), "INVALID_ID"),
    (selecting(definitions=["a/b"]), "INVALID_NAME"),
    (selecting(labels={"a": "\0"}), "INVALID_TEXT"),
    (verb("ListMessages", page_size=-5), "INVALID_PAGE_SIZE"),
    # messages and conditions
    (verb("ReplyToMessage", message=0, reply="x"), "INVALID_ID"),
    (verb("ReplyToMessage", message=7, reply="x"), "MESSAGE_NOT_FOUND"),
    (verb("ReplyToMessage", message=7, reply="a\0"), "INVALID_TEXT"),
    (verb("FireResumeConditions", kind=1, key="1"), "INVALID_FIELD"),
    (verb("FireResumeConditions", kind=3), "INVALID_FIELD"),
    # the catalog
    (("catalog", "PutDefinitions", catalog.PutDefinitionsRequest()), "EMPTY_BATCH"),
    (define(name="a b"), "INVALID_NAME"),
    (define(lifecycle=0), "UNKNOWN_STATUS"),
    (define(lifecycle=3), "UNKNOWN_STATUS"),
    (define(version=1), "READ_ONLY_FIELD"),
    (define(update_time={"seconds": 1}), "READ_ONLY_FIELD"),
    (define(priority=101), "INVALID_NUMBER"),
    (define(on_robot_loss=4), "INVALID_FIELD"),
    (define(completion=4), "INVALID_FIELD"),
    (define(return_code_map="1-"), "INVALID_FIELD"),
    (define(return_code_map="x"), "INVALID_FIELD"),
    (define(queue="nowhere"), "QUEUE_NOT_FOUND"),
    (define(name="report", lifecycle=1), "CONFLICTING_DEFINITION"),
    (define(uncertain_timeout={"seconds": -1}), "INVALID_TIME"),
    (define(parameters=[Parameter(name="")]), "INVALID_PARAMETER"),
    (define(parameters=[Parameter(name="a", type="date")]), "INVALID_PARAMETER"),
    (define(parameters=[Parameter(name="a", default_json="{")]), "INVALID_PARAMETER"),
    (define(parameters=[Parameter(name="a")] * 2), "INVALID_PARAMETER"),
    (define(parameters=[Parameter(name=str(n)) for n in range(65)]), "INVALID_PARAMETER"),
    (queue(held=True), "READ_ONLY_FIELD"),
    (queue(load=3), "READ_ONLY_FIELD"),
    (queue(description="x" * 1_025), "INVALID_TEXT"),
    (queue(execution_size=(1 << 32) - 1), "INVALID_NUMBER"),
    (("catalog", "HoldQueue", catalog.HoldQueueRequest(queue="nowhere")), "QUEUE_NOT_FOUND"),
    (("catalog", "HoldQueue", catalog.HoldQueueRequest(queue="System")), "QUEUE_IS_SYSTEM"),
    (("catalog", "ReleaseQueue", catalog.ReleaseQueueRequest(queue="default")), "QUEUE_NOT_HELD"),
    (
        (
            "catalog",
            "DeleteDefinitions",
            catalog.DeleteDefinitionsRequest(names=["nothing"]),
        ),
        "DEFINITION_NOT_FOUND",
    ),
    # watches
    (watch(from_revision=ID_MAX), "OUT_OF_BOUNDS"),
    (watch(from_revision=1_000), "REVISION_IN_FUTURE"),
    (watch(from_revision=0, snapshot=True), "INVALID_FIELD"),
    (watch(form=7), "INVALID_FIELD"),
    (watch(progress_interval={"nanos": 99_000_000}), "INVALID_TIME"),
    (watch(filter=filter_pb2.Filter(open_message=True)), "INVALID_FIELD"),
    (watch(filter=UNKNOWN), "UNKNOWN_STATUS"),
    (watch(partition="nowhere"), "PARTITION_NOT_FOUND"),
    # robots
    (robot("StartAtRobot", robot="r", epoch=1, definition="invoice"), "NO_SESSION"),
    (robot("StartAtRobot", robot="r", epoch=ID_MAX, definition="invoice"), "OUT_OF_BOUNDS"),
    (robot("SetRobotMaintenance", robot="r", maintenance=True), "ROBOT_NOT_FOUND"),
    (robot("SetRobotMaintenance", robot="r", strategy=1), "INVALID_FIELD"),
    (robot("SetRobotMaintenance", robot="r", maintenance=True, strategy=9), "INVALID_FIELD"),
    (robot("DeleteRobots"), "EMPTY_BATCH"),
    (robot("DeleteRobots", robots=["r"]), "ROBOT_NOT_FOUND"),
    (robot("DeleteRobots", robots=["r"], all_disconnected=True), "INVALID_FIELD"),
]


@pytest.mark.parametrize(("request_", "expected"), BAD_REQUESTS)
async def test_a_wrong_request_is_refused_and_changes_nothing(served, request_, expected):
    service, method, message = request_
    before = repr(served.partition.world.definitions), repr(served.partition.world.queues)
    call = getattr(getattr(served, service), method)(message)

    error = await refusal(call.read() if method == "Watch" else call)

    assert reason(error) == expected
    assert error.code() is errors.CODE_OF[errors.reason_number(expected)]
    assert is_presentable(error)
    world = served.partition.world
    assert (repr(world.definitions), repr(world.queues)) == before
    assert (world.revision, len(world.jobs), len(world.robots)) == (0, 0, 0)


def is_presentable(error: grpc.aio.AioRpcError) -> bool:
    """Few printable words, small trailers, and nothing of the inside."""
    details = error.details() or ""
    trailers = sum(len(key) + len(value) for key, value in error.trailing_metadata())
    return (
        0 < len(details) <= 512
        and details.isprintable()
        and trailers <= 2_048
        and "Traceback" not in details
        and "Error(" not in details
    )


async def test_a_message_that_is_too_large_is_refused_by_the_transport(served):
    request = job_service_pb2.HoldJobsRequest(jobs=[1], reason="x" * (4 << 20))

    error = await refusal(served.jobs.HoldJobs(request))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_method_of_another_service_is_unimplemented(served):
    error = await refusal(served.channel.unary_unary("/interlock.v1.JobService/Nothing")(b""))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_label_may_be_anything_printable(served):
    text = "'; DROP TABLE job;--"
    await served.submit("report", labels={text: text})

    answer = await served.jobs.ListJobs(
        job_service_pb2.ListJobsRequest(filter=filter_pb2.Filter(labels={text: text}))
    )

    assert [dict(job.labels) for job in answer.jobs] == [{text: text}]
