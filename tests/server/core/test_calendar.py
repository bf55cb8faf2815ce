"""Time windows: elements, references, and what is asked of them (domain.md B7)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_server.core.calendar import (
    Opening,
    is_open,
    next_change,
    next_opening,
    openings,
    window_fault,
)
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.core.opening_hours import _spans_of_year
from interlock_server.core.openings import NEVER_HORIZON_MS
from interlock_server.core.recurrence_rule import _days_of_year
from tests.support.instants import ms_of, text_of

HOUR_MS = 3_600_000
MONDAYS = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=MO")
SUNDAYS = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=SU")
WORKDAYS = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
DAYTIME = WindowRestriction(opens="08:00", closes="17:00")
NIGHTS = WindowRestriction(opens="22:00", closes="06:00")

#: A Monday.
START = "2026-11-23"
END = "2026-11-30"


def window(name, *elements, **fields):
    """A window of elements, each a list of restrictions."""
    made = tuple(WindowElement(tuple(restrictions)) for restrictions in elements)
    return TimeWindow(name, elements=made, **fields)


def site(*windows):
    return {one.name: one for one in windows}


def shown(windows, name, first=START, last=END, zone="UTC"):
    found = openings(windows, name, ms_of(first), ms_of(last), zone)
    return [(text_of(opening.opens_ms), text_of(opening.closes_ms)) for opening in found]


def test_a_window_without_elements_is_never_open():
    assert shown(site(window("w")), "w") == []


def test_an_element_without_restrictions_is_always_open():
    assert shown(site(window("w", [])), "w") == [("2026-11-23", "2026-11-30")]


def test_elements_are_united():
    windows = site(window("w", [MONDAYS], [SUNDAYS], [MONDAYS, DAYTIME]))

    assert shown(windows, "w") == [("2026-11-23", "2026-11-24"), ("2026-11-29", "2026-11-30")]


def test_restrictions_of_an_element_are_intersected():
    windows = site(window("w", [MONDAYS, DAYTIME]))

    assert shown(windows, "w") == [("2026-11-23 08:00", "2026-11-23 17:00")]


def test_restrictions_that_never_meet_are_never_open():
    windows = site(window("w", [MONDAYS, SUNDAYS]))

    assert shown(windows, "w", "2026-01-01", "2036-01-01") == []


def test_enabled_during_intersects():
    windows = site(window("w", [DAYTIME], enabled_during="days"), window("days", [SUNDAYS]))

    assert shown(windows, "w") == [("2026-11-29 08:00", "2026-11-29 17:00")]


def test_disabled_during_subtracts():
    lunch = WindowRestriction(opens="12:00", closes="13:00")
    windows = site(
        window("w", [MONDAYS, DAYTIME], disabled_during="lunch"), window("lunch", [lunch])
    )

    assert shown(windows, "w") == [
        ("2026-11-23 08:00", "2026-11-23 12:00"),
        ("2026-11-23 13:00", "2026-11-23 17:00"),
    ]


def test_enabled_and_disabled_during_the_same_window_is_never_open():
    windows = site(window("w", [], enabled_during="x", disabled_during="x"), window("x", [MONDAYS]))

    assert shown(windows, "w") == []


def test_a_window_that_is_never_open_disables_nothing():
    windows = site(window("w", [MONDAYS], disabled_during="x"), window("x"))

    assert shown(windows, "w") == [("2026-11-23", "2026-11-24")]


def test_the_zone_of_the_caller_counts_where_the_window_has_none():
    assert shown(site(window("w", [MONDAYS, DAYTIME])), "w", zone="Europe/Berlin") == [
        ("2026-11-23 07:00", "2026-11-23 16:00"),
    ]


def test_the_zone_of_a_window_beats_that_of_the_caller():
    windows = site(window("w", [MONDAYS, DAYTIME], time_zone="America/New_York"))

    assert shown(windows, "w", zone="Europe/Berlin") == [("2026-11-23 13:00", "2026-11-23 22:00")]


def test_a_window_with_a_zone_means_the_same_for_everybody():
    windows = site(
        window("w", [MONDAYS], enabled_during="day", time_zone="Europe/Berlin"),
        window("day", [DAYTIME]),
    )

    assert shown(windows, "w", zone="Asia/Tokyo") == shown(windows, "w")
    assert shown(windows, "w") == [("2026-11-23 07:00", "2026-11-23 16:00")]


@pytest.mark.parametrize(
    "broken",
    [
        window("broken", [], enabled_during="missing"),
        window("broken", [], disabled_during="missing"),
        window("broken", [], time_zone="Mars/Olympus"),
        window("broken", [], [WindowRestriction(rule="FREQ=SECONDLY")]),
        window("broken", [], enabled_during="broken"),
        window("broken", [], disabled_during="broken"),
        window("broken", [], disabled_during="w"),
    ],
)
def test_a_broken_window_is_closed_and_closes_what_refers_to_it(broken):
    windows = site(broken, window("w", [], disabled_during="broken"))

    assert shown(windows, "broken") == []
    assert shown(windows, "w") == []


def test_a_window_that_is_missing_is_closed():
    assert not is_open({}, "w", ms_of(START))


def test_a_zone_that_does_not_exist_closes_the_window():
    assert not is_open(site(window("w", [])), "w", ms_of(START), "Mars/Olympus")


def test_an_opening_is_half_open():
    windows = site(window("w", [MONDAYS, DAYTIME]))
    opens, closes = ms_of("2026-11-23 08:00"), ms_of("2026-11-23 17:00")

    found = [is_open(windows, "w", at) for at in (opens - 1, opens, closes - 1, closes)]

    assert found == [False, True, True, False]


def test_nothing_is_open_before_1970_or_after_2999():
    windows = site(window("w", []))

    found = list(openings(windows, "w", -(10**15), 10**15))

    assert found == [Opening(0, NEVER_MS)]


def test_the_next_opening_is_now_while_it_is_open():
    windows = site(window("w", [MONDAYS]))
    now, end = ms_of("2026-11-23 12:00"), ms_of("2026-11-24")

    assert next_opening(windows, "w", now, until_ms=now + 1) == Opening(now, now + 1)
    assert next_opening(windows, "w", now, until_ms=now + 24 * HOUR_MS) == Opening(now, end)


def test_the_next_opening_has_enough_time_left():
    windows = site(window("w", [NIGHTS]))
    late = ms_of("2026-11-24 05:00")

    found = next_opening(
        windows, "w", late, min_open_ms=HOUR_MS + 1, until_ms=late + NEVER_HORIZON_MS
    )

    assert found == Opening(ms_of("2026-11-24 22:00"), ms_of("2026-11-25 06:00"))
    exactly = next_opening(windows, "w", late, min_open_ms=HOUR_MS, until_ms=late + HOUR_MS)
    assert exactly == Opening(late, late + HOUR_MS)


def test_an_opening_that_begins_before_the_limit_may_last_beyond_it():
    windows = site(window("w", [NIGHTS]))
    opens = ms_of("2026-11-23 22:00")

    found = next_opening(windows, "w", opens - HOUR_MS, min_open_ms=8 * HOUR_MS, until_ms=opens + 1)

    assert found == Opening(opens, opens + 8 * HOUR_MS)
    assert next_opening(windows, "w", opens - HOUR_MS, min_open_ms=1, until_ms=opens) is None


def test_a_night_made_longer_by_the_clocks_is_long_enough():
    windows = site(window("w", [NIGHTS], time_zone="Europe/Berlin"))
    now = ms_of("2026-11-23")

    found = next_opening(
        windows, "w", now, min_open_ms=9 * HOUR_MS, until_ms=now + NEVER_HORIZON_MS
    )

    assert found is not None
    assert text_of(found.opens_ms) == "2027-10-30 20:00"
    assert found.closes_ms - found.opens_ms == 9 * HOUR_MS


def test_a_calendar_in_conflict_has_no_opening_within_two_years():
    first_workday = WindowRestriction(rule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1")
    windows = site(
        window("w", [first_workday], disabled_during="workdays"), window("workdays", [WORKDAYS])
    )
    now = ms_of(START)

    assert next_opening(windows, "w", now, until_ms=now + NEVER_HORIZON_MS) is None
    assert next_change(windows, "w", now, until_ms=now + NEVER_HORIZON_MS) == 0


def test_an_opening_beyond_the_horizon_is_none():
    far = WindowRestriction(dates=("2028-12-01",))
    now = ms_of(START)

    windows = site(window("w", [far]))

    assert next_opening(windows, "w", now, until_ms=now + NEVER_HORIZON_MS) is None
    assert next_opening(windows, "w", now, until_ms=now + 2 * NEVER_HORIZON_MS) is not None


def test_a_search_of_two_years_looks_at_few_years():
    weekends = WindowRestriction(rule="FREQ=WEEKLY;BYDAY=SA,SU")
    windows = site(window("w", [weekends, WORKDAYS], time_zone="Europe/Berlin"))
    _spans_of_year.cache_clear()
    _days_of_year.cache_clear()
    now = ms_of(START)

    next_opening(windows, "w", now, until_ms=now + NEVER_HORIZON_MS)

    assert _spans_of_year.cache_info().misses <= 2 * 4
    assert _days_of_year.cache_info().misses <= 2 * 6


def test_a_long_forecast_that_is_not_read_costs_nothing():
    windows = site(window("w", [WORKDAYS, DAYTIME]))
    _spans_of_year.cache_clear()

    first = next(openings(windows, "w", ms_of(START), NEVER_MS))

    assert text_of(first.closes_ms) == "2026-11-23 17:00"
    assert _spans_of_year.cache_info().misses <= 2


def test_the_next_change_is_the_next_edge():
    windows = site(window("w", [MONDAYS, DAYTIME]))
    until = ms_of(END)

    def following(at):
        found = next_change(windows, "w", ms_of(at), until_ms=until)
        return found and text_of(found)

    assert following("2026-11-23 07:00") == "2026-11-23 08:00"
    assert following("2026-11-23 08:00") == "2026-11-23 17:00"
    assert following("2026-11-23 16:59") == "2026-11-23 17:00"
    assert following("2026-11-23 17:00") == 0


def test_a_window_that_is_always_open_does_not_change():
    windows = site(window("w", []))

    assert next_change(windows, "w", ms_of(START), until_ms=ms_of("2030-01-01")) == 0


RESTRICTIONS = st.sampled_from(
    [
        *(MONDAYS, SUNDAYS, WORKDAYS, DAYTIME, NIGHTS),
        WindowRestriction(opens="02:30", closes="03:30"),
        WindowRestriction(dates=("2026-10-24", "2026-10-25")),
        WindowRestriction(rule="FREQ=DAILY;INTERVAL=2", start_date="2026-10-20", opens="12:00"),
    ]
)
ELEMENTS = st.lists(st.lists(RESTRICTIONS, max_size=2), max_size=3)
ZONES = st.sampled_from(["", "UTC", "Europe/Berlin", "America/New_York"])


@st.composite
def sites(draw):
    """Windows a, b, c, each of which may refer to those after it."""
    made = []
    for name, later in (("a", ["", "b", "c"]), ("b", ["", "c"]), ("c", [""])):
        fields = {
            "enabled_during": draw(st.sampled_from(later)),
            "disabled_during": draw(st.sampled_from(later)),
            "time_zone": draw(ZONES),
        }
        made.append(window(name, *draw(ELEMENTS), **fields))
    return site(*made)


def open_by_definition(windows, name, at_ms, zone):
    """Say whether a window is open, from its restrictions alone, one instant at a time."""
    one = windows[name]
    zone = one.time_zone or zone

    def alone(restriction):
        single = site(window("only", [restriction]))
        return is_open(single, "only", at_ms, zone)

    if not any(all(map(alone, element.restrictions)) for element in one.elements):
        return False
    enabled = not one.enabled_during or open_by_definition(windows, one.enabled_during, at_ms, zone)
    disabled = one.disabled_during and open_by_definition(windows, one.disabled_during, at_ms, zone)
    return bool(enabled and not disabled)


@pytest.mark.slow
@given(sites(), ZONES)
def test_a_window_is_open_as_its_parts_say(windows, zone):
    first, last = ms_of("2026-10-23"), ms_of("2026-10-27")
    step = HOUR_MS // 2

    found = list(openings(windows, "a", first, last, zone))

    for at_ms in range(first, last, step):
        inside = any(opening.opens_ms <= at_ms < opening.closes_ms for opening in found)
        assert inside == open_by_definition(windows, "a", at_ms, zone or "UTC")


@pytest.mark.slow
@given(sites(), ZONES, st.integers(0, 96))
def test_all_questions_have_answers_that_fit(windows, zone, hour):
    first, last = ms_of("2026-10-23"), ms_of("2026-10-28")
    at_ms = first + hour * HOUR_MS

    found = list(openings(windows, "a", at_ms, last, zone))

    assert all(opening.opens_ms < opening.closes_ms for opening in found)
    assert all(one.closes_ms < other.opens_ms for one, other in pairwise(found))
    now = is_open(windows, "a", at_ms, zone)
    assert now == bool(found and found[0].opens_ms == at_ms)
    assert next_opening(windows, "a", at_ms, until_ms=last, zone=zone) == (
        found[0] if found else None
    )
    change = next_change(windows, "a", at_ms, until_ms=last, zone=zone)
    assert not change or is_open(windows, "a", change, zone) != now
    long_enough = [one for one in found if one.closes_ms - one.opens_ms >= 3 * HOUR_MS]
    longer = next_opening(
        windows, "a", at_ms, min_open_ms=3 * HOUR_MS, until_ms=last - 3 * HOUR_MS, zone=zone
    )
    early = [one for one in long_enough if one.opens_ms < last - 3 * HOUR_MS]
    assert longer == (early[0] if early else None)


def test_a_sound_window_has_no_fault():
    windows = site(window("days", [WORKDAYS]), window("holidays", [SUNDAYS]))
    made = window(
        "w",
        [WORKDAYS, DAYTIME],
        [],
        time_zone="Europe/Berlin",
        enabled_during="days",
        disabled_during="holidays",
    )

    assert window_fault(made, windows) == ""


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (window("w", time_zone="Berlin"), "expected a time zone such as 'Europe/Berlin'"),
        (window("w", *[[]] * 101), "expected at most 100 elements, but there are 101"),
        (window("w", [MONDAYS] * 21), "element 1: expected at most 20 restrictions"),
        (
            window("w", [], [MONDAYS, WindowRestriction(opens="25:00")]),
            "element 2, restriction 2: expected opens as HH:MM, but it is '25:00'",
        ),
        (
            window("w", [WindowRestriction(rule="FREQ=MINUTELY")]),
            "element 1, restriction 1: in the rule 'FREQ=MINUTELY': expected FREQ",
        ),
        (window("w", enabled_during="x"), "expected a window in enabled_during, but there is no"),
        (window("w", disabled_during="x"), "expected a window in disabled_during, but there is"),
        (window("w", enabled_during="w"), "expected enabled_during without a circle"),
        (
            window("w", disabled_during="a"),
            "expected disabled_during without a circle, but it is w -> a -> b -> w",
        ),
    ],
)
def test_a_bad_window_is_refused_with_a_sentence(bad, sentence):
    windows = site(
        window("a", [], enabled_during="b"), window("b", [], disabled_during="w"), window("w")
    )

    assert sentence in window_fault(bad, windows)


def test_windows_refer_to_each_other_only_so_deep():
    chain = [window(f"w{number}", [], enabled_during=f"w{number + 1}") for number in range(8)]
    windows = site(*chain, window("w8", []))

    assert "expected at most 8 windows" in window_fault(chain[0], windows)
    assert window_fault(chain[1], site(*chain[1:], window("w8", []))) == ""
    # The window that is changed is fine by itself, but not for those that refer to it.
    del windows["w0"]
    deeper = window("w8", [], enabled_during="w9")
    assert "from 'w1' on" in window_fault(deeper, windows | site(window("w9", [])))


def test_the_work_of_a_window_and_all_it_refers_to_is_bounded():
    full = [[MONDAYS] * 20] * 10
    windows = site(
        *(
            window(f"w{n}", *full, enabled_during=f"w{n + 1}", disabled_during=f"w{n + 1}")
            for n in range(3)
        )
    )
    windows["w3"] = window("w3", [])

    assert "'w0' would have 1400" in window_fault(windows["w0"], windows)
