"""Many clients at once: every answer is borne out by the history, and races have one winner."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from interlock.v1 import admin_service_pb2 as admin
from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as pb
from interlock.v1 import watch_service_pb2 as watches
from interlock.v1.definition_pb2 import Definition
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.support.acked import Call, contradictions
from tests.support.api_methods import METHODS, Stubs
from tests.support.collected import Collected, collect
from tests.support.own_process import ServerProcess
from tests.support.refused_call import refused_call

CLIENTS = 16
OPERATIONS = 40
SEED = 20
VERBS = (
    *("HoldJobs", "ReleaseJobs", "CancelJobs", "KillJobs", "StopJobs"),
    *("RestartJobs", "RescheduleJobs", "SetJobPriority"),
)
DEFINITIONS = (
    Definition(name="invoice", lifecycle=Lifecycle.LIFECYCLE_UIPATH),
    Definition(name="report", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that syncs every commit, so that answers have to wait."""
    with ServerProcess(tmp_path_factory.mktemp("server")) as server:
        with server.channel() as channel:
            Stubs(channel).catalog.PutDefinitions(
                catalog.PutDefinitionsRequest(definitions=DEFINITIONS)
            )
        yield server


@pytest.fixture
async def clients(server):
    """Stubs of as many clients, each with a connection of its own."""
    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(server.async_channel()) for _ in range(CLIENTS)]
        yield [Stubs(channel) for channel in channels]


async def head(stubs):
    return (await stubs.admin.GetStatus(admin.GetStatusRequest())).revision


async def submit(stubs, definition="report", **fields):
    new = pb.NewJob(definition=definition, **fields)
    answer = await stubs.jobs.SubmitJobs(pb.SubmitJobsRequest(jobs=[new]))
    return answer.outcomes[0]


def reason_of(error):
    assert isinstance(error, grpc.RpcError), error
    refused = refused_call(error)
    assert refused.reason, refused
    return refused.reason


def request_of(verb, rng, jobs, request_id):
    """Make a random request; half of the submissions are held, so that there is much to release."""
    if verb == "SubmitJobs":
        new = [
            pb.NewJob(definition="report", hold=rng.random() < 0.5),
            pb.NewJob(definition="invoice"),
        ]
        return pb.SubmitJobsRequest(jobs=rng.sample(new, rng.randint(1, 2)), request_id=request_id)
    named = rng.sample(jobs, min(len(jobs), rng.randint(1, 4)))
    request: Any = METHODS[f"JobService/{verb}"].request(jobs=named, request_id=request_id)
    if verb == "SetJobPriority":
        request.priority = rng.randint(1, 100)
    return request


async def work(stubs, number, jobs):
    """Send one request after the other; every other client gives its requests no id."""
    rng = random.Random(SEED * 1_000 + number)
    calls = []
    for turn in range(OPERATIONS):
        verb = rng.choice(VERBS) if jobs and rng.random() < 0.7 else "SubmitJobs"
        request_id = f"client-{number:04}-turn-{turn:04}" if number % 2 else ""
        call = Call(verb, request_id, 0)
        request = request_of(verb, rng, jobs, request_id)
        await call.run(getattr(stubs.jobs, verb), request, reason_of)
        calls.append(call)
        if verb in {"SubmitJobs", "RestartJobs"}:
            jobs += [job for job, _, _ in call.changed]
    return calls


async def test_every_answer_of_many_clients_is_in_the_history(clients):
    jobs: list[int] = []
    beginning = await head(clients[0])
    watching = Collected(clients[0], watches.WatchRequest(from_revision=beginning)).open()

    done = await asyncio.gather(
        *(work(stubs, number, jobs) for number, stubs in enumerate(clients))
    )
    calls = [call for one in done for call in one]
    await watching.until(await head(clients[0]))
    await watching.close()

    assert contradictions(calls, watching.events) == []
    assert len(calls) == CLIENTS * OPERATIONS
    assert {call.verb for call in calls if call.changed} == {"SubmitJobs", *VERBS} - {"ResumeJobs"}
    again = await collect(clients[1], watching.revision, from_revision=beginning)
    assert again.events == watching.events


async def test_the_history_of_each_job_is_what_the_watch_showed(clients):
    jobs: list[int] = []
    beginning = await head(clients[0])
    await asyncio.gather(*(work(stubs, 100 + n, jobs) for n, stubs in enumerate(clients[:4])))
    watched = await collect(clients[0], await head(clients[0]), from_revision=beginning)

    for job in jobs:
        answer = await clients[0].jobs.GetJobHistory(pb.GetJobHistoryRequest(job=job))
        shown = [event for event in watched.events if event.job == job]
        assert [(entry.revision, entry.to, entry.request_id) for entry in answer.entries] == [
            (event.revision, event.to, event.request_id) for event in shown
        ]


