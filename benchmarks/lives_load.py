"""A process that submits jobs through the SDK and watches them end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from benchmarks import load_process
from interlock import InterlockError, connect

if TYPE_CHECKING:
    from interlock import Interlock


async def _live(interlock: Interlock, ends: Any, task: dict[str, Any], jobs: int) -> None:
    """Submit so many jobs in batches, with a bounded number under way, and see all of them end."""
    batch, window = task["batch"], task["window"]
    under_way: set[int] = set()
    early: set[int] = set()
    changed = asyncio.Event()

    async def hear() -> None:
        async for changes in ends.batches():
            for change in changes:
                if change.job in under_way:
                    under_way.discard(change.job)
                else:
                    early.add(change.job)
            changed.set()

    hearing: asyncio.Task[Any] = asyncio.create_task(hear())
    spec = {"definition": task["definition"], "parameters": {"run_s": 0, "outcome": "completed"}}
    left = jobs
    try:
        while left or under_way:
            if left and len(under_way) + batch <= window:
                count = min(batch, left)
                left -= count
                answers = await interlock.submit_many([spec] * count)
                for answer in answers:
                    if isinstance(answer, InterlockError):
                        raise answer
                    if answer.id in early:
                        early.discard(answer.id)
                    else:
                        under_way.add(answer.id)
                continue
            changed.clear()
            waiting: asyncio.Task[Any] = asyncio.create_task(changed.wait())
            await asyncio.wait([waiting, hearing], return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                waiting.cancel()
                hearing.result()  # raises: a watch ends when it is closed, or because it failed
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def main() -> None:
    """Live as many lives as each line says; answers with times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with connect(task["address"]) as interlock:
        load_process.say(ready=True)
        async for line in lines:
            async with interlock.watch(states=["final"], definitions=[task["definition"]]) as ends:
                await ends.start()
                began = time.monotonic()
                await _live(interlock, ends, task, line["jobs"])
                load_process.say(began=began, ended=time.monotonic())


if __name__ == "__main__":
    load_process.run(main())
