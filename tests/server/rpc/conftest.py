"""A server for each test, with the two usual definitions."""

from __future__ import annotations

import pytest

from tests.support.served import serve


@pytest.fixture
async def served(tmp_path):
    async with serve(tmp_path / "data") as served:
        await served.put_definitions()
        yield served
