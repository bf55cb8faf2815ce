"""From the start of the process to the first answer, after SIGKILL, with 100,000 live jobs."""

from __future__ import annotations

import time
from typing import Final

from benchmarks.bench import HEAR_SECONDS, Bench, CaseFailed, Place, put_definition
from benchmarks.case import Case
from benchmarks.load_process import LoadProcess
from benchmarks.measurement import Measurement
from interlock import connect

LIVE_JOBS: Final = 100_000
_SUBMIT_MAX: Final = 10_000


async def measure(place: Place) -> list[Measurement]:
    """Against a bare server that reads the same bytes from disk before it serves."""
    jobs = place.scaled(LIVE_JOBS, least=_SUBMIT_MAX)
    found = Measurement(
        f"start-up with {jobs:,} live jobs",
        "s",
        "bare server that reads the same bytes from disk first",
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench")
        async with connect(server.address) as interlock:
            for _ in range(jobs // _SUBMIT_MAX):
                await interlock.submit_many([{"definition": "bench", "count": _SUBMIT_MAX}])
        size = 0
        for _ in range(place.rounds):
            await server.kill()
            began = time.monotonic()
            await server.start()
            async with connect(server.address) as interlock:
                status = await interlock.server_status()
                found.ours.append(time.monotonic() - began)
            if status.live_jobs != jobs:
                raise CaseFailed(f"{jobs} jobs were acknowledged, but {status.live_jobs} came back")
            began = time.monotonic()
            async with LoadProcess("benchmarks.bare.server", {"read": str(server.data)}) as bare:
                answer = await bare.hear(timeout=HEAR_SECONDS)
                found.theirs.append(answer["at"] - began)
                size = answer["read"]
    found.note = f"{size / 1e6:.1f} MB on disk; a ratio above 1 is slower"
    return [found]


CASE: Final = Case("start-up", "after SIGKILL, with 100,000 live jobs", measure, quick=True)
