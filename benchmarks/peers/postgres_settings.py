"""What a running PostgreSQL says of itself, whatever client asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    #: Runs a statement and returns its only value.
    Ask = Callable[[str], Awaitable[Any]]

_DURABILITY: Final = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")


async def durability(ask: Ask) -> str:
    """Return the settings that decide whether a commit survives."""
    return ", ".join([f"{name}={await ask(f'SHOW {name}')}" for name in _DURABILITY])


async def server_name(ask: Ask) -> str:
    """Return its name and version."""
    version = (await ask("SHOW server_version")).split()[0]
    return f"PostgreSQL {version}"
