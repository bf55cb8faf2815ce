"""A process of callers that share one connection of the SDK, which gathers their single calls.

Each holds and releases a job of its own, one transition in each call.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from benchmarks import load_process
from interlock import connect

if TYPE_CHECKING:
    from interlock import Interlock


async def _call_until(interlock: Interlock, job: int, until: float) -> int:
    calls = 0
    while time.monotonic() < until:
        await interlock.hold(job)
        await interlock.release(job)
        calls += 2
    return calls


async def main() -> None:
    """Call for as long as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with connect(task["address"]) as interlock:
        load_process.say(ready=True)
        async for line in lines:
            began, used = time.monotonic(), time.process_time()
            until = began + line["seconds"]
            calls = await asyncio.gather(
                *(_call_until(interlock, job, until) for job in task["jobs"])
            )
            load_process.say(
                calls=sum(calls),
                began=began,
                ended=time.monotonic(),
                cpu_s=time.process_time() - used,
            )


if __name__ == "__main__":
    load_process.run(main())
