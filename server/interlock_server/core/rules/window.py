"""Time windows: finding starts, and what a change of the calendar means (domain.md B7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlock_server.core.command import ReviewStarts
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def review(_world: World, turn: Turn, _command: ReviewStarts) -> bool:
    """Find starts anew for the next slice of jobs; whether more is left."""
    turn.review_starts("")
    return False
