from __future__ import annotations

import pytest

from benchmarks.bench import Bench, CaseFailed, Place, put_definition
from benchmarks.site import submit
from benchmarks.starting import bare_start, start_after_kill

pytestmark = pytest.mark.slow


async def test_a_server_that_lost_jobs_is_a_failure(tmp_path):
    async with Bench(Place(tmp_path)) as bench:
        server = await bench.server()
        await put_definition(server, "idle")
        await submit(server, "idle", 10)

        assert await start_after_kill(server, 10) > 0
        with pytest.raises(CaseFailed, match="11 jobs were acknowledged, but 10 came back"):
            await start_after_kill(server, 11)


async def test_a_bare_server_reads_every_byte_first(tmp_path):
    (tmp_path / "data").write_bytes(b"x" * 1_000)

    seconds, size = await bare_start(tmp_path)

    assert (seconds > 0, size) == (True, 1_000)
