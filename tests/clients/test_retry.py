"""Repeating calls: same request_id, once carried out, and honest about what nobody knows."""

from __future__ import annotations

import grpc
import pytest

from interlock import (
    IllegalTransition,
    Indeterminate,
    NotFound,
    Overloaded,
    ServerError,
    Unavailable,
    connect,
)
from interlock.retry import Backoff
from tests.support.fake_server import DEFINITION, Failure, FakeServer

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    "code", [CODE.UNAVAILABLE, CODE.DEADLINE_EXCEEDED, CODE.UNKNOWN, CODE.CANCELLED]
)
async def test_a_lost_answer_is_asked_for_again_and_the_job_created_once(server, interlock, code):
    server.fail("SubmitJobs", Failure(code, done=True))

    job = await interlock.submit(DEFINITION)

    assert job.id == 1
    assert len(server.jobs) == 1
    first, second = server.requests["SubmitJobs"]
    assert first.request_id == second.request_id


async def test_an_overloaded_server_is_asked_again_when_it_says_so(server, interlock):
    failure = Failure(CODE.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=0.01)
    server.fail("SubmitJobs", failure, times=3)

    job = await interlock.submit(DEFINITION)

    assert job.id == 1
    assert len(server.requests["SubmitJobs"]) == 4


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure(CODE.FAILED_PRECONDITION, "ILLEGAL_TRANSITION"), IllegalTransition),
        (Failure(CODE.NOT_FOUND, "PARTITION_NOT_FOUND"), NotFound),
        (Failure(CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL"), Overloaded),
        (Failure(CODE.INTERNAL, "INTERNAL", metadata={"error_id": "e1"}), ServerError),
    ],
)
async def test_a_refusal_is_final(server, interlock, failure, expected):
    server.fail("SubmitJobs", failure)

    with pytest.raises(expected) as caught:
        await interlock.submit(DEFINITION)

    assert type(caught.value) is expected
    assert caught.value.reason == failure.reason
    assert caught.value.metadata == failure.metadata
    assert len(server.requests["SubmitJobs"]) == 1


async def test_a_change_without_an_answer_in_time_is_indeterminate(server):
    server.fail("SubmitJobs", Failure(CODE.UNAVAILABLE, "OUTCOME_UNKNOWN"), times=99)

    async with connect(server.address, timeout=0.2) as interlock:
        with pytest.raises(Indeterminate):
            await interlock.submit(DEFINITION)


async def test_a_question_without_an_answer_in_time_is_only_unavailable(server):
    server.fail("GetJob", Failure(CODE.UNAVAILABLE), times=99)

    async with connect(server.address, timeout=0.2) as interlock:
        with pytest.raises(Unavailable):
            await interlock.get(1)


async def test_a_change_that_a_stopping_server_did_not_take_was_not_made(server):
    server.fail("SubmitJobs", Failure(CODE.UNAVAILABLE, "DRAINING"), times=99)

    async with connect(server.address, timeout=0.2) as interlock:
        with pytest.raises(Unavailable) as caught:
            await interlock.submit(DEFINITION)

    assert caught.value.reason == "DRAINING"


async def test_a_change_that_reached_no_server_was_not_made():
    async with FakeServer() as gone:
        address = gone.address

    async with connect(address, timeout=0.3) as interlock:
        with pytest.raises(Unavailable, match="failed to connect"):
            await interlock.submit(DEFINITION)


async def test_a_call_made_while_the_server_restarts_is_answered_by_the_new_one(server, interlock):
    await interlock.submit(DEFINITION)
    await server.stop()
    await server.start()

    job = await interlock.submit(DEFINITION)

    assert job.id == 2


def test_delays_grow_up_to_a_bound_and_honour_the_server():
    backoff = Backoff(0.1, 1.0)

    delays = [backoff.next_delay() for _ in range(20)]

    assert 0.05 <= delays[0] <= 0.1
    assert all(delay <= 1.0 for delay in delays)
    assert all(delay >= 0.5 for delay in delays[5:])
    assert backoff.next_delay(3.0) == 3.0
    backoff.reset()
    assert backoff.next_delay() <= 0.1
