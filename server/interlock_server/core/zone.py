"""Instants and the wall clocks of zones.

All arithmetic is in UTC milliseconds; a wall clock is a naive datetime and means an instant only
together with a zone. A clock that jumps shows some times never and others twice: what never shows
becomes the instant of the jump, and whoever asks says which of two they mean.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  # a wall clock in UTC
_MS: Final = timedelta(milliseconds=1)
#: Further than any clock has jumped, and nearer than two jumps have been.
_NEAR: Final = timedelta(hours=26)
_SECOND: Final = timedelta(seconds=1)
#: What depends on the machine, or counts leap seconds.
_REFUSED: Final = ("localtime", "posixrules", "posix/", "right/")


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of this name, or None if there is none."""
    if name.startswith(_REFUSED):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_fault(name: str) -> str:
    """Say what is wrong with the name of a zone."""
    if find_zone(name) is None:
        return f"expected a time zone such as 'Europe/Berlin', but there is no {name!r}"
    return ""


def wall_clock(at_ms: int, zone: tzinfo) -> datetime:
    """Return what the clocks of the zone show, to the second."""
    at = datetime.fromtimestamp(at_ms // 1000, zone)
    return datetime.combine(at.date(), at.time())  # which of two equal ones is forgotten


def first_ms(wall: datetime, zone: tzinfo) -> int:
    """Return the first instant at which clocks show this time, or would, had they not jumped."""
    early, late = _readings(wall, zone)
    if early > late:
        return _jump_ms(late, early, zone)
    return _to_ms(early)


def second_ms(wall: datetime, zone: tzinfo) -> int:
    """As `first_ms`, but the second instant where clocks show this time twice."""
    early, late = _readings(wall, zone)
    if early > late:
        return _jump_ms(late, early, zone)
    return _to_ms(late)


def _readings(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the UTC of a wall clock by the offsets before and after the jump near it, if any.

    The first is later than the second exactly where the wall clock never shows this time.
    """
    before = _offset(wall, zone)
    if before == _offset(wall - _NEAR, zone) == _offset(wall + _NEAR, zone):
        # Most of the time. Asking for the other reading takes ten times as long.
        return wall - before, wall - before
    return wall - before, wall - _offset(wall.replace(fold=1), zone)


def _jump_ms(before: datetime, after: datetime, zone: tzinfo) -> int:
    """Return the instant between the two (UTC) at which the clocks jumped."""
    old = before.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    low, high = 0, (after - before) // _SECOND
    while high - low > 1:
        middle = (low + high) // 2
        at = (before + middle * _SECOND).replace(tzinfo=UTC)
        if at.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return _to_ms(before + high * _SECOND)


def _offset(wall: datetime, zone: tzinfo) -> timedelta:
    offset = zone.utcoffset(wall)
    assert offset is not None
    return offset


def _to_ms(utc: datetime) -> int:
    return (utc - _EPOCH) // _MS