async def test_an_expected_revision_has_exactly_one_winner(clients):
    outcome = await submit(clients[0], hold=True)
    revision, job = outcome.revision, outcome.job
    for turn in range(20):
        verb = "ReleaseJobs" if turn % 2 == 0 else "HoldJobs"
        request = METHODS[f"JobService/{verb}"].request

        calls = await asyncio.gather(
            *(
                Call(verb, "", 0).run(
                    getattr(stubs.jobs, verb),
                    request(jobs=[job], expected_revision=revision),
                    reason_of,
                )
                for stubs in clients
            )
        )

        winners = [call for call in calls if not call.refused]
        assert len(winners) == 1, [call.refused for call in calls]
        losers = {call.refused for call in calls if call.refused}
        assert losers == {"REVISION_MISMATCH"}
        revision = winners[0].changed[0][2]


async def test_a_request_that_everybody_sends_is_carried_out_once(clients):
    before = await head(clients[0])
    new = pb.NewJob(definition="report", hold=True, count=3)
    request = pb.SubmitJobsRequest(jobs=[new], request_id="sent-by-everybody")

    answers = await asyncio.gather(*(stubs.jobs.SubmitJobs(request) for stubs in clients))
    answers += await asyncio.gather(*(stubs.jobs.SubmitJobs(request) for stubs in clients))

    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    assert len(answers[0].outcomes) == 3
    assert await head(clients[0]) == before + 6  # submitted and held
    with pytest.raises(grpc.RpcError) as error:
        await clients[0].jobs.SubmitJobs(
            pb.SubmitJobsRequest(jobs=[new, new], request_id="sent-by-everybody")
        )
    assert reason_of(error.value) == "REQUEST_ID_CONFLICT"


async def test_a_refused_request_is_refused_again_although_it_could_be_done_now(clients):
    stubs = clients[0]
    outcome = await submit(stubs, hold=True)
    request = pb.HoldJobsRequest(jobs=[outcome.job], request_id="held-while-it-is-held")
    first = await stubs.jobs.HoldJobs(request)
    kill = pb.KillJobsRequest(jobs=[outcome.job], request_id="killed-while-it-is-held")
    refused = await Call("KillJobs", "", 0).run(stubs.jobs.KillJobs, kill, reason_of)
    await stubs.jobs.ReleaseJobs(pb.ReleaseJobsRequest(jobs=[outcome.job]))
    await stubs.jobs.CancelJobs(pb.CancelJobsRequest(jobs=[outcome.job]))

    again = await Call("KillJobs", "", 0).run(stubs.jobs.KillJobs, kill, reason_of)

    assert first.outcomes[0].unchanged
    assert await stubs.jobs.HoldJobs(request) == first
    assert (refused.refused, again.refused) == ("ILLEGAL_TRANSITION", "ILLEGAL_TRANSITION")


async def test_a_client_that_leaves_and_asks_again_gets_each_change_once(clients):
    rng = random.Random(SEED)
    before = await head(clients[0])

    async def leave_and_return(stubs, number):
        request = pb.SubmitJobsRequest(
            jobs=[pb.NewJob(definition="report", hold=True)],
            request_id=f"left-and-returned-{number:04}",
        )
        left = stubs.jobs.SubmitJobs(request, timeout=rng.uniform(0.0001, 0.005))
        assert await left.code() in {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
        return await stubs.jobs.SubmitJobs(request)

    answers = []
    for start in range(0, 400, CLIENTS):
        answers += await asyncio.gather(
            *(leave_and_return(stubs, start + n) for n, stubs in enumerate(clients))
        )

    jobs = {answer.outcomes[0].job for answer in answers}
    assert len(jobs) == 400
    assert await head(clients[0]) == before + 2 * 400


async def test_an_answer_shows_no_revision_that_a_watch_cannot_start_from(clients):
    async def load(stubs):
        for _ in range(30):
            await submit(stubs, hold=True)

    async def watch_from_the_answer(stubs):
        for _ in range(30):
            request = pb.SubmitJobsRequest(jobs=[pb.NewJob(definition="report", hold=True)])
            answer = await stubs.jobs.SubmitJobs(request)
            watching = await collect(stubs, answer.revision, from_revision=answer.revision)
            assert watching.revision >= answer.revision

    await asyncio.gather(
        *(load(stubs) for stubs in clients[:12]),
        *(watch_from_the_answer(stubs) for stubs in clients[12:]),
    )


async def test_answers_are_given_again_after_the_server_was_killed(server, clients):
    requests = [
        pb.SubmitJobsRequest(
            jobs=[pb.NewJob(definition="report", hold=True)], request_id=f"before-the-kill-{n:04}"
        )
        for n in range(CLIENTS)
    ]
    first = await asyncio.gather(
        *(stubs.jobs.SubmitJobs(each) for stubs, each in zip(clients, requests, strict=True))
    )
    revision = await head(clients[0])

    await asyncio.to_thread(server.restart, kill=True)
    again = await asyncio.gather(
        *(
            stubs.jobs.SubmitJobs(each, wait_for_ready=True)
            for stubs, each in zip(clients, requests, strict=True)
        )
    )

    assert again == first
    assert await head(clients[0]) == revision
    job = await clients[0].jobs.GetJob(pb.GetJobRequest(job=first[0].outcomes[0].job))
    assert job.job.status == Status.STATUS_REDWOOD_HELD
