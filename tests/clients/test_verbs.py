"""Verbs: typed refusals for one job, outcomes for many, and gathered requests."""

from __future__ import annotations

import asyncio

import pytest

from interlock import IllegalTransition, Outcome
from interlock.v1.status_pb2 import Status

SCHEDULED = Status.STATUS_REDWOOD_SCHEDULED
HELD = Status.STATUS_REDWOOD_HELD


async def test_holding_one_job_returns_its_outcome(server, interlock):
    job = server.add_job(SCHEDULED)

    outcome = await interlock.hold(job.id, reason="month end")

    assert (outcome.job, outcome.status, outcome.refusal) == (job.id, "Held", None)
    request = server.requests["HoldJobs"][0]
    assert (request.reason, request.requested_by) == ("month end", "alice")


async def test_a_refused_verb_raises_what_the_server_said(server, interlock):
    job = server.add_job(HELD)

    with pytest.raises(IllegalTransition, match="expected to hold job 1") as caught:
        await interlock.hold(job.id)

    assert caught.value.metadata == {"status": "Held", "allowed": "release"}
    assert caught.value.reason == "ILLEGAL_TRANSITION"


async def test_a_verb_on_several_jobs_puts_refusals_into_the_outcomes(server, interlock):
    jobs = [server.add_job(SCHEDULED).id, server.add_job(HELD).id]

    held, refused = await interlock.hold(jobs)

    assert held.refusal is None
    assert isinstance(refused.refusal, IllegalTransition)


async def test_a_list_of_one_job_is_a_list_all_the_same(server, interlock):
    job = server.add_job(HELD)

    (outcome,) = await interlock.hold([job.id])

    assert isinstance(outcome.refusal, IllegalTransition)
    assert outcome.raw.refusal.metadata["allowed"] == "release"


async def test_equal_verbs_asked_at_once_share_a_request(server, interlock):
    jobs = [server.add_job(SCHEDULED).id for _ in range(20)]

    outcomes = await asyncio.gather(*(interlock.hold(job) for job in jobs))

    assert [outcome.job for outcome in outcomes] == jobs
    assert len(server.requests["HoldJobs"]) == 1


async def test_a_refusal_in_a_shared_request_is_raised_for_its_caller_only(server, interlock):
    jobs = [server.add_job(SCHEDULED).id, server.add_job(HELD).id]

    held, error = await asyncio.gather(
        *(interlock.hold(job) for job in jobs), return_exceptions=True
    )

    assert isinstance(held, Outcome)
    assert isinstance(error, IllegalTransition)


async def test_verbs_with_different_reasons_are_kept_apart(server, interlock):
    jobs = [server.add_job(SCHEDULED).id for _ in range(2)]

    await asyncio.gather(*(interlock.hold(job, reason=f"for {job}") for job in jobs))

    assert {request.reason for request in server.requests["HoldJobs"]} == {"for 1", "for 2"}


async def test_the_same_job_is_never_twice_in_one_request(server, interlock):
    job = server.add_job(SCHEDULED).id

    outcomes = await asyncio.gather(
        interlock.hold(job), interlock.hold(job), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {Outcome, IllegalTransition}
    assert [list(request.jobs) for request in server.requests["HoldJobs"]] == [[job], [job]]


async def test_an_expected_revision_is_sent_with_one_job_alone(server, interlock):
    jobs = [server.add_job(SCHEDULED) for _ in range(2)]

    await asyncio.gather(*(interlock.hold(job.id, expected_revision=job.revision) for job in jobs))

    revisions = [request.expected_revision for request in server.requests["HoldJobs"]]
    assert sorted(revisions) == [1, 2]


async def test_an_expected_revision_for_several_jobs_is_a_mistake(interlock):
    with pytest.raises(ValueError, match="expected one job with expected_revision"):
        await interlock.hold([1, 2], expected_revision=3)


async def test_more_jobs_than_a_request_may_name_are_sent_in_several(server, interlock):
    jobs = [server.add_job(SCHEDULED).id for _ in range(1_200)]

    outcomes = await interlock.hold(jobs)

    assert [outcome.job for outcome in outcomes] == jobs
    assert [len(request.jobs) for request in server.requests["HoldJobs"]] == [1_000, 200]


async def test_nothing_is_remembered_about_verbs_that_are_over(server, interlock):
    jobs = [server.add_job(SCHEDULED).id for _ in range(3)]

    for job in jobs:
        await interlock.hold(job, reason=f"for {job}")
    await asyncio.sleep(0)

    assert interlock.hold._gatherers == {}
