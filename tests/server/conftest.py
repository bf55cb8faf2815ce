"""Fixtures of the server's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server import failpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def armed_failpoints() -> Iterator[Callable[[str], None]]:
    """Arms failpoints of this process until the test ends."""
    yield failpoints.arm
    failpoints.disarm()
