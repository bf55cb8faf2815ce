"""Explanations over gRPC: once, and again whenever they have changed."""

from __future__ import annotations

import grpc

from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import explain_service_pb2 as pb
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1.status_pb2 import Status
from interlock_server.core.explain import ReasonKind
from tests.support.served import refusal

K = pb.ReasonKind


async def test_kinds_of_reasons_have_the_same_numbers_everywhere():
    assert {f"REASON_KIND_{kind.name}": int(kind) for kind in ReasonKind} == {
        name: number for name, number in K.items() if number
    }


async def test_an_explanation_is_a_tree_of_reasons(served):
    await served.catalog.HoldQueue(
        catalog.HoldQueueRequest(queue="default", reason="month end", requested_by="planner")
    )
    (job,) = await served.submit("report")

    answer = await served.explanations.ExplainJob(pb.ExplainJobRequest(job=job))

    found = answer.explanation
    assert (found.job, found.status) == (job, Status.STATUS_REDWOOD_QUEUE_HELD)
    held, robots = found.reasons
    assert (held.kind, held.object, held.by) == (K.REASON_KIND_QUEUE_HELD, "default", "planner")
    assert robots.kind == K.REASON_KIND_NO_ROBOT
    assert found.summary == f"{held.sentence}; {robots.sentence}"


async def test_an_archived_job_is_explained_and_an_unknown_one_is_refused(served):
    (job,) = await served.submit("report")
    await served.jobs.CancelJobs(jobs.CancelJobsRequest(jobs=[job]))

    answer = await served.explanations.ExplainJob(pb.ExplainJobRequest(job=job))
    error = await refusal(served.explanations.ExplainJob(pb.ExplainJobRequest(job=99)))

    assert answer.explanation.reasons[0].kind == K.REASON_KIND_FINAL
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watched_explanation_follows_its_job_to_the_end(served):
    (job,) = await served.submit("report")
    watch = served.explanations.WatchExplanation(pb.WatchExplanationRequest(job=job))

    first = (await watch.read()).explanation
    await served.catalog.HoldQueue(catalog.HoldQueueRequest(queue="default"))
    second = (await watch.read()).explanation
    await served.jobs.CancelJobs(jobs.CancelJobsRequest(jobs=[job]))
    rest = []
    while (message := await watch.read()) is not grpc.aio.EOF:
        rest.append(message.explanation)

    assert [each.kind for each in first.reasons] == [K.REASON_KIND_NO_ROBOT]
    assert K.REASON_KIND_QUEUE_HELD in [each.kind for each in second.reasons]
    assert rest[-1].status == Status.STATUS_REDWOOD_CANCELED
