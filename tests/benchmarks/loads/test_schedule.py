from __future__ import annotations

import time
from typing import Any

from benchmarks.loads.schedule import Schedule


class Stream:
    """A stream whose server acknowledges the first batches only after a stall."""

    batch = 100

    def __init__(self, *, stalls_for_s: float = 0.0) -> None:
        self.on_ack: Any = None
        self.unacknowledged = 0
        self.until = time.monotonic() + stalls_for_s

    async def send(self):
        self.unacknowledged += 1
        if time.monotonic() >= self.until:
            self.acknowledge()
        return self.batch

    def acknowledge(self):
        self.on_ack(self.unacknowledged)
        self.unacknowledged = 0

    async def in_flight_below(self, _count):
        if self.unacknowledged:
            self.acknowledge()


async def run(stream: Stream, *, seconds: float) -> tuple[int, Schedule]:
    schedule = Schedule([stream], rate=100_000)  # type: ignore[list-item]
    began = time.monotonic()
    return await schedule.run(began, began + seconds), schedule


async def test_as_many_batches_are_sent_as_are_due():
    reports, schedule = await run(Stream(), seconds=0.05)

    assert reports == 5_000
    assert len(schedule.latency) == 50


async def test_a_stall_counts_for_every_batch_that_was_due_meanwhile():
    _, schedule = await run(Stream(stalls_for_s=0.04), seconds=0.05)

    assert schedule.latency.ms(50) >= 10
