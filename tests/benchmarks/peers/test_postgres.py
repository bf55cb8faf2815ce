from __future__ import annotations

import pytest

from benchmarks.peers.postgres import postgres
from tests.support.peers import running


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "form"), [(1, "single"), (100, "UNNEST 100"), (1_000, "UNNEST 1,000")]
)
async def test_transitions_are_as_many_as_the_history_has(batch, form, tmp_path):
    async with running(postgres(tmp_path, batch=batch, trial_seconds=0.02)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert rate.items % batch == 0
        assert f"through asyncpg, {form}, " in peer.name
        assert "fsync=on, synchronous_commit=on" in peer.durability
    assert list(tmp_path.iterdir()) == []
