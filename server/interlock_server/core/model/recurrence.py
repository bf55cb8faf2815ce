"""When something happens again and again (domain.md A8, B10)."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class RecurrenceKind(IntEnum):
    """How the instants are described."""

    #: Five fields of cron.
    CRON = 1
    #: An RRULE of RFC 5545, with its DTSTART.
    RULE = 2
    #: The same length of time from each to the next.
    INTERVAL = 3


class Recurrence(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A series of instants."""

    kind: RecurrenceKind
    #: The cron fields or the rule; empty for an interval.
    text: str = ""
    #: The zone of the wall clock that `text` means; empty for UTC.
    time_zone: str = ""
    interval_ms: int = 0
    #: Nothing before it; the first instant of an interval, and of a rule without DTSTART. 0 for no
    #: bound.
    start_ms: int = 0
    #: Nothing after it; 0 for no end.
    end_ms: int = 0
