from __future__ import annotations

import pytest

from benchmarks import plot
from benchmarks.report import PLOTS, read_long_run, read_results

ROW = {
    "title": "a case",
    "unit": "jobs/s",
    "comparison": "a bare server",
    "ours": 2.0,
    "ours_min_max": [1.0, 3.0],
    "theirs": 4.0,
    "ratio": 0.5,
    "durability": {"ours": "full", "theirs": "nothing is stored"},
    "target": {"of": "ratio", "at_least": 0.4, "reached": True},
}
CURVE = {**ROW, "unit": "ms", "series": "late", "curve": [(50, 1.0), (99, 3.0), (100, 9.0)]}
OTHER = {**ROW, "durability": {"ours": "full", "theirs": "fsync on"}}
RESULTS = [{"rows": [ROW, CURVE, OTHER]}]
MINUTES = [{"minute": 1.0, "changes_per_s": 10, "rss_mib": 70.0}]


def test_rates_are_drawn_beside_bare_servers_or_beside_other_systems():
    assert plot.rates(RESULTS, bare=True) == [ROW]
    assert plot.rates(RESULTS, bare=False) == [OTHER]


def test_what_has_no_figures_is_not_drawn():
    assert list(plot.plots(RESULTS, None)) == ["bare.svg", "peers.svg", "latency.svg"]
    assert list(plot.plots([], {"minutes": MINUTES})) == ["long.svg"]


@pytest.mark.parametrize("name", ["bare.svg", "peers.svg", "latency.svg", "long.svg"])
def test_the_same_figures_give_the_same_bytes(name, tmp_path):
    data, draw = plot.plots(RESULTS, {"minutes": MINUTES})[name]

    for path in (tmp_path / "one.svg", tmp_path / "two.svg"):
        plot.save(path, data, draw)

    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert plot.drawn_from(tmp_path / "one.svg") == plot.digest(data)
    assert "<dc:date>" not in text


def test_the_plots_are_drawn_from_the_results():
    expected = {
        name: plot.digest(data)
        for name, (data, _) in plot.plots(read_results(), read_long_run()).items()
    }

    assert {path.name: plot.drawn_from(path) for path in PLOTS.glob("*.svg")} == expected
