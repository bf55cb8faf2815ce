"""A mixed load for a long time: is the server as fast at the end, and as small?

Reports and whole lives at a steady rate, single calls as fast as they go, readers of lists and
histories, and watchers of everything. A line for each interval; at the end the slopes of what
should be flat. The first third is left out of them: caches with a bound fill up meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import DURABILITY, Bench, CaseFailed, Place, ask, put_definition
from benchmarks.calling import waiting_jobs
from benchmarks.latency import Latency
from benchmarks.living import definition_of, living_load
from benchmarks.machine import Neighbours, machine, sync_cost_ms, versions
from benchmarks.own_server import cpu_seconds, resident_bytes
from benchmarks.reporting import task, watchers_of
from benchmarks.slope import Slope
from interlock import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.load_process import LoadProcess
    from benchmarks.own_server import OwnServer

RESULTS: Final = Path(__file__).parent / "results" / "long.json"
REPORTS_PER_SECOND: Final = 20_000
LIVES_PER_SECOND: Final = 500
CALLERS: Final = 16
WATCHERS: Final = 5
BATCH: Final = 100
LIFECYCLE: Final = "redwood"
INTERRUPTED: Final = 130
#: What has to be flat.
FLAT: Final = ("changes_per_s", "calls_per_s", "rss_mib")


class Load:
    """All that works on one server."""

    def __init__(self, server: OwnServer, processes: dict[str, LoadProcess]) -> None:
        self.server = server
        self._processes = processes
        self._seen = 0

    async def run(self, seconds: float) -> dict[str, Any]:
        """Work for so long; returns what was done and how the server is then."""
        server, load = self.server, self._processes
        async with connect(server.address) as interlock:
            before = await interlock.server_status()
            began, used = time.monotonic(), cpu_seconds(server.pid)
            orders: dict[str, dict[str, float]] = {
                "reports": {"rate": REPORTS_PER_SECOND},
                "lives": {"rate": LIVES_PER_SECOND},
                "calls": {},
                "reader": {},
            }
            answers = await asyncio.gather(
                *(ask(load[name], seconds=seconds, **order) for name, order in orders.items())
            )
            done = dict(zip(orders, answers, strict=True))
            took, used = time.monotonic() - began, cpu_seconds(server.pid) - used
            after = await interlock.server_status()
        changes = after.revision - before.revision
        seen = (await ask(load["watchers"], until=after.revision))["events"]
        if seen - self._seen != changes * WATCHERS:
            raise CaseFailed(
                f"{changes} changes went to {WATCHERS} watchers, "
                f"but they received {seen - self._seen}"
            )
        self._seen = seen
        return {
            "changes_per_s": round(changes / took),
            "calls_per_s": round(done["calls"]["calls"] / took),
            "report_p99_ms": round(Latency.of([done["reports"]["latency"]]).ms(99), 2),
            "read_p99_ms": round(Latency.of([done["reader"]["latency"]]).ms(99), 2),
            "rss_mib": round(resident_bytes(server.pid) / 2**20, 1),
            "wal_mib": round(after.wal_bytes / 2**20, 1),
            "journal_mib": round(after.journal_bytes / 2**20, 1),
            "processor": round(used / took, 2),
            "live_jobs": after.live_jobs,
            "archived_jobs": after.archived_jobs,
        }


async def load_of(bench: Bench) -> Load:
    """Start a server and all that works on it."""
    server = await bench.server()
    await put_definition(server, "reported")
    await put_definition(server, definition_of(LIFECYCLE), LIFECYCLE)
    jobs = await waiting_jobs(server, CALLERS)
    at = {"address": server.address}
    processes = {
        "calls": await bench.load("loads.gathered", **at, jobs=jobs),
        "reports": await bench.load("loads.reports", **at, definition="reported", **task(BATCH)),
        "lives": await living_load(bench, server.address, LIFECYCLE),
        "reader": await bench.load("loads.reader", **at),
    }
    (processes["watchers"],) = await watchers_of(bench, server, WATCHERS)
    return Load(server, processes)


async def measure(place: Place, minutes: float, interval: float) -> list[dict[str, Any]]:
    """Work for so many minutes; returns what was seen in each interval."""
    found: list[dict[str, Any]] = []
    async with Bench(place) as bench:
        load = await load_of(bench)
        began = time.monotonic()
        while time.monotonic() - began < 60 * minutes:
            seen = await load.run(interval)
            found.append({"minute": round((time.monotonic() - began) / 60, 2), **seen})
            print(line(found[-1]), flush=True)
    return found


def line(seen: dict[str, Any]) -> str:
    """Write an interval for people."""
    return (
        f"{seen['minute']:6.2f} min  {seen['changes_per_s']:>8,} changes/s  "
        f"{seen['calls_per_s']:>7,} calls/s  reports p99 {seen['report_p99_ms']:>7,.1f} ms  "
        f"reads p99 {seen['read_p99_ms']:>7,.1f} ms  RSS {seen['rss_mib']:>7,.1f} MiB  "
        f"WAL {seen['wal_mib']:>6,.1f} MiB  processor {seen['processor']:.0%}"
    )


def slopes(minutes: Sequence[dict[str, Any]]) -> dict[str, Slope]:
    """Fit a line through what should be flat, without the first third."""
    later = minutes[len(minutes) // 3 :]
    at = [each["minute"] / 60 for each in later]
    return {name: Slope.fit(at, [each[name] for each in later]) for name in FLAT}


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.long_run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="(%(default)g)")
    parser.add_argument("--interval", type=float, default=60.0, help="seconds (%(default)g)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to write (%(default)s)")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.interval <= 60 * arguments.minutes:
        parser.error("expected minutes of more than 0, and an interval that fits in")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Work, print and write; returns the exit code."""
    arguments = _arguments(argv)
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        folder, neighbours = Path(name), Neighbours()
        result: dict[str, Any] = {
            "machine": machine(folder),
            "versions": versions(),
            "durability": DURABILITY,
            "fdatasync_ms": sync_cost_ms(folder),
        }
        work = measure(Place(folder), arguments.minutes, arguments.interval)
        result["minutes"] = asyncio.run(work)
    found = slopes(result["minutes"])
    result |= {
        "processors_taken_by_others": neighbours.share(),
        "wal_mib_max": max(each["wal_mib"] for each in result["minutes"]),
        "slopes": {name: slope.told() for name, slope in found.items()},
    }
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    arguments.results.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, slope in found.items():
        print(f"{name}: {slope}")
    print(f"write-ahead log: at most {result['wal_mib_max']:g} MiB")
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(INTERRUPTED)
