"""The instants of cron fields, rules and intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.recurrence import next_instant, recurrence_fault
from tests.support.instants import ms_of, text_of

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
EVERY_MINUTE = ",".join(map(str, range(60)))


def cron(text, zone="", **fields):
    return Recurrence(RecurrenceKind.CRON, text, zone, **fields)


def rule(*lines, zone="", **fields):
    return Recurrence(RecurrenceKind.RULE, "\n".join(lines), zone, **fields)


def interval(length_ms, **fields):
    return Recurrence(RecurrenceKind.INTERVAL, interval_ms=length_ms, **fields)


def instants(recurrence, after, most=5):
    found: list[str] = []
    after_ms = ms_of(after)
    while len(found) < most and (at_ms := next_instant(recurrence, after_ms)) is not None:
        assert at_ms > after_ms
        found.append(text_of(at_ms))
        after_ms = at_ms
    return found


def test_cron_fields_mean_the_wall_clock_of_the_zone():
    assert instants(cron("0 8 * * MON-FRI", "Europe/Berlin"), "2026-03-27 12:00", 2) == [
        "2026-03-30 06:00",
        "2026-03-31 06:00",
    ]
    assert instants(cron("0 8 * * 1"), "2026-11-23 08:00", 1) == ["2026-11-30 08:00"]


def test_the_next_instant_is_later_than_the_one_before():
    at_ms = ms_of("2026-11-23 08:00")
    daily = cron("0 8 * * *")

    assert next_instant(daily, at_ms - 1) == at_ms
    assert next_instant(daily, at_ms) == at_ms + DAY_MS


@pytest.mark.parametrize(
    "daily",
    [
        cron("30 2 * * *", "Europe/Berlin"),
        rule("DTSTART;TZID=Europe/Berlin:20260101T023000", "RRULE:FREQ=DAILY"),
    ],
)
def test_what_happens_daily_happens_once_a_day_whatever_the_clocks_do(daily):
    assert instants(daily, "2026-03-28", 3) == [
        "2026-03-28 01:30",
        # 02:30 was jumped over: the instant after the jump.
        "2026-03-29 01:00",
        "2026-03-30 00:30",
    ]
    assert instants(daily, "2026-10-24", 3) == [
        "2026-10-24 00:30",
        # 02:30 is there twice: the first.
        "2026-10-25 00:30",
        "2026-10-26 01:30",
    ]
    assert instants(daily, "2026-10-25 01:00", 1) == ["2026-10-26 01:30"]


def test_what_happens_hourly_goes_by_real_time():
    hourly = cron("0 * * * *", "Europe/Berlin")

    assert instants(hourly, "2026-10-24 23:30", 4) == [
        "2026-10-25",
        "2026-10-25 01:00",
        "2026-10-25 02:00",
        "2026-10-25 03:00",
    ]
    assert instants(hourly, "2026-03-29 00:30", 2) == ["2026-03-29 01:00", "2026-03-29 02:00"]


def test_half_an_hour_of_lord_howe_is_not_lost():
    daily = cron("15 2 * * *", "Australia/Lord_Howe")

    assert instants(daily, "2026-10-02 12:00", 3) == [
        "2026-10-02 15:45",
        "2026-10-03 15:30",
        "2026-10-04 15:15",
    ]


@pytest.mark.parametrize(
    "daily",
    [
        cron("0 12 * * *", "Pacific/Apia"),
        rule("DTSTART;TZID=Pacific/Apia:20110101T120000", "RRULE:FREQ=DAILY"),
    ],
)
def test_a_day_that_never_was_happens_where_the_next_begins(daily):
    assert instants(daily, "2011-12-29 12:00", 3) == [
        "2011-12-29 22:00",
        "2011-12-30 10:00",
        "2011-12-30 22:00",
    ]


def test_a_start_and_an_end_are_included():
    daily = cron("0 8 * * *", start_ms=ms_of("2026-11-23 08:00"), end_ms=ms_of("2026-11-25 08:00"))

    assert instants(daily, "2026-01-01") == [
        "2026-11-23 08:00",
        "2026-11-24 08:00",
        "2026-11-25 08:00",
    ]


def test_an_interval_counts_from_its_start():
    every = interval(90 * MINUTE_MS, start_ms=ms_of("2026-11-23 08:00"))

    assert instants(every, "2026-01-01", 2) == ["2026-11-23 08:00", "2026-11-23 09:30"]
    assert instants(every, "2026-11-24 07:59", 1) == ["2026-11-24 08:00"]


@given(st.integers(1000, 10**10), st.integers(0, 10**13), st.integers(0, 10**13))
@example(1000, 0, 0)
def test_an_interval_is_never_early_or_skipped(length_ms, start_ms, after_ms):
    found = next_instant(interval(length_ms, start_ms=start_ms), after_ms)

    assert found is not None
    assert found > after_ms
    assert (found - start_ms) % length_ms == 0
    assert found == start_ms or found - length_ms <= after_ms


def test_a_rule_counts_from_its_dtstart():
    three = rule("DTSTART:20261130T080000", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3")

    assert instants(three, "2026-01-01") == [
        "2026-11-30 08:00",
        "2026-12-14 08:00",
        "2026-12-28 08:00",
    ]


def test_a_rule_without_dtstart_counts_from_the_start():
    weekly = rule("FREQ=WEEKLY", zone="Europe/Berlin", start_ms=ms_of("2026-10-19 06:00:00.001"))

    assert instants(weekly, "2026-01-01", 2) == ["2026-10-19 06:00:01", "2026-10-26 07:00:01"]


@pytest.mark.parametrize(
    ("lines", "zone"),
    [
        (["DTSTART;TZID=Europe/Berlin:20260701T080000", "RRULE:FREQ=DAILY"], ""),
        (["DTSTART;TZID=Europe/Berlin:20260701T080000", "RRULE:FREQ=DAILY"], "Europe/Berlin"),
        (["DTSTART:20260701T080000", "RRULE:FREQ=DAILY"], "Europe/Berlin"),
        (["DTSTART:20260701T060000Z", "FREQ=DAILY"], "Europe/Berlin"),
        (["dtstart;value=date:20260701", "rrule:freq=daily;byhour=8"], "Europe/Berlin"),
    ],
)
def test_a_start_is_said_in_several_ways(lines, zone):
    assert instants(rule(*lines, zone=zone), "2026-12-01", 1) == ["2026-12-01 07:00"]


def test_a_start_in_utc_without_a_zone_stays_in_utc():
    daily = rule("DTSTART:20260701T060000Z", "RRULE:FREQ=DAILY")

    assert instants(daily, "2026-12-01", 1) == ["2026-12-01 06:00"]


def test_until_in_utc_is_an_instant():
    start = "DTSTART;TZID=Europe/Berlin:20261024T023000"
    first = rule(start, "RRULE:FREQ=DAILY;UNTIL=20261025T003000Z")
    neither = rule(start, "RRULE:FREQ=DAILY;UNTIL=20261025T002959Z")

    assert instants(first, "2026-01-01") == ["2026-10-24 00:30", "2026-10-25 00:30"]
    assert instants(neither, "2026-01-01") == ["2026-10-24 00:30"]


def test_excluded_instants_are_left_out():
    daily = rule(
        "DTSTART;TZID=Europe/Berlin:20261224T080000",
        "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20261225T080000,20261226T080000",
        "EXDATE:20261227T070000Z",
    )

    assert instants(daily, "2026-01-01") == ["2026-12-24 07:00"]


def test_several_times_of_a_day_that_were_jumped_over_are_one_instant():
    often = rule(
        "DTSTART;TZID=Europe/Berlin:20260101T000000",
        "RRULE:FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30",
    )

    assert instants(often, "2026-03-29 00:30", 2) == ["2026-03-29 01:00", "2026-03-29 01:30"]


def test_a_recurrence_of_many_years_answers_from_any_of_them():
    daily = rule("DTSTART:19700101T080000", "RRULE:FREQ=DAILY;INTERVAL=7")

    assert instants(daily, "2026-11-23", 1) == ["2026-11-26 08:00"]


def test_there_is_nothing_at_the_end_of_time():
    assert next_instant(cron("* * * * *"), NEVER_MS - MINUTE_MS) is None
    assert next_instant(interval(MINUTE_MS), NEVER_MS) is None
    assert next_instant(cron("* * * * *"), -(10**15)) == 0


@pytest.mark.parametrize(
    ("recurrence", "sentence"),
    [
        (cron("* * * *"), "expected five cron fields, but there are 4"),
        (cron("* * * * * *"), "expected five cron fields, but there are 6"),
        (cron("60 * * * *"), "in '60 * * * *': Bad minute"),
        (cron("* * 30 2 *"), "Bad day-of-month"),
        (cron("0 0 * * 5L/2"), "Bad day-of-week"),
        (cron(",".join("1" * 400) + " * * * *"), "expected at most 500 characters"),
        (cron("* * * * *", "Berlin"), "expected a time zone such as"),
        (cron("0 8 * * *", start_ms=2, end_ms=1), "expected end not before start"),
        (cron("0 8 1 1 *", start_ms=DAY_MS, end_ms=2 * DAY_MS), "'0 8 1 1 *' never happens"),
        (interval(999), "expected an interval of at least 1000 ms, but it is 999"),
        (rule("FREQ=DAILY"), "expected DTSTART, or a start"),
        (rule("DTSTART:20260101T000000"), "expected an RRULE, but there is none"),
        (rule("DTSTART:20260101T000000", "FREQ=DAILY", "FREQ=DAILY"), "expected RRULE once"),
        (rule("DTSTART:2026", "FREQ=DAILY"), "expected a time such as 20261231T180000"),
        (rule("DTSTART:18000101", "FREQ=DAILY"), "expected DTSTART from 1968 to 2999"),
        (rule("DTSTART:20260101", "FREQ=MINUTELY"), "expected FREQ as one of"),
        (rule("DTSTART:20260101", "RDATE:20260101", "FREQ=DAILY"), "expected lines of RRULE"),
        (rule("DTSTART;X=1:20260101", "FREQ=DAILY"), "expected TZID or VALUE"),
        (rule("DTSTART;TZID=Berlin:20260101", "FREQ=DAILY"), "expected a time zone such as"),
        (
            rule("DTSTART;TZID=Europe/Berlin:20260101", "FREQ=DAILY", zone="UTC"),
            "expected one time zone, but there are Europe/Berlin, UTC",
        ),
        (
            rule("DTSTART:20260101", f"FREQ=DAILY;BYHOUR=1,2;BYMINUTE={EVERY_MINUTE}"),
            "expected a rule that recurs at most 96 times a day",
        ),
        (
            rule("DTSTART:20260101", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
            "never happens",
        ),
    ],
)
def test_a_bad_recurrence_is_refused_with_a_sentence(recurrence, sentence):
    assert sentence in recurrence_fault(recurrence)


@pytest.mark.parametrize(
    "recurrence",
    [
        cron("0 8 * * MON-FRI", "Europe/Berlin"),
        cron("0 0 29 2 *"),
        cron("0 0 L * *"),
        rule("DTSTART:20260101T080000", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        interval(1000),
    ],
)
def test_a_sound_recurrence_has_no_fault(recurrence):
    assert recurrence_fault(recurrence) == ""


@pytest.mark.parametrize(
    "recurrence",
    [cron("x"), cron("* * * * *", "Berlin"), rule("x"), rule("FREQ=DAILY"), interval(0)],
)
def test_a_bad_recurrence_never_happens(recurrence):
    assert next_instant(recurrence, 0) is None


@given(st.text(alphabet="0123456789*/,-#LWMONJA ", max_size=20))
def test_any_cron_text_is_read_or_refused(text):
    recurrence = cron(f"0 0 {text}")

    fault = recurrence_fault(recurrence)

    assert fault.startswith("expected") or next_instant(recurrence, 0) is not None


@given(st.text(alphabet="DTSTART;TZIDUC=:20260101Z\nFREQDAILY", max_size=40))
def test_any_rule_text_is_read_or_refused(text):
    recurrence = rule(text, "DTSTART:20260101", "FREQ=DAILY")

    fault = recurrence_fault(recurrence)

    assert fault.startswith("expected") or next_instant(recurrence, 0) is not None


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


@pytest.mark.slow
@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(ms_of("2026-01-01"), ms_of("2027-12-31")),
)
def test_a_daily_time_agrees_with_a_clock_that_is_looked_at_every_minute(zone, hour, minute, after):
    at_ms = (after // MINUTE_MS + 1) * MINUTE_MS
    wanted = (hour, minute)
    clock = ZoneInfo(zone)

    def day_and_time(instant):
        shown = datetime.fromtimestamp(instant // 1000, UTC).astimezone(clock)
        return shown.date(), (shown.hour, shown.minute)

    # The first minute of a day at or after the time, that no earlier minute of the day has reached.
    first_minute = at_ms - DAY_MS - 2 * 60 * MINUTE_MS
    reached = set()
    expected = None
    for instant in range(first_minute, at_ms + 2 * DAY_MS, MINUTE_MS):
        day, time = day_and_time(instant)
        if time >= wanted and day not in reached:
            reached.add(day)
            # The scan begins in the middle of a day.
            if instant >= at_ms and instant > first_minute:
                expected = instant
                break

    started = "DTSTART:20200101T000000"
    by_rule = rule(started, f"FREQ=DAILY;BYHOUR={hour};BYMINUTE={minute}", zone=zone)
    assert next_instant(cron(f"{minute} {hour} * * *", zone), after) == expected
    assert next_instant(by_rule, after) == expected
