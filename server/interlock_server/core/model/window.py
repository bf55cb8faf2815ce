"""A time window: when something may start (domain.md B7)."""

from __future__ import annotations

import msgspec


class WindowRestriction(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Days by a recurrence rule, and a span of the clock on each of them."""

    #: RFC 5545 rule that chooses days; "" for every day.
    rule: str = ""
    #: First day of the rule, and last, as ISO dates.
    start_date: str = ""
    end_date: str = ""
    #: Wall clock "HH:MM"; "" for 00:00 and 24:00. A close that is not after the opening is on the
    #: next day.
    opens: str = ""
    closes: str = ""


class WindowElement(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Open while all its restrictions are; without any, always."""

    restrictions: tuple[WindowRestriction, ...] = ()
    description: str = ""


class TimeWindow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a window: open while one of its elements is; without any, never."""

    name: str
    description: str = ""
    #: Beats the zone of whoever uses it; "" for theirs.
    time_zone: str = ""
    elements: tuple[WindowElement, ...] = ()
    #: Open only while that window is, too.
    enabled_during: str = ""
    #: Closed while that window is open.
    disabled_during: str = ""
    version: int = 0
    updated_ms: int = 0
