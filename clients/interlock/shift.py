"""Shift: a robot at work, from its first connection until it was drained.

The connection may break and come back as often as it likes: what runs goes on running, what was
reported is sent until it is durable, and the server says on every return what is still the robot's.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from interlock.client import connect
from interlock.errors import InterlockError, InvalidArgument, NotFound, SessionSuperseded
from interlock.executions import Executions
from interlock.outbox import Outbox
from interlock.recorder import Recorder
from interlock.retry import Backoff
from interlock.session import SequenceLost, Session
from interlock.v1.robot_service_pb2 import Hello

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlock.action import JobHandler
    from interlock.connection import Connection
    from interlock.v1.robot_service_pb2 import Welcome

_LOG: Final = logging.getLogger("interlock.robot")
#: How long the last reports may take to become durable.
_FLUSH_SECONDS: Final = 5.0
#: How long what was recorded may take to be sent.
_RECORDINGS_SECONDS: Final = 60.0
_GOODBYE_SECONDS: Final = 2.0
_RECONNECT_FIRST_SECONDS: Final = 0.1
_RECONNECT_MAX_SECONDS: Final = 5.0
#: Refusals that another attempt would only repeat.
_HOPELESS_CODES: Final = frozenset({"UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED"})


@dataclass(frozen=True, slots=True)
class RobotProfile:
    """What a robot says of itself."""

    name: str
    host: str
    slots: int
    queues: Sequence[str]
    handlers: Mapping[str, JobHandler[..., Any]]
    server: str = ""
    resources: Sequence[str] = ()


class Shift:
    """One `Robot.run`."""

    def __init__(
        self, profile: RobotProfile, connection: Connection, *, grace_seconds: float
    ) -> None:
        self._profile = profile
        self._connection = connection
        self._grace_seconds = grace_seconds
        self._instance = secrets.token_hex(16)
        self._wake = asyncio.Event()
        self._told_to_leave = asyncio.Event()
        self._is_connected = asyncio.Event()
        self._session: Session | None = None
        self._leaving = False
        self._outbox = Outbox(self._wake.set)
        self._interlock = connect(
            connection.address,
            partition=connection.partition,
            user=profile.name,
            timeout=connection.timeout,
            options=connection.options,
        )
        self._recorder = Recorder(self._interlock, self._outbox, profile.name)
        self._executions = Executions(
            profile.handlers,
            slots=profile.slots,
            outbox=self._outbox,
            interlock=self._interlock,
            recorder=self._recorder,
        )

    @property
    def jobs(self) -> tuple[int, ...]:
        """Ids of the jobs that the robot has."""
        return self._executions.jobs

    async def connected(self) -> None:
        """Return once the server has let the robot in."""
        await self._is_connected.wait()

    def leave(self) -> None:
        """Take no new jobs, finish those in hand within the grace time, then end."""
        self._told_to_leave.set()

    async def work(self) -> None:
        """Work until told to leave. Raises if the server will not have this robot."""
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._stay_connected(), name="interlock-robot"),
            loop.create_task(self._leave_when_told(), name="interlock-robot-leave"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._executions.abandon()
            await self._recorder.abandon()
            await self._interlock.close()
            await self._connection.close()

    async def _stay_connected(self) -> None:
        backoff = Backoff(_RECONNECT_FIRST_SECONDS, _RECONNECT_MAX_SECONDS)
        while True:
            session = self._session = self._new_session()
            error: InterlockError | None = None
            try:
                await session.run()
            except SequenceLost as lost:
                _LOG.warning("%s", lost)
                self._instance = secrets.token_hex(16)
                self._outbox.renumber()
            except InterlockError as failure:
                error = failure
                if _is_hopeless(failure):
                    raise
                _LOG.info("the session ended, reconnecting: %s", failure)
            self._is_connected.clear()
            if session.said_goodbye:
                return
            if session.was_welcomed:
                backoff.reset()
            await asyncio.sleep(backoff.next_delay(error.retry_after if error else None))

    def _new_session(self) -> Session:
        profile = self._profile
        hello = Hello(
            partition=self._connection.partition,
            robot=profile.name,
            instance=self._instance,
            definitions=sorted(profile.handlers),
            queues=profile.queues,
            slots=profile.slots,
            running=self._executions.running(),
            host=profile.host,
            actions=True,
            server=profile.server,
            resources=profile.resources,
        )
        return Session(
            self._connection,
            hello=hello,
            outbox=self._outbox,
            executions=self._executions,
            wake=self._wake,
            welcomed=self._hear_welcome,
        )

    def _hear_welcome(self, welcome: Welcome) -> None:
        _LOG.info("connected to %s, epoch %d", self._connection.address, welcome.epoch)
        self._is_connected.set()
        if self._leaving and self._session is not None:
            self._session.drain()

    async def _leave_when_told(self) -> None:
        await self._told_to_leave.wait()
        self._leaving = True
        self._executions.refuses_offers = True
        if self._session is not None:
            self._session.drain()
        try:
            async with asyncio.timeout(self._grace_seconds):
                await self._executions.idle()
        except TimeoutError:
            _LOG.warning("jobs still run after the grace time: %s", self.jobs)
            await self._executions.abandon()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._outbox.drained()
        with suppress(TimeoutError):
            async with asyncio.timeout(_RECORDINGS_SECONDS):
                await self._recorder.done()
        await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.connected()
                assert self._session is not None, "who is connected has a session"
                self._session.say_goodbye("drained")
                # `work` ends as soon as the session does; this is for a server that lingers.
                await asyncio.Event().wait()


def _is_hopeless(error: Any) -> bool:
    fatal = isinstance(error, SessionSuperseded | InvalidArgument | NotFound)
    return fatal or error.reason in _HOPELESS_CODES
