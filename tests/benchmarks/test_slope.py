from __future__ import annotations

import pytest

from benchmarks.slope import Slope

HOURS = [number / 10 for number in range(10)]


def test_a_line_is_found():
    slope = Slope.fit(HOURS, [5 + 30 * hour for hour in HOURS])

    assert slope.per_hour == pytest.approx(30)
    assert slope.error == pytest.approx(0, abs=1e-9)
    assert not slope.is_flat


def test_noise_around_a_mean_is_flat():
    figures = [100 + (-1) ** number * 10 for number in range(10)]

    assert Slope.fit(HOURS, figures).is_flat


def test_growth_that_stands_out_of_the_noise_is_not_flat():
    figures = [100 + (-1) ** number + 50 * hour for number, hour in enumerate(HOURS)]

    assert not Slope.fit(HOURS, figures).is_flat


def test_growth_that_is_next_to_nothing_is_flat():
    assert Slope.fit(HOURS, [100 + hour for hour in HOURS]).is_flat


def test_two_points_say_nothing():
    slope = Slope.fit([0.0, 1.0], [1.0, 9.0])

    assert slope.mean == 5
    assert slope.told()["error"] is None
