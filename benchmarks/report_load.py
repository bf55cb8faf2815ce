"""A process that reports in batches on attached Redwood jobs: Waiting and back, over and over.

A plain generated client, so that the measure is the server's and not the SDK's. Several batches are
in flight; against the bare server the same messages are echoed.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import grpc

from benchmarks import load_process
from benchmarks.bare_server import ECHO
from interlock.v1 import job_service_pb2, robot_service_pb2
from interlock.v1.job_service_pb2_grpc import JobServiceStub
from interlock.v1.robot_service_pb2 import ReportColumns, ReportKind, SessionRequest
from interlock.v1.robot_service_pb2_grpc import RobotServiceStub

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANNEL_OPTIONS: Final = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
_SUBMIT_MAX: Final = 10_000
_WAITING: Final = bytes([ReportKind.REPORT_KIND_WAITING])
_WAIT_OVER: Final = bytes([ReportKind.REPORT_KIND_WAIT_OVER])


class RefusedError(Exception):
    """The server refused what every report of this load is entitled to."""


class Stream:
    """One session with jobs of its own."""

    def __init__(self, call: Any, *, window: int) -> None:
        self.call = call
        self.revision = 0
        self._window = window
        self._sequence = 0
        self._acked = 0
        self._room = asyncio.Event()
        self._messages: list[SessionRequest] = []
        self._waiting: list[bool] = []

    async def introduce(self, name: str, definition: str, jobs: int) -> None:
        """Open the session, take the jobs that are offered and start them."""
        hello = robot_service_pb2.Hello(
            robot=name, instance=f"instance-of-{name}", definitions=[definition], slots=jobs
        )
        await self.call.write(SessionRequest(hello=hello))
        offers: list[tuple[int, int]] = []
        while len(offers) < jobs:
            message = await self.call.read()
            if message is grpc.aio.EOF:
                raise RefusedError("the session ended before all jobs were offered")
            offers += [(offer.job, offer.fence) for offer in message.offers.offers]
        started = bytes([ReportKind.REPORT_KIND_STARTED])
        await self._report([job for job, _ in offers], started)
        await self._until_acked()
        self._jobs = [job for job, _ in offers]

    def prepare(self, jobs: Sequence[int] | None, batch: int) -> None:
        """Build the messages: every job once, in batches."""
        numbers = self._jobs if jobs is None else jobs
        for start in range(0, len(numbers), batch):
            columns = ReportColumns(jobs=numbers[start : start + batch], fences=[1])
            self._messages.append(SessionRequest(columns=columns))
            self._waiting.append(False)

    async def _report(self, jobs: list[int], kinds: bytes) -> None:
        self._sequence += 1
        columns = ReportColumns(sequence=self._sequence, jobs=jobs, fences=[1], kinds=kinds)
        await self.call.write(SessionRequest(columns=columns))

    async def _until_acked(self) -> None:
        while self._acked < self._sequence:
            self._hear(await self.call.read())

    def _hear(self, message: Any) -> None:
        if message is grpc.aio.EOF:
            raise RefusedError("the session ended")
        match message.WhichOneof("message"):
            case "report_ack":
                ack = message.report_ack
                if ack.refused:
                    raise RefusedError(f"a report was refused: {ack.refused[0].refusal.message}")
                self._acked, self.revision = ack.sequence, ack.revision
                self._room.set()
            case "columns":  # the echo of the bare server
                self._acked = message.columns.sequence
                self._room.set()

    async def read(self) -> None:
        """Hear acknowledgements until the stream ends."""
        while True:
            self._hear(await self.call.read())

    async def flip(self, until: float) -> int:
        """Report until an instant; returns how many reports were acknowledged, all of them."""
        index = reports = 0
        while time.monotonic() < until:
            await self._in_flight_below(self._window)
            message = self._messages[index]
            columns = message.columns
            self._sequence += 1
            columns.sequence = self._sequence
            columns.kinds = _WAIT_OVER if self._waiting[index] else _WAITING
            self._waiting[index] = not self._waiting[index]
            reports += len(columns.jobs)
            await self.call.write(message)
            index = (index + 1) % len(self._messages)
        await self._in_flight_below(1)
        return reports

    async def _in_flight_below(self, count: int) -> None:
        while self._sequence - self._acked >= count:
            self._room.clear()
            await self._room.wait()


async def _open_real(channel: grpc.aio.Channel, task: dict[str, Any]) -> list[Stream]:
    jobs, count = task["jobs"], task["streams"]
    stub: Any = JobServiceStub(channel)
    for start in range(0, jobs, _SUBMIT_MAX):
        new = job_service_pb2.NewJob(
            definition=task["definition"], count=min(_SUBMIT_MAX, jobs - start)
        )
        await stub.SubmitJobs(job_service_pb2.SubmitJobsRequest(jobs=[new]))
    streams = []
    for number in range(count):
        stream = Stream(RobotServiceStub(channel).Session(), window=task["window"])
        await stream.introduce(f"{task['definition']}-{number}", task["definition"], jobs // count)
        stream.prepare(None, task["batch"])
        streams.append(stream)
    return streams


def _open_bare(channel: grpc.aio.Channel, task: dict[str, Any]) -> list[Stream]:
    streams = []
    for _ in range(task["streams"]):
        call: Any = channel.stream_stream(
            ECHO,
            request_serializer=SessionRequest.SerializeToString,
            response_deserializer=SessionRequest.FromString,
        )()
        stream = Stream(call, window=task["window"])
        stream.prepare(range(1, task["jobs"] // task["streams"] + 1), task["batch"])
        streams.append(stream)
    return streams


async def _flip_all(streams: list[Stream], until: float) -> int:
    return sum(await asyncio.gather(*(stream.flip(until) for stream in streams)))


async def main() -> None:
    """Report for as long as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        bare = task["bare"]
        streams = _open_bare(channel, task) if bare else await _open_real(channel, task)
        load_process.say(ready=True)
        readers: list[asyncio.Task[Any]] = [
            asyncio.create_task(stream.read()) for stream in streams
        ]
        async for line in lines:
            began, used = time.monotonic(), time.process_time()
            flips: asyncio.Task[Any] = asyncio.create_task(
                _flip_all(streams, began + line["seconds"])
            )
            await asyncio.wait([flips, *readers], return_when=asyncio.FIRST_COMPLETED)
            for reader in readers:
                if reader.done():
                    reader.result()  # raises: a reader ends with its stream
            load_process.say(
                reports=await flips,
                began=began,
                ended=time.monotonic(),
                cpu_s=time.process_time() - used,
                revision=max(stream.revision for stream in streams),
            )
        for stream in streams:
            stream.call.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


if __name__ == "__main__":
    load_process.run(main())
