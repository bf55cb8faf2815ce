"""Submitting: one request for what is asked at once, and nobody suffers for a neighbour."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from interlock import InvalidArgument, JobHandle, NotFound
from tests.support.fake_server import DEFINITION, Failure


async def test_a_job_is_submitted_with_everything_that_was_given(server, interlock):
    start = datetime(2026, 10, 1, tzinfo=UTC)

    job = await interlock.submit(
        DEFINITION,
        {"month": "2026-10"},
        queue="finance",
        priority=70,
        start_time=start,
        labels={"team": "blue"},
        stop_after=timedelta(minutes=5),
        kill_after=90,
    )

    assert (job.id, job.status, job.status.lifecycle) == (1, "Pending", "uipath")
    request = server.requests["SubmitJobs"][0]
    assert request.partition == "default"
    assert request.submitted_by == "alice"
    assert len(request.request_id) == 32
    sent = request.jobs[0]
    assert sent.parameters_json == '{"month":"2026-10"}'
    assert (sent.queue, sent.priority, dict(sent.labels)) == ("finance", 70, {"team": "blue"})
    assert sent.start_time.ToDatetime(tzinfo=UTC) == start
    assert (sent.stop_after.seconds, sent.kill_after.seconds) == (300, 90)


async def test_calls_made_at_once_share_a_request(server, interlock):
    jobs = await asyncio.gather(*(interlock.submit(DEFINITION, {"n": n}) for n in range(50)))

    assert sorted(job.id for job in jobs) == list(range(1, 51))
    assert len(server.requests["SubmitJobs"]) == 1


async def test_each_caller_gets_the_outcome_of_its_own_job(server, interlock):
    jobs = await asyncio.gather(*(interlock.submit(DEFINITION, {"n": n}) for n in range(20)))

    for n, job in enumerate(jobs):
        assert (await interlock.get(job.id)).parameters == {"n": n}


async def test_calls_collect_while_requests_are_under_way(server, interlock):
    server.gate.clear()
    calls = []
    for _ in range(10):
        calls.append(asyncio.ensure_future(interlock.submit(DEFINITION)))
        await server.until_asked("SubmitJobs", min(len(calls), 2))

    server.gate.set()
    await asyncio.gather(*calls)

    assert [len(request.jobs) for request in server.requests["SubmitJobs"]] == [1, 1, 8]


async def test_a_wrong_job_does_not_spoil_its_neighbours(server, interlock):
    good = [interlock.submit(DEFINITION) for _ in range(7)]
    wrong = interlock.submit(DEFINITION, priority=101)

    *jobs, error = await asyncio.gather(*good, wrong, return_exceptions=True)

    assert [type(job) for job in jobs] == [JobHandle] * 7
    assert isinstance(error, InvalidArgument)
    assert error.reason == "INVALID_NUMBER"
    assert len(server.jobs) == 7


async def test_a_refused_job_raises_for_its_caller_only(server, interlock):
    answers = await asyncio.gather(
        interlock.submit(DEFINITION), interlock.submit("Missing"), return_exceptions=True
    )

    job, error = answers
    assert isinstance(job, JobHandle)
    assert isinstance(error, NotFound)
    assert str(error) == "no Missing"


async def test_a_caller_that_gave_up_before_sending_submits_nothing(server, interlock):
    server.gate.clear()
    first = [asyncio.ensure_future(interlock.submit(DEFINITION))]
    for count in (1, 2):
        await server.until_asked("SubmitJobs", count)
        first.append(asyncio.ensure_future(interlock.submit(DEFINITION)))
    await asyncio.sleep(0)
    first[-1].cancel()

    server.gate.set()
    await asyncio.gather(*first, return_exceptions=True)

    assert len(server.jobs) == 2


async def test_many_jobs_are_submitted_with_refusals_in_their_places(server, interlock):
    answers = await interlock.submit_many(
        [{"definition": DEFINITION, "count": 2}, {"definition": "Missing"}]
    )

    assert [type(each) for each in answers] == [JobHandle, JobHandle, NotFound]
    assert answers[2].raw.refusal.reason == "DEFINITION_NOT_FOUND"


async def test_very_many_jobs_are_cut_into_requests_a_server_accepts(server, interlock):
    answers = await interlock.submit_many([{"definition": DEFINITION}] * 2_500)

    assert len(answers) == 2_500
    assert [len(request.jobs) for request in server.requests["SubmitJobs"]] == [1000, 1000, 500]


async def test_a_part_that_failed_does_not_hide_the_jobs_that_were_created(server, interlock):
    server.fail("SubmitJobs", Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL"))

    answers = await interlock.submit_many([{"definition": DEFINITION}] * 1_500)

    refused = [each for each in answers if not isinstance(each, JobHandle)]
    assert (len(answers), len(refused)) == (1_500, 1_000)


async def test_nothing_to_submit_is_no_request(server, interlock):
    assert await interlock.submit_many([]) == []
    assert await interlock.hold([]) == []
    assert not server.requests


async def test_a_time_without_a_zone_is_refused_before_it_is_sent(interlock):
    with pytest.raises(ValueError, match="time zone"):
        await interlock.submit(DEFINITION, start_time=datetime(2026, 10, 1))  # noqa: DTZ001


async def test_parameters_that_are_no_json_are_refused_before_they_are_sent(server, interlock):
    with pytest.raises(TypeError, match="expected parameters as JSON values"):
        await interlock.submit(DEFINITION, {"file": object()})

    assert not server.requests
