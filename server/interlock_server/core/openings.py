"""The openings of time windows that jobs ask for.

Many jobs ask for the same opening, so the last one found for each question is kept until a window
changes. It is a memory of answers, not a state: without it the answers are the same, and slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.calendar import Opening, is_open, next_change, next_opening

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock_server.core.model.window import TimeWindow

#: A start further away than this is no start (domain.md C5).
NEVER_HORIZON_MS: Final = 2 * 366 * 24 * 3_600_000
#: An opening that lasts longer than this never closes, as far as we say.
CLOSING_HORIZON_MS: Final = 10 * NEVER_HORIZON_MS


class Openings:
    """Finds openings, and remembers the last one for each window, zone and shortest length."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._found: dict[tuple[str, str, int], tuple[int, Opening]] = {}

    def forget(self) -> None:
        """Windows have changed."""
        self._found.clear()

    def find(
        self,
        windows: Mapping[str, TimeWindow],
        name: str,
        zone: str,
        from_ms: int,
        min_open_ms: int,
    ) -> Opening | None:
        """Return the first opening from an instant on of at least a length; None for two years.

        It closes at 0 if it never does.
        """
        key = (name, zone, min_open_ms)
        known = self._found.get(key)
        if known is not None and known[0] <= from_ms <= known[1].closes_ms - max(min_open_ms, 1):
            return Opening(max(from_ms, known[1].opens_ms), known[1].closes_ms)
        until_ms = from_ms + NEVER_HORIZON_MS
        found = next_opening(
            windows, name, from_ms, min_open_ms=min_open_ms, until_ms=until_ms, zone=zone
        )
        if found is None:
            return None
        if found.closes_ms >= until_ms:  # where the search ended, not where the window closes
            found = found._replace(closes_ms=end_of_opening(windows, name, zone, found.opens_ms))
        if found.closes_ms:
            self._found[key] = from_ms, found
        return found


def end_of_opening(windows: Mapping[str, TimeWindow], name: str, zone: str, at_ms: int) -> int:
    """Return when a window that is open at an instant closes, 0 for never; -1 if it is closed."""
    if not is_open(windows, name, at_ms, zone):
        return -1
    for horizon_ms in (NEVER_HORIZON_MS, CLOSING_HORIZON_MS):
        closes_ms = next_change(windows, name, at_ms, until_ms=at_ms + horizon_ms, zone=zone)
        if closes_ms:
            return closes_ms
    return 0
