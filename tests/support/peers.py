"""Peers in tests: those that are not installed are skipped, with the reason."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from benchmarks.peers.protocol import NotInstalled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.peers.protocol import Peer


@asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[Peer]:
    """Run a peer for the block, or skip the test that needs it."""
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(peer)
        except NotInstalled as missing:
            pytest.skip(str(missing))
        yield peer
