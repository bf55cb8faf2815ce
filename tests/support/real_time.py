"""Real time for tests of real processes, which have no other clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def pass_time(seconds: float) -> None:
    """Let real time pass while other tasks go on."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
    except TimeoutError:
        return


async def until(condition: Callable[[], bool], *, within: float, what: str) -> None:
    """Return once the condition holds; TimeoutError says what was waited for."""
    deadline = asyncio.get_running_loop().time() + within
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"expected within {within:g} s: {what}")
        await pass_time(0.01)


async def until_true(condition: Callable[[], Awaitable[bool]], *, within: float, what: str) -> None:
    """As `until`, for a condition that has to be asked for."""
    deadline = asyncio.get_running_loop().time() + within
    while not await condition():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"expected within {within:g} s: {what}")
        await pass_time(0.02)
