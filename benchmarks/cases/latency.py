"""How late changes are at half of the peak: for the robot that reports, and for a watcher."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.latency import Latency
from benchmarks.machine import sync_cost_ms
from benchmarks.measurement import Measurement, Target, at_most
from benchmarks.reporting import our_reports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.reporting import OurReports, PacedRound

BATCH: Final = 100
#: What is measured: how it is called, and what is to be reached at each percentile.
WATCHED: Final = "decision to arrival at a watcher"
ACKNOWLEDGED: Final = "instant of sending to acknowledgement"
TARGETS: Final[Mapping[tuple[str, float], Target]] = {
    (WATCHED, 50): at_most(5.0, "ours"),
    (WATCHED, 99): at_most(10.0),
}
PERCENTILES: Final = (50, 99, 99.9)
_PEAK_ROUNDS: Final = 3


async def measure(place: Place) -> list[Measurement]:
    """Beside what the disk takes, at the 99th percentile, to make a write durable."""
    async with Bench(place) as bench:
        reports = await our_reports(bench, batch=BATCH, lag=True)
        rate = await half_of_peak(reports, place)
        rounds: list[PacedRound] = []
        disk: list[float] = []
        for number in range(place.rounds):
            print(f"  latency: round {number + 1} of {place.rounds}", file=sys.stderr)
            disk.append(sync_cost_ms(place.folder)["p99"])
            rounds.append(await reports.paced(place.seconds, rate))
    return [
        *_rows(WATCHED, [each.watched for each in rounds], disk, rate),
        *_rows(ACKNOWLEDGED, [each.acknowledged for each in rounds], disk, rate),
    ]


async def half_of_peak(reports: OurReports, place: Place) -> float:
    """Return half of what it does as fast as it goes."""
    await reports.run(place.warm_up_seconds)
    peaks = [await reports.run(place.seconds / 2) for _ in range(_PEAK_ROUNDS)]
    return median(peak.per_second for peak in peaks) / 2


def _rows(what: str, latencies: list[Latency], disk: list[float], rate: float) -> list[Measurement]:
    curve = Latency.of(each.encoded() for each in latencies).curve()
    return [
        Measurement(
            f"{what}, p{percentile:g}",
            "ms",
            "fdatasync of 4 KiB, p99",
            target=TARGETS.get((what, percentile)),
            ours=[each.ms(percentile) for each in latencies],
            theirs=disk,
            note=f"{rate:,.0f} reports/s in batches of {BATCH}, half of the peak",
            more={"series": what, "curve": curve} if percentile == PERCENTILES[0] else {},
        )
        for percentile in PERCENTILES
    ]


CASE: Final = Case("latency", "at half of the peak, sent by a schedule", measure)
