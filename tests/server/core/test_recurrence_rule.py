"""Rules of RFC 5545, against dateutil where it can be trusted to end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock_server.core.recurrence_rule import (
    BadRule,
    occurrences,
    read_day_rule,
    read_rule,
)

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


wall = datetime.fromisoformat


def days_of(text, start, since, until):
    found = occurrences(read_rule(text), wall(start), wall(since), wall(until))
    return [moment.date().isoformat() for moment in found]


@st.composite
def rules(draw):
    """Rules that match something every few years at least."""

    def some(items, most=3):
        chosen = draw(st.lists(st.sampled_from(items), min_size=1, max_size=most, unique=True))
        return ",".join(map(str, chosen))

    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    filters = {
        "DAILY": ["", "BYDAY", "BYMONTH", "BYMONTHDAY"],
        "WEEKLY": ["", "BYDAY", "BYMONTH"],
        "MONTHLY": ["", "BYDAY", "nth", "BYMONTHDAY", "BYSETPOS"],
        "YEARLY": [
            *("", "BYDAY", "nth", "BYMONTH", "BYMONTHDAY"),
            *("BYYEARDAY", "BYWEEKNO", "BYEASTER", "BYSETPOS"),
        ],
    }[frequency]
    match draw(st.sampled_from(filters)):
        case "BYDAY":
            parts.append(f"BYDAY={some(WEEKDAYS)}")
        case "nth":
            parts.append(f"BYDAY={some([f'{nth}{day}' for nth in (1, 3, -1) for day in WEEKDAYS])}")
        case "BYMONTH":
            parts.append(f"BYMONTH={some(range(1, 13))}")
        case "BYMONTHDAY":
            parts.append(f"BYMONTHDAY={some([1, 2, 13, 28, -1, -5])}")
        case "BYYEARDAY":
            parts.append(f"BYYEARDAY={some([1, 60, 100, 365, -1, -100])}")
        case "BYWEEKNO":
            parts.append(f"BYWEEKNO={some([1, 2, 20, 52, -1])}")
        case "BYEASTER":
            parts.append(f"BYEASTER={some([-48, -2, 0, 1, 39, 50])}")
        case "BYSETPOS":
            parts.append(f"BYDAY={some(WEEKDAYS, 5)};BYSETPOS={some([1, 2, -1])}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    if draw(st.booleans()):
        parts.append(f"BYHOUR={some([0, 8, 17, 23])};BYMINUTE={some([0, 15, 59])}")
    match draw(st.sampled_from(["", "COUNT", "UNTIL"])):
        case "COUNT":
            parts.append(f"COUNT={draw(st.integers(1, 40))}")
        case "UNTIL":
            year = draw(st.integers(2019, 2024))
            parts.append(f"UNTIL={year}{draw(st.sampled_from(['0101', '0630']))}T120000")
    return ";".join(parts)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    rules(),
    st.datetimes(wall("2019-01-01"), wall("2021-12-31")),
    st.integers(-400, 1200),
    st.integers(0, 500),
)
def test_occurrences_are_those_of_dateutil(text, start, days_later, days):
    start = start.replace(microsecond=0)
    since = start + timedelta(days=days_later)
    until = since + timedelta(days=days)

    found = list(occurrences(read_rule(text), start, since, until))

    assert found == rrulestr(text, dtstart=start).between(since, until, inc=True)


def test_what_the_rule_leaves_out_comes_from_its_start():
    found = occurrences(
        read_rule("FREQ=MONTHLY"),
        wall("2026-01-31 06:07:08"),
        wall("2026-01-01"),
        wall("2026-06-01"),
    )

    assert [str(moment) for moment in found] == [
        "2026-01-31 06:07:08",
        "2026-03-31 06:07:08",
        "2026-05-31 06:07:08",
    ]


def test_numbered_and_plain_weekdays_may_be_mixed():
    found = days_of("FREQ=MONTHLY;BYDAY=WE,1MO", "2026-01-01", "2026-06-01", "2026-06-20")

    assert found == ["2026-06-01", "2026-06-03", "2026-06-10", "2026-06-17"]


def test_positions_in_a_week_count_the_whole_week_over_new_year():
    workdays = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS"

    # Wednesday is the last day of 2025.
    assert days_of(f"{workdays}=1", "2025-12-01", "2026-01-01", "2026-01-06") == ["2026-01-05"]
    assert days_of(f"{workdays}=-1", "2025-12-01", "2025-12-26", "2025-12-31") == ["2025-12-26"]


def test_every_other_week_keeps_its_phase_over_many_years():
    found = days_of("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "1970-01-06", "2026-01-01", "2026-02-01")

    distances = {(wall(day) - wall("1970-01-06")).days % 14 for day in found}
    assert len(found) == 2
    assert distances == {0}


def test_until_as_a_day_includes_that_day():
    rule = "FREQ=DAILY;BYHOUR=23;BYMINUTE=59;UNTIL=20260103"

    assert days_of(rule, "2026-01-02", "2026-01-01", "2026-02-01") == ["2026-01-02", "2026-01-03"]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=DAILY;INTERVAL=7;BYDAY=FR;COUNT=5",
    ],
)
def test_a_rule_that_never_matches_comes_to_an_end(text):
    assert days_of(text, "2025-01-01", "2025-01-01", "2125-01-01") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected parts such as FREQ=DAILY, but there is ''"),
        ("DAILY", "expected parts such as FREQ=DAILY, but there is 'DAILY'"),
        ("FREQ=", "expected parts such as FREQ=DAILY, but there is 'FREQ='"),
        ("BYDAY=MO", "expected FREQ as one of"),
        ("FREQ=HOURLY", "expected FREQ as one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=SECONDLY", "but it is 'SECONDLY'"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
        ("FREQ=DAILY;BYSECOND=1", "but there is 'BYSECOND'"),
        ("FREQ=DAILY;INTERVAL=0", "expected INTERVAL between 1 and 1000"),
        ("FREQ=DAILY;INTERVAL=-1", "expected INTERVAL between 1 and 1000"),
        ("FREQ=DAILY;COUNT=99999", "expected COUNT between 1 and 10000"),
        ("FREQ=DAILY;COUNT=1;UNTIL=20260101", "the rule has both"),
        ("FREQ=DAILY;UNTIL=2026", "expected UNTIL such as"),
        ("FREQ=DAILY;UNTIL=20261301", "expected UNTIL such as"),
        ("FREQ=DAILY;BYMONTH=13", "expected BYMONTH between 1 and 12"),
        ("FREQ=DAILY;BYMONTHDAY=0", "expected BYMONTHDAY other than 0"),
        ("FREQ=DAILY;BYMONTHDAY=32", "expected BYMONTHDAY between -31 and 31"),
        ("FREQ=DAILY;BYMONTHDAY=x", "but it is 'X'"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "expected BYWEEKNO only with FREQ=YEARLY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "expected BYDAY without numbers in a WEEKLY rule"),
        ("FREQ=MONTHLY;BYDAY=0MO", "expected BYDAY as days such as MO or -1FR"),
        ("FREQ=MONTHLY;BYDAY=XX", "expected BYDAY as days such as MO or -1FR"),
        ("FREQ=DAILY;WKST=XX", "expected WKST as one of"),
        ("FREQ=YEARLY;BYMONTHDAY=" + "1," * 1000 + "1", "expected at most 1000 characters"),
    ],
)
def test_a_bad_rule_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(BadRule) as refused:
        read_rule(text)

    assert sentence in str(refused.value)


@pytest.mark.parametrize("text", ["FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;UNTIL=20260101T100000Z"])
def test_a_rule_for_days_has_no_times(text):
    with pytest.raises(BadRule):
        read_day_rule(text)


@given(st.text(alphabet="FREQ=DAILYWEKMONTHBYSTPU;,0123456789-+:", max_size=40))
def test_any_text_is_read_or_refused(text):
    with suppress(BadRule):
        assert read_rule(f"FREQ=YEARLY;{text}").frequency == "YEARLY"
