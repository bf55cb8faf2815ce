"""Instants and lengths of time as operators type and read them.

Ages are for people: two units at most, never negative. Programs get RFC 3339 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_STEPS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
#: The start time of a job that has no possible start (domain.md: Never).
_NEVER_YEAR: Final = 2999


def parse_duration(text: str) -> timedelta:
    """Return the length of time that a text such as `90`, `90s`, `5m` or `1h30m` says."""
    wanted = "expected a length of time such as 30, 90s, 5m, 1h30m or 2d"
    cleaned = text.strip().replace(" ", "")
    try:
        if re.fullmatch(r"\d+(\.\d+)?", cleaned):
            return timedelta(seconds=float(cleaned))
        parts = _PART.findall(cleaned)
        if parts and "".join(number + unit for number, unit in parts) == cleaned:
            return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError(f"{wanted}, but {text!r} is too long") from None
    raise ValueError(f"{wanted}, but got {text!r}")


def parse_instant(text: str, *, now: datetime) -> datetime:
    """Return the instant that a text says: RFC 3339, a local date and time, `now` or `+2h`."""
    cleaned = text.strip()
    if cleaned == "now":
        return now
    if cleaned.startswith("+"):
        return now + parse_duration(cleaned[1:])
    try:
        instant = datetime.fromisoformat(cleaned)
    except ValueError:
        raise ValueError(
            f"expected an instant such as 2026-10-01T06:00:00Z, 2026-10-01T06:00 (local time), "
            f"now or +2h, but got {text!r}"
        ) from None
    return instant.astimezone(UTC)


def rfc3339(instant: datetime) -> str:
    """Return the instant as programs read it: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(instant: datetime) -> str:
    """Return the instant as people read it: in the time zone of this machine, to the second."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def length(span: timedelta) -> str:
    """Return a length of time in at most two units, such as `3h 12m`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms" if seconds else "0s"
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in _STEPS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}{unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def age(instant: datetime | None, *, now: datetime) -> str:
    """Return how long ago it was: `-` if it never was. Clocks that disagree never give a minus."""
    if instant is None:
        return "-"
    return length(timedelta(seconds=int(max(0.0, (now - instant).total_seconds()))))


def ahead(instant: datetime, *, now: datetime) -> str:
    """Return when it will be: `in 2h`, `now`, or `never` for the start of a job that has none."""
    if instant.year >= _NEVER_YEAR:
        return "never"
    return f"in {length(instant - now)}" if instant > now else "now"
