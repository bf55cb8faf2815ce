"""Time windows that tests use, around the morning at which the manual clock stands."""

from __future__ import annotations

from typing import Any

from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def daily(name: str, opens: str, closes: str, **fields: Any) -> TimeWindow:
    """Open every day between two times of the day."""
    restriction = WindowRestriction(opens=opens, closes=closes)
    return TimeWindow(name, elements=(WindowElement((restriction,)),), **fields)


def on_dates(name: str, *dates: str, opens: str = "", closes: str = "") -> TimeWindow:
    """Open on these days only."""
    restriction = WindowRestriction(dates=dates, opens=opens, closes=closes)
    return TimeWindow(name, elements=(WindowElement((restriction,)),))


def always(name: str) -> TimeWindow:
    """Open at any time."""
    return TimeWindow(name, elements=(WindowElement(),))


def never(name: str) -> TimeWindow:
    """Open at no time."""
    return TimeWindow(name)
