"""People's view of jobs: submitting, showing, listing, verbs, and requests that are sent twice."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from interlock.v1 import filter_pb2
from interlock.v1 import job_service_pb2 as pb
from interlock.v1.definition_pb2 import Definition
from interlock.v1.robot_service_pb2 import Question, Report, ReportBatch, ReportDetail, ReportKind
from interlock.v1.status_pb2 import Lifecycle, State, Status
from tests.support.served import RobotCall, error_info, reason, refusal

S = Status
REDWOOD = Lifecycle.LIFECYCLE_REDWOOD
REQUEST_ID = "request-00000000001"


async def finish(served, *jobs: int) -> None:
    """Let a robot carry out everything that waits, and say that it ended well."""
    robot = await RobotCall(served).hello()
    offers = (await robot.next("offers")).offers
    assert {offer.job for offer in offers} == set(jobs)
    await robot.report(ReportKind.REPORT_KIND_COMPLETED, [offer.job for offer in offers])
    await robot.send(goodbye={})


async def test_jobs_that_cannot_be_created_are_refused_each_on_its_own(served):
    answer = await served.jobs.SubmitJobs(
        pb.SubmitJobsRequest(
            jobs=[pb.NewJob(definition="invoice", count=2), pb.NewJob(definition="nothing")]
        )
    )

    assert [outcome.job for outcome in answer.outcomes] == [1, 2, 0]
    assert answer.outcomes[2].refusal.reason == "DEFINITION_NOT_FOUND"


async def test_the_refusal_of_the_only_job_is_the_error_of_the_call(served):
    error = await refusal(served.submit("nothing"))

    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert reason(error) == "DEFINITION_NOT_FOUND"


async def test_a_repeated_request_gets_the_first_answer_and_does_nothing(served):
    request = pb.SubmitJobsRequest(jobs=[pb.NewJob(definition="invoice")], request_id=REQUEST_ID)

    first = await served.jobs.SubmitJobs(request)
    second = await served.jobs.SubmitJobs(request)

    assert second == first
    assert len((await served.jobs.ListJobs(pb.ListJobsRequest())).jobs) == 1


async def test_a_repeated_refusal_is_refused_again(served):
    (job,) = await served.submit("report")
    await served.jobs.CancelJobs(pb.CancelJobsRequest(jobs=[job]))
    request = pb.HoldJobsRequest(jobs=[job], request_id=REQUEST_ID)

    first = await refusal(served.jobs.HoldJobs(request))
    second = await refusal(served.jobs.HoldJobs(request))

    assert reason(first) == reason(second) == "ALREADY_FINAL"
    assert first.details() == second.details()


async def test_a_request_id_of_another_request_is_refused(served):
    (job,) = await served.submit("report")
    await served.jobs.HoldJobs(pb.HoldJobsRequest(jobs=[job], request_id=REQUEST_ID))

    error = await refusal(
        served.jobs.ReleaseJobs(pb.ReleaseJobsRequest(jobs=[job], request_id=REQUEST_ID))
    )

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert reason(error) == "REQUEST_ID_CONFLICT"


async def test_a_verb_for_several_jobs_answers_for_each(served):
    redwood, uipath = await served.submit("report"), await served.submit("invoice")

    answer = await served.jobs.HoldJobs(pb.HoldJobsRequest(jobs=[*redwood, *uipath, 99]))

    assert [outcome.status for outcome in answer.outcomes[:2]] == [
        S.STATUS_REDWOOD_HELD,
        S.STATUS_UIPATH_PENDING,
    ]
    assert [outcome.refusal.reason for outcome in answer.outcomes] == [
        "",
        "WRONG_LIFECYCLE",
        "JOB_NOT_FOUND",
    ]


async def test_a_change_is_refused_when_the_job_has_changed_since(served):
    (job,) = await served.submit("report")
    seen = await served.jobs.GetJob(pb.GetJobRequest(job=job))
    await served.jobs.HoldJobs(pb.HoldJobsRequest(jobs=[job]))

    error = await refusal(
        served.jobs.CancelJobs(
            pb.CancelJobsRequest(jobs=[job], expected_revision=seen.job.revision)
        )
    )

    assert error.code() is grpc.StatusCode.ABORTED
    assert reason(error) == "REVISION_MISMATCH"


@pytest.mark.parametrize(
    ("method", "request_type", "status"),
    [
        ("HoldJobs", pb.HoldJobsRequest, S.STATUS_REDWOOD_HELD),
        ("CancelJobs", pb.CancelJobsRequest, S.STATUS_REDWOOD_CANCELED),
    ],
)
async def test_a_verb_moves_a_job_and_its_history_says_who_and_why(
    served, method, request_type, status
):
    (job,) = await served.submit("report")

    await getattr(served.jobs, method)(
        request_type(jobs=[job], reason="month end", requested_by="alice")
    )

    history = await served.jobs.GetJobHistory(pb.GetJobHistoryRequest(job=job))
    last = history.entries[-1]
    assert (last.to, last.author, last.reason) == (status, "alice", "month end")
    assert await served.status(job) == status


async def test_a_job_that_has_left_memory_is_shown_with_its_history(served):
    (job,) = await served.submit("invoice", parameters_json='{"a":1}')
    await finish(served, job)

    answer = await served.jobs.GetJob(pb.GetJobRequest(job=job))
    history = await served.jobs.GetJobHistory(pb.GetJobHistoryRequest(job=job))

    assert job not in served.partition.world.jobs
    assert answer.job.status == S.STATUS_UIPATH_SUCCESSFUL
    assert answer.job.parameters_json == '{"a":1}'
    assert [entry.transition for entry in history.entries] == ["TU-01", "TU-04", "TU-08"]


async def test_the_history_comes_in_pages(served):
    (job,) = await served.submit("report")
    entries, token = [], ""

    while True:
        page = await served.jobs.GetJobHistory(
            pb.GetJobHistoryRequest(job=job, page_size=2, page_token=token)
        )
        entries.extend(page.entries)
        token = page.next_page_token
        if not token:
            break

    assert [entry.revision for entry in entries] == [1, 2, 3]


async def test_an_archived_job_can_be_restarted(served):
    (job,) = await served.submit("invoice", labels={"team": "ap"})
    await finish(served, job)

    answer = await served.jobs.RestartJobs(pb.RestartJobsRequest(jobs=[job]))

    (outcome,) = answer.outcomes
    restarted = (await served.jobs.GetJob(pb.GetJobRequest(job=outcome.job))).job
    assert restarted.restarted_from == job
    assert dict(restarted.labels) == {"team": "ap"}


async def test_an_unknown_job_is_not_found(served):
    for call in (
        served.jobs.GetJob(pb.GetJobRequest(job=7)),
        served.jobs.GetJobHistory(pb.GetJobHistoryRequest(job=7)),
        served.jobs.RestartJobs(pb.RestartJobsRequest(jobs=[7])),
    ):
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert reason(error) == "JOB_NOT_FOUND"


# -- lists --------------------------------------------------------------------------------------


async def ids(served, **fields) -> list[int]:
    """Return the ids of all pages of a list."""
    found: list[int] = []
    token = ""
    while True:
        answer = await served.jobs.ListJobs(pb.ListJobsRequest(page_token=token, **fields))
        found += [job.id for job in answer.jobs]
        token = answer.next_page_token
        if not token:
            return found


async def test_live_and_archived_jobs_are_one_list_newest_first(served):
    done = await served.submit("invoice", 3)
    await finish(served, *done)
    live = await served.submit("report", 2)

    assert await ids(served) == [5, 4, 3, 2, 1]
    assert await ids(served, page_size=2) == [5, 4, 3, 2, 1]
    assert await ids(served, scope=pb.ListScope.LIST_SCOPE_LIVE) == live[::-1]
    assert await ids(served, scope=pb.ListScope.LIST_SCOPE_FINAL) == done[::-1]


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ({"lifecycles": [1]}, [2, 1]),
        ({"statuses": [S.STATUS_UIPATH_SUCCESSFUL]}, [2, 1]),
        ({"states": [State.STATE_FINAL]}, [2, 1]),
        ({"states": [State.STATE_PRE_RUNNING]}, [4, 3]),
        ({"lifecycles": [1], "states": [State.STATE_PRE_RUNNING]}, []),
        ({"definitions": ["report"]}, [4, 3]),
        ({"queues": ["default"]}, [4, 3, 2, 1]),
        ({"robots": ["robot-1"]}, [2, 1]),
        ({"jobs": [1, 4, 9]}, [4, 1]),
        ({"labels": {"team": "ap"}}, [4, 2, 1]),
        ({"labels": {"team": "ap", "x": "y"}}, []),
        ({"open_message": True}, []),
    ],
)
async def test_a_filter_selects_live_and_archived_jobs_alike(served, selected, expected):
    done = await served.submit("invoice", 2, labels={"team": "ap"})
    await finish(served, *done)
    await served.submit("report")
    await served.submit("report", labels={"team": "ap"})

    for page_size in (0, 1):
        found = await ids(served, filter=filter_pb2.Filter(**selected), page_size=page_size)
        assert found == expected


async def test_a_list_leaves_parameters_out(served):
    await served.submit("invoice", parameters_json='{"secret":1}')

    (job,) = (await served.jobs.ListJobs(pb.ListJobsRequest())).jobs

    assert job.parameters_json == ""


async def test_a_watch_from_the_revision_of_a_list_misses_nothing(served):
    await served.submit("invoice")
    answer = await served.jobs.ListJobs(pb.ListJobsRequest())

    assert answer.revision == 1


# -- operator messages --------------------------------------------------------------------------


async def ask(served) -> tuple[RobotCall, int]:
    """Let a Redwood job ask a question; return its robot and the job."""
    (job,) = await served.submit("report")
    robot = await RobotCall(served).hello()
    await robot.next("offers")
    await robot.report(ReportKind.REPORT_KIND_STARTED, [job])
    question = Question(text="go on?", choices=["yes", "no"])
    robot.sequence += 1
    await robot.send(
        reports=ReportBatch(
            sequence=robot.sequence,
            reports=[
                Report(
                    job=job,
                    fence=1,
                    kind=ReportKind.REPORT_KIND_ASKED,
                    detail=ReportDetail(question=question),
                )
            ],
        )
    )
    await robot.next("report_ack")
    return robot, job


async def test_a_reply_reaches_the_robot_and_closes_the_message(served):
    robot, job = await ask(served)
    (message,) = (await served.jobs.ListMessages(pb.ListMessagesRequest())).messages

    answer = await served.jobs.ReplyToMessage(
        pb.ReplyToMessageRequest(message=message.id, reply="yes", replied_by="alice")
    )

    (order,) = (await robot.next("orders")).orders
    assert (order.job, order.message, order.reply) == (job, message.id, "yes")
    assert (answer.message.reply, answer.message.replied_by) == ("yes", "alice")
    assert answer.outcome.status == S.STATUS_REDWOOD_RUNNING
    assert not (await served.jobs.ListMessages(pb.ListMessagesRequest())).messages
    closed = await served.jobs.ListMessages(pb.ListMessagesRequest(include_closed=True))
    assert len(closed.messages) == 1


async def test_a_reply_that_is_no_choice_is_refused_with_the_choices(served):
    await ask(served)

    error = await refusal(
        served.jobs.ReplyToMessage(pb.ReplyToMessageRequest(message=1, reply="maybe"))
    )

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == "REPLY_REFUSED"
    assert error_info(error).metadata["choices"] == "yes, no"


# -- load ---------------------------------------------------------------------------------------


async def test_many_calls_at_once_are_all_answered(served):
    await served.put_definitions(*(Definition(name=f"d{n}", lifecycle=REDWOOD) for n in range(20)))

    created = await asyncio.gather(*(served.submit(f"d{n % 20}") for n in range(300)))

    assert sorted(job for (job,) in created) == list(range(1, 301))
