from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.bench import CaseFailed
from benchmarks.latency import Latency
from benchmarks.reporting import OurReports, task

SERVER: Any = SimpleNamespace(pid=os.getpid())


class Answers:
    """A process that gives these answers, one after the other."""

    module = "a load"

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.told: list[dict[str, Any]] = []

    async def tell(self, message):
        self.told.append(message)

    async def hear(self, *, timeout=None):
        return self.answers.pop(0)


def done(reports: int) -> dict[str, Any]:
    latency = Latency()
    latency.record(0.002, reports)
    return {
        "reports": reports,
        "began": 10.0,
        "ended": 12.0,
        "cpu_s": 0.1,
        "revision": 7,
        "latency": latency.encoded(),
    }


def seen(events: int, *, at: float = 11.0) -> dict[str, Any]:
    return {"events": events, "at": at, "lag": Latency().encoded()}


def reports(load: Any, *watching: Any, watchers: int = 1) -> OurReports:
    return OurReports(SERVER, load, list(watching), watchers)


async def test_the_clock_stops_when_the_last_change_has_arrived():
    rate = await reports(Answers(done(100)), Answers(seen(100, at=14.0))).run(2.0)

    assert (rate.items, rate.seconds) == (100, 4.0)


async def test_every_watcher_has_to_see_every_change_of_each_round():
    subject = reports(
        Answers(done(100), done(50)),
        Answers(seen(200), seen(300)),
        Answers(seen(0), seen(0)),
        watchers=2,
    )

    await subject.run(2.0)
    await subject.run(2.0)


@pytest.mark.parametrize("events", [99, 101])
async def test_a_change_too_few_or_too_many_is_a_failure(events):
    subject = reports(Answers(done(100)), Answers(seen(events)))

    with pytest.raises(CaseFailed, match=f"100 reports .* saw {events} changes"):
        await subject.run(2.0)


async def test_a_paced_round_says_how_late_it_was():
    load = Answers(done(100))

    paced = await reports(load, Answers(seen(100, at=14.0))).paced(2.0, 1_000)

    assert load.told == [{"seconds": 2.0, "rate": 1_000}]
    assert paced.published.seconds == 2.0
    assert paced.acknowledged.ms(50) == pytest.approx(2, rel=0.001)


@pytest.mark.parametrize(("batch", "window"), [(100, 16), (1_000, 4)])
def test_larger_batches_are_fewer_in_flight(batch, window):
    assert task(batch)["window"] == window
