"""Locks: who gets them, and in which order (domain.md B5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlock_server.core.command import GrantLocks
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def grant(world: World, _turn: Turn, _command: GrantLocks) -> bool:
    """Give locks that were given back to those who wait for them; whether more is left."""
    world.lock_lines.dirty.clear()
    return False
