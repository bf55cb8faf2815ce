"""The processes of a replay: some with robots, some with watchers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from benchmarks.load_process import LoadProcess, ProcessEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

_READY_SECONDS: Final = 60.0


class Crew(Protocol):
    """Where they work, how many there are, and how fast time goes."""

    @property
    def address(self) -> str:
        """Of the server."""

    @property
    def partition(self) -> str:
        """To work in."""

    @property
    def robots(self) -> int:
        """How many."""

    @property
    def watchers(self) -> int:
        """How many."""

    @property
    def speed(self) -> float | None:
        """So many seconds take one; None for no waiting."""


def robot_names(crew: Crew, prefix: str) -> list[str]:
    """Names that no other run has."""
    return [f"{prefix}.robot-{number}" for number in range(1, crew.robots + 1)]


def robot_processes(
    crew: Crew, prefix: str, definitions: Sequence[str], slots: int
) -> list[LoadProcess]:
    """Processes whose robots run these definitions; none of them is started yet."""
    names = robot_names(crew, prefix)
    processes = []
    for count in _spread(crew.robots):
        mine, names = names[:count], names[count:]
        task = {
            "address": crew.address,
            "partition": crew.partition,
            "names": mine,
            "definitions": list(definitions),
            "slots": max(slots, 1),
            "speed": crew.speed,
        }
        processes.append(LoadProcess("benchmarks.replay_robots", task))
    return processes


def watcher_processes(crew: Crew, start: int) -> list[LoadProcess]:
    """Processes whose watchers begin after a revision; none of them is started yet."""
    return [
        LoadProcess(
            "benchmarks.replay_watchers",
            {
                "address": crew.address,
                "partition": crew.partition,
                "from_revision": start,
                "count": count,
            },
        )
        for count in _spread(crew.watchers)
    ]


def _spread(count: int) -> list[int]:
    """Spread so many over a few processes, at least two where there is more than one."""
    processes = min(count, max(os.cpu_count() or 1, 2))
    return [count // processes + (each < count % processes) for each in range(processes)]


async def all_ready(processes: Sequence[LoadProcess]) -> None:
    """Wait until each says that it works. Raises ProcessEnded if one does not."""
    for process in processes:
        try:
            await process.hear(timeout=_READY_SECONDS)
        except TimeoutError:
            raise ProcessEnded(f"expected {process.module} to begin, but it did not") from None
