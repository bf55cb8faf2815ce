"""Load on Redis: jobs go from one status to another and back, each with an entry in the history.

A script looks at a job's hash, sets it and adds to a stream, for one job or a hundred. Redis makes
durable with one fsync whatever it has read at once, so many calls are in flight.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from benchmarks import load_process
from benchmarks.peers.redis import form
from benchmarks.peers.redis_connection import RedisConnection
from benchmarks.peers.rounds import serve

JOBS: Final = 10_000
IN_FLIGHT: Final = 64
#: One transition in each call: the calls in flight are spread over so many connections.
SINGLE_CONNECTIONS: Final = (1, 2, 4, 16, 64)
#: A batch in each call, and one call in flight on each connection.
BATCH_CONNECTIONS: Final = (1, 2, 4, 8, 16, 32)
#: KEYS: the history, then the jobs. ARGV: for each job its expected and its new status.
_SCRIPT: Final = """
local moved = 0
for number = 2, #KEYS do
  local job, expected, target = KEYS[number], ARGV[2 * number - 3], ARGV[2 * number - 2]
  if redis.call('HGET', job, 'status') == expected then
    redis.call('HSET', job, 'status', target)
    redis.call('XADD', KEYS[1], '*', 'job', job, 'from', expected, 'to', target)
    moved = moved + 1
  end
end
return moved
"""
_STATUSES: Final = (b"0", b"1")


class NotMoved(Exception):  # noqa: N818 - says what is
    """A call moved fewer jobs than it had to."""


class RedisLoad:
    """Connections to one server and what the jobs' statuses are by now."""

    def __init__(self, socket: str, *, batch: int) -> None:
        self._socket = socket
        self._batch = batch
        jobs = [f"job:{number}".encode() for number in range(JOBS)]
        self._batches = [jobs[start : start + batch] for start in range(0, JOBS, batch)]
        self._statuses = [0] * len(self._batches)
        self._connections: list[RedisConnection] = []
        self._script = b""
        self._at_once = 1

    @property
    def choices(self) -> tuple[int, ...]:
        """Numbers of connections to try."""
        return SINGLE_CONNECTIONS if self._batch == 1 else BATCH_CONNECTIONS

    async def fill(self) -> None:
        """Make the jobs and load the script."""
        await self._connect(1)
        for jobs in self._batches:
            await self._ask(*((b"HSET", job, b"status", _STATUSES[0]) for job in jobs))
        (self._script,) = await self._ask((b"SCRIPT", b"LOAD", _SCRIPT))

    async def _connect(self, count: int) -> None:
        while len(self._connections) < count:
            self._connections.append(await RedisConnection.open(self._socket))

    async def _ask(self, *calls: tuple[Any, ...]) -> list[Any]:
        return await self._connections[0].ask(calls)

    async def prepare(self, at_once: int) -> None:
        """Have so many connections."""
        await self._connect(at_once)
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        """Move jobs until the time is over; returns how many transitions were durable."""
        until = time.monotonic() + seconds
        moved = (self._move(until, number) for number in range(self._at_once))
        return sum(await asyncio.gather(*moved))

    async def _move(self, until: float, number: int) -> int:
        connection = self._connections[number]
        mine = range(number, len(self._batches), self._at_once)
        depth = self._depth()
        calls = position = 0
        while time.monotonic() < until:
            indexes = [mine[(position + step) % len(mine)] for step in range(depth)]
            answers = await connection.ask([self._call(index) for index in indexes])
            if answers != [self._batch] * depth:
                raise NotMoved(f"expected {self._batch} moved by each call, but {answers}")
            for index in indexes:
                self._statuses[index] = 1 - self._statuses[index]
            calls += depth
            position = (position + depth) % len(mine)
        return calls * self._batch

    def _depth(self) -> int:
        return IN_FLIGHT // self._at_once if self._batch == 1 else 1

    def _call(self, index: int) -> tuple[Any, ...]:
        jobs, status = self._batches[index], self._statuses[index]
        wishes = (_STATUSES[status], _STATUSES[1 - status]) * len(jobs)
        return (b"EVALSHA", self._script, len(jobs) + 1, b"history", *jobs, *wishes)

    async def count(self) -> int:
        """Return how many entries the history has."""
        (entries,) = await self._ask((b"XLEN", b"history"))
        return int(entries)

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the server says them."""
        information, *pairs = await self._ask(
            (b"INFO", b"server"),
            *((b"CONFIG", b"GET", name) for name in (b"appendonly", b"appendfsync")),
        )
        lines = dict(
            line.split(":", 1) for line in information.decode().splitlines() if ":" in line
        )
        flight = f"{self._at_once * self._depth()} in flight on {self._at_once} "
        return {
            "name": f"Redis {lines['redis_version']} through hiredis, {form(self._batch)}, "
            f"{flight}connection{'s' * (self._at_once > 1)}",
            "durability": ", ".join(f"{name.decode()}={value.decode()}" for name, value in pairs),
        }


async def main() -> None:
    """Make the jobs, find the best number of connections, then move jobs for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    load = RedisLoad(task["socket"], batch=task["batch"])
    await load.fill()
    await serve(load, lines, choices=load.choices, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
