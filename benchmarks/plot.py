"""Draws the results: ratios to other servers, the latency curve, and the long run over time.

The same results give the same bytes. Each file says by a digest from which figures it was drawn.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measurement import NOTHING_KEPT
from benchmarks.report import PLOTS, read_long_run, read_results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

OURS: Final = "#1f6f8b"
THEIRS: Final = "#c06014"
_STYLE: Final[Any] = {
    "svg.hashsalt": "interlock",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def digest(data: Any) -> str:
    """Return what tells these figures from others."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def drawn_from(path: Path) -> str:
    """Return the digest that a plot carries; nothing if it has none."""
    text = path.read_text(encoding="utf-8")
    return text.partition("<dc:description>")[2].partition("</dc:description>")[0]


# -- what is drawn --------------------------------------------------------------------------------


def rates(results: Sequence[dict[str, Any]], *, bare: bool) -> list[dict[str, Any]]:
    """Return the rows about rates: against bare servers and ourselves, or against others."""
    return [
        row
        for result in results
        for row in result["rows"]
        if row["ratio"] is not None
        and row["unit"].endswith("/s")
        and (row["durability"]["theirs"] in {"full", NOTHING_KEPT}) is bare
    ]


def curves(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that have a latency curve."""
    return [row for result in results for row in result["rows"] if "curve" in row]


# -- how ------------------------------------------------------------------------------------------


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, figure.add_subplot()


def draw_ratios(rows: Sequence[dict[str, Any]]) -> Figure:
    """Bars of ours as multiples of theirs, from the least to the most, and marks at the targets."""
    figure, axes = _figure(9, 0.8 + 0.36 * len(rows))
    places = [-number for number in range(len(rows))]
    ratios = [row["ratio"] for row in rows]
    least = [row["ratio"] - row["ours_min_max"][0] / row["theirs"] for row in rows]
    most = [row["ours_min_max"][1] / row["theirs"] - row["ratio"] for row in rows]
    whiskers = [[max(0.0, value) for value in values] for values in (least, most)]
    # From 1 on: where a logarithmic axis begins means nothing.
    axes.barh(places, [ratio - 1 for ratio in ratios], left=1, height=0.6, color=OURS)
    axes.errorbar(ratios, places, xerr=whiskers, fmt="none", ecolor="#444444", capsize=2)
    for place, row in zip(places, rows, strict=True):
        if "at_least" in row.get("target", {}):
            axes.plot([row["target"]["at_least"]] * 2, [place - 0.4, place + 0.4], color=THEIRS)
    labels = [f"{row['title']}\nbeside {row['comparison']}" for row in rows]
    axes.set_yticks(places, labels, fontsize=7)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="#444444", linewidth=0.8)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_xlabel("ours as a multiple of theirs; orange: the target")
    return figure


def draw_curves(rows: Sequence[dict[str, Any]]) -> Figure:
    """Latency by percentile, on an axis that gives every nine the same room."""
    figure, axes = _figure(7, 3.6)
    for row, color in zip(rows, (OURS, THEIRS), strict=False):
        points = [(100 / (100 - share), ms) for share, ms in row["curve"] if share < 100]
        axes.plot(*zip(*points, strict=True), color=color, label=row["series"])
    if rows:
        axes.axhline(rows[0]["theirs"], color="#444444", linestyle=":", label=rows[0]["comparison"])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([2, 10, 100, 1_000, 10_000], ["50", "90", "99", "99.9", "99.99"])
    axes.set_xlabel("percentile")
    axes.set_ylabel("ms")
    axes.legend(frameon=False)
    return figure


def draw_long_run(minutes: Sequence[dict[str, Any]]) -> Figure:
    """Throughput and memory over time."""
    figure, axes = _figure(7, 3.2)
    at = [each["minute"] for each in minutes]
    axes.plot(at, [each["changes_per_s"] for each in minutes], color=OURS)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("changes/s", color=OURS)
    memory = axes.twinx()
    memory.plot(at, [each["rss_mib"] for each in minutes], color=THEIRS)
    memory.set_ylim(bottom=0)
    memory.set_ylabel("resident memory, MiB", color=THEIRS)
    return figure


def plots(
    results: Sequence[dict[str, Any]], long_run: dict[str, Any] | None
) -> dict[str, tuple[Any, Callable[[Any], Figure]]]:
    """Return by file name what is drawn, and how; only what there are figures of."""
    possible: dict[str, tuple[Any, Callable[[Any], Figure]]] = {
        "bare.svg": (rates(results, bare=True), draw_ratios),
        "peers.svg": (rates(results, bare=False), draw_ratios),
        "latency.svg": (curves(results), draw_curves),
        "long.svg": (long_run["minutes"] if long_run else [], draw_long_run),
    }
    return {name: plot for name, plot in possible.items() if plot[0]}


def save(path: Path, data: Any, draw: Callable[[Any], Figure]) -> None:
    """Draw figures into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        draw(data).savefig(path, format="svg", metadata={"Date": None, "Description": digest(data)})


def main() -> int:
    """Draw everything that there are results of; returns the exit code."""
    for name, (data, draw) in plots(read_results(), read_long_run()).items():
        save(PLOTS / name, data, draw)
    return 0


if __name__ == "__main__":
    sys.exit(main())
