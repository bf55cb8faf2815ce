"""A small Interlock server in this process, for tests of the SDK: real grpc, jobs in a dict.

It knows a few rows of both lifecycles, keeps what it was asked, and can be told to fail: calls,
watches and sessions, at chosen moments. What it does not promise, the SDK may not rely on.
"""

# ruff: noqa: N802 - methods are named by the API
from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status  # type: ignore[import-untyped]

from interlock.v1 import (
    event_pb2,
    job_outcome_pb2,
    job_pb2,
    job_service_pb2,
    lifecycle_service_pb2,
)
from interlock.v1 import robot_service_pb2 as robots
from interlock.v1 import watch_service_pb2 as watches
from interlock.v1.job_service_pb2_grpc import (
    JobServiceServicer,
    add_JobServiceServicer_to_server,
)
from interlock.v1.lifecycle_service_pb2_grpc import (
    LifecycleServiceServicer,
    add_LifecycleServiceServicer_to_server,
)
from interlock.v1.robot_service_pb2_grpc import (
    RobotServiceServicer,
    add_RobotServiceServicer_to_server,
)
from interlock.v1.status_pb2 import Actor, Lifecycle, Status
from interlock.v1.watch_service_pb2_grpc import (
    WatchServiceServicer,
    add_WatchServiceServicer_to_server,
)
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

S: Final = Status
R: Final = robots.ReportKind

#: row, id, from, trigger, to
UIPATH_ROWS: Final = (
    (1, "TU-01", 0, "submit", S.STATUS_UIPATH_PENDING),
    (4, "TU-04", S.STATUS_UIPATH_PENDING, "start", S.STATUS_UIPATH_RUNNING),
    (8, "TU-08", S.STATUS_UIPATH_RUNNING, "complete", S.STATUS_UIPATH_SUCCESSFUL),
    (9, "TU-09", S.STATUS_UIPATH_RUNNING, "fail", S.STATUS_UIPATH_FAULTED),
    (11, "TU-11", S.STATUS_UIPATH_RUNNING, "suspend", S.STATUS_UIPATH_SUSPENDED),
)
REDWOOD_ROWS: Final = (
    (57, "TR-030", S.STATUS_REDWOOD_SCHEDULED, "hold", S.STATUS_REDWOOD_HELD),
    (58, "TR-050", S.STATUS_REDWOOD_HELD, "release", S.STATUS_REDWOOD_SCHEDULED),
    (59, "TR-001", 0, "submit", S.STATUS_REDWOOD_SCHEDULED),
)
ROWS: Final = {row[0]: row for row in UIPATH_ROWS + REDWOOD_ROWS}
DEFINITION: Final = "DailyReport"
_FINAL: Final = {S.STATUS_UIPATH_SUCCESSFUL, S.STATUS_UIPATH_FAULTED}


