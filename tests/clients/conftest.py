"""What tests of the SDK share: a fake server and a connection to it."""

from __future__ import annotations

import pytest

from interlock import Robot, connect
from tests.support.fake_server import FakeServer


@pytest.fixture
async def server():
    async with FakeServer() as server:
        yield server


@pytest.fixture
async def interlock(server):
    async with connect(server.address, user="alice", timeout=5) as interlock:
        yield interlock


@pytest.fixture
def robot(server):
    return Robot(server.address, name="bot-7", slots=2, queues=["finance"], host="h1")
