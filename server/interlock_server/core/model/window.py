"""When something may happen: time windows, by the wall clock of a zone (domain.md B7)."""

from __future__ import annotations

import msgspec


class WindowRestriction(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Some days, and the hours of each of them. Everything left empty restricts nothing.

    A night belongs to the day on which it opens.
    """

    #: Chooses days: the value of an RRULE of RFC 5545 (`FREQ=WEEKLY;BYDAY=MO,TU`); empty for every
    #: day.
    rule: str = ""
    #: The first day, as 2026-12-31; what the rule counts from. Empty for Monday, 1 January 1968.
    start_date: str = ""
    #: The last day; empty for no end.
    end_date: str = ""
    #: Local time as HH:MM; empty for the beginning of the day.
    opens: str = ""
    #: Local time as HH:MM; empty or 24:00 for the end of the day. Not later than `opens` means the
    #: next day.
    closes: str = ""
    #: These days, instead of a rule: holidays, days of an inventory.
    dates: tuple[str, ...] = ()


class WindowElement(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Open while all its restrictions are; without any, always."""

    restrictions: tuple[WindowRestriction, ...] = ()
    description: str = ""


class TimeWindow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a window: open while one of its elements is; without any, never."""

    name: str
    description: str = ""
    #: Beats the zone of whoever uses the window; empty for theirs.
    time_zone: str = ""
    elements: tuple[WindowElement, ...] = ()
    #: Another window: closed whenever that one is.
    enabled_during: str = ""
    #: Another window: closed whenever that one is open.
    disabled_during: str = ""
    version: int = 0
    updated_ms: int = 0
