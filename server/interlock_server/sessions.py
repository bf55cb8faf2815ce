"""Open sessions of robots: what each robot still has to be told, and when it was last heard.

World knows what a session means; this knows the streams. Offers and orders come here when they are
durable, wait in the
outbox of their stream, and orders are said again with every heartbeat until they are acknowledged.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock_server.core import command as c
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.session import attached_jobs
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.engine import EngineError, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlock_server.clock import Clock
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Effect
    from interlock_server.core.world import World
    from interlock_server.engine import Engine

#: Report batches of one session that may wait for the disk; then its stream is not read.
BATCHES_IN_FLIGHT_MAX: Final = 64
#: The loop is late by this much: the machine slept or the process was stopped, and no robot is to
#: blame.
STALL_MS: Final = 2_000
#: How often silence is looked for.
LOOK_EVERY_S: Final = 1.0


class End(Enum):
    """Why the server ends a stream."""

    #: The server is stopping.
    GOING_AWAY = 1
    #: The robot has ended its side.
    GOODBYE = 2


class Offer(NamedTuple):
    """A job for the robot to take."""

    job: int
    fence: int
    definition: str
    parameters: str
    lifecycle: int
    queue: str
    priority: int
    resume_version: int
    saved: str
    labels: dict[str, str]


class Order(NamedTuple):
    """Something that the robot has to do with a job that it has.

    `kind` as interlock.v1.OrderKind.
    """

    job: int
    fence: int
    kind: EffectKind
    message: int = 0
    reply: str = ""


class RefusedReport(NamedTuple):
    """A report that changed nothing."""

    sequence: int
    place: int
    job: int
    rejection: Rejection


class Ack(NamedTuple):
    """Report batches up to `sequence` are durable."""

    sequence: int
    revision: int
    refused: list[RefusedReport]


class Outgoing(NamedTuple):
    """Everything that waits for a robot, taken at once."""

    offers: list[Offer]
    orders: list[Order]
    ack: Ack | None
    heartbeat: list[Order] | None
    end: Rejection | End | EngineError | None


_ORDER_OF_STATUS: Final = {
    Status.UIPATH_STOPPING: EffectKind.STOP,
    Status.UIPATH_TERMINATING: EffectKind.KILL,
    Status.REDWOOD_KILLING: EffectKind.KILL,
    Status.REDWOOD_CANCELING: EffectKind.CANCEL,
}


def offer_of(job: Job, fence: int) -> Offer:
    """The offer of one attempt of a job."""
    return Offer(
        job.id,
        fence,
        job.definition,
        job.parameters,
        job.lifecycle,
        job.queue,
        job.priority,
        job.resume_version,
        job.saved,
        job.labels,
    )


def standing_orders(world: World, robot: str) -> list[Order]:
    """Orders that follow from the statuses of a robot's jobs, and the newest replies for them."""
    orders = []
    for job in attached_jobs(world, robot):
        kind = _ORDER_OF_STATUS.get(Status(job.status))
        if kind is not None:
            orders.append(Order(job.id, job.fence, kind))
        replied = [message for message in job.messages if message.blocking and message.replied_ms]
        if replied:
            newest = replied[-1]
            orders.append(Order(job.id, job.fence, EffectKind.REPLY, newest.id, newest.reply))
    return orders


