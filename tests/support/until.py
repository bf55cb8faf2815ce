"""Waits in tests for what other tasks of the same event loop bring about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


async def until(predicate: Callable[[], Any], *, seconds: float = 10) -> None:
    """Return once the predicate holds; the bound is for tests that would hang."""
    async with asyncio.timeout(seconds):
        while not predicate():  # noqa: ASYNC110 - nothing tells of every change of a fake
            await asyncio.sleep(0)
