"""Load on PostgreSQL: jobs go from one status to another and back, each with a row of history.

One statement does it all, so a transition is one round trip and needs no explicit transaction. A
statement is prepared once on each connection; jobs are divided among the connections, so that none
waits for a lock of another.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import asyncpg

from benchmarks import load_process
from benchmarks.peers.postgres import form
from benchmarks.peers.postgres_settings import durability, server_name
from benchmarks.peers.rounds import serve

JOBS: Final = 10_000
CONNECTIONS: Final = (1, 2, 4, 8, 16, 32, 64)
_SCHEMA: Final = """
CREATE TABLE job (id int PRIMARY KEY, status smallint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE history (
    revision bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job int NOT NULL,
    from_status smallint NOT NULL,
    to_status smallint NOT NULL,
    time timestamptz NOT NULL DEFAULT now()
);
"""
_ONE: Final = """
WITH moved AS (
    UPDATE job SET status = $3 WHERE id = $1 AND status = $2 RETURNING id
)
INSERT INTO history (job, from_status, to_status) SELECT id, $2, $3 FROM moved
"""
_MANY: Final = """
WITH moved AS (
    UPDATE job SET status = wish.target
    FROM unnest($1::int[], $2::smallint[], $3::smallint[]) AS wish (id, expected, target)
    WHERE job.id = wish.id AND job.status = wish.expected
    RETURNING job.id, wish.expected, wish.target
)
INSERT INTO history (job, from_status, to_status) SELECT id, expected, target FROM moved
"""
_ALIKE: Final = """
WITH moved AS (
    UPDATE job SET status = $3 WHERE id = ANY ($1::int[]) AND status = $2 RETURNING id
)
INSERT INTO history (job, from_status, to_status) SELECT id, $2, $3 FROM moved
"""


class NotMoved(Exception):  # noqa: N818 - says what is
    """A statement moved fewer jobs than it had to."""


class PostgresLoad:
    """Connections to one server and what the jobs' statuses are by now."""

    def __init__(self, place: dict[str, Any], *, batch: int, alike: bool) -> None:
        self._place = place
        self._batch = batch
        self._alike = alike
        self._form = form(batch, alike=alike)
        self._sql = _ALIKE if alike else _ONE if batch == 1 else _MANY
        ids = range(1, JOBS + 1)
        self._batches = [list(ids[start : start + batch]) for start in range(0, JOBS, batch)]
        self._statuses = [0] * len(self._batches)
        self._connections: list[Any] = []
        self._statements: list[Any] = []
        self._at_once = 1

    @property
    def choices(self) -> list[int]:
        """Numbers of connections to try: not more than there are batches."""
        return [count for count in CONNECTIONS if count <= len(self._batches)]

    async def fill(self) -> None:
        """Make the tables and the jobs."""
        await self._connect(1)
        first = self._connections[0]
        await first.execute(_SCHEMA)
        await first.execute(
            "INSERT INTO job SELECT id, 0 FROM generate_series(1, $1::int) id", JOBS
        )
        await first.execute("VACUUM ANALYZE job")

    async def _connect(self, count: int) -> None:
        while len(self._connections) < count:
            self._connections.append(await asyncpg.connect(**self._place))

    async def prepare(self, at_once: int) -> None:
        """Have so many connections with the statement."""
        await self._connect(at_once)
        for connection in self._connections[len(self._statements) :]:
            self._statements.append(await connection.prepare(self._sql))
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        """Move jobs until the time is over; returns how many transitions were committed."""
        until = time.monotonic() + seconds
        moved = (self._move(until, number) for number in range(self._at_once))
        return sum(await asyncio.gather(*moved))

    async def _move(self, until: float, number: int) -> int:
        statement = self._statements[number]
        mine = range(number, len(self._batches), self._at_once)
        turns = position = 0
        while time.monotonic() < until:
            index = mine[position]
            await statement.fetch(*self._arguments(index))
            if statement.get_statusmsg() != f"INSERT 0 {self._batch}":
                raise NotMoved(f"expected {self._batch} moved, but {statement.get_statusmsg()}")
            self._statuses[index] = 1 - self._statuses[index]
            turns += 1
            position = (position + 1) % len(mine)
        return turns * self._batch

    def _arguments(self, index: int) -> tuple[Any, Any, Any]:
        ids, status = self._batches[index], self._statuses[index]
        if self._batch == 1:
            return ids[0], status, 1 - status
        if self._alike:
            return ids, status, 1 - status
        return ids, [status] * self._batch, [1 - status] * self._batch

    async def count(self) -> int:
        """Return how many rows the history has."""
        rows: int = await self._connections[0].fetchval("SELECT count(*) FROM history")
        return rows

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the server says them."""
        show = self._connections[0].fetchval
        connections = f"{self._at_once} connection{'s' * (self._at_once > 1)}"
        return {
            "name": f"{await server_name(show)} through asyncpg, {self._form}, {connections}",
            "durability": await durability(show),
        }


async def main() -> None:
    """Make the tables, find the best number of connections, then move jobs for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    place = {name: task[name] for name in ("host", "user", "database")}
    load = PostgresLoad(place, batch=task["batch"], alike=task["alike"])
    await load.fill()
    await serve(load, lines, choices=load.choices, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
