"""A LivePartition behind a server of its own: requests, robots and the watch go over gRPC.

The same words as `live_partition.py`, so that a story can be told on either. Engine, journal,
timers and sessions are those of the server, in this process; only the clock is handed in. World may
be looked at, never written to.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import grpc

from interlock.v1 import robot_service_pb2 as pb
from interlock.v1 import watch_service_pb2
from interlock_server import app
from interlock_server.config import Config
from interlock_server.core import command as c
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import STATUS_NAME
from interlock_server.rpc.errors import reason_number
from interlock_server.sessions import End, Offer, Order
from tests.support.api_methods import Stubs
from tests.support.live_partition import Event, LivePartition, LiveRobot
from tests.support.rpc_request import message_of, method_of, request_of
from tests.support.served import error_info
from tests.support.until import until

if TYPE_CHECKING:
    from pathlib import Path

#: Commands whose answer is a list of outcomes.
_OUTCOMES = (c.SubmitJobs, c.ChangeJobs, c.RestartJobs, c.FireConditions)
_INSTANCE_MIN = 16


class ServedPartition(LivePartition):
    """The default partition of a server, over all its lives."""

    over_rpc = True

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        """Nothing runs before `begin`."""
        super().__init__(None)
        given = {"listen": ("127.0.0.1:0",), "durability": "off", "grace_s": 0.5, **settings}
        self._config = Config(**given, data_dir=str(data_dir))
        self._life = AsyncExitStack()
        self._seen: list[Event] = []
        #: Kept, because a session ends when nobody has its call any more.
        self._robots: list[ServedRobot] = []

    @classmethod
    async def serve(cls, data_dir: Path, **settings: Any) -> ServedPartition:
        """A server that runs."""
        served = cls(data_dir, **settings)
        await served.begin()
        return served

    async def begin(self) -> None:
        """Recover from disk, and serve."""
        running = await self._life.enter_async_context(app.running(self._config, clock=self.clock))
        self.channel = await self._life.enter_async_context(
            grpc.aio.insecure_channel(running.addresses[0])
        )
        self.stubs = Stubs(self.channel)
        self.partition = running.partitions.get("default")
        self.journal = self.partition.journal

    async def kill(self) -> None:
        """End the server and begin its next life."""
        await self.events()  # what a watcher has been sent by now
        await self._life.aclose()
        await self.begin()

    async def close(self) -> None:
        """End the server. May be called twice."""
        await self._life.aclose()

    # -- people ---------------------------------------------------------------------------------

    async def do(self, command: c.Command, **given: Any) -> Any:
        """Send the request for a command; its answer, or raise the Rejection."""
        method = method_of(command)
        request = request_of(command, given.get("author", "operator"), given.get("reason", ""))
        call = self.channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            answer: Any = await call(request)
        except grpc.aio.AioRpcError as error:
            refused = rejection_of(error)
            if isinstance(command, _OUTCOMES) and len(getattr(command, "jobs", ())) == 1:
                job = command.jobs[0]  # type: ignore[union-attr]
                return [c.Outcome(job if isinstance(job, int) else 0, rejection=refused)]
            raise refused from None
        if isinstance(command, _OUTCOMES):
            return [_outcome(each) for each in answer.outcomes]
        if isinstance(command, c.Reply):
            return answer.message, _outcome(answer.outcome)
        if isinstance(command, c.StartAtRobot):
            return answer.job, answer.fence
        return answer

    # -- robots ---------------------------------------------------------------------------------

    async def connect(
        self,
        robot: str = "robot-1",
        *definitions: str,
        running: tuple[c.RunningJob, ...] = (),
        **fields: Any,
    ) -> LiveRobot:
        """Open a session."""
        given: dict[str, Any] = {"instance": f"{robot}-program", "slots": 10, **fields}
        given["instance"] = given["instance"].replace(" ", "-").ljust(_INSTANCE_MIN, "-")
        names = definitions or tuple(self.partition.world.definitions)
        hello = message_of(
            c.OpenSession(robot=robot, definitions=names, running=running, **given), pb.Hello
        )
        call = self.stubs.robots.Session()
        try:
            await call.write(pb.SessionRequest(hello=hello))
            welcome = await _next(call)
        except grpc.aio.AioRpcError as error:
            raise rejection_of(error) from None
        found = ServedRobot(self, call, robot, welcome.welcome)
        self._robots.append(found)
        await found.hear()
        return found

    # -- what is seen ---------------------------------------------------------------------------

    async def events(self, *jobs: int) -> list[Event]:
        """Every change of these jobs, or of all, as a watch from revision 0 was sent it."""
        await self.settle()
        through = self.partition.history.head_revision
        seen = self._seen[-1].revision if self._seen else 0
        if seen < through:
            call = self.stubs.watches.Watch(watch_service_pb2.WatchRequest(from_revision=seen))
            while seen < through:
                message = await _next(call)
                for event in message.events.events:
                    assert event.revision == seen + 1, "a watcher misses nothing"
                    seen = event.revision
                    self._seen.append(_event(event))
            call.cancel()
        return [event for event in self._seen if not jobs or event.job in jobs]


class ServedRobot(LiveRobot):
    """A robot on a gRPC session."""

    def __init__(self, live: ServedPartition, call: Any, robot: str, welcome: pb.Welcome) -> None:
        """It was welcomed; what it is offered is heard by `hear`."""
        opened = c.SessionOpened(
            welcome.epoch,
            tuple(c.Verdict(each.verdict) for each in welcome.verdicts),
            welcome.last_sequence,
            tuple(
                (each.sequence, each.index, each.job, _rejection(each.refusal))
                for each in welcome.refused
            ),
        )
        super().__init__(live, opened, live.partition.sessions._streams[robot])
        self.call = call

    async def hear(self) -> None:
        """Take everything that the server has said: a heartbeat is answered after all of it."""
        for _ in range(2):  # what was sent may be decided with the first, and answered by then
            await self.live.settle()
            await until(lambda: self.call.done() or not self.stream._has_something())
            if not await self._barrier():
                return

    async def _barrier(self) -> bool:
        """Whether the session is still open."""
        if self.end is not None:
            return False
        with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            # If the server has ended it, the rest is read.
            await self.call.write(pb.SessionRequest(heartbeat=pb.Heartbeat()))
        while True:
            try:
                message: Any = await self.call.read()
            except grpc.aio.AioRpcError as error:
                self.end = rejection_of(error)
                return False
            except asyncio.CancelledError:
                if not self.call.cancelled():
                    raise
                return False
            if message is grpc.aio.EOF:
                self.end = End.GOODBYE
                return False
            kind = message.WhichOneof("message")
            if kind == "heartbeat_ack":
                self._acked_orders = [_order(each) for each in message.heartbeat_ack.orders]
                return True
            self._take(kind, getattr(message, kind))

    def _take(self, kind: str, said: Any) -> None:
        match kind:
            case "offers":
                for each in said.offers:
                    self.offers[each.job] = _offer(each)
            case "orders":
                self.orders += [_order(each) for each in said.orders]
            case "report_ack":
                self.acked = said.sequence
                self.refused += [_rejection(each.refusal) for each in said.refused]
            case "going_away":
                self.end = End.GOING_AWAY

    async def send(self, report: c.Report) -> list[Rejection]:
        """Send a batch, and wait until it is durable."""
        self.refused = []
        details = [
            message_of(detail, pb.ReportDetail) for _, detail in sorted(report.details.items())
        ]
        for detail, index in zip(details, sorted(report.details), strict=True):
            detail.index = index
        columns = pb.ReportColumns(
            sequence=report.sequence,
            jobs=report.jobs,
            fences=report.fences,
            kinds=report.kinds,
            details=details,
        )
        await self.call.write(pb.SessionRequest(columns=columns))
        await self.hear()
        return self.refused

    async def heartbeat(self) -> list[EffectKind]:
        """The orders that the server says again."""
        await self.live.settle()
        await self._barrier()
        return [order.kind for order in self._acked_orders]

    async def cut(self) -> None:
        """The network between robot and server is gone."""
        self.call.cancel()
        streams = self.live.partition.sessions._streams
        await until(lambda: streams.get(self.name) is not self.stream)
        await self.live.settle()

    async def goodbye(self) -> None:
        """Say goodbye, and hear the end."""
        goodbye = pb.Goodbye(reason="the service stops")
        await self.call.write(pb.SessionRequest(goodbye=goodbye))
        while await self.call.read() is not grpc.aio.EOF:
            pass
        await self.live.settle()


async def _next(call: Any) -> Any:
    message = await call.read()
    assert message is not grpc.aio.EOF, "the stream ended early"
    return message


def rejection_of(error: grpc.aio.AioRpcError) -> Rejection:
    """The refusal of a call, as the core says it."""
    info = error_info(error)
    reason: Any = reason_number(info.reason)
    try:
        reason = Reason(reason)
    except ValueError:
        raise error from None  # the request itself was wrong
    return Rejection(reason, error.details() or "", **dict(info.metadata))


def _rejection(refusal: Any) -> Rejection:
    reason = Reason(reason_number(refusal.reason))
    return Rejection(reason, refusal.message, **dict(refusal.metadata))


def _outcome(each: Any) -> c.Outcome:
    rejection = _rejection(each.refusal) if each.HasField("refusal") else None
    return c.Outcome(each.job, each.status, each.revision, each.unchanged, rejection)


def _offer(each: pb.Offer) -> Offer:
    return Offer(
        each.job,
        each.fence,
        each.definition,
        each.parameters_json,
        each.lifecycle,
        each.queue,
        each.priority,
        each.resume_version,
        each.saved_json,
        dict(each.labels),
    )


def _order(each: pb.Order) -> Order:
    return Order(each.job, each.fence, EffectKind(each.kind), each.message, each.reply)


def _event(event: Any) -> Event:
    source, target = getattr(event, "from"), event.to
    return Event(
        event.revision,
        event.job,
        f"{STATUS_NAME[source] or '-'}>{STATUS_NAME[target]}",
        Actor(event.actor).name.lower(),
        event.author,
        event.reason,
        event.transition,
        event.trigger,
    )
