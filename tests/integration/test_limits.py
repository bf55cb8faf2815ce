"""Too much of something is refused or waits; it never hurts who asks for little."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack, contextmanager

import grpc
import pytest

from interlock.v1 import admin_service_pb2 as admin
from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as pb
from interlock.v1 import watch_service_pb2 as watches
from interlock.v1.definition_pb2 import Definition
from interlock.v1.filter_pb2 import Filter
from interlock.v1.status_pb2 import Lifecycle
from tests.support.api_methods import METHODS, Stubs
from tests.support.own_process import ServerProcess
from tests.support.real_time import until_true
from tests.support.refused_call import broken_manners, refused_call

SUBMIT = METHODS["JobService/SubmitJobs"].path
MESSAGE_BYTES_MAX = 4 << 20
DEFINITION = Definition(name="report", lifecycle=Lifecycle.LIFECYCLE_REDWOOD)


def put_definition(stubs):
    stubs.catalog.PutDefinitions(catalog.PutDefinitionsRequest(definitions=[DEFINITION]))


def revision(stubs):
    return stubs.admin.GetStatus(admin.GetStatusRequest()).revision


def held(**fields):
    return pb.SubmitJobsRequest(jobs=[pb.NewJob(definition="report", hold=True, **fields)])


@pytest.fixture(scope="module")
def stubs(channel):
    stubs = Stubs(channel)
    put_definition(stubs)
    return stubs


@contextmanager
def limited(folder, *flags, **environment):
    """A server with a limit, and stubs to it."""
    with (
        ServerProcess(folder, "--durability", "off", *flags, environment=environment) as server,
        server.channel() as channel,
    ):
        yield server, Stubs(channel)


def failure(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as error:
        call(*arguments, timeout=10, **options)
    return error.value


def test_a_method_that_does_not_exist_is_unimplemented(channel):
    for path in ("/interlock.v1.JobService/Nothing", "/interlock.v2.JobService/SubmitJobs", "/x/y"):
        assert failure(channel.unary_unary(path), b"").code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("bytes_over", "code"),
    [
        (1, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (100 << 20, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (0, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_a_message_may_have_four_mebibytes(channel, stubs, bytes_over, code):
    before = revision(stubs)
    data = b"\xff" * (MESSAGE_BYTES_MAX + bytes_over)

    assert failure(channel.unary_unary(SUBMIT), data).code() is code
    assert revision(stubs) == before


def test_a_message_that_grows_when_it_is_unpacked_is_refused(server, stubs):
    bomb = b"\0" * (100 << 20)
    with grpc.insecure_channel(server.address, compression=grpc.Compression.Gzip) as channel:
        error = failure(channel.unary_unary(SUBMIT), bomb)

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stubs.jobs.SubmitJobs(held(), timeout=10).outcomes[0].job


def test_metadata_of_twenty_kilobytes_are_refused(stubs):
    error = failure(stubs.jobs.SubmitJobs, held(), metadata=[("x-large", "x" * 20_000)])

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_metadata_that_claim_something_are_as_if_absent(stubs):
    claims = [("x-robot-id", "robot-1"), ("x-role", "admin"), ("authorization", "Basic x")]

    answer = stubs.jobs.SubmitJobs(held(), metadata=claims)

    history = pb.GetJobHistoryRequest(job=answer.outcomes[0].job)
    assert {each.author for each in stubs.jobs.GetJobHistory(history).entries} <= {
        "user",
        "validation",
    }


def test_a_deadline_that_has_passed_changes_nothing(stubs):
    before = revision(stubs)

    with pytest.raises(grpc.RpcError) as error:
        stubs.jobs.SubmitJobs(held(), timeout=-1)

    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert revision(stubs) == before


def test_more_than_a_page_is_a_page(stubs):
    stubs.jobs.SubmitJobs(held(count=1_100))

    answer = stubs.jobs.ListJobs(pb.ListJobsRequest(page_size=10**9))

    assert len(answer.jobs) == 1_000
    assert answer.next_page_token


def test_a_label_that_looks_like_sql_is_a_label(stubs):
    labels = {"team": "'; DROP TABLE job;--"}
    job = stubs.jobs.SubmitJobs(held(labels=labels)).outcomes[0].job

    answer = stubs.jobs.ListJobs(pb.ListJobsRequest(filter=Filter(labels=labels)))

    assert [found.id for found in answer.jobs] == [job]
    assert answer.jobs[0].labels == labels


def test_silent_connections_keep_nobody_waiting(server, stubs):
    host, _, port = server.address.rpartition(":")
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=5))

        with server.channel() as channel:
            assert Stubs(channel).jobs.SubmitJobs(held(), timeout=10).outcomes[0].job
        assert stubs.jobs.SubmitJobs(held(), timeout=10).outcomes[0].job


async def test_watches_that_are_opened_and_dropped_leave_nothing_behind(server, stubs):
    async with server.async_channel() as channel:
        quick = Stubs(channel)
        for _ in range(20):
            calls = [quick.watches.Watch(watches.WatchRequest()) for _ in range(50)]
            await asyncio.gather(*(call.read() for call in calls[::2]))
            for call in calls:
                call.cancel()

        async def nobody_watches():
            return not (await quick.admin.GetStatus(admin.GetStatusRequest())).watchers

        await until_true(nobody_watches, within=20, what="all watches are gone")

    assert stubs.jobs.SubmitJobs(held(), timeout=10).outcomes[0].job


def test_one_watch_too_many_is_refused_until_another_ends(tmp_path):
    with limited(tmp_path, "--max-watches", "2") as (_, stubs):
        calls = [stubs.watches.Watch(watches.WatchRequest()) for _ in range(2)]
        assert all(next(call).WhichOneof("message") == "progress" for call in calls)

        with pytest.raises(grpc.RpcError) as error:
            next(stubs.watches.Watch(watches.WatchRequest()))
        refused = refused_call(error.value)

        assert (refused.reason, refused.code) == (
            "TOO_MANY_WATCHES",
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        )
        assert refused.retry_s > 0
        assert broken_manners(refused) == []
        calls[0].cancel()
        while stubs.admin.GetStatus(admin.GetStatusRequest()).watchers == len(calls):
            pass
        assert next(stubs.watches.Watch(watches.WatchRequest()))
        calls[1].cancel()


async def test_what_is_too_much_is_refused_and_the_rest_is_done(tmp_path):
    slow_disk = {"INTERLOCK_FAILPOINTS": "journal.before_commit=sleep:100"}
    with limited(tmp_path, "--inbox-max", "4", **slow_disk) as (server, stubs):
        put_definition(stubs)
        async with AsyncExitStack() as stack:
            channels = [await stack.enter_async_context(server.async_channel()) for _ in range(8)]
            answers = await asyncio.gather(
                *(
                    Stubs(channel).jobs.SubmitJobs(held(count=10))
                    for channel in channels
                    for _ in range(25)
                ),
                return_exceptions=True,
            )
        done = [answer for answer in answers if isinstance(answer, pb.SubmitJobsResponse)]
        refusals = [refused_call(error) for error in answers if isinstance(error, grpc.RpcError)]

        assert len(done) + len(refusals) == 200
        assert revision(stubs) == 20 * len(done)
        assert {refused.reason for refused in refusals} == {"OVERLOADED"}
        assert all(refused.retry_s > 0 for refused in refusals)
        assert broken_manners(refusals[0]) == []


def test_a_full_disk_refuses_changes_and_serves_what_there_is(tmp_path):
    with limited(tmp_path) as (server, stubs):
        put_definition(stubs)
        job = stubs.jobs.SubmitJobs(held()).outcomes[0].job
        server.stop()
    with limited(tmp_path, "--min-free-bytes", "900000GiB") as (_, stubs):
        before = revision(stubs)
        error = failure(stubs.jobs.SubmitJobs, held())
        refused = refused_call(error)

        assert (refused.reason, refused.code) == (
            "STORAGE_FULL",
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        )
        assert broken_manners(refused) == []
        assert stubs.jobs.GetJob(pb.GetJobRequest(job=job)).job.id == job
        watch = stubs.watches.Watch(watches.WatchRequest(from_revision=0), timeout=10)
        assert [next(watch).WhichOneof("message") for _ in range(2)] == ["progress", "events"]
        watch.cancel()
        assert revision(stubs) == before
