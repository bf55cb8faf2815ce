"""Lengths of time and instants, as typed and as shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from interlock.cli.instant import age, ahead, length, parse_duration, parse_instant, rfc3339

NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("2d", 172_800),
        ("500ms", 0.5),
    ],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-5m", "1h30", "m5", "9" * 400])
def test_what_is_no_duration_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="such as 30, 90s, 5m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-01T06:00:00Z", datetime(2026, 10, 1, 6, tzinfo=UTC)),
        ("2026-10-01T06:00:00+02:00", datetime(2026, 10, 1, 4, tzinfo=UTC)),
        ("now", NOW),
        ("+2h", NOW + timedelta(hours=2)),
    ],
)
def test_an_instant_is_read(text, instant):
    assert parse_instant(text, now=NOW) == instant


def test_an_instant_without_a_zone_is_local_time():
    expected = datetime(2026, 10, 1, 6).astimezone()

    assert parse_instant("2026-10-01 06:00", now=NOW) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "+later"])
def test_what_is_no_instant_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="expected"):
        parse_instant(text, now=NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (59, "59s"),
        (61, "1m 1s"),
        (3_600, "1h"),
        (3_661, "1h 1m"),
        (90_000, "1d 1h"),
        (-5, "0s"),
    ],
)
def test_a_length_is_shown_in_two_units_at_most(seconds, text):
    assert length(timedelta(seconds=seconds)) == text


def test_an_age_is_never_negative_when_clocks_disagree():
    assert age(NOW + timedelta(seconds=5), now=NOW) == "0s"


def test_what_never_happened_has_no_age():
    assert age(None, now=NOW) == "-"


def test_the_start_of_a_job_that_has_none_is_never():
    assert ahead(datetime(2999, 12, 31, tzinfo=UTC), now=NOW) == "never"


def test_programs_get_utc_with_milliseconds():
    assert rfc3339(NOW) == "2026-10-01T03:00:00.000Z"
