"""DBOS: workflows whose states are kept in SQLite by a library, without a server."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers.measured_peer import MeasuredPeer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def dbos(folder: Path, trial_seconds: float = 0.5) -> MeasuredPeer:
    """Return the peer that runs workflows."""
    return MeasuredPeer(
        name="DBOS on SQLite",
        unit="jobs/s",
        durability="synchronous=FULL",
        load="benchmarks.peers.dbos_load",
        packages=("dbos",),
        server=partial(_database, folder),
        trial_seconds=trial_seconds,
    )


@asynccontextmanager
async def _database(parent: Path) -> AsyncIterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="dbos-", dir=parent) as folder:
        yield {"database": str(Path(folder) / "dbos.sqlite")}
