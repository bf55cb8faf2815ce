"""Every test of rows has a server of its own, whose recovery is checked at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
