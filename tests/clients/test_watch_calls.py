"""Watching: nothing lost, nothing twice, however often the stream breaks."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from interlock import (
    Compacted,
    ConnectionClosed,
    HistoryChanged,
    NotFound,
    Unavailable,
    connect,
)
from interlock.v1.status_pb2 import Status
from tests.support.fake_server import DEFINITION, Failure
from tests.support.until import until

START, COMPLETE = 4, 8
BREAKS = [
    None,
    Failure(grpc.StatusCode.UNAVAILABLE, "GOING_AWAY"),
    Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "SLOW_CONSUMER"),
    Failure(grpc.StatusCode.UNKNOWN),
]


async def take(watch, count):
    changes = []
    async for change in watch:
        changes.append(change)
        if len(changes) == count:
            break
    return changes


@pytest.mark.parametrize("columns", [True, False])
async def test_a_change_tells_everything_in_either_form(server, interlock, columns):
    job = server.add_job()
    server.move(job.id, START, reason="its turn")

    async with interlock.watch(from_revision=1, columns=columns) as watch:
        (change,) = await take(watch, 1)

    assert (change.revision, change.job, change.lifecycle) == (2, job.id, "uipath")
    assert (change.from_status, change.to_status) == ("Pending", "Running")
    assert change.to_status.number == Status.STATUS_UIPATH_RUNNING
    assert (change.trigger, change.transition) == ("start", "TU-04")
    assert change.time.isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert (change.actor, change.author, change.reason) == ("user", "alice", "its turn")
    assert (change.definition, change.queue, change.robot) == (DEFINITION, "default", "")
    assert str(change) == "Pending → Running"
    assert not change.final


async def test_both_forms_say_the_same(server, interlock):
    for _ in range(5):
        job = server.add_job()
        server.move(job.id, START)
        server.move(job.id, COMPLETE)

    async with (
        interlock.watch(from_revision=0, columns=True) as columns,
        interlock.watch(from_revision=0, columns=False) as events,
    ):
        assert await take(columns, 15) == await take(events, 15)


async def test_the_creation_of_a_job_has_no_status_before(server, interlock):
    server.add_job()

    async with interlock.watch(from_revision=0) as watch:
        (change,) = await take(watch, 1)

    assert str(change) == "→ Pending"


async def test_a_watch_starts_with_what_happens_after_it_started(server, interlock):
    server.add_job()

    async with interlock.watch() as watch:
        started_at = await watch.start()
        server.move(1, START)
        (change,) = await take(watch, 1)

    assert started_at == 1
    assert change.revision == 2


@pytest.mark.parametrize("failure", BREAKS)
@pytest.mark.parametrize("columns", [True, False])
async def test_a_broken_stream_is_taken_up_without_loss_or_repetition(
    server, interlock, failure, columns
):
    changes = []

    async with interlock.watch(from_revision=0, columns=columns) as watch:
        for _ in range(3):
            for _ in range(10):
                server.add_job()
            changes += await take(watch, 8)  # the others are on their way
            server.break_watches(failure)
            await until(lambda: not server.watches)
        changes += await take(watch, 6)

    assert [change.revision for change in changes] == list(range(1, 31))
    assert watch.resumes >= 1


async def test_a_watch_outlives_a_restart_of_the_server(server, interlock):
    server.add_job()
    async with interlock.watch(from_revision=0) as watch:
        first = await take(watch, 1)
        await server.stop()
        server.move(1, START)
        await server.start()
        second = await take(watch, 1)

    assert [change.revision for change in first + second] == [1, 2]
    assert watch.resumes == 1


async def test_a_reader_that_was_interrupted_misses_nothing(server, interlock):
    server.add_job()
    async with interlock.watch(from_revision=0) as watch:
        first = await take(watch, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await anext(watch)
        server.move(1, START)
        second = await take(watch, 1)

    assert [change.revision for change in first + second] == [1, 2]


async def test_a_compacted_revision_is_told_with_what_is_left(server, interlock):
    server.add_job()
    server.oldest_revision = 1

    async with interlock.watch(from_revision=0) as watch:
        with pytest.raises(Compacted) as caught:
            await anext(watch)

    assert caught.value.oldest_revision == 1


@pytest.mark.parametrize(
    ("where", "begin"),
    [
        ({}, lambda watch: watch.start()),
        ({"from_revision": 0}, lambda watch: take(watch, 1)),
        ({"snapshot": True}, lambda watch: watch.snapshot()),
    ],
)
async def test_a_watch_never_goes_on_in_another_history(server, interlock, where, begin):
    server.add_job()
    async with interlock.watch(**where) as watch:
        await begin(watch)
        seen = watch.history_id
        server.history_id = "1e" * 16
        server.break_watches(None)
        with pytest.raises(HistoryChanged) as caught:
            await take(watch, 1)

    assert (seen, watch.history_id) == ("0f" * 16, "0f" * 16)
    assert caught.value.history_id == "1e" * 16


async def test_a_kept_revision_is_refused_in_another_history_and_taken_in_its_own(
    server, interlock
):
    server.add_job()

    async with interlock.watch(from_revision=0, history_id="0f" * 16) as watch:
        (change,) = await take(watch, 1)
    async with interlock.watch(from_revision=0, history_id="1e" * 16) as watch:
        with pytest.raises(HistoryChanged):
            await anext(watch)

    assert change.revision == 1


async def test_a_history_without_a_revision_says_nothing(interlock):
    with pytest.raises(ValueError, match="with the from_revision"):
        interlock.watch(history_id="0f" * 16)


async def test_the_revision_moves_only_when_a_batch_was_handed_out_whole(server, interlock):
    for _ in range(4):
        server.add_job()

    async with interlock.watch(from_revision=0, columns=False) as watch:
        await take(watch, 3)
        in_the_middle = watch.revision
        await take(watch, 1)

    assert (in_the_middle, watch.revision) == (0, 4)


async def test_progress_moves_the_revision_although_nothing_matches(server, interlock):
    server.add_job()
    server.add_job()

    async with interlock.watch(from_revision=0, jobs=[2]) as watch:
        (change,) = await take(watch, 1)
        server.add_job()
        reading = asyncio.ensure_future(anext(watch))
        await until(lambda: watch.revision == 3)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    assert change.job == 2


async def test_changes_come_in_batches_to_those_who_want_many(server, interlock):
    for _ in range(250):
        server.add_job()
    seen = []

    async with interlock.watch(from_revision=0) as watch:
        async for batch in watch.batches():
            seen += [change.revision for change in batch]
            if watch.revision == 250:
                break

    assert seen == list(range(1, 251))


async def test_a_snapshot_comes_before_the_changes_after_it(server, interlock):
    for _ in range(3):
        server.add_job()
    server.move(1, START)
    server.move(1, COMPLETE)

    async with interlock.watch(snapshot=True) as watch:
        jobs = await watch.snapshot()
        server.move(2, START)
        (change,) = await take(watch, 1)

    assert [job.id for job in jobs] == [2, 3]
    assert (change.revision, str(change)) == (6, "Pending → Running")


async def test_a_snapshot_from_a_revision_is_a_contradiction(interlock):
    with pytest.raises(ValueError, match="either snapshot=True or from_revision"):
        interlock.watch(snapshot=True, from_revision=1)


async def test_rows_of_a_newer_server_are_fetched_when_they_are_met(server, interlock):
    server.add_job()
    async with interlock.watch(from_revision=0) as watch:
        await take(watch, 1)
        server.rows[77] = (
            77,
            "TU-77",
            Status.STATUS_UIPATH_PENDING,
            "leap",
            Status.STATUS_UIPATH_SUCCESSFUL,
        )
        server.move(1, 77)
        (change,) = await take(watch, 1)

    assert change.trigger == "leap"


async def test_the_lifecycle_tables_are_fetched_once_for_a_connection(server, interlock):
    server.add_job()
    for _ in range(3):
        async with interlock.watch(from_revision=0) as watch:
            await take(watch, 1)

    assert len(server.requests["DescribeLifecycle"]) == 2


async def test_a_watch_that_was_left_ends_its_call_on_the_server(server, interlock):
    server.add_job()
    async with interlock.watch(from_revision=0) as watch:
        await take(watch, 1)

    await until(lambda: not server.watches)


async def test_a_watch_that_was_dropped_ends_its_call_on_the_server(server, interlock):
    server.add_job()
    async for change in interlock.watch(from_revision=0):
        assert change.job == 1
        break

    await until(lambda: not server.watches)


async def test_closing_a_watch_ends_the_iteration_of_its_reader(server, interlock):
    watch = interlock.watch()
    reading = asyncio.ensure_future(take(watch, 1))
    await asyncio.wait([reading], timeout=0.05)

    await watch.close()

    assert await reading == []


async def test_closing_the_connection_tells_the_readers_of_its_watches(server):
    async with connect(server.address) as interlock:
        watch = interlock.watch()
        await watch.start()
        reading = asyncio.ensure_future(take(watch, 1))
        await asyncio.wait([reading], timeout=0.01)

    with pytest.raises(ConnectionClosed):
        await reading


async def test_a_watch_has_one_reader_at_a_time(interlock):
    async with interlock.watch() as watch:
        reading = asyncio.ensure_future(take(watch, 1))
        await asyncio.wait([reading], timeout=0.01)

        with pytest.raises(RuntimeError, match="one reader"):
            await anext(watch)

        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_server_that_is_not_there_is_told_after_the_time_of_a_call(server):
    await server.stop()

    async with connect(server.address, timeout=0.2) as interlock, interlock.watch() as watch:
        with pytest.raises(Unavailable):
            await anext(watch)


async def test_waiting_for_a_job_returns_it_when_it_is_over(server, interlock):
    job = server.add_job()
    waiting = asyncio.ensure_future(interlock.wait(job.id))
    await until(lambda: server.watches)

    server.move(job.id, START)
    server.move(job.id, COMPLETE)
    ended = await waiting

    assert (ended.id, ended.status, ended.final) == (1, "Successful", True)


async def test_waiting_for_a_job_that_is_over_needs_no_watch(server, interlock):
    job = server.add_job()
    server.move(job.id, START)
    server.move(job.id, COMPLETE)

    ended = await interlock.wait(job.id)

    assert ended.status == "Successful"
    assert not server.requests["Watch"]


async def test_waiting_for_a_job_that_does_not_exist_is_refused(interlock):
    with pytest.raises(NotFound, match="there is no job 7"):
        await interlock.wait(7)


async def test_a_filter_is_made_of_words_and_numbers(server, interlock):
    watch = interlock.watch(
        statuses=["Running", "redwood/Held", 8],
        states=["final"],
        lifecycles=["uipath"],
        labels={"team": "blue"},
    )
    async with watch:
        await watch.start()

    (request,) = server.requests["Watch"]
    assert list(request.filter.statuses) == [
        Status.STATUS_UIPATH_RUNNING,
        Status.STATUS_REDWOOD_RUNNING,
        Status.STATUS_REDWOOD_HELD,
        Status.STATUS_UIPATH_FAULTED,
    ]
    assert list(request.filter.states) == [4]
    assert list(request.filter.lifecycles) == [1]
    assert dict(request.filter.labels) == {"team": "blue"}


async def test_a_status_that_does_not_exist_is_refused_with_those_that_do(interlock):
    with pytest.raises(ValueError, match=r"expected a status, but got 'Runing'\. Statuses: .*Runn"):
        interlock.watch(statuses=["Runing"])
