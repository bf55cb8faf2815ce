"""The opening hours of one restriction of a window: its days, and the hours of each.

Hours of a whole day end where the next day begins, so days never overlap, whatever the clocks do.
An explicit closing time that clocks show twice closes at the second.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.model.window import WindowRestriction
from interlock_server.core.recurrence_rule import (
    FIRST_YEAR,
    LAST_YEAR,
    BadRule,
    Rule,
    occurrences,
    read_day_rule,
)
from interlock_server.core.spans import Span, joined
from interlock_server.core.zone import find_zone, first_ms, second_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A Monday, the first of its month and year: rules without a start count from it.
_FIRST_DAY: Final = date(FIRST_YEAR, 1, 1)
_LAST_DAY: Final = date(LAST_YEAR, 12, 31)
_DATES_MAX: Final = 1000
_DAY_MINUTES: Final = 24 * 60
#: What opens on a day may be open this long before or after it in UTC: a night, the date line, and
#: a clock that jumps.
_REACH_S: Final = 4 * 24 * 3600

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_EVERYTHING: Final = WindowRestriction()


class Hours(NamedTuple):
    """A restriction that was read. Days are ordinals, times are minutes after midnight."""

    rule: Rule | None
    #: Days that are listed, instead of a rule.
    dates: tuple[int, ...]
    first_day: int
    last_day: int
    opens: int
    #: More than a day for what closes on the next one; None for the end of the day.
    closes: int | None


class _YearSpans(NamedTuple):
    """What opens on the days of a year, as columns: they are kept, and small."""

    opens_ms: array[int]
    closes_ms: array[int]


class BadHours(Exception):  # noqa: N818  # a fact about the restriction, with its sentence
    """A restriction that cannot be used."""


@lru_cache(maxsize=4096)
def read_hours(restriction: WindowRestriction) -> Hours:
    """Read a restriction; raises BadHours."""
    if restriction.rule and restriction.dates:
        raise BadHours("expected a rule or dates, but there are both")
    if len(restriction.dates) > _DATES_MAX:
        raise BadHours(f"expected at most {_DATES_MAX} dates, but there are more")
    first_day = _day("start_date", restriction.start_date, _FIRST_DAY)
    last_day = _day("end_date", restriction.end_date, _LAST_DAY)
    if last_day < first_day:
        raise BadHours(
            f"expected end_date not before {restriction.start_date or _FIRST_DAY.isoformat()},"
            f" but it is {restriction.end_date}"
        )
    opens = _minutes("opens", restriction.opens) if restriction.opens else 0
    return Hours(
        rule=_rule(restriction),
        dates=tuple(sorted({_day("dates", text, _FIRST_DAY) for text in restriction.dates})),
        first_day=first_day,
        last_day=last_day,
        opens=opens,
        closes=_closes(restriction.closes, opens),
    )


def hours_fault(restriction: WindowRestriction) -> str:
    """Say what is wrong with a restriction."""
    try:
        read_hours(restriction)
    except BadHours as bad:
        return str(bad)
    return ""


def restriction_spans(
    restriction: WindowRestriction, zone_name: str, bounds: Span
) -> Iterator[Span]:
    """Yield when a restriction is open, cut at the bounds. Restriction and zone are sound."""
    if restriction == _EVERYTHING:
        return iter((bounds,))
    return joined(_yearly_spans(restriction, zone_name, bounds))


def _yearly_spans(restriction: WindowRestriction, zone_name: str, bounds: Span) -> Iterator[Span]:
    first_year = datetime.fromtimestamp(bounds.first_ms // 1000 - _REACH_S, UTC).year
    last_year = datetime.fromtimestamp(bounds.last_ms // 1000 + _REACH_S, UTC).year
    for year in range(max(first_year, FIRST_YEAR), min(last_year, LAST_YEAR) + 1):
        opens, closes = _spans_of_year(restriction, zone_name, year)
        for index in range(bisect_right(closes, bounds.first_ms), len(opens)):
            if opens[index] >= bounds.last_ms:
                return
            yield Span(
                max(opens[index], bounds.first_ms),
                min(closes[index], bounds.last_ms),
            )


@lru_cache(maxsize=2048)
def _spans_of_year(restriction: WindowRestriction, zone_name: str, year: int) -> _YearSpans:
    hours = read_hours(restriction)
    found = _YearSpans(array("q"), array("q"))
    for span in joined(_day_spans(hours, _days_of_year(hours, year), zone_name)):
        found.opens_ms.append(span.first_ms)
        found.closes_ms.append(span.last_ms)
    return found


def _day_spans(hours: Hours, days: Iterable[int], zone_name: str) -> Iterator[Span]:
    zone = find_zone(zone_name)
    assert zone is not None
    for day in days:
        midnight = datetime.fromordinal(day)
        opens_ms = first_ms(midnight + timedelta(minutes=hours.opens), zone)
        if hours.closes is None:
            closes_ms = first_ms(midnight + timedelta(days=1), zone)
        else:
            closes_ms = second_ms(midnight + timedelta(minutes=hours.closes), zone)
        yield Span(opens_ms, closes_ms)


def _days_of_year(hours: Hours, year: int) -> Iterable[int]:
    """Return the days of the year on which it opens, as ordinals."""
    first = max(hours.first_day, date(year, 1, 1).toordinal())
    last = min(hours.last_day, date(year, 12, 31).toordinal())
    if hours.dates:
        return [day for day in hours.dates if first <= day <= last]
    if hours.rule is None or first > last:
        return range(first, last + 1)
    start = datetime.fromordinal(hours.first_day)
    found = occurrences(hours.rule, start, datetime.fromordinal(first), datetime.fromordinal(last))
    return [moment.toordinal() for moment in found]


def _rule(restriction: WindowRestriction) -> Rule | None:
    if not restriction.rule:
        return None
    try:
        rule = read_day_rule(restriction.rule)
    except BadRule as bad:
        raise BadHours(f"in the rule {restriction.rule!r}: {bad}") from None
    if rule.limit and not restriction.start_date:
        raise BadHours("expected a start_date from which the rule counts, but there is none")
    if rule.interval > 1 and not restriction.start_date:
        raise BadHours("expected a start_date for a rule with INTERVAL, but there is none")
    return rule


def _day(name: str, text: str, default: date) -> int:
    if not text and name != "dates":
        return default.toordinal()
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-12-31") else None
    except ValueError:
        day = None
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        raise BadHours(f"expected {name} as a day such as 2026-12-31, but it is {text!r}")
    return day.toordinal()


def _minutes(name: str, text: str) -> int:
    read = _TIME.fullmatch(text)
    if not read:
        raise BadHours(f"expected {name} as HH:MM, but it is {text!r}")
    return int(read[1]) * 60 + int(read[2])


def _closes(text: str, opens: int) -> int | None:
    if text in {"", "24:00"}:
        return None
    closes = _minutes("closes", text)
    return closes if closes > opens else closes + _DAY_MINUTES
