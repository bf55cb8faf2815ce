"""One open session: its outbox, and what its robot has acknowledged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from interlock_server.core import command as c
from interlock_server.core.rejection import Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.engine import EngineError, OutcomeUnknown
from interlock_server.sessions.outgoing import (
    Ack,
    End,
    Offer,
    Order,
    Outgoing,
    RefusedReport,
    offer_of,
    order_of,
    standing_orders,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock_server.core.turn import Effect
    from interlock_server.sessions.registry import Sessions

#: Report batches of one session that may wait for the disk; then its stream is not read.
BATCHES_IN_FLIGHT_MAX: Final = 64


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
            self._offers.append(offer_of(self._engine.world, effect.job, effect.fence))
        else:
            self._orders.append(
                order_of(effect.job, effect.fence, effect.kind, effect.message, effect.reply)
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
