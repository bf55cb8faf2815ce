"""PostgreSQL as a keeper of job states: a checked UPDATE and an ordered history, in one statement.

Forms: one transition in each statement, and 100 or 1,000 in one through UNNEST.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.postgres_server import postgres_server

if TYPE_CHECKING:
    from pathlib import Path


def postgres(folder: Path, *, batch: int, **more: Any) -> MeasuredPeer:
    """Return the peer that moves `batch` jobs in each statement."""
    return MeasuredPeer(
        name=f"PostgreSQL through asyncpg, {form(batch)}",
        unit="transitions/s",
        durability="fsync and synchronous_commit are on",
        load="benchmarks.peers.postgres_load",
        packages=("asyncpg",),
        server=partial(postgres_server, folder),
        task={"batch": batch},
        **more,
    )


def form(batch: int) -> str:
    """Say how many transitions are in a statement."""
    return "single" if batch == 1 else f"UNNEST {batch:,}"
