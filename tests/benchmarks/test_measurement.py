from __future__ import annotations

import pytest

from benchmarks.measurement import Measurement, Target, at_least, at_most
from benchmarks.rate import Rate


def measured(*, ours: list[float], theirs: list[float], target: Target | None = None):
    measurement = Measurement("a case", "jobs/s", "a bare server", target=target)
    measurement.ours, measurement.theirs = ours, theirs
    return measurement


def test_a_row_has_medians_and_their_ratio():
    row = measured(ours=[1.0, 9.0, 2.0], theirs=[4.0, 5.0, 1.0]).row()

    assert (row["ours"], row["theirs"], row["ratio"]) == (2.0, 4.0, 0.5)
    assert (row["ours_min_max"], row["theirs_min_max"]) == ([1.0, 9.0], [1.0, 5.0])
    assert row["rounds"] == 3


def test_a_row_says_what_each_side_keeps():
    row = measured(ours=[1.0], theirs=[2.0]).row()

    assert row["durability"] == {"ours": "full", "theirs": "nothing is stored"}


@pytest.mark.parametrize("word", ["failed", "skipped"])
def test_a_case_without_figures_says_why(word):
    measurement = Measurement("a case", "jobs/s", "a bare server")
    setattr(measurement, {"failed": "failure"}.get(word, word), "it hung")

    row = measurement.row()

    assert (row["ours"], row["theirs"], row["ratio"], row[word]) == (None, None, None, "it hung")


def test_a_case_without_a_comparison_has_no_ratio():
    row = measured(ours=[2.0], theirs=[], target=at_most(3.0, "ours")).row()

    assert (row["theirs"], row["ratio"]) == (None, None)
    assert row["target"] == {"of": "ours", "at_most": 3.0, "reached": True}


@pytest.mark.parametrize(
    ("target", "reached"),
    [(at_least(0.5), True), (at_least(0.51), False), (at_most(0.5), True), (at_most(0.4), False)],
)
def test_a_row_says_whether_its_target_is_reached(target, reached):
    row = measured(ours=[1.0], theirs=[2.0], target=target).row()

    assert row["target"]["reached"] is reached


def test_processor_time_is_given_for_one_item():
    measurement = Measurement("a case", "jobs/s", "a bare server")
    measurement.add_ours(Rate(1_000, 2.0, 0.004, 0.002))
    measurement.add_theirs(Rate(1_000, 1.0, 0.001))

    row = measurement.row()

    assert (row["ours"], row["theirs"]) == (500.0, 1_000)
    assert (row["our_server_us_per_item"], row["their_server_us_per_item"]) == (4.0, 1.0)
    assert row["load_us_per_item"] == 2.0
