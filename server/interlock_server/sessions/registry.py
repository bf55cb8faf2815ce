"""The open sessions of a partition, and the silence of its robots."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from interlock_server.core import command as c
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.engine import EngineError
from interlock_server.sessions.outgoing import End, standing_orders
from interlock_server.sessions.stream import SessionStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlock_server.clock import Clock
    from interlock_server.core.turn import Effect
    from interlock_server.engine import Engine

#: The loop is late by this much: the machine slept or the process was stopped, and no robot is to
#: blame.
STALL_MS: Final = 2_000
#: How often silence is looked for.
LOOK_EVERY_S: Final = 1.0


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
        self._started_wall_ms = clock.now_ms()
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

    def silent_since_ms(self, robot: str) -> int:
        """Since when nothing was heard of an unresponsive robot; 0 if it is heard.

        A robot of which nothing was heard since the server started is silent since then.
        """
        if not self.is_unresponsive(robot):
            return 0
        return self._heard_wall_ms.get(robot, self._started_wall_ms)

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
