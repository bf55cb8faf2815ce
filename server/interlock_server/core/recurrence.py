"""The instants of a recurrence, one after the other.

Wall clocks that never show are answered with the instant after the jump, and those that show twice
with the first of the two: what is to happen at a time happens once a day, every day. Cron fields
follow Debian's cron, so `*/30 * * * *` and `0 * * * *` go by real time and happen in both of two
equal hours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cronsim import CronSim, CronSimError

from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.recurrence import RecurrenceKind
from interlock_server.core.recurrence_rule import (
    FIRST_YEAR,
    LAST_YEAR,
    BadRule,
    Rule,
    occurrences,
    read_rule,
)
from interlock_server.core.zone import find_zone, first_ms, wall_clock, zone_fault

if TYPE_CHECKING:
    from datetime import tzinfo

    from interlock_server.core.model.recurrence import Recurrence

INTERVAL_MS_MIN: Final = 1000
_CRON_FIELDS: Final = 5
#: A rule that does not match for so long never does, as far as we care; cronsim agrees.
_SEARCH: Final = timedelta(days=50 * 366)
_DAY: Final = timedelta(days=1)
_TEXT_MAX: Final = 20_000
_CRON_MAX: Final = 500
#: More is what cron and intervals are for.
_PER_DAY_MAX: Final = 96
_EXCLUDED_MAX: Final = 1000


class _Series(NamedTuple):
    """A rule with its start, in the wall clock of a zone, and the instants that it leaves out."""

    rule: Rule
    start: datetime
    zone: tzinfo
    until_ms: int
    excluded_ms: frozenset[int]


class _BadText(Exception):  # noqa: N818  # never leaves this file
    """A text that describes no series."""


def next_instant(recurrence: Recurrence, after_ms: int) -> int | None:
    """Return the first instant after `after_ms`; None if there is none, or none can be found."""
    after_ms = max(after_ms, recurrence.start_ms - 1, -1)
    found = _following(recurrence, after_ms) if after_ms < NEVER_MS else None
    if found is None or (recurrence.end_ms and found > recurrence.end_ms) or found >= NEVER_MS:
        return None
    return found


def recurrence_fault(recurrence: Recurrence) -> str:
    """Say what is wrong with a recurrence; nothing if it is fine."""
    if recurrence.time_zone and (fault := zone_fault(recurrence.time_zone)):
        return fault
    if recurrence.end_ms and recurrence.end_ms < recurrence.start_ms:
        return "expected end not before start, but it is"
    match recurrence.kind:
        case RecurrenceKind.INTERVAL:
            if recurrence.interval_ms < INTERVAL_MS_MIN:
                return (
                    f"expected an interval of at least {INTERVAL_MS_MIN} ms,"
                    f" but it is {recurrence.interval_ms}"
                )
            return ""
        case RecurrenceKind.CRON:
            fault = _cron_fault(recurrence.text)
        case RecurrenceKind.RULE:
            fault = _rule_fault(recurrence)
    if not fault and next_instant(recurrence, -1) is None:
        return f"expected something that recurs, but {recurrence.text!r} never happens"
    return fault


def _following(recurrence: Recurrence, after_ms: int) -> int | None:
    try:
        match recurrence.kind:
            case RecurrenceKind.CRON:
                return _next_of_cron(recurrence, after_ms)
            case RecurrenceKind.RULE:
                return _next_of_rule(recurrence, after_ms)
            case RecurrenceKind.INTERVAL:
                return _next_of_interval(recurrence, after_ms)
    except (_BadText, BadRule, CronSimError):
        pass
    return None


def _next_of_interval(recurrence: Recurrence, after_ms: int) -> int | None:
    if recurrence.interval_ms <= 0:
        return None
    passed = (after_ms - recurrence.start_ms) // recurrence.interval_ms
    return recurrence.start_ms + (passed + 1) * recurrence.interval_ms


def _next_of_cron(recurrence: Recurrence, after_ms: int) -> int | None:
    zone = find_zone(recurrence.time_zone or "UTC")
    if zone is None or _cron_fault(recurrence.text):
        return None
    after = datetime.fromtimestamp(after_ms // 1000, zone)
    for moment in CronSim(recurrence.text, after):
        found = int(moment.timestamp()) * 1000
        # The second of two equal hours has the same wall clocks as the first, which is over.
        if found > after_ms:
            return found
    return None


def _cron_fault(text: str) -> str:
    fields = text.split()
    if len(fields) != _CRON_FIELDS:
        return f"expected five cron fields, but there are {len(fields)}"
    if len(text) > _CRON_MAX:
        return f"expected at most {_CRON_MAX} characters, but there are {len(text)}"
    try:
        CronSim(text, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
    except CronSimError as bad:
        return f"expected five cron fields, but in {text!r}: {bad}"
    return ""


def _next_of_rule(recurrence: Recurrence, after_ms: int) -> int | None:
    series = _read_series(recurrence.text, recurrence.time_zone, recurrence.start_ms)
    after = wall_clock(after_ms, series.zone)
    # From a day before, since a wall clock may be one that clocks show twice, or jump over.
    since = max(after, series.start) - _DAY
    until = min(since + _SEARCH, wall_clock(series.until_ms, series.zone) + _DAY)
    for moment in occurrences(series.rule, series.start, since, until):
        found = first_ms(moment, series.zone)
        if found > series.until_ms:
            return None
        if found > after_ms and found not in series.excluded_ms:
            return found
    return None


def _rule_fault(recurrence: Recurrence) -> str:
    try:
        _read_series(recurrence.text, recurrence.time_zone, recurrence.start_ms)
    except (_BadText, BadRule) as bad:
        return str(bad)
    return ""


@lru_cache(maxsize=1024)
def _read_series(text: str, time_zone: str, start_ms: int) -> _Series:
    """Read an RRULE with its DTSTART and EXDATE, one to a line; raises _BadText or BadRule."""
    if len(text) > _TEXT_MAX:
        raise _BadText(f"expected at most {_TEXT_MAX} characters, but there are {len(text)}")
    lines = _lines_of(text)
    zone = _zone_of(lines, time_zone)
    rule = read_rule(lines["RRULE"].value)
    if "DTSTART" in lines:
        start = _moment(lines["DTSTART"].value, zone)
    elif start_ms:
        start = wall_clock(start_ms + 999, zone)
    else:
        raise _BadText("expected DTSTART, or a start, from which the rule counts")
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise _BadText(f"expected DTSTART from {FIRST_YEAR} to {LAST_YEAR}, but it is {start}")
    if len(rule.hours or (0,)) * len(rule.minutes or (0,)) > _PER_DAY_MAX:
        raise _BadText(f"expected a rule that recurs at most {_PER_DAY_MAX} times a day; use cron")
    excluded = lines["EXDATE"].value.split(",") if "EXDATE" in lines else []
    if len(excluded) > _EXCLUDED_MAX:
        raise _BadText(f"expected at most {_EXCLUDED_MAX} EXDATE, but there are {len(excluded)}")
    until_ms = NEVER_MS
    if rule.until is not None and rule.until_is_utc:
        until_ms = min(first_ms(rule.until, UTC), NEVER_MS)
    excluded_ms = frozenset(first_ms(_moment(one, zone), zone) for one in excluded)
    return _Series(rule, start, zone, until_ms, excluded_ms)


class _Line(NamedTuple):
    """A property of RFC 5545."""

    zone: str
    value: str


def _lines_of(text: str) -> dict[str, _Line]:
    lines: dict[str, _Line] = {}
    for written in text.split():
        # A rule alone, as it stands in most forms.
        line = f"RRULE:{written}" if written.upper().startswith("FREQ=") else written
        described, _, value = line.partition(":")
        name, *parameters = described.split(";")
        name = name.upper()
        if name not in {"RRULE", "DTSTART", "EXDATE"} or not value:
            raise _BadText(f"expected lines of RRULE, DTSTART and EXDATE, but there is {written!r}")
        zone = ""
        for parameter in parameters:
            key, _, given = parameter.partition("=")
            if key.upper() == "TZID":
                zone = given
            elif key.upper() != "VALUE":
                raise _BadText(f"expected TZID or VALUE, but there is {parameter!r}")
        if name == "EXDATE" and name in lines:
            value = f"{lines[name].value},{value}"
        elif name in lines:
            raise _BadText(f"expected {name} once, but it is there twice")
        lines[name] = _Line(zone, value)
    if "RRULE" not in lines:
        raise _BadText("expected an RRULE, but there is none")
    return lines


def _zone_of(lines: dict[str, _Line], time_zone: str) -> tzinfo:
    """Return the one zone that the text and the recurrence speak of; UTC if they speak of none."""
    named = {line.zone for line in lines.values() if line.zone} | {time_zone} - {""}
    if not named and "DTSTART" in lines and lines["DTSTART"].value.endswith("Z"):
        named = {"UTC"}
    if len(named) > 1:
        raise _BadText(f"expected one time zone, but there are {', '.join(sorted(named))}")
    name = named.pop() if named else "UTC"
    zone = find_zone(name)
    if zone is None:
        raise _BadText(zone_fault(name))
    return zone


def _moment(text: str, zone: tzinfo) -> datetime:
    """Read a date, a wall clock of the zone, or an instant in UTC, as a wall clock of the zone."""
    for pattern in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%d"):
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007  # a wall clock
        except ValueError:
            continue
        return _from_utc(moment, zone) if text.endswith("Z") else moment
    raise _BadText(f"expected a time such as 20261231T180000, but there is {text!r}")


def _from_utc(moment: datetime, zone: tzinfo) -> datetime:
    return wall_clock(first_ms(moment, UTC), zone)
