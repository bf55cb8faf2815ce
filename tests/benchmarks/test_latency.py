from __future__ import annotations

import pytest

from benchmarks.latency import Latency


def recorded(*times_ms: float) -> Latency:
    latency = Latency()
    for ms in times_ms:
        latency.record(ms / 1_000)
    return latency


def test_percentiles_are_read_in_milliseconds():
    latency = recorded(*range(1, 101))

    assert latency.ms(50) == pytest.approx(50, rel=0.001)
    assert latency.ms(99) == pytest.approx(99, rel=0.001)


def test_a_time_counts_as_often_as_it_was_the_same():
    latency = recorded(1.0)
    latency.record(0.009, count=99)

    assert latency.ms(50) == pytest.approx(9, rel=0.001)
    assert len(latency) == 100


def test_what_several_have_recorded_is_joined():
    joined = Latency.of([recorded(1, 1).encoded(), recorded(7, 7, 7).encoded()])

    assert len(joined) == 5
    assert joined.ms(50) == pytest.approx(7, rel=0.001)


def test_a_curve_never_falls():
    times = [ms for _, ms in recorded(*range(1, 1_000)).curve()]

    assert times == sorted(times)


def test_a_clock_that_went_back_is_no_error():
    assert recorded(-5.0).ms(50) == 0.001
