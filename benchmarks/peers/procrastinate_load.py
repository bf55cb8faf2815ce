"""Load on Procrastinate: its workers run tasks that do nothing, from being deferred to succeeded.

One process defers and works, with one pool of connections for all.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import procrastinate

from benchmarks import load_process
from benchmarks.peers.postgres_settings import durability, server_name
from benchmarks.peers.rounds import serve
from benchmarks.peers.worker_crew import WorkerCrew

WORKERS: Final = (1, 4, 8, 16)
_JOBS_OF_A_WORKER: Final = 10
_DEFERRED_AT_ONCE: Final = 100
_UNDER_WAY_MAX: Final = 200
_CONNECTIONS_MAX: Final = 40


class ProcrastinateLoad:
    """Workers on one server, and the task that they run."""

    def __init__(self, place: dict[str, Any]) -> None:
        self._connector = procrastinate.PsycopgConnector(
            kwargs={"host": place["host"], "user": place["user"], "dbname": place["database"]},
            max_size=_CONNECTIONS_MAX,
        )
        self._app = procrastinate.App(connector=self._connector)
        self._crew = WorkerCrew()
        self._workers = 0

        @self._app.task(name="nothing")  # type: ignore[untyped-decorator]
        async def nothing() -> None:
            self._crew.ran += 1

        self._task: Any = nothing

    async def install(self) -> None:
        """Connect and make its tables."""
        await self._app.open_async()
        await self._app.schema_manager.apply_schema_async()

    async def prepare(self, at_once: int) -> None:
        """Have so many workers."""
        if at_once == self._workers:
            return
        await self._crew.dismiss()
        self._crew.hire([self._worker() for _ in range(at_once)])
        self._workers = at_once

    def _worker(self) -> Any:
        return self._app.run_worker_async(
            concurrency=_JOBS_OF_A_WORKER, install_signal_handlers=False
        )

    async def run(self, seconds: float) -> int:
        """Let jobs live; returns how many."""
        return await self._crew.flow(
            seconds,
            self._defer,
            self._unfinished,
            batch=_DEFERRED_AT_ONCE,
            under_way_max=_UNDER_WAY_MAX,
        )

    async def _defer(self, count: int) -> None:
        await self._task.batch_defer_async(*({} for _ in range(count)))

    async def _unfinished(self) -> bool:
        return bool(
            await self._ask(
                "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
            )
        )

    async def count(self) -> int:
        """Return how many jobs the server has as succeeded."""
        return int(
            await self._ask("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'")
        )

    async def _ask(self, statement: str) -> Any:
        (value,) = (await self._connector.execute_query_one_async(statement)).values()
        return value

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the server says them."""
        of = version("procrastinate")
        workers = f"{self._workers} worker{'s' * (self._workers > 1)} of {_JOBS_OF_A_WORKER} jobs"
        return {
            "name": f"Procrastinate {of} on {await server_name(self._ask)}, {workers}",
            "durability": await durability(self._ask),
        }


async def main() -> None:
    """Make the tables, find the best number of workers, then let jobs live for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    load = ProcrastinateLoad(task)
    await load.install()
    await serve(load, lines, choices=WORKERS, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
