"""Procrastinate: a queue of jobs in PostgreSQL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.postgres_server import postgres_server

if TYPE_CHECKING:
    from pathlib import Path


def procrastinate(folder: Path, trial_seconds: float = 0.5) -> MeasuredPeer:
    """Return the peer that lets jobs live."""
    return MeasuredPeer(
        name="Procrastinate on PostgreSQL",
        unit="jobs/s",
        durability="fsync and synchronous_commit are on",
        load="benchmarks.peers.procrastinate_load",
        packages=("procrastinate", "psycopg"),
        programs=("initdb", "postgres"),
        server=partial(postgres_server, folder),
        trial_seconds=trial_seconds,
    )
