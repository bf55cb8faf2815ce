"""Rules of RFC 5545 (`FREQ=WEEKLY;BYDAY=MO,FR`), in wall clocks without a zone.

Which days of a year match is asked of dateutil, one year at a time: left to itself it would search
for ever where nothing matches, and count from the first occurrence each time. What spans days
(intervals, positions, counts) is done here.
"""

from __future__ import annotations

import re
from collections import deque
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby, islice, product
from typing import TYPE_CHECKING, Final, NamedTuple

from dateutil.rrule import YEARLY, rrule, weekday

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Wall clocks outside of these years match no rule.
FIRST_YEAR: Final = 1968
LAST_YEAR: Final = 2999

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_COUNT_MAX: Final = 10_000
#: How far a COUNT is followed; what is later has no occurrence.
_COUNT_YEARS_MAX: Final = 100
_LENGTH_MAX: Final = 1000
#: More than any year that dateutil knows: it looks at one year and stops.
_ONE_YEAR: Final = 10_000

#: Lists of numbers: the lowest and the highest. A negative lowest counts from the end and has no 0.
_NUMBERS: Final = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    # Days after Easter Sunday, an addition of dateutil. Further away is another year.
    "BYEASTER": (-80, 250),
}
_SINGLE_NUMBERS: Final = {"INTERVAL": (1, 1000), "COUNT": (1, _COUNT_MAX)}
_OTHERS: Final = ("FREQ", "UNTIL", "WKST", "BYDAY")
_HAS_ZERO: Final = ("BYHOUR", "BYMINUTE", "BYEASTER")
_ONLY_YEARLY: Final = ("BYYEARDAY", "BYWEEKNO")
_TIMES_OF_DAY: Final = ("BYHOUR", "BYMINUTE")

_BYDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,5}")
_UNTIL: Final = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_EVERY_WEEKDAY: Final = tuple((number, 0) for number in range(7))
_EVERY_MONTH: Final = tuple(range(1, 13))


class BadRule(Exception):  # noqa: N818  # a fact about the text, with its sentence
    """A rule that cannot be used."""


class Rule(NamedTuple):
    """A rule that was read; an empty tuple where a part is not given."""

    frequency: str
    interval: int = 1
    #: Occurrences at most, 0 for no limit.
    limit: int = 0
    #: Without a time it includes the whole day.
    until: datetime | None = None
    until_is_utc: bool = False
    until_is_date: bool = False
    #: The day on which weeks start, Monday 0.
    week_start: int = 0
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    #: Weekday and ordinal (0 for every).
    weekdays: tuple[tuple[int, int], ...] = ()
    easter: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()


class DayFilter(NamedTuple):
    """What the days of a year have to match; all that is given."""

    week_start: int
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    year_days: tuple[int, ...]
    weeks: tuple[int, ...]
    weekdays: tuple[tuple[int, int], ...]
    easter: tuple[int, ...]


