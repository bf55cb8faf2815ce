"""Workers of a job system inside of a load process, and a flow of jobs that keeps them busy."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

_LOOK_EVERY_SECONDS: Final = 0.001
_LOOK_AT_SERVER_SECONDS: Final = 0.005


class WorkerEnded(Exception):  # noqa: N818 - says what is
    """A worker ended that had to go on."""


class WorkerCrew:
    """Tasks that work until they are dismissed; the jobs they run count themselves in `ran`."""

    def __init__(self) -> None:
        self.ran = 0
        self._workers: list[asyncio.Task[Any]] = []

    def hire(self, workers: Sequence[Coroutine[Any, Any, Any]]) -> None:
        """Let these work too."""
        self._workers += map(asyncio.ensure_future, workers)

    async def dismiss(self) -> None:
        """End all of them."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()

    async def flow(
        self,
        seconds: float,
        submit: Callable[[int], Awaitable[Any]],
        unfinished: Callable[[], Awaitable[Any]],
        *,
        batch: int,
        under_way_max: int,
    ) -> int:
        """Submit in batches for so long, then wait until the server has nothing unfinished.

        Returns how many jobs were submitted. Never more than `under_way_max` are under way.
        """
        until = time.monotonic() + seconds
        submitted, ran_before = 0, self.ran
        while time.monotonic() < until:
            if submitted + batch - (self.ran - ran_before) <= under_way_max:
                await submit(batch)
                submitted += batch
            else:
                await self._wait(_LOOK_EVERY_SECONDS)
        while await unfinished():
            await self._wait(_LOOK_AT_SERVER_SECONDS)
        return submitted

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        for worker in self._workers:
            if worker.done():
                raise WorkerEnded("a worker has ended") from worker.exception()