class SessionStream:
    """One open session: its outbox, and what it has acknowledged."""

    def __init__(self, sessions: Sessions, robot: str, epoch: int) -> None:
        """Made by `Sessions.open`."""
        self.robot = robot
        self.epoch = epoch
        self._sessions = sessions
        self._engine = sessions.engine
        self._wakeup = asyncio.Event()
        self._room = asyncio.Semaphore(BATCHES_IN_FLIGHT_MAX)
        self._acknowledged: set[tuple[int, int, int, int]] = set()
        self._offers: list[Offer] = []
        self._orders: list[Order] = []
        self._refused: list[RefusedReport] = []
        self._acked = 0
        self._ack_due = False
        self._heartbeat: list[Order] | None = None
        self._end: Rejection | End | EngineError | None = None

    # -- from the robot -------------------------------------------------------------------------

    def heard(self) -> None:
        """Something came from the robot."""
        self._sessions.heard(self.robot)

    async def report(self, report: c.Report) -> None:
        """Hand a batch to the engine.

        Returns before it is durable; waits only if very many are on their way.
        """
        await self._room.acquire()
        try:
            future = self._engine.submit(report, actor=Actor.ROBOT, author=self.robot)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(lambda done: self._reported(report, done))

    def _reported(self, report: c.Report, done: asyncio.Future[Any]) -> None:
        self._room.release()
        error = None if done.cancelled() else done.exception()
        if isinstance(error, Rejection | EngineError):
            self.end(error)
            return
        if done.cancelled() or error is not None:
            self.end(OutcomeUnknown())
            return
        for index, rejection in done.result():
            self._refused.append(
                RefusedReport(report.sequence, index, report.jobs[index], rejection)
            )
        self._acked = max(self._acked, report.sequence)
        self._ack_due = True
        self._wakeup.set()

    async def heartbeat(self) -> None:
        """Answer a heartbeat with the orders that are not acknowledged."""
        orders = standing_orders(self._engine.world, self.robot)
        await self._engine.barrier()  # what is said to a robot is durable
        self._heartbeat = [order for order in orders if not self._is_acknowledged(order)]
        self._wakeup.set()

    def acknowledge(self, job: int, fence: int, kind: int, message: int) -> None:
        """The robot has an order; it need not be said again."""
        self._acknowledged.add((job, fence, kind, message))

    async def drain(self) -> None:
        """The robot takes no new offers."""
        await self._engine.request(
            c.DrainSession(self.robot, self.epoch), actor=Actor.ROBOT, author=self.robot
        )

    async def goodbye(self, reason: str) -> None:
        """The robot ends. What it reported before comes first."""
        for _ in range(BATCHES_IN_FLIGHT_MAX):
            await self._room.acquire()
        await self._engine.request(
            c.CloseSession(self.robot, self.epoch, reason), actor=Actor.ROBOT, author=self.robot
        )

    def broken(self) -> None:
        """The stream is gone; the time to live runs from the last word. May be called twice."""
        self._sessions.stream_broken(self)

    # -- to the robot ---------------------------------------------------------------------------

    async def next(self) -> Outgoing:
        """Wait until there is something to say, and take all of it.

        After an `end` nothing follows.
        """
        while not self._has_something():
            self._wakeup.clear()
            await self._wakeup.wait()
        ack = None
        if self._ack_due:
            ack = Ack(self._acked, self._sessions.durable_revision(), self._refused)
            self._refused, self._ack_due = [], False
        outgoing = Outgoing(self._offers, self._orders, ack, self._heartbeat, self._end)
        self._offers, self._orders, self._heartbeat = [], [], None
        return outgoing

    def _has_something(self) -> bool:
        return bool(
            self._offers
            or self._orders
            or self._ack_due
            or self._heartbeat is not None
            or self._end is not None
        )

    def deliver(self, effect: Effect) -> None:
        """Put a durable offer or order into the outbox."""
        if effect.kind is EffectKind.OFFER:
            self._offers.append(offer_of(effect.job, effect.fence))
        else:
            self._orders.append(
                Order(effect.job.id, effect.fence, effect.kind, effect.message, effect.reply)
            )
        self._wakeup.set()

    def say_again(self, orders: Iterable[Order]) -> None:
        """Put standing orders into the outbox of a session that was just opened."""
        self._orders.extend(orders)
        self._wakeup.set()

    def end(self, why: Rejection | End | EngineError) -> None:
        """End the stream once everything before this was taken."""
        if self._end is None:
            self._end = why
            self._wakeup.set()

    def _is_acknowledged(self, order: Order) -> bool:
        return (order.job, order.fence, int(order.kind), order.message) in self._acknowledged


