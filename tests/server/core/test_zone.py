"""Wall clocks and instants, where clocks jump."""

from __future__ import annotations

from datetime import datetime

import pytest

from interlock_server.core.zone import find_zone, first_ms, second_ms, wall_clock, zone_fault
from tests.support.instants import ms_of, text_of

#: Zone, wall clock, and the first and second instant (UTC) that it means.
READINGS = [
    ("UTC", "2026-03-29 02:30", "2026-03-29 02:30", "2026-03-29 02:30"),
    ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59", "2026-03-29 00:59"),
    # Never shown: the instant of the jump.
    ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00", "2026-03-29 01:00"),
    ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00", "2026-03-29 01:00"),
    ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00", "2026-03-29 01:00"),
    # Shown twice.
    ("Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59", "2026-10-24 23:59"),
    ("Europe/Berlin", "2026-10-25 02:00", "2026-10-25", "2026-10-25 01:00"),
    ("Europe/Berlin", "2026-10-25 02:59", "2026-10-25 00:59", "2026-10-25 01:59"),
    ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00", "2026-10-25 02:00"),
    ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00", "2026-03-08 07:00"),
    ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", "2026-11-01 06:30"),
    # Half an hour.
    ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", "2026-10-03 15:30"),
    ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", "2026-04-04 15:15"),
    # Midnight.
    ("America/Havana", "2026-11-01 00:30", "2026-11-01 04:30", "2026-11-01 05:30"),
    ("Asia/Beirut", "2026-03-29 00:00", "2026-03-28 22:00", "2026-03-28 22:00"),
    # A day that never was.
    ("Pacific/Apia", "2011-12-29 23:59", "2011-12-30 09:59", "2011-12-30 09:59"),
    ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", "2011-12-30 10:00"),
    ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00", "2011-12-30 10:00"),
]


@pytest.mark.parametrize(("zone", "wall", "first", "second"), READINGS)
def test_a_wall_clock_means_one_instant_or_one_of_two(zone, wall, first, second):
    found = find_zone(zone)
    assert found is not None
    shown = datetime.fromisoformat(wall)

    assert text_of(first_ms(shown, found)) == first
    assert text_of(second_ms(shown, found)) == second


@pytest.mark.parametrize(("zone", "wall", "first", "second"), READINGS)
def test_the_instant_shows_the_wall_clock_unless_it_was_jumped_over(zone, wall, first, second):
    found = find_zone(zone)
    assert found is not None

    shown = {wall_clock(ms_of(text), found) for text in (first, second)}

    assert len(shown) == 1
    assert shown.pop() >= datetime.fromisoformat(wall)


@pytest.mark.parametrize(
    "name",
    [
        *("", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime", "a\0b", "x" * 300),
        *("localtime", "posixrules", "right/Europe/Berlin"),
    ],
)
def test_what_is_no_zone_everywhere_is_refused(name):
    assert zone_fault(name).startswith("expected a time zone such as 'Europe/Berlin'")


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT-5"])
def test_a_zone_has_no_fault(name):
    assert zone_fault(name) == ""
