"""Reports in batches of 1,000, with one watcher that receives every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.measurement import Measurement, Target, at_least
from benchmarks.peer_rounds import against_peers
from benchmarks.reporting import echoed_reports, our_reports
from benchmarks.rounds import Rival, Subject, alternate

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH: Final = 1_000
PEERS: Final[Mapping[str, Target | None]] = {
    "postgres-unnest-1000": at_least(3.5),
    "postgres-any-1000": None,
}


async def measure(place: Place) -> list[Measurement]:
    """Against an echo, then against what else is installed."""
    async with Bench(place) as bench:
        ours = await our_reports(bench, batch=BATCH)
        subject = Subject(f"reports, batches of {BATCH:,}, one watcher", "transitions/s", ours)
        echo = await echoed_reports(bench, await bench.bare(), batch=BATCH, echo="values")
        rival = Rival("bare echo: decodes and builds anew the same messages", echo)
        found = await alternate(place, subject, [rival])
        return found + await against_peers(place, [subject], PEERS)


CASE: Final = Case("reports-1000", "batches of 1,000, columns, one watcher", measure)