@dataclass
class Failure:
    """How a call fails; `done` says that the server did the work and only the answer is lost."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = "told to fail"
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    done: bool = False

    async def abort(self, context: Any) -> None:
        details = []
        if self.reason:
            details.append(
                error_details_pb2.ErrorInfo(
                    domain="interlock", reason=self.reason, metadata=self.metadata
                )
            )
        if self.retry_after is not None:
            delay = duration_pb2.Duration(nanos=int(self.retry_after * 1e9))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        packed = []
        for detail in details:
            packed.append(any_pb2.Any())
            packed[-1].Pack(detail)
        status = status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)
        await context.abort_with_status(rpc_status.to_status(status))


@dataclass
class FakeChange:
    revision: int
    job: int
    row: int
    time_ms: int = 1_700_000_000_123
    reason: str = ""


class FakeServer:
    """The partition, its services and the knobs of the tests."""

    def __init__(self) -> None:
        self.jobs: dict[int, job_pb2.Job] = {}
        self.changes: list[FakeChange] = []
        self.revision = 0
        self.oldest_revision = 0
        self.history_id = "0f" * 16
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.failures: dict[str, deque[Failure]] = defaultdict(deque)
        self.answers: dict[str, Any] = {}
        self.gate: asyncio.Event = asyncio.Event()
        self.gate.set()
        self.rows: dict[int, Any] = dict(ROWS)
        self.batch_max = 100
        self.sessions: list[FakeSession] = []
        self.session_opened: asyncio.Queue[FakeSession] = asyncio.Queue()
        self.sequence_of: Counter[str] = Counter()
        self.epoch = 0
        #: Open watches, and how those that were told to break end.
        self.watches: dict[object, list[Failure | None]] = {}
        self._news = asyncio.Event()
        self._port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        add_JobServiceServicer_to_server(FakeJobService(self), self._server)  # type: ignore[abstract]
        add_WatchServiceServicer_to_server(FakeWatchService(self), self._server)
        add_LifecycleServiceServicer_to_server(FakeLifecycleService(self), self._server)
        add_RobotServiceServicer_to_server(FakeRobotService(self), self._server)  # type: ignore[abstract]
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        await self._server.start()

    async def stop(self) -> None:
        self.break_watches()
        for session in self.sessions:
            session.end()
        if self._server is not None:
            await self._server.stop(0)
            self._server = None

    # --- what tests do to it ------------------------------------------------------------------

    def fail(self, method: str, failure: Failure, *, times: int = 1) -> None:
        self.failures[method] += [failure] * times

    def break_watches(self, failure: Failure | None = None) -> None:
        """End all watches, well or with a failure."""
        for ends in self.watches.values():
            ends.append(failure)
        self._wake()

    def add_job(self, status: int = S.STATUS_UIPATH_PENDING, **fields: Any) -> job_pb2.Job:
        number = len(self.jobs) + 1
        redwood = status >= S.STATUS_REDWOOD_NEW
        lifecycle = Lifecycle.LIFECYCLE_REDWOOD if redwood else Lifecycle.LIFECYCLE_UIPATH
        job = job_pb2.Job(
            id=number,
            definition=DEFINITION,
            lifecycle=lifecycle,
            status=S.ValueType(status),
            **fields,
        )
        self.jobs[number] = job
        self.move(number, 59 if redwood else 1)
        job.status = S.ValueType(status)
        return job

    def move(self, job: int, row: int, *, reason: str = "") -> int:
        self.revision += 1
        self.changes.append(FakeChange(self.revision, job, row, reason=reason))
        found = self.jobs[job]
        found.status, found.revision = self.rows[row][4], self.revision
        if found.status in _FINAL:
            found.end_time.FromMilliseconds(1_700_000_000_123)
        self._wake()
        return self.revision

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def until_asked(self, method: str, times: int) -> None:
        await until(lambda: len(self.requests[method]) >= times)

    def news(self) -> asyncio.Event:
        return self._news

    async def session(self) -> FakeSession:
        """Return the next session that a robot opens."""
        async with asyncio.timeout(10):
            return await self.session_opened.get()

    # --- what services share ------------------------------------------------------------------

    async def asked(self, method: str, request: Any, context: Any) -> Failure | None:
        """Note a request, fail it as told; returns a failure that strikes after the work."""
        self.requests[method].append(request)
        await self.gate.wait()
        if not self.failures[method]:
            return None
        failure = self.failures[method].popleft()
        if not failure.done:
            await failure.abort(context)
        return failure


class FakeJobService(JobServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._answered: dict[str, Any] = {}

    async def SubmitJobs(self, request: Any, context: Any) -> Any:
        lost = await self._server.asked("SubmitJobs", request, context)
        if request.request_id not in self._answered:
            wrong = [job for job in request.jobs if job.priority > 100]
            if wrong:
                failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_NUMBER", "priority")
                await failure.abort(context)
            self._answered[request.request_id] = job_service_pb2.SubmitJobsResponse(
                outcomes=[outcome for job in request.jobs for outcome in self._create(job)]
            )
        if lost:
            await lost.abort(context)
        return self._answered[request.request_id]

    def _create(self, new: Any) -> list[Any]:
        if new.definition == "Missing":
            refusal = job_outcome_pb2.Refusal(reason="DEFINITION_NOT_FOUND", message="no Missing")
            return [job_outcome_pb2.JobOutcome(refusal=refusal)]
        made = []
        for _ in range(new.count or 1):
            job = self._server.add_job(parameters_json=new.parameters_json or "{}")
            made.append(_outcome(job))
        return made

    async def GetJob(self, request: Any, context: Any) -> Any:
        await self._server.asked("GetJob", request, context)
        job = self._server.jobs.get(request.job)
        if job is None:
            await Failure(
                grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", f"there is no job {request.job}"
            ).abort(context)
        return job_service_pb2.GetJobResponse(job=job, revision=self._server.revision)

    async def ListJobs(self, request: Any, context: Any) -> Any:
        await self._server.asked("ListJobs", request, context)
        start = int(request.page_token or 0)
        jobs = sorted(self._server.jobs.values(), key=lambda job: -job.id)
        end = start + request.page_size
        token = str(end) if end < len(jobs) else ""
        return job_service_pb2.ListJobsResponse(jobs=jobs[start:end], next_page_token=token)

    async def HoldJobs(self, request: Any, context: Any) -> Any:
        lost = await self._server.asked("HoldJobs", request, context)
        if len(set(request.jobs)) != len(request.jobs):
            failure = Failure(grpc.StatusCode.INVALID_ARGUMENT, "DUPLICATE_TARGET")
            await failure.abort(context)
        outcomes = [self._hold(job) for job in request.jobs]
        refusal = outcomes[0].refusal
        if len(outcomes) == 1 and refusal.reason:
            await Failure(
                grpc.StatusCode.FAILED_PRECONDITION,
                refusal.reason,
                refusal.message,
                dict(refusal.metadata),
            ).abort(context)
        if lost:
            await lost.abort(context)
        return job_service_pb2.HoldJobsResponse(outcomes=outcomes)

    def _hold(self, number: int) -> Any:
        job = self._server.jobs[number]
        if job.status != S.STATUS_REDWOOD_SCHEDULED:
            refusal = job_outcome_pb2.Refusal(
                reason="ILLEGAL_TRANSITION",
                message=f"expected to hold job {number}, but it is not Scheduled",
                metadata={"status": "Held", "allowed": "release"},
            )
            return job_outcome_pb2.JobOutcome(job=number, status=job.status, refusal=refusal)
        self._server.move(number, 57)
        return _outcome(job)


class FakeLifecycleService(LifecycleServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    async def ListLifecycles(self, request: Any, context: Any) -> Any:
        await self._server.asked("ListLifecycles", request, context)
        return lifecycle_service_pb2.ListLifecyclesResponse(names=["uipath", "redwood"])

    async def DescribeLifecycle(self, request: Any, context: Any) -> Any:
        await self._server.asked("DescribeLifecycle", request, context)
        uipath = request.name == "uipath"
        return lifecycle_service_pb2.DescribeLifecycleResponse(
            name=request.name,
            transitions=[
                lifecycle_service_pb2.Transition(
                    row=row, id=name, trigger=trigger, to=to, **{"from": before}
                )
                for row, name, before, trigger, to in self._server.rows.values()
                if (to < S.STATUS_REDWOOD_NEW) == uipath
            ],
        )


class FakeWatchService(WatchServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        server = self._server
        await server.asked("Watch", request, context)
        key = object()
        ends: list[Failure | None] = []
        server.watches[key] = ends
        try:
            async for response in self._stream(request, context, ends):
                if ends:
                    break
                yield response
            if ends[0] is not None:
                await ends[0].abort(context)
        finally:
            del server.watches[key]

    async def _stream(self, request: Any, context: Any, ends: list[Any]) -> AsyncIterator[Any]:
        server = self._server
        revision = server.revision
        if request.HasField("from_revision"):
            revision = request.from_revision
            if request.history_id not in {"", server.history_id}:
                await Failure(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "HISTORY_CHANGED",
                    "restored",
                    {"history_id": server.history_id},
                ).abort(context)
            if revision < server.oldest_revision:
                await Failure(
                    grpc.StatusCode.OUT_OF_RANGE,
                    "REVISION_COMPACTED",
                    "too old",
                    {"oldest_revision": str(server.oldest_revision)},
                ).abort(context)
        if request.snapshot:
            live = [job for job in server.jobs.values() if job.status not in _FINAL]
            for job in live:
                part = watches.Snapshot(jobs=[job], revision=revision)
                yield watches.WatchResponse(snapshot=part)
            last = watches.Snapshot(revision=revision, last=True, history_id=server.history_id)
            yield watches.WatchResponse(snapshot=last)
        start = watches.Progress(revision=revision, history_id=server.history_id)
        yield watches.WatchResponse(progress=start)
        names_sent = False
        while not ends:
            news = server.news()
            found = [change for change in server.changes if change.revision > revision]
            found = found[: server.batch_max]
            if not found:
                await news.wait()
                continue
            revision = found[-1].revision
            selected = [change for change in found if self._matches(request, change)]
            if not selected:
                yield watches.WatchResponse(progress=watches.Progress(revision=revision))
            elif request.form == watches.WatchForm.WATCH_FORM_COLUMNS:
                if not names_sent:
                    names_sent = True
                    yield watches.WatchResponse(names=event_pb2.Names(names=_NAMES))
                columns = event_pb2.ChangeColumns(blocks=[_block([each]) for each in selected])
                yield watches.WatchResponse(columns=columns)
            else:
                events = [_event(server, change) for change in selected]
                yield watches.WatchResponse(events=event_pb2.EventBatch(events=events))

    def _matches(self, request: Any, change: FakeChange) -> bool:
        jobs = request.filter.jobs
        to = self._server.rows[change.row][4]
        final = 4 in request.filter.states
        return (not jobs or change.job in jobs) and (not final or to in _FINAL)


class FakeSession:
    """The server's end of one session of a robot; tests say what it does."""

    def __init__(self, hello: robots.Hello) -> None:
        self.hello = hello
        self.heard: asyncio.Queue[robots.SessionRequest] = asyncio.Queue()
        self.reports: list[tuple[int, int, int]] = []
        self.details: dict[tuple[int, int], robots.ReportDetail] = {}
        self.batches: list[robots.ReportColumns] = []
        self.acknowledges = True
        self.refusals: dict[tuple[int, int], job_outcome_pb2.Refusal] = {}
        self.heartbeats = 0
        self.order_acks: list[robots.OrderAck] = []
        self.drained = False
        self.goodbye: str | None = None
        self.outgoing: asyncio.Queue[robots.SessionResponse | Failure | None] = asyncio.Queue()
        self._changed = asyncio.Event()

    def offer(self, *offers: robots.Offer) -> None:
        self.outgoing.put_nowait(robots.SessionResponse(offers=robots.Offers(offers=offers)))

    def order(self, job: int, kind: int, *, fence: int = 1, **fields: Any) -> None:
        order = robots.Order(job=job, fence=fence, kind=robots.OrderKind.ValueType(kind), **fields)
        self.outgoing.put_nowait(robots.SessionResponse(orders=robots.Orders(orders=[order])))

    def acknowledge(self, sequence: int, refused: Sequence[robots.RefusedReport] = ()) -> None:
        ack = robots.ReportAck(sequence=sequence, refused=refused)
        self.outgoing.put_nowait(robots.SessionResponse(report_ack=ack))

    def end(self, failure: Failure | None = None) -> None:
        self.outgoing.put_nowait(failure)

    def going_away(self) -> None:
        self.outgoing.put_nowait(robots.SessionResponse(going_away=robots.GoingAway()))

    async def until(self, what: Any) -> None:
        """Wait until a predicate of this session holds."""
        async with asyncio.timeout(10):
            while not what(self):
                self._changed.clear()
                await self._changed.wait()

    async def reported(self, job: int, kind: int) -> robots.ReportDetail:
        await self.until(lambda self: any(r[0] == job and r[2] == kind for r in self.reports))
        return self.details.get((job, kind), robots.ReportDetail())

    def kinds(self, job: int) -> list[int]:
        return [kind for number, _, kind in self.reports if number == job]

    def hear(self, request: robots.SessionRequest) -> robots.ReportColumns | None:
        self._changed.set()
        match request.WhichOneof("message"):
            case "columns":
                self._hear_columns(request.columns)
                return request.columns
            case "heartbeat":
                self.heartbeats += 1
                heartbeat = robots.SessionResponse(heartbeat_ack=robots.HeartbeatAck())
                self.outgoing.put_nowait(heartbeat)
            case "order_acks":
                self.order_acks += request.order_acks.acks
            case "drain":
                self.drained = True
            case "goodbye":
                self.goodbye = request.goodbye.reason
                self.end()
        return None

    def _hear_columns(self, columns: robots.ReportColumns) -> None:
        self.batches.append(columns)
        for report in zip(columns.jobs, columns.fences, columns.kinds, strict=True):
            self.reports.append(report)
        for detail in columns.details:
            key = columns.jobs[detail.index], columns.kinds[detail.index]
            self.details[key] = detail

    def refused(self, columns: robots.ReportColumns) -> list[robots.RefusedReport]:
        return [
            robots.RefusedReport(
                sequence=columns.sequence,
                index=index,
                job=job,
                refusal=self.refusals.pop((job, columns.kinds[index])),
            )
            for index, job in enumerate(columns.jobs)
            if (job, columns.kinds[index]) in self.refusals
        ]


