from __future__ import annotations

import pytest

from benchmarks.peers.postgres import postgres
from tests.support.peers import running


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "alike", "form"),
    [(1, False, "single"), (100, False, "UNNEST 100"), (1_000, True, "= ANY 1,000")],
)
async def test_transitions_are_as_many_as_the_history_has(batch, alike, form, tmp_path):
    async with running(postgres(tmp_path, batch=batch, alike=alike, trial_seconds=0.02)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert rate.items % batch == 0
        assert f"through asyncpg, {form}, " in peer.name
        assert "fsync=on, synchronous_commit=on" in peer.durability
    assert list(tmp_path.iterdir()) == []
