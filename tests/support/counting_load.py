"""A load on nothing: it says that it did three items a round and that so many were counted."""

from __future__ import annotations

from typing import Any

from benchmarks import load_process
from benchmarks.peers.rounds import serve


class CountingLoad:
    """Nothing is done; what is counted in each round is what the task says."""

    def __init__(self, counted_by_round: int) -> None:
        self._counted_by_round = counted_by_round
        self._rounds = 0
        self._at_once = 0

    async def prepare(self, at_once: int) -> None:
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        self._rounds += 1
        return 3

    async def count(self) -> int:
        return self._rounds * self._counted_by_round

    async def describe(self) -> dict[str, str]:
        return {"name": f"nothing 1.0, {self._at_once} at once", "durability": "none"}


async def main() -> None:
    lines = load_process.orders()
    task: dict[str, Any] = await anext(lines)
    await serve(CountingLoad(task["counted"]), lines, choices=[2], trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
