"""Session: one stream between a robot and the server, from Hello to the end of the stream.

One task reads, one writes, one sends heartbeats. The writer sends what there is and then waits;
what comes meanwhile goes together into its next message.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from grpc import aio

from interlock.errors import InterlockError, Unavailable, from_rpc
from interlock.v1.robot_service_pb2 import (
    Drain,
    Goodbye,
    Heartbeat,
    Hello,
    OrderAck,
    OrderAcks,
    RefusedReport,
    ReportAck,
    SessionRequest,
    SessionResponse,
    Welcome,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlock.connection import Connection
    from interlock.executions import Executions
    from interlock.outbox import Outbox

_LOG: Final = logging.getLogger("interlock.robot")
_WELCOME_TIMEOUT_SECONDS: Final = 15.0
#: So many heartbeats are sent in the interval that the server asks for.
_BEATS_PER_INTERVAL: Final = 3
_INTERVAL_MIN_SECONDS: Final = 0.05


class SequenceLost(InterlockError):  # noqa: N818 - as its neighbours
    """The server's data are older than what it acknowledged: go on as a new instance."""


class Session:
    """One connection of a robot. `run` it once."""

    def __init__(
        self,
        connection: Connection,
        *,
        hello: Hello,
        outbox: Outbox,
        executions: Executions,
        wake: asyncio.Event,
        welcomed: Callable[[Welcome], object],
    ) -> None:
        self._connection = connection
        self._hello = hello
        self._outbox = outbox
        self._executions = executions
        self._wake = wake
        self._welcomed = welcomed
        self._acks: list[OrderAck] = []
        self._beat_is_due = False
        self._drain_is_due = False
        self._goodbye: Goodbye | None = None
        self._heard_at = 0.0
        self.epoch = 0
        self.said_goodbye = False

    @property
    def was_welcomed(self) -> bool:
        """Whether the server let the robot in."""
        return self.epoch > 0

    def drain(self) -> None:
        """Ask for no more offers."""
        self._drain_is_due = True
        self._wake.set()

    def say_goodbye(self, reason: str) -> None:
        """End the session once everything before has been sent."""
        self._goodbye = Goodbye(reason=reason)
        self._wake.set()

    async def run(self) -> None:
        """Talk until the stream ends. Raises InterlockError if that was not the server's wish."""
        call: Any = self._connection.end_with_me(self._connection.sessions.Session())
        tasks: list[asyncio.Task[None]] = []
        try:
            welcome = await self._shake_hands(call)
            interval = welcome.heartbeat_interval.ToTimedelta().total_seconds()
            time_to_live = welcome.time_to_live.ToTimedelta().total_seconds()
            loop = asyncio.get_running_loop()
            tasks = [
                loop.create_task(self._write_all(call), name="interlock-session-writer"),
                loop.create_task(
                    self._beat(call, interval, time_to_live), name="interlock-heartbeats"
                ),
            ]
            await self._read_all(call)
        except aio.AioRpcError as error:
            raise from_rpc(error) from error
        finally:
            call.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _shake_hands(self, call: Any) -> Welcome:
        try:
            async with asyncio.timeout(_WELCOME_TIMEOUT_SECONDS):
                await self._write(call, SessionRequest(hello=self._hello))
                response = await _read(call)
        except TimeoutError:
            raise Unavailable("expected a Welcome, but the server says nothing") from None
        if response is None or response.WhichOneof("message") != "welcome":
            raise Unavailable("expected a Welcome, but the server ended the session")
        welcome = response.welcome
        self._hear_refusals(welcome.refused)  # of batches whose acknowledgement was lost
        if not self._outbox.start_over(welcome.last_sequence):
            raise SequenceLost
        self.epoch = welcome.epoch
        self._executions.judge(welcome.verdicts)
        self._welcomed(welcome)
        self._wake.set()
        return welcome

    async def _read_all(self, call: Any) -> None:
        loop = asyncio.get_running_loop()
        while (response := await _read(call)) is not None:
            self._heard_at = loop.time()
            match response.WhichOneof("message"):
                case "offers":
                    self._executions.take(response.offers.offers)
                case "report_ack":
                    self._hear_ack(response.report_ack)
                case "orders":
                    self._acks += self._executions.obey(response.orders.orders)
                case "heartbeat_ack":
                    self._acks += self._executions.obey(response.heartbeat_ack.orders)
                case "going_away":
                    return
            if self._acks:
                self._wake.set()

    def _hear_ack(self, ack: ReportAck) -> None:
        self._hear_refusals(ack.refused)
        self._outbox.acknowledge(ack.sequence)

    def _hear_refusals(self, refused: Iterable[RefusedReport]) -> None:
        for report in refused:
            batch = self._outbox.find(report.sequence)
            if batch is not None and report.index < len(batch.jobs):
                self._executions.hear_refusal(
                    batch.jobs[report.index],
                    batch.fences[report.index],
                    batch.kinds[report.index],
                    report.refusal,
                )

    async def _write_all(self, call: Any) -> None:
        # A stream that broke is the reader's to tell; the writer only stops.
        with suppress(aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await self._wake.wait()
                self._wake.clear()
                # Handlers that were just started get their first turn, and those that are over
                # after it are reported in the message that says they started.
                for _ in range(2):
                    await asyncio.sleep(0)
                while (message := self._next_message()) is not None:
                    await self._write(call, message)
                if self._goodbye is not None:
                    await self._write(call, SessionRequest(goodbye=self._goodbye))
                    self.said_goodbye = True
                    await call.done_writing()
                    return

    async def _write(self, call: Any, message: SessionRequest) -> None:
        await call.write(message)

    def _next_message(self) -> SessionRequest | None:
        if self._acks:
            acks, self._acks = self._acks, []
            return SessionRequest(order_acks=OrderAcks(acks=acks))
        if self._drain_is_due:
            self._drain_is_due = False
            return SessionRequest(drain=Drain())
        if self._beat_is_due:
            self._beat_is_due = False
            return SessionRequest(heartbeat=Heartbeat())
        return self._outbox.next_message()

    async def _beat(self, call: Any, interval: float, time_to_live: float) -> None:
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        pause = max(interval, _INTERVAL_MIN_SECONDS) / _BEATS_PER_INTERVAL
        patience = max(time_to_live, pause * 2)
        while True:
            await asyncio.sleep(pause)
            if loop.time() - self._heard_at > patience:
                _LOG.warning("nothing was heard of the server for %.1f s; reconnecting", patience)
                call.cancel()
                return
            self._beat_is_due = True
            self._wake.set()


async def _read(call: Any) -> SessionResponse | None:
    """Return the next message; None if the stream has ended well."""
    try:
        response = await call.read()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Unavailable("expected an open session, but it was cut off") from None
    return None if response is aio.EOF else response
