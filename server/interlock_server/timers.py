"""Deadlines that are due become commands.

Changes nothing itself, and never decides what is due: the core does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from interlock_server.core.command import CleanUpTerminating, PassDeadlines
from interlock_server.core.vocabulary.actor import Actor

if TYPE_CHECKING:
    from interlock_server.clock import Clock
    from interlock_server.engine import Engine

#: A wall clock that is set forward is noticed within this time.
LOOK_EVERY_S: Final = 1.0


class Timers:
    """Watches the first deadline of a World, and the periodic clean-up."""

    def __init__(self, engine: Engine, clock: Clock, *, clean_up_period_ms: int) -> None:
        """Clean-ups are at whole multiples of the period since 1970, however often it starts."""
        self._engine = engine
        self._clock = clock
        self._period_ms = clean_up_period_ms
        self._last_clean_up = (
            -1
        )  # one that was due while the server was down is made up for at once
        self._poke = asyncio.Event()
        #: The deadline that `run` waits for; 0 for none, -1 while it does not wait.
        self._awaited_ms = -1

    def poke(self) -> None:
        """Look again if there is another first deadline; most commits bring none."""
        if self._engine.world.next_due_ms() != self._awaited_ms:
            self._poke.set()

    async def run(self) -> None:
        """Hand in what is due until cancelled."""
        while True:
            self._poke.clear()
            self._awaited_ms = -1
            await self.pass_due()
            self._awaited_ms = self._engine.world.next_due_ms()
            try:
                async with asyncio.timeout(self._wait_s()):
                    await self._poke.wait()
            except TimeoutError:
                continue

    async def pass_due(self) -> None:
        """Hand in everything that is due now, and wait until it is durable."""
        now_ms = self._clock.now_ms()
        while self._is_due(now_ms):
            await self._engine.request(PassDeadlines(), actor=Actor.CLOCK, author="deadline")
        if now_ms // self._period_ms > self._last_clean_up:
            self._last_clean_up = now_ms // self._period_ms
            await self._engine.request(CleanUpTerminating(), actor=Actor.CLOCK, author="clean-up")

    def _is_due(self, now_ms: int) -> bool:
        due_ms = self._engine.world.next_due_ms()
        return bool(due_ms) and due_ms <= now_ms

    def _wait_s(self) -> float:
        due_ms = self._engine.world.next_due_ms()
        if not due_ms:
            return LOOK_EVERY_S
        return min(LOOK_EVERY_S, max(0.0, (due_ms - self._clock.now_ms()) / 1000))
