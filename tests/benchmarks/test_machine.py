from __future__ import annotations

from benchmarks import machine


def test_the_cost_of_a_sync_is_measured(tmp_path):
    cost = machine.sync_cost_ms(tmp_path)

    assert 0 < cost["median"] <= cost["p99"]
    assert list(tmp_path.iterdir()) == []


def test_what_others_took_is_a_part_of_the_processors():
    assert 0 <= machine.Neighbours().share() <= 1
