"""Load on PgQueuer: its workers run jobs that do nothing, from being enqueued to their last entry.

One process submits and works, with a connection for each worker and one to submit. A job is over
when it has left the queue's table for its log.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import asyncpg
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver

from benchmarks import load_process
from benchmarks.peers.pgqueuer import CHANGES_OF_A_LIFE
from benchmarks.peers.postgres_settings import durability, server_name
from benchmarks.peers.rounds import serve
from benchmarks.peers.worker_crew import WorkerCrew

WORKERS: Final = (1, 2, 4)
_TAKEN_AT_ONCE: Final = 500
_SUBMITTED_AT_ONCE: Final = 500
_UNDER_WAY_MAX: Final = 4_000
_ENTRYPOINT: Final = "nothing"


class PgQueuerLoad:
    """Workers on one server, and the connection that submits."""

    def __init__(self, place: dict[str, Any], *, changes: bool) -> None:
        self._place = place
        self._changes = changes
        self._crew = WorkerCrew()
        self._workers = 0
        self._connection: Any = None
        self._queries: Any = None

    async def install(self) -> None:
        """Make its tables."""
        self._connection = await asyncpg.connect(**self._place)
        self._queries = Queries(AsyncpgDriver(self._connection))
        await self._queries.install()

    async def prepare(self, at_once: int) -> None:
        """Have so many workers."""
        if at_once == self._workers:
            return
        await self._crew.dismiss()
        self._crew.hire([await self._worker() for _ in range(at_once)])
        self._workers = at_once

    async def _worker(self) -> Any:
        worker = PgQueuer.from_asyncpg_connection(await asyncpg.connect(**self._place))

        @worker.entrypoint(_ENTRYPOINT)  # type: ignore[untyped-decorator]
        async def nothing(_job: Any) -> None:
            self._crew.ran += 1

        return worker.run(batch_size=_TAKEN_AT_ONCE)

    async def run(self, seconds: float) -> int:
        """Let jobs live; returns how many, or what the log has to have of them."""
        jobs = await self._crew.flow(
            seconds,
            self._submit,
            self._unfinished,
            batch=_SUBMITTED_AT_ONCE,
            under_way_max=_UNDER_WAY_MAX,
        )
        return jobs * CHANGES_OF_A_LIFE if self._changes else jobs

    async def _submit(self, count: int) -> None:
        await self._queries.enqueue([_ENTRYPOINT] * count, [None] * count, [0] * count)

    async def _unfinished(self) -> bool:
        return bool(await self._connection.fetchval("SELECT EXISTS (SELECT FROM pgqueuer)"))

    async def count(self) -> int:
        """Return how many entries the log has: all, or those of jobs that ended well."""
        condition = "" if self._changes else " WHERE status = 'successful'"
        entries = await self._connection.fetchval(f"SELECT count(*) FROM pgqueuer_log{condition}")
        return int(entries)

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the server says them."""
        ask = self._connection.fetchval
        persistence = await ask("SELECT relpersistence FROM pg_class WHERE relname='pgqueuer_log'")
        workers = f"{self._workers} worker{'s' * (self._workers > 1)}"
        return {
            "name": f"PgQueuer {version('pgqueuer')} on {await server_name(ask)}, {workers}",
            "durability": f"{await durability(ask)}, "
            f"log {'durable' if persistence == b'p' else 'not durable'}",
        }


async def main() -> None:
    """Make the tables, find the best number of workers, then let jobs live for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    place = {name: task[name] for name in ("host", "user", "database")}
    load = PgQueuerLoad(place, changes=task["changes"])
    await load.install()
    await serve(load, lines, choices=WORKERS, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
