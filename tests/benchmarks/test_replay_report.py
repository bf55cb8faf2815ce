from __future__ import annotations

from benchmarks.replay_report import Report, percentiles


def report(**fields):
    return Report(
        workload="sample.swf", lifecycle="redwood", speed="max", robots=2, server={}, **fields
    )


def test_percentiles_are_values_that_were_measured():
    found = percentiles([float(number) for number in range(1, 101)])

    assert found == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}


def test_a_value_may_count_several_times():
    assert percentiles([1.0, 9.0], [99, 1]) == {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 9.0}


def test_nothing_measured_has_no_percentiles():
    assert percentiles([]) == {}


def test_rates_are_those_of_the_whole_run():
    found = report(jobs=30, transitions=90, seconds=1.5).as_mapping()

    assert (found["jobs_per_s"], found["transitions_per_s"]) == (20.0, 60.0)


def test_violations_are_counted_and_told():
    found = report(violations=["job 7 is not final"])

    assert found.as_mapping()["violations"] == 1
    assert list(found.lines())[-2:] == ["violations: 1", "  job 7 is not final"]
