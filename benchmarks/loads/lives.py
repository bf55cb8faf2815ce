"""A process that submits jobs through the SDK and watches them end.

As fast as a bounded number under way allows, or besides at a given rate.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from benchmarks import load_process
from interlock import InterlockError, connect

if TYPE_CHECKING:
    from interlock import Interlock


class Lives:
    """Jobs that are under way: at most so many at once, submitted in batches."""

    def __init__(self, interlock: Interlock, task: dict[str, Any]) -> None:
        self._interlock = interlock
        self._batch, self._window = task["batch"], task["window"]
        self._spec = {
            "definition": task["definition"],
            "parameters": {"run_s": 0, "outcome": "completed"},
        }
        self._under_way: set[int] = set()
        #: Jobs whose end was seen before the answer to their submission.
        self._early: set[int] = set()
        self._changed = asyncio.Event()

    async def live(self, ends: Any, until: float, rate: float | None) -> int:
        """Submit until an instant and see all jobs end; returns how many there were."""
        hearing = asyncio.create_task(self._hear(ends))
        due, jobs = time.monotonic(), 0
        try:
            while (now := time.monotonic()) < until or self._under_way:
                has_room = len(self._under_way) + self._batch <= self._window
                if now < until and has_room and (rate is None or now >= due):
                    await self._submit()
                    jobs += self._batch
                    due += self._batch / rate if rate else 0.0
                    continue
                self._changed.clear()
                waiting = asyncio.create_task(self._changed.wait())
                await asyncio.wait(
                    {waiting, hearing},
                    timeout=max(0.0, due - now) if rate and has_room and now < until else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()
                if hearing.done():
                    hearing.result()  # raises: a watch ends when it is closed, or because it failed
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        return jobs

    async def _submit(self) -> None:
        for answer in await self._interlock.submit_many([self._spec] * self._batch):
            if isinstance(answer, InterlockError):
                raise answer
            if answer.id in self._early:
                self._early.discard(answer.id)
            else:
                self._under_way.add(answer.id)

    async def _hear(self, ends: Any) -> None:
        async for changes in ends.batches():
            for change in changes:
                if change.job in self._under_way:
                    self._under_way.discard(change.job)
                else:
                    self._early.add(change.job)
            self._changed.set()


async def main() -> None:
    """Live for as long as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with connect(task["address"]) as interlock:
        load_process.say(ready=True)
        async for line in lines:
            lives = Lives(interlock, task)
            async with interlock.watch(states=["final"], definitions=[task["definition"]]) as ends:
                await ends.start()
                began, used = time.monotonic(), time.process_time()
                jobs = await lives.live(ends, began + line["seconds"], line.get("rate"))
                load_process.say(
                    jobs=jobs,
                    began=began,
                    ended=time.monotonic(),
                    cpu_s=time.process_time() - used,
                )


if __name__ == "__main__":
    load_process.run(main())
