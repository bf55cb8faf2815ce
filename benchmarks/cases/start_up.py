"""From the start of the process to the first answer, after SIGKILL, with 100,000 live jobs."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench, Place, put_definition
from benchmarks.case import Case
from benchmarks.measurement import Measurement
from benchmarks.site import submit
from benchmarks.starting import bare_start, start_after_kill

LIVE_JOBS: Final = 100_000


async def measure(place: Place) -> list[Measurement]:
    """Against a bare server that reads the same bytes from disk before it serves."""
    jobs = place.scaled(LIVE_JOBS)
    found = Measurement(
        f"start-up with {jobs:,} live jobs",
        "s",
        "bare server that reads the same bytes from disk first",
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench")
        await submit(server, "bench", jobs)
        size = 0
        for _ in range(place.rounds):
            found.ours.append(await start_after_kill(server, jobs))
            theirs, size = await bare_start(server.data)
            found.theirs.append(theirs)
    found.note = f"{size / 1e6:.1f} MB on disk; a ratio above 1 is slower"
    return [found]


CASE: Final = Case("start-up", "after SIGKILL, with 100,000 live jobs", measure, quick=True)
