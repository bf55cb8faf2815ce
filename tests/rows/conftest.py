"""Every scenario runs on a partition whose recovery is checked when the story is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.live_partition import LivePartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def live() -> AsyncIterator[LivePartition]:
    """A partition with a definition of each lifecycle."""
    partition = await LivePartition.start()
    await partition.define_both()
    yield partition
    await partition.check_recovery()
    await partition.close()
