"""A connection that was reset without grpc's noticing: a watch that waits on it is taken up again.

grpcio 1.74 and 1.76 on Linux can miss a reset that comes right behind a message; 1.85.3 did not,
what lies between was not tried. The kernel tells of both at once; grpc reads the message, is told
that no byte is left behind it (`TCP_INQ`), and waits for news that it has had already. Of busy
connections that a relay broke, about one in a hundred was left like that; of servers that were
killed, far fewer. A client that stands still until both have arrived misses most of the resets.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from interlock import Definition, connect
from tests.support.relay import Relay
from tests.support.sources import REPOSITORY
from tests.support.until import until

pytestmark = [pytest.mark.slow]

#: One of them notices the reset at times, by something that it has to write.
WATCHES = 8
#: The SDK finds a dead link within 30 s.
PATIENCE_S = 90


@asynccontextmanager
async def watching(address):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.watch_process", address, str(WATCHES)),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


def stop(process):
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


async def read(process, seen, revision):
    """Read until every watch has seen a revision."""
    while any(revisions[-1:] != [revision] for revisions in seen):
        number, found = map(int, (await process.stdout.readline()).split())
        seen[number].append(found)


async def test_watches_outlive_a_reset_that_came_with_their_last_change(server):
    seen: list[list[int]] = [[] for _ in range(WATCHES)]
    async with (
        asyncio.timeout(PATIENCE_S),
        connect(server.address) as user,
        Relay(server.address) as relay,
        watching(relay.address) as process,
    ):
        await user.put_definitions([Definition("Invoice", "uipath")])
        await user.submit("Invoice")
        await read(process, seen, 1)

        stop(process)
        await user.put_definitions([Definition("Receipt", "uipath")])
        await user.submit("Receipt")
        await until(lambda: relay.carried.count(b"Receipt") == WATCHES)
        await relay.reset()
        process.send_signal(signal.SIGCONT)
        await user.submit("Invoice")
        await read(process, seen, 3)

    assert seen == [[1, 2, 3]] * WATCHES
