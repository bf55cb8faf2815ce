"""Load on DBOS: threads run whole workflows that do nothing.

Calling a workflow is the shortest way: it is recorded before it runs and when it has ended. The
asynchronous forms are slower, because each step of them passes through a pool of threads.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Final

import sqlalchemy
from dbos import DBOS

from benchmarks import load_process
from benchmarks.peers.rounds import serve

THREADS: Final = (1, 2, 4)


@DBOS.workflow()  # type: ignore[untyped-decorator]
def nothing() -> None:
    """Do nothing, and be recorded all the same."""


class DbosLoad:
    """Threads that call the workflow, and the database that DBOS keeps."""

    def __init__(self, database: str) -> None:
        url = f"sqlite:///{database}"
        # A property of the file: commits are synced once instead of twice or more.
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        self._engine = sqlalchemy.create_engine(url)
        self._threads = ThreadPoolExecutor(max(THREADS))
        self._at_once = 1
        DBOS(config={"name": "peer", "system_database_url": url, "log_level": "WARNING"})

    async def prepare(self, at_once: int) -> None:
        """Call from so many threads."""
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        """Run workflows; returns how many ended."""
        until = time.monotonic() + seconds
        loop = asyncio.get_running_loop()
        calls = (
            loop.run_in_executor(self._threads, _call_until, until) for _ in range(self._at_once)
        )
        return sum(await asyncio.gather(*calls))

    async def count(self) -> int:
        """Return how many workflows are recorded as successful."""
        return int(self._ask("SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS'"))

    def _ask(self, statement: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sqlalchemy.text(statement)).scalar()

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the database says them."""
        threads = f"{self._at_once} thread{'s' * (self._at_once > 1)}"
        synchronous = {1: "NORMAL", 2: "FULL", 3: "EXTRA"}[self._ask("PRAGMA synchronous")]
        return {
            "name": f"DBOS {version('dbos')} on SQLite {sqlite3.sqlite_version}, {threads}",
            "durability": f"journal_mode={self._ask('PRAGMA journal_mode')}, "
            f"synchronous={synchronous}",
        }


def _call_until(until: float) -> int:
    calls = 0
    while time.monotonic() < until:
        nothing()
        calls += 1
    return calls


async def main() -> None:
    """Launch DBOS, find the best number of threads, then run workflows for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    load = DbosLoad(task["database"])
    DBOS.launch()
    try:
        await serve(load, lines, choices=THREADS, trial=task["trial_seconds"])
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    load_process.run(main())
