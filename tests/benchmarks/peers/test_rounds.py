from __future__ import annotations

from benchmarks.peers.rounds import fastest


class Load:
    """Does as many items as it is told for each number at once, and remembers what was tried."""

    def __init__(self, items: dict[int, int]) -> None:
        self._items = items
        self.tried: list[int] = []
        self._at_once = 0

    async def prepare(self, at_once: int) -> None:
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        self.tried.append(self._at_once)
        return self._items[self._at_once]

    async def count(self) -> int:
        return 0

    async def describe(self) -> dict[str, str]:
        return {}


async def test_the_concurrency_that_does_most_is_chosen():
    load = Load({1: 1, 2: 10_000_000, 4: 1})

    assert await fastest(load, [1, 2, 4], 0) == 2


async def test_each_concurrency_is_tried_on_the_way_up_and_on_the_way_down():
    load = Load({1: 1, 2: 2, 4: 4})

    await fastest(load, [1, 2, 4], 0)

    assert load.tried == [1, 2, 4, 4, 2, 1]


async def test_without_a_choice_it_is_only_warmed():
    load = Load({64: 1})

    assert await fastest(load, [64], 0) == 64
    assert load.tried == [64]
