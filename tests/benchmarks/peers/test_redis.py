from __future__ import annotations

import pytest

from benchmarks.peers.redis import redis
from tests.support.peers import running


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "form"), [(1, "single"), (100, "batches of 100")])
async def test_transitions_are_as_many_as_the_stream_has(batch, form, tmp_path):
    async with running(redis(tmp_path, batch=batch, trial_seconds=0.02)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert rate.items % batch == 0
        assert f"through hiredis, {form}, " in peer.name
        assert peer.durability == "appendonly=yes, appendfsync=always"
    assert list(tmp_path.iterdir()) == []
