"""What snapshots with compaction, and the archiving of jobs, do to the latency of reports."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, CaseFailed, Place, ask, put_definition
from benchmarks.case import Case
from benchmarks.cases.latency import half_of_peak
from benchmarks.measurement import Measurement, at_most
from benchmarks.reporting import our_reports
from benchmarks.site import compact, submit
from interlock import connect

if TYPE_CHECKING:
    from benchmarks.load_process import LoadProcess
    from benchmarks.own_server import OwnServer
    from benchmarks.reporting import OurReports

BATCH: Final = 100
LIVE_JOBS: Final = 100_000
PERCENTILE: Final = 99
NOT_TWICE: Final = at_most(2.0)


async def measure(place: Place) -> list[Measurement]:
    """Each round: with neither, with one snapshot after the other, with jobs that end."""
    jobs = place.scaled(LIVE_JOBS)
    snapshots = _measurement(f"snapshots and compaction with {jobs:,} live jobs")
    archiving = _measurement("jobs that end and are archived")
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "idle")
        await submit(server, "idle", jobs)
        reports = await our_reports(bench, batch=BATCH, watchers=0, server=server)
        churn = await bench.load("loads.churn", address=server.address, definition="idle")
        rate = await half_of_peak(reports, place)
        taken = ended = 0
        for number in range(place.rounds):
            print(f"  snapshots: round {number + 1} of {place.rounds}", file=sys.stderr)
            alone = await _late_ms(reports, place, rate)
            late, count = await asyncio.gather(
                _late_ms(reports, place, rate), _snapshots(server, place.seconds)
            )
            taken += count
            snapshots.ours.append(late)
            snapshots.theirs.append(alone)
            late, count = await asyncio.gather(
                _late_ms(reports, place, rate), _archived(server, churn, place.seconds)
            )
            ended += count
            archiving.ours.append(late)
            archiving.theirs.append(alone)
    words = f"at {rate:,.0f} reports/s, half of the peak"
    snapshots.note = f"{taken} snapshots {words}"
    archiving.note = f"{ended:,} jobs archived {words}"
    return [snapshots, archiving]


def _measurement(title: str) -> Measurement:
    return Measurement(
        f"{title}: instant of sending to acknowledgement, p{PERCENTILE}",
        "ms",
        "Interlock without",
        ("full", "full"),
        NOT_TWICE,
    )


async def _late_ms(reports: OurReports, place: Place, rate: float) -> float:
    return (await reports.paced(place.seconds, rate)).acknowledged.ms(PERCENTILE)


async def _snapshots(server: OwnServer, seconds: float) -> int:
    """Take snapshots, one after the other, for so long; returns how many."""
    loop = asyncio.get_running_loop()
    until, count = loop.time() + seconds, 0
    while loop.time() < until:
        await compact(server)
        count += 1
    return count


async def _archived(server: OwnServer, churn: LoadProcess, seconds: float) -> int:
    """Let jobs end for so long; returns how many, all of which have to be in the archive."""
    async with connect(server.address) as interlock:
        before = (await interlock.server_status()).archived_jobs
        ended: int = (await ask(churn, seconds=seconds))["jobs"]
        archived = (await interlock.server_status()).archived_jobs - before
    if archived != ended:
        raise CaseFailed(f"{ended} jobs ended, but {archived} were archived")
    return ended


CASE: Final = Case("snapshots", "latency while snapshots are taken and jobs archived", measure)
