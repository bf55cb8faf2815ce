"""A second server on the same data or the same address refuses to start, and says why."""

from __future__ import annotations

import pytest

from tests.crash.reading import verified
from tests.crash.scene import serving, submit
from tests.crash.server_process import ServerProcess

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

END_S = 15.0


async def ended(folder, **server):
    """Exit code and words of a server that cannot start."""
    second = ServerProcess(folder, **server)
    second.launch()
    try:
        code = await second.exited(within=END_S)
    finally:
        second.kill()
    return code, second.log


async def test_a_second_server_on_the_same_data_refuses_to_start(tmp_path, scoreboard):
    async with serving(tmp_path / "first") as (first, life):
        code, words = await ended(tmp_path / "second", data=first.data)

        assert code == 1
        assert f"expected {first.data} to be free, but another server uses it" in words
        assert f"process {first.pid}" in words
        assert "stop that one, or choose another data directory" in words
        assert "Traceback" not in words
        assert len(await submit(life, "redwood")) == 1
        assert await verified(life) == []
    scoreboard.count("two servers", same_data="refused")


async def test_a_second_server_on_the_same_address_refuses_to_start(tmp_path, scoreboard):
    async with serving(tmp_path / "first") as (first, life):
        port = int(first.address.rpartition(":")[2])

        code, words = await ended(tmp_path / "second", port=port)

        assert code == 1
        assert f"expected to serve on {first.address}, but it cannot be taken" in words
        assert "choose another address with --listen" in words
        assert "Traceback" not in words
        assert len(await submit(life, "redwood")) == 1
    scoreboard.count("two servers", same_address="refused")


async def test_data_of_a_server_that_was_killed_is_free_at_once(tmp_path):
    async with serving(tmp_path / "first") as (first, _):
        first.kill()

        second = ServerProcess(tmp_path / "second", data=first.data)
        try:
            await second.start()
        finally:
            second.kill()
