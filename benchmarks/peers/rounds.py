"""The half of a peer that is in its load process: try out what is fastest, then run rounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.load_process import say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class Load(Protocol):
    """What makes load on a peer, with a number of requests at once that is tried out."""

    async def prepare(self, at_once: int) -> None:
        """Be ready to run with so many requests at once; takes no time of a round."""

    async def run(self, seconds: float) -> int:
        """Make load for so long; returns how many items were done, all of them acknowledged."""

    async def count(self) -> int:
        """Return how many items the peer itself has counted in all."""

    async def describe(self) -> dict[str, str]:
        """Return its name and durability, as the running peer says them."""


async def serve(
    load: Load, lines: AsyncIterator[dict[str, Any]], *, choices: Sequence[int], trial: float
) -> None:
    """Say `ready` when the best of `choices` is found, then run a round for each line."""
    best = await fastest(load, choices, trial)
    await load.prepare(best)
    description = await load.describe()
    counted = await load.count()
    say(ready=True, **description)
    async for line in lines:
        began, used = time.monotonic(), time.process_time()
        items = await load.run(line["seconds"])
        seconds, cpu_s = time.monotonic() - began, time.process_time() - used
        before, counted = counted, await load.count()
        say(items=items, seconds=seconds, cpu_s=cpu_s, counted=counted - before)


async def fastest(load: Load, choices: Sequence[int], trial: float) -> int:
    """Return with how many requests at once the most was done, tried out twice each.

    Up and then down again, so that what gets warmer or busier meanwhile favours none.
    """
    if len(choices) == 1:
        await load.prepare(choices[0])
        await load.run(trial)  # to be warm all the same
        return choices[0]
    rates = dict.fromkeys(choices, 0.0)
    for choice in (*choices, *reversed(choices)):
        await load.prepare(choice)
        began = time.monotonic()
        items = await load.run(trial)
        rates[choice] += items / (time.monotonic() - began)
    return max(rates, key=lambda choice: rates[choice])
