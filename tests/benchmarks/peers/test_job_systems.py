from __future__ import annotations

import pytest

from benchmarks.peers.dbos import dbos
from benchmarks.peers.pgqueuer import CHANGES_OF_A_LIFE, pgqueuer
from benchmarks.peers.prefect import prefect
from benchmarks.peers.procrastinate import procrastinate
from tests.support.peers import running

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("make", "name", "durability"),
    [
        (pgqueuer, "PgQueuer ", "synchronous_commit=on"),
        (procrastinate, "Procrastinate ", "synchronous_commit=on"),
        (dbos, "DBOS ", "journal_mode=wal, synchronous=FULL"),
        (prefect, "Prefect ", "a commit is not synced"),
    ],
)
async def test_jobs_are_as_many_as_the_system_has_finished(make, name, durability, tmp_path):
    async with running(make(tmp_path, trial_seconds=0.05)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert peer.name.startswith(name)
        assert durability in peer.durability
    assert list(tmp_path.iterdir()) == []


async def test_changes_are_as_many_as_the_log_has(tmp_path):
    async with running(pgqueuer(tmp_path, unit="changes/s", trial_seconds=0.05)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert rate.items % CHANGES_OF_A_LIFE == 0
