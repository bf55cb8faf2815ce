"""PgQueuer: a queue of jobs in PostgreSQL, with a log of every change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.postgres_server import postgres_server

if TYPE_CHECKING:
    from pathlib import Path

#: What the log has of a job: queued, picked, successful.
CHANGES_OF_A_LIFE: Final = 3


def pgqueuer(folder: Path, *, unit: str = "jobs/s", trial_seconds: float = 0.5) -> MeasuredPeer:
    """Return the peer that lets jobs live: counted by job, or by changes in its log."""
    return MeasuredPeer(
        name="PgQueuer on PostgreSQL",
        unit=unit,
        durability="fsync and synchronous_commit are on",
        load="benchmarks.peers.pgqueuer_load",
        packages=("pgqueuer", "asyncpg"),
        programs=("initdb", "postgres"),
        server=partial(postgres_server, folder),
        task={"changes": unit == "changes/s"},
        trial_seconds=trial_seconds,
    )
