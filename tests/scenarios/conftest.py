"""Every scenario has a server of its own, whose recovery is checked when the story is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.live_partition import LivePartition
from tests.support.served_partition import ServedPartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[ServedPartition]:
    """A partition with a definition of each lifecycle, over gRPC."""
    served = await ServedPartition.serve(tmp_path)
    try:
        await served.define_both()
        yield served
        await served.check_recovery()
    finally:
        await served.close()


@pytest.fixture
async def in_process() -> AsyncIterator[LivePartition]:
    """The same without gRPC, for stories that need a journal that can be held back."""
    partition = await LivePartition.start()
    await partition.define_both()
    yield partition
    await partition.check_recovery()
    await partition.close()
