"""Reports in batches of 100 with 20 watchers, beside the same with one."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.measurement import Measurement, at_least
from benchmarks.reporting import our_reports
from benchmarks.rounds import Rival, Subject, alternate

BATCH: Final = 100
WATCHERS: Final = 20


async def measure(place: Place) -> list[Measurement]:
    """Two servers of ours."""
    async with Bench(place) as bench:
        many = await our_reports(bench, batch=BATCH, watchers=WATCHERS)
        one = await our_reports(bench, batch=BATCH)
        subject = Subject(
            f"reports, batches of {BATCH}, {WATCHERS} watchers", "transitions/s", many
        )
        rival = Rival("Interlock with one watcher", one, at_least(0.7), "full")
        return await alternate(place, subject, [rival])


CASE: Final = Case("watchers-20", "as reports, with 20 watchers beside one", measure)
