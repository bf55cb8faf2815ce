"""A process that reads at a steady pace: a page of live jobs, one of ended ones, and a history."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from benchmarks import load_process
from benchmarks.latency import Latency
from interlock import connect

if TYPE_CHECKING:
    from interlock import Interlock

_TIMES_PER_SECOND: Final = 5
_PAGE: Final = 100


async def _read(interlock: Interlock, scope: str) -> int:
    """Read a page and the history of its newest job; returns how many jobs and entries."""
    jobs = []
    async for job in interlock.list(scope=scope, page_size=_PAGE):
        jobs.append(job.id)
        if len(jobs) == _PAGE:
            break
    return len(jobs) + (len(await interlock.history(jobs[0])) if jobs else 0)


async def main() -> None:
    """Read for as long as each line says; answers with how much, and how long one reading took."""
    lines = load_process.orders()
    task = await anext(lines)
    async with connect(task["address"]) as interlock:
        load_process.say(ready=True)
        async for line in lines:
            began, count, latency = time.monotonic(), 0, Latency()
            for number in range(max(1, round(line["seconds"] * _TIMES_PER_SECOND))):
                due = began + number / _TIMES_PER_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                count += await _read(interlock, "live" if number % 2 else "final")
                latency.record(time.monotonic() - due)
            load_process.say(read=count, latency=latency.encoded())


if __name__ == "__main__":
    load_process.run(main())
