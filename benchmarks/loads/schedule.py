"""Batches that are sent at instants which stand before the first is sent (an open loop).

Each has its instant, whatever became of those before it, and its latency counts from there: a
server that stalls delays all that should have been sent meanwhile, and that is what is measured.
The timer that wakes the load has a resolution of a millisecond, which counts as latency too.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.latency import Latency

if TYPE_CHECKING:
    from benchmarks.loads.robot_stream import RobotStream


class Schedule:
    """A round of batches at a rate of reports per second, by turns on several streams."""

    def __init__(self, streams: list[RobotStream], rate: float) -> None:
        self._streams = streams
        self._interval = streams[0].batch / rate
        self.latency = Latency()

    async def run(self, began: float, until: float) -> int:
        """Send all that is due before an instant; returns how many reports were acknowledged."""
        waiting: list[deque[float]] = [deque() for _ in self._streams]
        for stream, instants in zip(self._streams, waiting, strict=True):
            stream.on_ack = partial(self._note, instants)
        reports = 0
        for number in range(max(1, round((until - began) / self._interval))):
            due = began + number * self._interval
            await asyncio.sleep(0)  # also when it is late acknowledgements have to be heard
            # Timers may fire a little early.
            while (left := due - time.monotonic()) > 0:  # noqa: ASYNC110 - for an instant
                await asyncio.sleep(left)
            index = number % len(self._streams)
            waiting[index].append(due)
            reports += await self._streams[index].send()
        for stream in self._streams:
            await stream.in_flight_below(1)
            stream.on_ack = None
        return reports

    def _note(self, instants: deque[float], batches: int) -> None:
        now = time.monotonic()
        for _ in range(batches):
            self.latency.record(now - instants.popleft())
