from __future__ import annotations

import pytest

from benchmarks.measurement import Measurement, at_least, at_most
from benchmarks.table import number, table, target


def test_the_table_has_a_line_for_each_row_and_names_what_has_no_figures():
    found = Measurement("a case", "jobs/s", "a bare server", target=at_least(0.4))
    found.ours, found.theirs = [20_000.0], [40_000.0]
    rows = [
        found.row(),
        Measurement("another", "", "", failure="it hung").row(),
        Measurement("a case", "", "Redis", skipped="redis-server is not installed").row(),
    ]

    lines = list(table(rows))

    assert "20,000" in lines[1]
    assert "0.50" in lines[1]
    assert ">= 0.4: yes" in lines[1]
    assert lines[2:] == [
        "failed: another: it hung",
        "skipped: a case / Redis: redis-server is not installed",
    ]


def test_a_target_of_our_own_figure_has_its_unit():
    found = Measurement("start-up", "s", "", target=at_most(10.0, "ours"))
    found.ours = [11.0]

    assert target(found.row()) == "<= 10 s: no"


@pytest.mark.parametrize(
    ("value", "written"), [(0.123, "0.12"), (999.5, "999.50"), (1_234_567.8, "1,234,568")]
)
def test_figures_are_written_as_people_read_them(value, written):
    assert number(value) == written