class Sessions:
    """The open sessions of one partition, and the silence of its robots."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        durable_revision: Callable[[], int],
        *,
        heartbeat_interval_ms: int = 30_000,
        missed_heartbeats: int = 4,
        time_to_live_ms: int = 300_000,
    ) -> None:
        """Every robot that is not lost gets its whole time to live from now (promise P11)."""
        self.engine = engine
        #: Revision of the newest durable change.
        self.durable_revision = durable_revision
        self.heartbeat_interval_ms = heartbeat_interval_ms
        self.time_to_live_ms = time_to_live_ms
        self._clock = clock
        self._unresponsive_ms = heartbeat_interval_ms * missed_heartbeats
        self._streams: dict[str, SessionStream] = {}
        #: Monotonic and wall time at which each robot was last heard; since the start at the
        #: earliest.
        self._heard_ms: dict[str, int] = {}
        self._heard_wall_ms: dict[str, int] = {}
        self._looked_ms = clock.monotonic_ms()
        self._going_away = False
        for robot in engine.world.robots.values():
            if not robot.lost:
                self._heard_ms[robot.name] = self._looked_ms

    async def open(self, command: c.OpenSession) -> tuple[c.SessionOpened, SessionStream]:
        """Begin a session; an older one of the same robot ends. Raises Rejection."""
        self.heard(command.robot)
        future = self.engine.submit(command, actor=Actor.ROBOT, author=command.robot)
        # The stream has to be there before the answer: offers may be durable in the same commit.
        stream = SessionStream(self, command.robot, 0)
        older = self._streams.get(command.robot)
        self._streams[command.robot] = stream
        if older is not None:
            older.end(
                Rejection(
                    Reason.SESSION_SUPERSEDED,
                    f"a newer session of robot {command.robot!r} took over",
                )
            )
        try:
            opened: c.SessionOpened = await asyncio.shield(future)
        except BaseException:
            self._forget(stream)
            raise
        stream.epoch = opened.epoch
        stream.say_again(standing_orders(self.engine.world, command.robot))
        if self._going_away:
            stream.end(End.GOING_AWAY)
        return opened, stream

    def deliver(self, effects: Iterable[Effect]) -> None:
        """Hand durable offers and orders to the streams of their robots.

        A robot without a stream hears of orders when it comes back; its offers go back by the time
        to live.
        """
        for effect in effects:
            stream = self._streams.get(effect.robot)
            if stream is not None:
                stream.deliver(effect)

    def heard(self, robot: str) -> None:
        """Something came from a robot."""
        self._heard_ms[robot] = self._clock.monotonic_ms()
        self._heard_wall_ms[robot] = self._clock.now_ms()

    def last_heard_ms(self, robot: str) -> int | None:
        """When a robot was last heard, by the wall clock; None if not since the server started."""
        return self._heard_wall_ms.get(robot)

    def is_open(self, robot: str) -> bool:
        """Whether the robot's stream is open now."""
        return robot in self._streams

    def open_count(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def is_unresponsive(self, robot: str) -> bool:
        """Whether nothing was heard of it for the allowed number of heartbeats (domain.md UA-8)."""
        heard_ms = self._heard_ms.get(robot)
        return heard_ms is None or self._clock.monotonic_ms() - heard_ms > self._unresponsive_ms

    def stream_broken(self, stream: SessionStream) -> None:
        """A stream is gone, however it ended."""
        if not self._forget(stream) or not stream.epoch:
            return
        try:
            future = self.engine.request(
                c.BreakSession(stream.robot, stream.epoch), actor=Actor.SYSTEM, author="sessions"
            )
        except EngineError:
            return  # recovery knows that no stream is open
        future.add_done_callback(_look_at)

    def _forget(self, stream: SessionStream) -> bool:
        if self._streams.get(stream.robot) is stream:
            del self._streams[stream.robot]
            return True
        return False

    def go_away(self) -> None:
        """Tell every robot to connect again later."""
        self._going_away = True
        for stream in self._streams.values():
            stream.end(End.GOING_AWAY)

    async def run(self) -> None:
        """Look for silent robots until cancelled."""
        never = asyncio.Event()
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await never.wait()
            except TimeoutError:
                await self.look()

    async def look(self) -> None:
        """Give up the sessions whose time to live is over.

        A stall of this server is no robot's fault.
        """
        now_ms = self._clock.monotonic_ms()
        late_ms = now_ms - self._looked_ms - int(LOOK_EVERY_S * 1000)
        self._looked_ms = now_ms
        if late_ms > STALL_MS:
            for name in self._heard_ms:
                self._heard_ms[name] += late_ms
            return
        for robot in list(self.engine.world.robots.values()):
            silent_ms = now_ms - self._heard_ms.get(robot.name, now_ms)
            if not robot.lost and silent_ms >= self.time_to_live_ms:
                await self._lose(robot.name, robot.epoch)

    async def _lose(self, name: str, epoch: int) -> None:
        command = c.LoseSession(name, epoch)
        try:
            await self.engine.request(command, actor=Actor.SYSTEM, author="sessions")
        except Rejection:
            return  # the robot came back meanwhile
        stream = self._streams.get(name)
        if stream is not None and stream.epoch == epoch:
            stream.end(
                Rejection(
                    Reason.SESSION_LOST,
                    f"nothing was heard of robot {name!r} for {self.time_to_live_ms / 1000:g} s; "
                    "connect again",
                )
            )


def _look_at(future: asyncio.Future[Any]) -> None:
    """Nobody waits for it; a rejection says that a newer session took over."""
    if not future.cancelled():
        future.exception()
