"""The hours of one restriction, against a clock that is looked at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock_server.core import opening_hours
from interlock_server.core.model.window import WindowRestriction
from interlock_server.core.opening_hours import hours_fault, restriction_spans
from interlock_server.core.spans import Span
from interlock_server.core.zone import first_ms
from tests.support.instants import ms_of, text_of

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS

#: Zones, and a day in the middle of something that clocks do there.
PLACES = [
    ("UTC", "2026-06-15"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2026-12-31"),
    ("Europe/Berlin", "2027-01-03"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Havana", "2026-11-01"),
    ("Asia/Beirut", "2026-03-29"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kiritimati", "1994-12-31"),
    ("Asia/Kathmandu", "2026-06-15"),
]

#: Rules, and which days they mean.
RULES = {
    "": lambda day: True,
    "FREQ=WEEKLY;BYDAY=MO,WE,SU": lambda day: day.weekday() in {0, 2, 6},
    "FREQ=MONTHLY;BYMONTHDAY=-1": lambda day: (day + timedelta(1)).day == 1,
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1": lambda day: (
        day.weekday() < 5 and all(day.replace(day=n).weekday() > 4 for n in range(1, day.day))
    ),
    "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30,31": lambda day: day.month == 12 and day.day >= 30,
    "FREQ=DAILY": lambda day: True,
}


@lru_cache(maxsize=32)
def minutes_around(zone, day):
    """Every minute (UTC) of some days, with what the clocks of the zone show."""
    middle_ms = ms_of(day)
    found = []
    for at_ms in range(middle_ms - 6 * DAY_MS, middle_ms + 6 * DAY_MS, MINUTE_MS):
        shown = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
        found.append((at_ms, shown.replace(tzinfo=None, fold=0)))
    return found


def opens_at(minutes, wall):
    """The first minute at which clocks show this time or a later one."""
    return next((at_ms for at_ms, shown in minutes if shown >= wall), None)


def closes_at(minutes, wall):
    """The last minute at which clocks show this time; if they never do, the first after it."""
    shows = [at_ms for at_ms, shown in minutes if shown == wall]
    if shows:
        return shows[-1]
    return next((at_ms + MINUTE_MS for at_ms, shown in reversed(minutes) if shown < wall), None)


def minutes_open(restriction, matches, zone, around):
    """The minutes at which the restriction is open, as slowly as it can be said."""
    minutes = minutes_around(zone, around)
    opens = restriction.opens or "00:00"
    closes = restriction.closes or "24:00"
    found = set()
    middle = date.fromisoformat(around)
    for day in (middle + timedelta(days) for days in range(-4, 5)):
        listed = not restriction.dates or day.isoformat() in restriction.dates
        late = restriction.end_date and day.isoformat() > restriction.end_date
        early = restriction.start_date and day.isoformat() < restriction.start_date
        if late or early or not listed or not matches(day):
            continue
        opening = opens_at(minutes, datetime.fromisoformat(f"{day} {opens}"))
        if closes == "24:00":
            closing = opens_at(minutes, datetime.fromisoformat(f"{day + timedelta(1)} 00:00"))
        else:
            last = day if closes > opens else day + timedelta(1)
            closing = closes_at(minutes, datetime.fromisoformat(f"{last} {closes}"))
        found |= set(range(opening, closing, MINUTE_MS))
    return found


def bounds_of(around):
    return Span(ms_of(around) - 2 * DAY_MS, ms_of(around) + 2 * DAY_MS)


def minutes_of(spans):
    return {at_ms for span in spans for at_ms in range(span.first_ms, span.last_ms, MINUTE_MS)}


def difference(restriction, matches, zone, around):
    """The minutes about which the code and the clock disagree."""
    bounds = bounds_of(around)
    expected = minutes_open(restriction, matches, zone, around)
    expected &= set(range(bounds.first_ms, bounds.last_ms, MINUTE_MS))
    return expected ^ minutes_of(restriction_spans(restriction, zone, bounds))


TIMES = st.builds(
    "{:02}:{:02}".format,
    st.sampled_from([0, 1, 1, 2, 2, 2, 3, 6, 22, 23]),
    st.sampled_from([0, 15, 30, 45, 59]),
)


@st.composite
def restrictions(draw, around):
    middle = date.fromisoformat(around)
    days = [(middle + timedelta(days)).isoformat() for days in range(-3, 4)]
    start, end = sorted((draw(st.sampled_from(["1990-01-01", *days])), draw(st.sampled_from(days))))
    rule = draw(st.sampled_from(sorted(RULES)))
    dates = draw(st.lists(st.sampled_from(days), max_size=3, unique=True)) if not rule else []
    return WindowRestriction(
        rule=rule,
        start_date=draw(st.sampled_from(["", start])),
        end_date=draw(st.sampled_from(["", end])),
        opens=draw(st.just("") | TIMES),
        closes=draw(st.sampled_from(["", "24:00"]) | TIMES),
        dates=tuple(dates),
    )


@pytest.mark.slow
@settings(max_examples=300)
@given(st.data(), st.sampled_from(PLACES))
def test_a_restriction_is_open_when_a_clock_says_so(data, place):
    zone, around = place
    restriction = data.draw(restrictions(around))

    assert difference(restriction, RULES[restriction.rule], zone, around) == set()


def test_the_clock_would_notice_a_close_at_the_first_of_two_equal_times(monkeypatch):
    restriction = WindowRestriction(opens="01:00", closes="02:30")
    monkeypatch.setattr(opening_hours, "second_ms", first_ms)
    opening_hours._spans_of_year.cache_clear()

    try:
        found = difference(restriction, RULES[""], "Europe/Berlin", "2026-10-25")
    finally:
        opening_hours._spans_of_year.cache_clear()

    assert len(found) == 60


def shown(restriction, zone, first, last):
    spans = restriction_spans(restriction, zone, Span(ms_of(first), ms_of(last)))
    return [(text_of(span.first_ms), text_of(span.last_ms)) for span in spans]


def test_an_opening_that_clocks_jump_over_is_at_the_jump():
    restriction = WindowRestriction(opens="02:30", closes="05:00")

    assert shown(restriction, "Europe/Berlin", "2026-03-29", "2026-03-30") == [
        ("2026-03-29 01:00", "2026-03-29 03:00"),
    ]


def test_hours_that_clocks_jump_over_are_no_opening():
    restriction = WindowRestriction(opens="02:10", closes="02:50")

    assert shown(restriction, "Europe/Berlin", "2026-03-28 12:00", "2026-03-29 12:00") == []


def test_what_is_shown_twice_opens_at_the_first_and_closes_at_the_second():
    restriction = WindowRestriction(opens="02:30", closes="02:45")

    assert shown(restriction, "Europe/Berlin", "2026-10-25", "2026-10-26") == [
        ("2026-10-25 00:30", "2026-10-25 01:45"),
    ]


def test_a_saturday_ends_where_sunday_begins_although_midnight_comes_twice():
    saturdays = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=SA")
    sundays = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=SU")

    [(_, end)] = shown(saturdays, "America/Havana", "2026-10-31", "2026-11-02")
    [(begin, _)] = shown(sundays, "America/Havana", "2026-10-31", "2026-11-02")

    assert end == begin == "2026-11-01 04:00"


def test_a_day_that_never_was_has_no_hours():
    restriction = WindowRestriction(dates=("2011-12-30",))

    assert shown(restriction, "Pacific/Apia", "2011-12-01", "2012-01-31") == []


def test_a_night_belongs_to_the_day_on_which_it_opens():
    fridays = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=FR", opens="22:00", closes="06:00")

    assert shown(fridays, "UTC", "2026-11-23", "2026-11-30") == [
        ("2026-11-27 22:00", "2026-11-28 06:00"),
    ]


def test_a_night_over_new_year_is_one_opening():
    nights = WindowRestriction(opens="22:00", closes="22:00", start_date="2025-12-30")

    assert shown(nights, "UTC", "2025-01-01", "2026-03-01") == [("2025-12-30 22:00", "2026-03-01")]


def test_a_night_of_last_year_is_still_open_in_this_one():
    night = WindowRestriction(dates=("2025-12-31",), opens="22:00", closes="06:00")

    assert shown(night, "UTC", "2026-01-01 01:00", "2026-02-01") == [
        ("2026-01-01 01:00", "2026-01-01 06:00"),
    ]


def test_a_year_begins_early_in_the_east():
    day = WindowRestriction(dates=("2026-01-01",))

    assert shown(day, "Pacific/Kiritimati", "2025-12-01", "2025-12-31 20:00") == [
        ("2025-12-31 10:00", "2025-12-31 20:00"),
    ]


def test_a_rule_counts_from_the_start_date():
    restriction = WindowRestriction(
        rule="FREQ=DAILY;INTERVAL=3;COUNT=3", start_date="2026-12-30", opens="08:00", closes="09:00"
    )

    assert shown(restriction, "UTC", "2026-01-01", "2028-01-01") == [
        ("2026-12-30 08:00", "2026-12-30 09:00"),
        ("2027-01-02 08:00", "2027-01-02 09:00"),
        ("2027-01-05 08:00", "2027-01-05 09:00"),
    ]


def test_the_end_date_is_the_last_day():
    restriction = WindowRestriction(start_date="2026-01-05", end_date="2026-01-06")

    assert shown(restriction, "UTC", "2026-01-01", "2027-01-01") == [("2026-01-05", "2026-01-07")]


@pytest.mark.parametrize(
    ("restriction", "sentence"),
    [
        (WindowRestriction(opens="24:00"), "expected opens as HH:MM, but it is '24:00'"),
        (WindowRestriction(opens="8:00"), "expected opens as HH:MM, but it is '8:00'"),
        (WindowRestriction(closes="08:60"), "expected closes as HH:MM, but it is '08:60'"),
        (WindowRestriction(start_date="2026-02-30"), "expected start_date as a day such as"),
        (WindowRestriction(start_date="20260228"), "expected start_date as a day such as"),
        (WindowRestriction(start_date="1901-01-01"), "expected start_date as a day such as"),
        (WindowRestriction(end_date="soon"), "expected end_date as a day such as"),
        (WindowRestriction(dates=("",)), "expected dates as a day such as"),
        (
            WindowRestriction(start_date="2026-02-02", end_date="2026-02-01"),
            "expected end_date not before 2026-02-02",
        ),
        (
            WindowRestriction(rule="FREQ=DAILY", dates=("2026-01-01",)),
            "expected a rule or dates, but there are both",
        ),
        (WindowRestriction(dates=("2026-01-01",) * 1001), "expected at most 1000 dates"),
        (WindowRestriction(rule="FREQ=HOURLY"), "in the rule 'FREQ=HOURLY': expected FREQ as"),
        (WindowRestriction(rule="FREQ=DAILY;BYHOUR=1"), "expected a rule that chooses days"),
        (WindowRestriction(rule="FREQ=DAILY;COUNT=3"), "expected a start_date from which"),
        (WindowRestriction(rule="FREQ=WEEKLY;INTERVAL=2"), "expected a start_date for a rule"),
    ],
)
def test_a_bad_restriction_is_refused_with_a_sentence(restriction, sentence):
    assert sentence in hours_fault(restriction)
