"""A process with some watchers of a replay. Each holds every change to the promises of a watch."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks import load_process
from benchmarks.verdict import Verdict
from interlock import connect

if TYPE_CHECKING:
    from interlock import Change, Interlock


class Watcher:
    """One watcher, from a revision until it was told where to end."""

    def __init__(self, start: int) -> None:
        self.verdict = Verdict(start)
        self.until: int | None = None
        #: How many changes were seen so many milliseconds after they were decided.
        self.delays: Counter[int] = Counter()

    async def watch(self, interlock: Interlock) -> None:
        """Read until the last revision was seen."""
        async with interlock.watch(from_revision=self.verdict.start) as watch:
            async for changes in watch.batches():
                self._measure(changes)
                self.verdict.read(changes)
                self.verdict.resumes = watch.resumes
                if self.is_done():
                    return

    def is_done(self) -> bool:
        """Whether it has seen what it was to see."""
        return self.until is not None and self.verdict.revision >= self.until

    def _measure(self, changes: list[Change]) -> None:
        now_ms = time.time() * 1_000
        instant, count = changes[0].time, 0
        for change in changes:
            if change.time is not instant:
                self._count(now_ms - instant.timestamp() * 1_000, count)
                instant, count = change.time, 0
            count += 1
        self._count(now_ms - instant.timestamp() * 1_000, count)

    def _count(self, delay_ms: float, count: int) -> None:
        self.delays[max(round(delay_ms), 0)] += count

    def result(self) -> dict[str, Any]:
        """What the process says of it at the end."""
        return {
            **self.verdict.as_mapping(),
            "revision": self.verdict.revision,
            "finals": self.verdict.finals,
            "violations": self.verdict.violations,
            "sentences": self.verdict.sentences,
            "delays": self.delays,
        }


async def main() -> None:
    """Watch until told where to end; say what was found, also when it was not found in time."""
    lines = load_process.orders()
    task = await anext(lines)
    watchers = [Watcher(task["from_revision"]) for _ in range(task["count"])]
    async with connect(task["address"], partition=task["partition"]) as interlock:
        reading = [asyncio.create_task(watcher.watch(interlock)) for watcher in watchers]
        load_process.say(ready=True)
        until = await anext(lines, None)
        if until is None:
            for task_ in reading:
                task_.cancel()
            return
        for watcher, each in zip(watchers, reading, strict=True):
            watcher.until = until["until"]
            if watcher.is_done():
                each.cancel()
        done, late = await asyncio.wait(reading, timeout=until["timeout"])
        for each in late:
            each.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        failures = [str(each.exception()) for each in done if _failed(each)]
        load_process.say(watchers=[watcher.result() for watcher in watchers], failures=failures)


def _failed(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is not None


if __name__ == "__main__":
    load_process.run(main())
