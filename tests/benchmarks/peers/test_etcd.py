from __future__ import annotations

import pytest

from benchmarks.peers.etcd import etcd
from tests.support.peers import running


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "form"), [(1, "single"), (100, "transactions of 100")])
async def test_transitions_are_as_many_as_the_history_has(batch, form, tmp_path):
    async with running(etcd(tmp_path, batch=batch, trial_seconds=0.02)) as peer:
        rate = await peer.run(0.3)

        assert rate.items > 0
        assert rate.items % batch == 0
        assert f"through grpc.aio, {form}, " in peer.name
        assert peer.durability.startswith("fsync of the write-ahead log before each answer (")
    assert list(tmp_path.iterdir()) == []
