"""Reports in batches as fast as they go, with 100 watchers that all receive every change."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import Bench, CaseFailed, Place, ask, put_definition
from benchmarks.case import Case
from benchmarks.measurement import Measurement
from benchmarks.own_server import cpu_seconds
from benchmarks.rate import Rate
from benchmarks.reporting import task

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.load_process import LoadProcess

BATCH: Final = 100
WATCHERS: Final = 100
PROCESSES: Final = 2


async def measure(place: Place) -> list[Measurement]:
    """Against a bare stream of the bytes that one of our watchers received in the same round."""
    found = Measurement(
        f"fan-out of reports to {WATCHERS} watchers",
        "changes received/s",
        "bare stream of the same bytes, nothing else to do",
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench")
        load = await bench.load(
            "loads.reports", address=server.address, definition="bench", **task(BATCH)
        )
        watching = [
            await bench.load(
                "loads.watch", address=server.address, count=WATCHERS // PROCESSES, bare=False
            )
            for _ in range(PROCESSES)
        ]
        bare = await bench.bare()
        done = await ask(load, seconds=place.warm_up_seconds)
        before = await _received(watching, done["revision"])
        for number in range(place.rounds):
            print(f"  {found.title}: round {number + 1} of {place.rounds}", file=sys.stderr)
            recording = place.folder / f"recording-{number}"
            await ask(watching[0], record=True)
            used = cpu_seconds(server.pid)
            done = await ask(load, seconds=place.seconds)
            seen = await _received(watching, done["revision"], recording)
            used = cpu_seconds(server.pid) - used
            received = seen["events"] - before["events"]
            if received != done["reports"] * WATCHERS:
                raise CaseFailed(
                    f"{done['reports']} changes went to {WATCHERS} watchers, "
                    f"but they received {received}"
                )
            before = seen
            ended = max(done["ended"], seen["at"])
            found.add_ours(Rate(received, ended - done["began"], used))
            found.add_theirs(await bare_fan_out(place, bare, recording, done["revision"], received))
            recording.unlink()
    return [found]


async def _received(
    watching: list[LoadProcess], revision: int, recording: Path | None = None
) -> dict[str, Any]:
    first, *others = watching
    more = {} if recording is None else {"recording": str(recording)}
    seen = await asyncio.gather(
        ask(first, until=revision, **more), *(ask(each, until=revision) for each in others)
    )
    return {
        "events": sum(each["events"] for each in seen),
        "at": max(each["at"] for each in seen),
    }


async def bare_fan_out(
    place: Place, bare: tuple[LoadProcess, str], recording: Path, last: int, received: int
) -> Rate:
    """Stream what a watcher of ours received to as many watchers of a bare server."""
    server, address = bare
    async with Bench(place) as bench:
        watching = [
            await bench.load("loads.watch", address=address, count=WATCHERS // PROCESSES, bare=True)
            for _ in range(PROCESSES)
        ]
        used = cpu_seconds(server.pid)
        began = await ask(server, recording=str(recording), watchers=WATCHERS)
        seen = await asyncio.gather(*(ask(each, until=last) for each in watching))
        used = cpu_seconds(server.pid) - used
    if sum(each["events"] for each in seen) != received:
        raise CaseFailed("the bare server's watchers did not receive what ours did")
    ended: float = max(each["at"] for each in seen)
    return Rate(received, ended - float(began["at"]), used)


CASE: Final = Case("fan-out", "as reports, with 100 watchers", measure, quick=True)
