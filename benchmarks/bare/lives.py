"""The bare counterpart of whole lives: takes submissions, offers them to robots, tells their ends.

The same SDK talks to it with the same messages. A job is a number here: nothing has a status,
nothing can be refused and nothing is kept.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import grpc

from interlock.v1 import event_pb2, job_service_pb2, robot_service_pb2, watch_service_pb2
from interlock.v1.lifecycle_service_pb2_grpc import add_LifecycleServiceServicer_to_server
from interlock.v1.robot_service_pb2 import ReportKind, SessionResponse
from interlock.v1.status_pb2 import Actor, Lifecycle, Status
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.rpc.lifecycle_service import LifecycleService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: The row of each lifecycle that a completed job takes.
_COMPLETED: Final = {
    row.id: row.number for row in ROWS if row is not None and row.id in {"TU-08", "TR-090"}
}
_HEARTBEAT_S: Final = 30
_TIME_TO_LIVE_S: Final = 300
_STATUS: Final = {1: 1, 2: 20}


class _Outbox:
    """What one stream is still to be told."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._wakeup = asyncio.Event()

    def add(self, items: list[Any]) -> None:
        self.items += items
        self._wakeup.set()

    async def take(self) -> list[Any]:
        while not self.items:
            self._wakeup.clear()
            await self._wakeup.wait()
        items, self.items = self.items, []
        return items


class BareLives:
    """Three methods of the API; the definition's name says which lifecycle its jobs have."""

    def __init__(self) -> None:
        self._next_job = 1
        self._revision = 0
        self._sessions: list[_Outbox] = []
        self._watches: list[_Outbox] = []
        self._turn = 0
        self._row = _COMPLETED["TR-090"]

    def add_to(self, server: grpc.aio.Server) -> None:
        """Let a server serve it."""
        add_LifecycleServiceServicer_to_server(LifecycleService(), server)

    def methods(self) -> dict[str, Any]:
        """Return the methods by their paths."""
        jobs, robots, watches = job_service_pb2, robot_service_pb2, watch_service_pb2
        return {
            "/interlock.v1.JobService/SubmitJobs": grpc.unary_unary_rpc_method_handler(
                self.submit,
                request_deserializer=jobs.SubmitJobsRequest.FromString,
                response_serializer=jobs.SubmitJobsResponse.SerializeToString,
            ),
            "/interlock.v1.RobotService/Session": grpc.stream_stream_rpc_method_handler(
                self.session,
                request_deserializer=robots.SessionRequest.FromString,
                response_serializer=robots.SessionResponse.SerializeToString,
            ),
            "/interlock.v1.WatchService/Watch": grpc.unary_stream_rpc_method_handler(
                self.watch,
                request_deserializer=watches.WatchRequest.FromString,
                response_serializer=watches.WatchResponse.SerializeToString,
            ),
        }

    async def submit(
        self, request: job_service_pb2.SubmitJobsRequest, _context: Any
    ) -> job_service_pb2.SubmitJobsResponse:
        """Number the jobs and offer them to one robot after the other."""
        response = job_service_pb2.SubmitJobsResponse(revision=self._revision)
        offers: list[list[robot_service_pb2.Offer]] = [[] for _ in self._sessions]
        lifecycle = 1 if "uipath" in request.jobs[0].definition else 2
        self._row = _COMPLETED["TU-08" if lifecycle == 1 else "TR-090"]
        for new in request.jobs:
            job, self._next_job = self._next_job, self._next_job + 1
            response.outcomes.add(
                job=job, status=Status.ValueType(_STATUS[lifecycle]), revision=self._revision
            )
            self._turn = (self._turn + 1) % len(offers)
            offers[self._turn].append(
                robot_service_pb2.Offer(
                    job=job,
                    fence=1,
                    definition=new.definition,
                    parameters_json=new.parameters_json,
                    lifecycle=Lifecycle.ValueType(lifecycle),
                    queue=new.queue,
                    priority=50,
                    labels=new.labels,
                )
            )
        for session, given in zip(self._sessions, offers, strict=True):
            if given:
                session.add(
                    [SessionResponse(offers=robot_service_pb2.Offers(offers=given))],
                )
        return response

    async def session(
        self, requests: AsyncIterator[robot_service_pb2.SessionRequest], context: Any
    ) -> None:
        """Let a robot in, and take its reports."""
        await anext(requests)
        welcome = SessionResponse()
        welcome.welcome.epoch = 1
        welcome.welcome.heartbeat_interval.FromSeconds(_HEARTBEAT_S)
        welcome.welcome.time_to_live.FromSeconds(_TIME_TO_LIVE_S)
        await context.write(welcome)
        outbox = _Outbox()
        self._sessions.append(outbox)
        writer = asyncio.create_task(_write(context, outbox))
        try:
            async for request in requests:
                match request.WhichOneof("message"):
                    case "columns":
                        outbox.add([self._acked(request.columns)])
                    case "heartbeat":
                        outbox.add([_heartbeat_ack()])
                    case "goodbye":
                        return
        finally:
            self._sessions.remove(outbox)
            writer.cancel()

    def _acked(self, columns: robot_service_pb2.ReportColumns) -> SessionResponse:
        jobs, kinds = columns.jobs, columns.kinds
        completed = ReportKind.REPORT_KIND_COMPLETED
        if len(kinds) == 1:
            kinds *= len(jobs)
        ended = [job for job, kind in zip(jobs, kinds, strict=True) if kind == completed]
        if ended:
            self._tell(ended)
        return SessionResponse(
            report_ack=robot_service_pb2.ReportAck(
                sequence=columns.sequence, revision=self._revision
            )
        )

    def _tell(self, ended: list[int]) -> None:
        block = event_pb2.ChangeBlock(
            first_revision=self._revision + 1,
            time_ms=int(time.time() * 1_000),
            actor=Actor.ACTOR_ROBOT,
            author="robot",
            jobs=ended,
            transitions=bytes([self._row]) * len(ended),
        )
        self._revision += len(ended)
        for watch in self._watches:
            watch.add([block])

    async def watch(self, _request: watch_service_pb2.WatchRequest, context: Any) -> None:
        """Tell every end."""
        progress = watch_service_pb2.WatchResponse()
        progress.progress.revision = self._revision
        outbox = _Outbox()
        self._watches.append(outbox)
        try:
            await context.write(progress)
            while True:
                blocks = await outbox.take()
                columns = event_pb2.ChangeColumns(blocks=blocks)
                await context.write(watch_service_pb2.WatchResponse(columns=columns))
        finally:
            self._watches.remove(outbox)


async def _write(context: Any, outbox: _Outbox) -> None:
    while True:
        for message in await outbox.take():
            await context.write(message)


def _heartbeat_ack() -> SessionResponse:
    message = SessionResponse()
    message.heartbeat_ack.SetInParent()
    return message
