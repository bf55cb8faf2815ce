"""PostgreSQL as a keeper of job states: a checked UPDATE and an ordered history, in one statement.

Forms: one transition in each statement; many in one through UNNEST, where each job has its own
expected and new status; many in one where these are the same for all, which is faster.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.postgres_server import postgres_server

if TYPE_CHECKING:
    from pathlib import Path


def postgres(folder: Path, *, batch: int, alike: bool = False, **more: Any) -> MeasuredPeer:
    """Return the peer that moves `batch` jobs in each statement; `alike` says the same of all."""
    return MeasuredPeer(
        name=f"PostgreSQL through asyncpg, {form(batch, alike=alike)}",
        unit="transitions/s",
        durability="fsync and synchronous_commit are on",
        load="benchmarks.peers.postgres_load",
        packages=("asyncpg",),
        programs=("initdb", "postgres"),
        server=partial(postgres_server, folder),
        task={"batch": batch, "alike": alike},
        **more,
    )


def form(batch: int, *, alike: bool) -> str:
    """Say how many transitions are in a statement, and how it names the jobs."""
    if batch == 1:
        return "single"
    return f"{'= ANY' if alike else 'UNNEST'} {batch:,}"
