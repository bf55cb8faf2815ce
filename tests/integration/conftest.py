"""What the tests of whole servers share."""

from __future__ import annotations

import pytest

from tests.support.own_process import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server in a process of its own, for all tests of a module."""
    # Nobody's session may end because a module takes its time on a slow machine.
    flags = ("--durability", "off", "--session-ttl", "1h")
    with ServerProcess(tmp_path_factory.mktemp("server"), *flags) as server:
        yield server


@pytest.fixture(scope="module")
def channel(server):
    """A blocking channel to it."""
    with server.channel() as channel:
        yield channel