@lru_cache(maxsize=4096)
def read_rule(text: str) -> Rule:
    """Read the value of an RRULE; raises BadRule."""
    parts = _parts_of(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise BadRule(f"expected FREQ as one of {', '.join(_FREQUENCIES)}, but it is {frequency!r}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRule("expected COUNT or UNTIL, but the rule has both")
    for name in _ONLY_YEARLY:
        if name in parts and frequency != "YEARLY":
            raise BadRule(f"expected {name} only with FREQ=YEARLY, but it is {frequency}")
    numbers = {name: _numbers(name, parts[name]) for name in _NUMBERS if name in parts}
    single = {name: _number(name, parts[name]) for name in _SINGLE_NUMBERS if name in parts}
    until = parts.get("UNTIL", "")
    return Rule(
        frequency=frequency,
        interval=single.get("INTERVAL", 1),
        limit=single.get("COUNT", 0),
        until=_until(until) if until else None,
        until_is_utc=until.endswith("Z"),
        until_is_date="T" not in until,
        week_start=_week_start(parts.get("WKST", "MO")),
        months=numbers.get("BYMONTH", ()),
        month_days=numbers.get("BYMONTHDAY", ()),
        year_days=numbers.get("BYYEARDAY", ()),
        weeks=numbers.get("BYWEEKNO", ()),
        weekdays=_weekdays(parts["BYDAY"], frequency) if "BYDAY" in parts else (),
        easter=numbers.get("BYEASTER", ()),
        positions=numbers.get("BYSETPOS", ()),
        hours=numbers.get("BYHOUR", ()),
        minutes=numbers.get("BYMINUTE", ()),
    )


def read_day_rule(text: str) -> Rule:
    """Read a rule that chooses days, without times; raises BadRule."""
    rule = read_rule(text)
    if rule.hours or rule.minutes:
        names = " and ".join(_TIMES_OF_DAY)
        raise BadRule(f"expected a rule that chooses days, but it has {names}")
    if rule.until is not None and not rule.until_is_date:
        raise BadRule("expected UNTIL as a day such as 20261231, but it has a time")
    return rule


def occurrences(
    rule: Rule, start: datetime, since: datetime, until: datetime
) -> Iterator[datetime]:
    """Yield the occurrences from `since` to `until`, both included, of a rule that starts at start.

    What is left out of the rule is filled in from the start, as the RFC says. The work is bounded
    by the years from since to until. An UNTIL in UTC has to be applied by the caller.
    """
    if rule.until is not None and not rule.until_is_utc:
        until = min(until, rule.until)
    if rule.limit:
        last = _last_counted(rule, start)
        if last is None:
            return
        until = min(until, last)
    yield from _uncounted(rule, start, max(start, since), until)


@lru_cache(maxsize=1024)
def _last_counted(rule: Rule, start: datetime) -> datetime | None:
    """Return the last of the occurrences that COUNT leaves; None if there is none at all."""
    until = datetime(min(start.year + _COUNT_YEARS_MAX, LAST_YEAR), 12, 31)  # noqa: DTZ001
    counted = deque(islice(_uncounted(rule, start, start, until), rule.limit), maxlen=1)
    return counted[0] if counted else None


def _uncounted(rule: Rule, start: datetime, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the occurrences of a rule without regard to its COUNT and UNTIL."""
    first_period = _period(rule, start.toordinal())
    times = _times(rule, start)
    # A week belongs to two years at most, and has to be seen whole to find positions in it.
    days = _matching_days(_day_filter(rule, start), since - timedelta(7), until + timedelta(7))
    for period, group in groupby(days, lambda ordinal: _period(rule, ordinal)):
        if period < first_period or (period - first_period) % rule.interval:
            continue
        for moment in _chosen(rule, group, times):
            if moment > until:
                return
            if moment >= since:
                yield moment


def _matching_days(days: DayFilter, since: datetime, until: datetime) -> Iterator[int]:
    for year in range(max(since.year, FIRST_YEAR), min(until.year, LAST_YEAR) + 1):
        yield from _days_of_year(days, year)


def _chosen(rule: Rule, days: Iterator[int], times: tuple[time, ...]) -> Iterator[datetime]:
    moments = (datetime.combine(date.fromordinal(day), at) for day, at in product(days, times))
    if not rule.positions:
        return moments
    listed = list(moments)
    count = len(listed)
    wanted = {position - 1 if position > 0 else count + position for position in rule.positions}
    return (moment for index, moment in enumerate(listed) if index in wanted)


def _period(rule: Rule, ordinal: int) -> int:
    """Return the number of the year, month, week or day that a day is in."""
    match rule.frequency:
        case "DAILY":
            return ordinal
        case "WEEKLY":
            # Day 1 was a Monday.
            return (ordinal - 1 - rule.week_start) // 7
        case "MONTHLY":
            day = date.fromordinal(ordinal)
            return day.year * 12 + day.month
    return date.fromordinal(ordinal).year


def _times(rule: Rule, start: datetime) -> tuple[time, ...]:
    hours = rule.hours or (start.hour,)
    minutes = rule.minutes or (start.minute,)
    return tuple(time(hour, minute, start.second) for hour, minute in product(hours, minutes))


def _day_filter(rule: Rule, start: datetime) -> DayFilter:
    """Say what a day has to match, with everything that the rule leaves to its start."""
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    if not (month_days or rule.year_days or rule.weeks or weekdays or rule.easter):
        match rule.frequency:
            case "DAILY":
                weekdays = _EVERY_WEEKDAY
            case "WEEKLY":
                weekdays = ((start.weekday(), 0),)
            case "MONTHLY":
                month_days = (start.day,)
            case _:
                months, month_days = months or (start.month,), (start.day,)
    if rule.frequency == "MONTHLY":
        # The third Friday is meant within a month, not within the year.
        months = months or _EVERY_MONTH
    return DayFilter(
        rule.week_start, months, month_days, rule.year_days, rule.weeks, weekdays, rule.easter
    )


@lru_cache(maxsize=2048)
def _days_of_year(days: DayFilter, year: int) -> tuple[int, ...]:
    """Return the ordinals of the days of one year that match."""
    plain = tuple(day for day in days.weekdays if not day[1])
    numbered = tuple(day for day in days.weekdays if day[1])
    if plain and numbered:
        # Either is meant; dateutil takes days that are both.
        found = {
            *_days_of_year(days._replace(weekdays=plain), year),
            *_days_of_year(days._replace(weekdays=numbered), year),
        }
        return tuple(sorted(found))
    matching = rrule(
        YEARLY,
        dtstart=datetime(year, 1, 1),  # noqa: DTZ001  # a day, in no zone
        interval=_ONE_YEAR,
        wkst=days.week_start,
        bymonth=days.months or None,
        bymonthday=days.month_days or None,
        byyearday=days.year_days or None,
        byweekno=days.weeks or None,
        byweekday=[weekday(number, nth or None) for number, nth in days.weekdays] or None,
        byeaster=days.easter or None,
    )
    return tuple(moment.toordinal() for moment in matching)


def _parts_of(text: str) -> dict[str, str]:
    if len(text) > _LENGTH_MAX:
        raise BadRule(f"expected at most {_LENGTH_MAX} characters, but there are {len(text)}")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise BadRule(f"expected parts such as FREQ=DAILY, but there is {part!r}")
        if name not in _NUMBERS and name not in _SINGLE_NUMBERS and name not in _OTHERS:
            raise BadRule(f"expected a part of RFC 5545 for days, but there is {name!r}")
        if name in parts:
            raise BadRule(f"expected each part once, but {name} is there twice")
        parts[name] = value
    return parts


def _number(name: str, text: str) -> int:
    low, high = (_SINGLE_NUMBERS | _NUMBERS)[name]
    number = int(text) if _NUMBER.fullmatch(text) else None
    if number is None or not low <= number <= high:
        raise BadRule(f"expected {name} between {low} and {high}, but it is {text!r}")
    if number == 0 and name not in _HAS_ZERO:
        raise BadRule(f"expected {name} other than 0")
    return number


def _numbers(name: str, text: str) -> tuple[int, ...]:
    return tuple(sorted({_number(name, item) for item in text.split(",")}))


def _weekdays(text: str, frequency: str) -> tuple[tuple[int, int], ...]:
    days = []
    for item in text.split(","):
        read = _BYDAY.fullmatch(item)
        ordinal = int(read[1] or 0) if read else 0
        if not read or (read[1] and not 1 <= abs(ordinal) <= 53):  # noqa: PLR2004  # weeks of a year
            raise BadRule(f"expected BYDAY as days such as MO or -1FR, but there is {item!r}")
        if ordinal and frequency not in {"MONTHLY", "YEARLY"}:
            raise BadRule(f"expected BYDAY without numbers in a {frequency} rule, but {item!r}")
        days.append((_WEEKDAYS.index(read[2]), ordinal))
    return tuple(sorted(set(days)))


def _week_start(text: str) -> int:
    if text not in _WEEKDAYS:
        raise BadRule(f"expected WKST as one of {', '.join(_WEEKDAYS)}, but it is {text!r}")
    return _WEEKDAYS.index(text)


def _until(text: str) -> datetime:
    if _UNTIL.fullmatch(text):
        try:
            if "T" in text:
                return datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
            return datetime.strptime(f"{text}T235959", "%Y%m%dT%H%M%S")  # noqa: DTZ007
        except ValueError:
            pass
    raise BadRule(f"expected UNTIL such as 20261231 or 20261231T180000Z, but it is {text!r}")
