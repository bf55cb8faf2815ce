"""When something recurs: cron text, a recurrence rule, or a fixed interval (domain.md B10, A8)."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class RecurrenceKind(IntEnum):
    """How the instants are given."""

    #: Five fields of cron.
    CRON = 1
    #: RFC 5545, its start in `start_ms`.
    RULE = 2
    #: Every `interval_ms` from `start_ms` on.
    INTERVAL = 3


class Recurrence(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """When something recurs."""

    kind: RecurrenceKind
    #: CRON and RULE.
    text: str = ""
    time_zone: str = "UTC"
    #: INTERVAL.
    interval_ms: int = 0
    start_ms: int = 0
    #: Nothing after this instant; 0 for no end.
    end_ms: int = 0
