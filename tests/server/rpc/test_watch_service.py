"""Watches: what is sent first, in which form, and the typed ways in which a watch ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from interlock.v1 import admin_service_pb2, catalog_service_pb2, filter_pb2, robot_service_pb2
from interlock.v1 import watch_service_pb2 as pb
from interlock.v1.definition_pb2 import Definition
from interlock.v1.job_service_pb2 import CancelJobsRequest, HoldJobsRequest
from interlock.v1.status_pb2 import Lifecycle, State, Status
from interlock.v1.watch_service_pb2_grpc import WatchServiceStub
from tests.support.served import RobotCall, error_info, reason, refusal, serve
from tests.support.watch_promises import Changes, Progress, Record, Truth, broken_promises

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = pb.WatchForm.WATCH_FORM_COLUMNS
#: No UiPath job has a status of the other lifecycle.
NOTHING = filter_pb2.Filter(
    lifecycles=[Lifecycle.LIFECYCLE_UIPATH], statuses=[Status.STATUS_REDWOOD_HELD]
)
BOTH = filter_pb2.Filter(lifecycles=[Lifecycle.LIFECYCLE_UIPATH, Lifecycle.LIFECYCLE_REDWOOD])


class Watching:
    """An open watch that remembers what it was sent."""

    def __init__(self, served: Any, **request: Any) -> None:
        self.call = served.watches.Watch(pb.WatchRequest(**request))
        self.messages: list[pb.WatchResponse] = []

    async def until(self, done: Callable[[pb.WatchResponse], bool]) -> pb.WatchResponse:
        while True:
            message: Any = await self.call.read()
            assert message is not grpc.aio.EOF
            self.messages.append(message)
            if done(message):
                return self.messages[-1]

    async def started(self) -> int:
        """Read up to the first progress, which says where the watch starts."""
        message = await self.until(lambda message: message.HasField("progress"))
        return message.progress.revision

    async def reached(self, revision: int) -> None:
        """Read until the change with this revision has come."""
        await self.until(lambda message: revision in revisions(message))

    def seen(self) -> list[int]:
        return [revision for message in self.messages for revision in revisions(message)]

    async def end(self) -> grpc.aio.AioRpcError:
        return await refusal(self._read_on())

    async def _read_on(self) -> None:
        while (message := await self.call.read()) is not grpc.aio.EOF:
            self.messages.append(message)


def revisions(message: pb.WatchResponse) -> list[int]:
    if message.HasField("events"):
        return [event.revision for event in message.events.events]
    return [
        block.first_revision + index
        for block in message.columns.blocks
        for index in range(len(block.jobs))
    ]


def record(messages, from_revision=0) -> Record:
    found = Record(from_revision)
    for message in messages:
        if message.HasField("progress"):
            found.messages.append(Progress(message.progress.revision))
        elif revisions(message):
            found.messages.append(Changes(tuple(revisions(message))))
    return found


@pytest.mark.parametrize("form", [0, 1, COLUMNS])
async def test_every_change_comes_once_and_in_order(served, form):
    watch = Watching(served, form=form)
    assert await watch.started() == 0

    jobs = await served.submit("report", 5)
    await served.jobs.CancelJobs(CancelJobsRequest(jobs=jobs))
    head = served.partition.history.head_revision
    await watch.reached(head)

    assert watch.seen() == list(range(1, head + 1))
    assert broken_promises(record(watch.messages), Truth(range(1, head + 1))) == []


@pytest.mark.parametrize("form", [1, COLUMNS])
async def test_a_watch_resumes_from_any_revision(served, form):
    await served.submit("report", 3)
    head = served.partition.history.head_revision

    for start in range(head):
        watch = Watching(served, form=form, from_revision=start)
        await watch.reached(head)
        assert watch.seen() == list(range(start + 1, head + 1))
        watch.call.cancel()


async def test_columns_send_the_names_before_their_numbers(served):
    watch = Watching(served, form=COLUMNS)
    await watch.started()
    await served.submit("report")
    await watch.reached(1)

    names: dict[int, str] = {}
    for message in watch.messages:
        names |= {name.number: name.name for name in message.names.names}
        for block in message.columns.blocks:
            names |= {name.number: name.name for name in block.names}
            assert {names[number] for number in block.definitions} == {"report"}
            assert {names[number] for number in block.queues} == {"default"}


@pytest.mark.parametrize("form", [1, COLUMNS])
async def test_a_filter_leaves_out_what_it_does_not_select(served, form):
    watch = Watching(served, form=form, filter=filter_pb2.Filter(states=[State.STATE_FINAL]))
    await watch.started()

    jobs = await served.submit("report", 2)
    await served.jobs.CancelJobs(CancelJobsRequest(jobs=jobs[:1]))
    await served.jobs.CancelJobs(CancelJobsRequest(jobs=jobs[1:]))
    head = served.partition.history.head_revision
    await watch.reached(head)

    assert watch.seen() == [head - 1, head]


async def test_a_filter_for_a_name_that_comes_later_finds_it(served):
    watch = Watching(served, filter=filter_pb2.Filter(definitions=["later"]))
    await watch.started()

    await served.submit("report")
    await served.put_definitions(Definition(name="later", lifecycle=Lifecycle.LIFECYCLE_UIPATH))
    (job,) = await served.submit("later")
    message = await watch.until(lambda message: bool(revisions(message)))

    assert [event.job for event in message.events.events] == [job]


async def test_a_filter_that_nothing_can_match_only_sends_progress(served):
    watch = Watching(
        served,
        filter=NOTHING,
        progress_interval={"nanos": 100_000_000},
    )
    await watch.started()
    await served.submit("report")

    message = await watch.until(
        lambda message: message.HasField("progress") and message.progress.revision > 0
    )

    assert message.progress.revision == served.partition.history.head_revision
    assert watch.seen() == []


async def test_an_idle_watch_says_how_far_it_is(served):
    await served.submit("report")
    watch = Watching(served, progress_interval={"nanos": 100_000_000})

    assert await watch.started() == 3
    assert await watch.started() == 3


async def test_a_snapshot_comes_first_at_one_revision_and_the_changes_after_it_follow(served):
    jobs = await served.submit("report", 3)
    watch = Watching(served, snapshot=True)
    start = await watch.started()

    await served.jobs.HoldJobs(HoldJobsRequest(jobs=jobs[:1]))
    await watch.reached(start + 1)

    snapshot = watch.messages[0].snapshot
    assert [job.id for job in snapshot.jobs] == jobs
    assert (snapshot.revision, snapshot.last) == (start, True)
    assert watch.seen() == [start + 1]


async def test_a_large_snapshot_comes_in_parts(served):
    await served.submit("report", 1_200)
    watch = Watching(served, snapshot=True)
    await watch.started()

    parts = [message.snapshot for message in watch.messages if message.HasField("snapshot")]
    assert [len(part.jobs) for part in parts] == [500, 500, 200]
    assert [part.last for part in parts] == [False, False, True]
    assert len({part.revision for part in parts}) == 1


async def test_a_filtered_snapshot_has_only_the_selected_jobs(served):
    await served.submit("report", labels={"team": "ap"})
    await served.submit("report")
    watch = Watching(served, snapshot=True, filter=filter_pb2.Filter(labels={"team": "ap"}))
    await watch.started()

    assert [job.id for job in watch.messages[0].snapshot.jobs] == [1]


async def whole_turns(served, head) -> list[tuple[int, int]]:
    """Return first and last revision of every turn, as the stored columns have them."""
    watch = Watching(served, from_revision=0, form=COLUMNS)
    await watch.reached(head)
    found: list[tuple[int, int]] = []
    first = 0
    for message in watch.messages:
        for block in message.columns.blocks:
            first = first or block.first_revision
            if not block.continues:
                found.append((first, block.first_revision + len(block.jobs) - 1))
                first = 0
    return found


# -- how a watch ends ---------------------------------------------------------------------------


async def test_a_watch_of_a_revision_that_does_not_exist_is_refused(served):
    error = await Watching(served, from_revision=1_000).end()

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert reason(error) == "REVISION_IN_FUTURE"
    assert error_info(error).metadata["revision"] == "0"


async def test_a_watch_of_a_compacted_revision_is_told_where_it_can_start(served):
    for _ in range(3):
        await served.submit("report")
    compacted = await served.admin.Compact(admin_service_pb2.CompactRequest(keep_revisions=1))

    error = await Watching(served, from_revision=0).end()

    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert reason(error) == "REVISION_COMPACTED"
    oldest = int(error_info(error).metadata["oldest_revision"])
    assert oldest == compacted.oldest_revision
    watch = Watching(served, from_revision=oldest)
    assert await watch.started() == oldest


@asynccontextmanager
async def stuck_watch(served):
    """Open a watch whose reader reads progress and then stops, and fill it until a write waits."""
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]
    async with grpc.aio.insecure_channel(served.address, options=options) as channel:
        call = WatchServiceStub(channel).Watch(pb.WatchRequest())
        first: Any = await call.read()
        assert first.HasField("progress")
        (stream,) = served.running.rpc.watches._open
        for _ in range(60):
            await served.submit("report", 1_000)
            if stream.writing_since:
                break
        yield call


async def test_a_reader_that_has_stopped_is_told_where_to_resume(served):
    seen = [0]
    async with stuck_watch(served) as call:

        async def read_on():
            while True:
                message: Any = await call.read()
                if message is grpc.aio.EOF:
                    break
                seen.extend(revisions(message))

        watches = served.running.rpc.watches
        watches.end_stalled(asyncio.get_running_loop().time() + 60)
        error = await refusal(read_on())

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason(error) == "SLOW_CONSUMER"
    assert int(error_info(error).metadata["resume_revision"]) <= seen[-1]
    assert seen == list(range(seen[-1] + 1))
    assert not watches._open


async def test_a_reader_that_leaves_while_it_is_written_to_is_no_error(served, capfd):
    async with stuck_watch(served) as call:
        call.cancel()
        await until_nobody_watches(served)

    told = "".join(capfd.readouterr())
    assert "rpc_failed" not in told
    assert "Traceback" not in told


async def test_one_watch_too_many_is_refused(tmp_path):
    async with serve(tmp_path, max_watches=1) as served:
        first = Watching(served)
        await first.started()

        error = await Watching(served).end()

        assert reason(error) == "TOO_MANY_WATCHES"
        first.call.cancel()


async def test_a_server_that_stops_sends_its_watchers_away(tmp_path):
    async with serve(tmp_path) as served:
        await served.put_definitions()
        await served.submit("report")
        watch = Watching(served, from_revision=0)
        await watch.reached(3)
        ending = asyncio.create_task(watch.end())
        await served.running.partitions.drain()
        error = await ending

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(error) == "GOING_AWAY"
    assert error_info(error).metadata["resume_revision"] == "3"


async def test_a_watcher_that_leaves_is_no_longer_counted(served):
    watch = Watching(served)
    await watch.started()
    assert served.partition.watchers == 1

    watch.call.cancel()
    await until_nobody_watches(served)


async def until_nobody_watches(served) -> None:
    """Wait until the server has noticed that the only watcher left."""
    for _ in range(1_000):
        if not served.partition.watchers:
            return
        await served.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest())
    raise AssertionError("expected the watch to end, but it is still open")


# -- a larger story -----------------------------------------------------------------------------


async def test_all_watchers_of_a_busy_partition_keep_every_promise(served):
    forms: list[dict[str, Any]] = [
        {"form": COLUMNS},
        {"form": COLUMNS, "filter": filter_pb2.Filter(queues=["default"])},
        {"form": 1},
        {"form": 1, "filter": BOTH},
    ]
    watching = [Watching(served, from_revision=0, **form) for form in forms]
    for watch in watching:
        await watch.started()

    jobs = await served.submit("report", 200)
    robot = await RobotCall(served).hello(slots=200)
    taken = 0
    while taken < len(jobs):
        offered = [offer.job for offer in (await robot.next("offers")).offers]
        taken += len(offered)
        for kind in (1, 3, 5):
            await robot.report(kind, offered)
    await served.catalog.HoldQueue(catalog_service_pb2.HoldQueueRequest(queue="default"))
    await robot.send(goodbye=robot_service_pb2.Goodbye())
    head = served.partition.history.head_revision
    turns = await whole_turns(served, head)

    for watch in watching:
        await watch.reached(head)
        assert watch.seen() == list(range(1, head + 1))
        assert broken_promises(record(watch.messages), Truth(range(1, head + 1), turns)) == []
