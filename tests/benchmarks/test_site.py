from __future__ import annotations

import pytest

from benchmarks.bench import Bench, Place, put_definition
from benchmarks.site import Tail, compact, large, submit, tail_of
from interlock_server.config import Config

CONFIG = Config(
    snapshot_every_commits=100, snapshot_every_changes=10_000, snapshot_every_bytes=1_000
)


@pytest.mark.parametrize(
    ("tail", "share"),
    [
        (Tail(50, 0, 100), 0.5),
        (Tail(10, 0, 900), 0.9),
        (Tail(10, 7_600, 500), 0.8),
        (Tail(0, 0, 0), 0.0),
    ],
)
def test_a_tail_is_as_full_as_what_makes_a_snapshot_due_first(tail, share):
    assert tail.share(CONFIG) == share


@pytest.mark.slow
async def test_a_tail_is_what_came_after_the_newest_snapshot(tmp_path):
    async with Bench(Place(tmp_path)) as bench:
        server = await bench.server()
        await put_definition(server, "idle")
        await submit(server, "idle", 500)
        before = tail_of(server.data)
        await compact(server)
        after = tail_of(server.data)

    assert before.commits > 0
    assert before.changes == 3 * 500
    assert before.bytes > 500
    assert after == Tail(0, 0, 0)


@pytest.mark.slow
async def test_a_site_is_made_once(tmp_path):
    place = Place(tmp_path, scale=0.001)

    made = await large(place)
    again = await large(place)

    assert made == again
    assert made.live_jobs == 10_000
