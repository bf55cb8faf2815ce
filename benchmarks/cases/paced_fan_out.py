"""10,000 changes a second to 1, 100 and 1,000 watchers.

What the watchers change for who publishes is seen at that rate. How fast the changes can be
delivered is not, so the same changes are then read again by as many watchers at once, as fast as
they are sent, from ours and from a bare server that streams the same messages.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, CaseFailed, Place, ask
from benchmarks.case import Case
from benchmarks.latency import Latency
from benchmarks.measurement import Measurement, Target, at_least
from benchmarks.own_server import cpu_seconds
from benchmarks.rate import Rate
from benchmarks.reporting import our_reports, watchers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load_process import LoadProcess
    from benchmarks.reporting import OurReports, PacedRound

CHANGES_PER_SECOND: Final = 10_000
BATCH: Final = 100
WATCHERS: Final = (1, 100, 1_000)
#: Part of the rate that is still to be published, by watchers.
PUBLISHED: Final[Mapping[int, Target]] = {100: at_least(0.8)}
DELIVERED: Final = at_least(0.7)
#: Streams that are read in all, so that a few are not over at once.
STREAMS_MIN: Final = 200


@dataclass
class _Found:
    """What is found with one number of watchers."""

    watchers: int
    delivery: Measurement = field(init=False)
    publishing: Measurement = field(init=False)
    lag: list[Latency] = field(default_factory=list)
    received: int = 0

    def __post_init__(self) -> None:
        many = "watcher" if self.watchers == 1 else "watchers"
        words = f"{CHANGES_PER_SECOND:,} changes/s, {self.watchers:,} {many}"
        self.delivery = Measurement(
            f"{words}: the same changes as fast as they go",
            "changes received/s",
            "bare stream of the same messages",
            target=DELIVERED,
        )
        self.publishing = Measurement(
            f"{words}: publishing",
            "changes/s",
            "Interlock without watchers",
            ("full", "full"),
            PUBLISHED.get(self.watchers),
        )

    @property
    def processes(self) -> int:
        return min(2, self.watchers)

    def add_paced(self, alone: PacedRound, watched: PacedRound) -> None:
        self.publishing.add_theirs(alone.published)
        self.publishing.add_ours(watched.published)
        self.lag.append(watched.watched)
        self.received += watched.published.items * self.watchers

    def measurements(self) -> list[Measurement]:
        lag = Latency.of(each.encoded() for each in self.lag)
        self.publishing.note = (
            f"{self.received:,} of {self.received:,} changes received; decision to arrival "
            f"p50 {lag.ms(50):.1f} ms, p99 {lag.ms(99):.1f} ms"
        )
        return [self.publishing, self.delivery]


async def measure(place: Place) -> list[Measurement]:
    """Each round: without watchers, then with each number of them."""
    found = [_Found(max(1, int(count * place.scale))) for count in WATCHERS]
    async with Bench(place) as bench:
        server, bare = await bench.server(), await bench.bare()
        reports = await our_reports(bench, batch=BATCH, watchers=0, server=server)
        await reports.run(place.warm_up_seconds)
        for number in range(place.rounds):
            print(f"  fan-out: round {number + 1} of {place.rounds}", file=sys.stderr)
            alone = await reports.paced(place.seconds, CHANGES_PER_SECOND)
            for each in found:
                after = reports.revision
                each.add_paced(alone, await _watched(place, reports, each))
                await _deliver(place, reports, bare, each.delivery, each.watchers, after)
    return [measurement for each in found for measurement in each.measurements()]


async def _watched(place: Place, reports: OurReports, each: _Found) -> PacedRound:
    """Publish while watchers receive every change: otherwise it raises."""
    async with Bench(place) as bench:
        watching = await watchers_of(bench, reports.server, each.watchers, each.processes, lag=True)
        reports.watched_by(watching, each.watchers)
        paced = await reports.paced(place.seconds, CHANGES_PER_SECOND)
    reports.watched_by([], 0)
    return paced


async def _deliver(
    place: Place,
    reports: OurReports,
    bare: tuple[LoadProcess, str],
    delivery: Measurement,
    watchers: int,
    after: int,
) -> None:
    """Have the changes since a revision read by as many watchers, from ours and from a bare one."""
    recording = place.folder / "recording"
    span = {"after": after, "until": reports.revision}
    async with Bench(place) as bench:
        one = await bench.load(
            "loads.catch_up", address=reports.server.address, count=1, bare=False
        )
        await ask(one, **span, times=1, recording=str(recording))
    delivery.add_ours(
        await _caught_up(place, reports.server.pid, reports.server.address, watchers, span)
    )
    server, address = bare
    await ask(server, recording=str(recording))
    delivery.add_theirs(await _caught_up(place, server.pid, address, watchers, span, bare=True))


async def _caught_up(
    place: Place, pid: int, address: str, watchers: int, span: dict[str, int], *, bare: bool = False
) -> Rate:
    times = max(1, STREAMS_MIN // watchers)
    processes = min(2, watchers)
    async with Bench(place) as bench:
        task = {"address": address, "count": watchers // processes, "bare": bare}
        reading = [await bench.load("loads.catch_up", **task) for _ in range(processes)]
        used = cpu_seconds(pid)
        done = await asyncio.gather(*(ask(each, **span, times=times) for each in reading))
        used = cpu_seconds(pid) - used
    events = sum(each["events"] for each in done)
    expected = (span["until"] - span["after"]) * watchers * times
    if events != expected:
        raise CaseFailed(f"expected {expected} changes to be received, but there were {events}")
    began, ended = min(each["began"] for each in done), max(each["ended"] for each in done)
    return Rate(events, ended - began, used)


CASE: Final = Case("paced-fan-out", "10,000 changes/s to 1, 100 and 1,000 watchers", measure)
