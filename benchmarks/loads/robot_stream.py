"""One session of a robot that reports in batches on jobs of its own: Waiting and back, for ever.

A plain generated client, so that the measure is the server's and not the SDK's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc

from interlock.v1 import job_service_pb2
from interlock.v1.job_service_pb2_grpc import JobServiceStub
from interlock.v1.robot_service_pb2 import (
    Hello,
    Report,
    ReportBatch,
    ReportColumns,
    ReportKind,
    SessionRequest,
)
from interlock.v1.robot_service_pb2_grpc import RobotServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHANNEL_OPTIONS: Final = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
_SUBMIT_MAX: Final = 10_000
_FLIPS: Final = (ReportKind.REPORT_KIND_WAITING, ReportKind.REPORT_KIND_WAIT_OVER)


class RefusedError(Exception):
    """The server refused what every report of this load is entitled to."""


class RobotStream:
    """Messages that are built once and sent again and again: each batch one way, then back."""

    def __init__(self, call: Any, *, batch: int, form: str = "columns") -> None:
        self.call = call
        self.batch = batch
        #: Sequence of the newest batch that was sent, and of the newest that was acknowledged.
        self.sent = 0
        self.acked = 0
        #: Revision that the newest acknowledgement names.
        self.revision = 0
        #: Called with how many batches an acknowledgement is about.
        self.on_ack: Callable[[int], None] | None = None
        self._form = form
        self._heard = asyncio.Event()
        self._messages: list[SessionRequest] = []
        self._index = 0

    async def introduce(self, name: str, definition: str, jobs: int) -> list[int]:
        """Open the session, take the jobs that are offered and start them; returns them."""
        hello = Hello(
            robot=name, instance=f"instance-of-{name}", definitions=[definition], slots=jobs
        )
        await self.call.write(SessionRequest(hello=hello))
        offered: list[int] = []
        while len(offered) < jobs:
            message = await self.call.read()
            if message is grpc.aio.EOF:
                raise RefusedError("the session ended before all jobs were offered")
            offered += [offer.job for offer in message.offers.offers]
        self.sent += 1
        started = bytes([ReportKind.REPORT_KIND_STARTED])
        columns = ReportColumns(sequence=self.sent, jobs=offered, fences=[1], kinds=started)
        await self.call.write(SessionRequest(columns=columns))
        while self.acked < self.sent:
            self._hear(await self.call.read())
        return offered

    def prepare(self, jobs: Sequence[int]) -> None:
        """Build the messages: every job once in batches, and once more for the way back."""
        parts = [jobs[start : start + self.batch] for start in range(0, len(jobs), self.batch)]
        self._messages = [self._message(part, kind) for kind in _FLIPS for part in parts]

    def _message(self, jobs: Sequence[int], kind: ReportKind.ValueType) -> SessionRequest:
        if self._form == "columns":
            columns = ReportColumns(jobs=jobs, fences=[1], kinds=bytes([kind]))
            return SessionRequest(columns=columns)
        reports = [Report(job=job, fence=1, kind=kind) for job in jobs]
        return SessionRequest(reports=ReportBatch(reports=reports))

    async def send(self) -> int:
        """Send the next batch; returns how many reports it has."""
        message = self._messages[self._index]
        self._index = (self._index + 1) % len(self._messages)
        self.sent += 1
        body = getattr(message, self._form)
        body.sequence = self.sent
        await self.call.write(message)
        return len(body.jobs if self._form == "columns" else body.reports)

    async def in_flight_below(self, count: int) -> None:
        """Wait until fewer batches than that are not acknowledged."""
        while self.sent - self.acked >= count:
            self._heard.clear()
            await self._heard.wait()

    async def read(self) -> None:
        """Hear acknowledgements until the stream ends; then it raises."""
        while True:
            self._hear(await self.call.read())

    def _hear(self, message: Any) -> None:
        if message is grpc.aio.EOF:
            raise RefusedError("the session ended")
        before = self.acked
        match message.WhichOneof("message"):
            case "report_ack":
                ack = message.report_ack
                if ack.refused:
                    raise RefusedError(f"a report was refused: {ack.refused[0].refusal.message}")
                self.acked, self.revision = ack.sequence, ack.revision
            case "columns" | "reports" as form:  # the echo of a bare server
                self.acked = getattr(message, form).sequence
            case _:
                return
        self._heard.set()
        if self.on_ack is not None:
            self.on_ack(self.acked - before)


async def open_streams(channel: grpc.aio.Channel, task: dict[str, Any]) -> list[RobotStream]:
    """Create the jobs of a task and open the sessions that have them."""
    jobs, count, name = task["jobs"], task["streams"], task["definition"]
    stub: Any = JobServiceStub(channel)
    for start in range(0, jobs, _SUBMIT_MAX):
        new = job_service_pb2.NewJob(definition=name, count=min(_SUBMIT_MAX, jobs - start))
        await stub.SubmitJobs(job_service_pb2.SubmitJobsRequest(jobs=[new]))
    streams = []
    for number in range(count):
        stream = RobotStream(RobotServiceStub(channel).Session(), batch=task["batch"])
        stream.prepare(await stream.introduce(f"{name}-{number}", name, jobs // count))
        streams.append(stream)
    return streams
