"""Reports in batches of 100 with a million live jobs and ten million revisions behind them."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.measurement import Measurement, at_least
from benchmarks.reporting import our_reports
from benchmarks.rounds import Rival, Subject, alternate
from benchmarks.site import long_lived

BATCH: Final = 100


async def measure(place: Place) -> list[Measurement]:
    """Against the same on an empty server."""
    site = await long_lived(place)
    async with Bench(place) as bench:
        old = await our_reports(bench, batch=BATCH, server=await bench.server(data=site.data))
        new = await our_reports(bench, batch=BATCH)
        subject = Subject(
            f"reports with {site.live_jobs:,} live jobs, {site.revision:,} revisions behind",
            "transitions/s",
            old,
        )
        rival = Rival("Interlock, an empty server", new, at_least(0.85), "full")
        return await alternate(place, subject, [rival])


CASE: Final = Case(
    "long-history", "as reports, with 1M live jobs and 10M revisions behind", measure
)