class FakeRobotService(RobotServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    async def Session(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        server = self._server
        first = await anext(aiter(requests))
        await server.asked("Session", first, context)
        session = FakeSession(first.hello)
        server.sessions.append(session)
        server.epoch += 1
        instance = first.hello.instance
        welcome = robots.Welcome(epoch=server.epoch, last_sequence=server.sequence_of[instance])
        welcome.heartbeat_interval.FromMilliseconds(300)
        welcome.time_to_live.FromMilliseconds(20_000)
        for running in first.hello.running:
            verdict = server.answers.get("verdict", robots.Verdict.VERDICT_KEEP)
            welcome.verdicts.add(job=running.job, fence=running.fence, verdict=verdict)
        yield robots.SessionResponse(welcome=welcome)
        server.session_opened.put_nowait(session)
        listening = asyncio.create_task(self._listen(requests, session))
        try:
            while isinstance(message := await session.outgoing.get(), robots.SessionResponse):
                yield message
            if message is not None:
                await message.abort(context)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, requests: Any, session: FakeSession) -> None:
        async for request in requests:
            columns = session.hear(request)
            if columns is not None and session.acknowledges:
                known = self._server.sequence_of[session.hello.instance]
                assert columns.sequence == known + 1, "expected no gap and no repetition"
                self._server.sequence_of[session.hello.instance] = columns.sequence
                session.acknowledge(columns.sequence, session.refused(columns))


_NAMES: Final = [
    event_pb2.Name(kind=event_pb2.NameKind.NAME_KIND_DEFINITION, number=1, name=DEFINITION),
    event_pb2.Name(kind=event_pb2.NameKind.NAME_KIND_QUEUE, number=1, name="default"),
]


def _outcome(job: job_pb2.Job) -> job_outcome_pb2.JobOutcome:
    return job_outcome_pb2.JobOutcome(job=job.id, status=job.status, revision=job.revision)


def _block(changes: list[FakeChange]) -> event_pb2.ChangeBlock:
    return event_pb2.ChangeBlock(
        first_revision=changes[0].revision,
        time_ms=changes[0].time_ms,
        actor=Actor.ACTOR_USER,
        author="alice",
        reason=changes[0].reason,
        jobs=[change.job for change in changes],
        transitions=bytes(change.row for change in changes),
        definitions=[1],
        queues=[1],
        robots=[0],
    )


def _event(server: FakeServer, change: FakeChange) -> event_pb2.Event:
    _, name, before, trigger, to = server.rows[change.row]
    redwood = to >= S.STATUS_REDWOOD_NEW
    event = event_pb2.Event(
        revision=change.revision,
        job=change.job,
        lifecycle=Lifecycle.LIFECYCLE_REDWOOD if redwood else Lifecycle.LIFECYCLE_UIPATH,
        to=to,
        trigger=trigger,
        transition=name,
        actor=Actor.ACTOR_USER,
        author="alice",
        reason=change.reason,
        definition=DEFINITION,
        queue="default",
        **{"from": before},
    )
    event.time.FromMilliseconds(change.time_ms)
    return event
