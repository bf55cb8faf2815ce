from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from benchmarks.load_process import ProcessEnded
from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.protocol import NotInstalled, WrongCount


class Server:
    """A server that only says whether it is there."""

    def __init__(self) -> None:
        self.runs = False

    @asynccontextmanager
    async def __call__(self):
        self.runs = True
        try:
            yield {}
        finally:
            self.runs = False


def peer(server, *, counted=3, load="tests.support.counting_load", packages=()):
    return MeasuredPeer(
        name="nothing",
        unit="jobs/s",
        durability="not known yet",
        load=load,
        packages=packages,
        server=server,
        task={"counted": counted},
        trial_seconds=0,
    )


async def test_a_running_peer_says_what_it_is_and_what_it_did():
    server = Server()

    async with peer(server) as nothing:
        rate = await nothing.run(0)

        assert server.runs
    assert (nothing.name, nothing.durability) == ("nothing 1.0, 2 at once", "none")
    assert rate.items == 3
    assert not server.runs


async def test_a_peer_that_counted_something_else_is_not_believed():
    server = Server()

    with pytest.raises(WrongCount, match="the load says 3 jobs, but the peer has counted 2"):
        async with peer(server, counted=2) as nothing:
            await nothing.run(0)

    assert not server.runs


async def test_a_load_that_fails_ends_the_server():
    server = Server()

    with pytest.raises(ProcessEnded, match="no_such_load"):
        async with peer(server, load="tests.support.no_such_load"):
            pass

    assert not server.runs


async def test_a_peer_without_its_packages_starts_nothing():
    server = Server()

    with pytest.raises(NotInstalled, match="no-such-package; `make bench-peers` installs it"):
        async with peer(server, packages=("no-such-package",)):
            pass

    assert not server.runs
