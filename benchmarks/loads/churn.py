"""A process that creates jobs and cancels them at a steady pace, so that they are archived."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from benchmarks import load_process
from interlock import InterlockError, connect

if TYPE_CHECKING:
    from interlock import Interlock

_JOBS: Final = 100
_TIMES_PER_SECOND: Final = 10


async def _end_some(interlock: Interlock, definition: str) -> int:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    new = {"definition": definition, "start_time": tomorrow}
    jobs = []
    for answer in await interlock.submit_many([new] * _JOBS):
        if isinstance(answer, InterlockError):
            raise answer
        jobs.append(answer.id)
    for outcome in await interlock.cancel(jobs):
        if outcome.refusal is not None:
            raise outcome.refusal
    return len(jobs)


async def main() -> None:
    """End jobs for as long as each line says; answers with how many."""
    lines = load_process.orders()
    task = await anext(lines)
    async with connect(task["address"]) as interlock:
        load_process.say(ready=True)
        async for line in lines:
            began, jobs = time.monotonic(), 0
            for number in range(max(1, round(line["seconds"] * _TIMES_PER_SECOND))):
                due = began + number / _TIMES_PER_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                jobs += await _end_some(interlock, task["definition"])
            load_process.say(jobs=jobs)


if __name__ == "__main__":
    load_process.run(main())
