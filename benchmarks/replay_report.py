"""What a replay found: figures, verdicts and violations, as a table or as one JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LATENCY_IS: Final = (
    "from sending the submission to seeing the final status in a watch, less the job's run time"
)
WATCH_DELAY_IS: Final = (
    "from the server's decision on a change to its arrival at a watcher, in whole milliseconds"
)
#: So many violations are told; all are counted.
TOLD_MAX: Final = 50


@dataclass
class Report:
    """The outcome of a replay."""

    workload: str
    lifecycle: str
    speed: str
    robots: int
    server: Mapping[str, str]
    jobs: int = 0
    transitions: int = 0
    seconds: float = 0.0
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    watch_delay_ms: Mapping[str, float] = field(default_factory=dict)
    final: Mapping[str, int] = field(default_factory=dict)
    watchers: Sequence[Mapping[str, Any]] = ()
    violations: list[str] = field(default_factory=list)

    def as_mapping(self) -> dict[str, Any]:
        """Everything, for programs."""
        seconds = max(self.seconds, 1e-9)
        return {
            "workload": self.workload,
            "lifecycle": self.lifecycle,
            "speed": self.speed,
            "robots": self.robots,
            "server": dict(self.server),
            "jobs": self.jobs,
            "transitions": self.transitions,
            "seconds": round(self.seconds, 3),
            "jobs_per_s": round(self.jobs / seconds, 1),
            "transitions_per_s": round(self.transitions / seconds, 1),
            "latency_ms": _rounded(self.latency_ms),
            "latency_is": LATENCY_IS,
            "watch_delay_ms": _rounded(self.watch_delay_ms),
            "watch_delay_is": WATCH_DELAY_IS,
            "final": dict(sorted(self.final.items())),
            "watchers": [dict(watcher) for watcher in self.watchers],
            "violations": len(self.violations),
            "violated": self.violations[:TOLD_MAX],
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table for people."""
        found = self.as_mapping()
        yield from _aligned(
            [
                ("workload", f"{self.workload}, as {self.lifecycle} jobs, speed {self.speed}"),
                ("server", ", ".join(f"{name} {text}" for name, text in self.server.items())),
                ("jobs", f"{self.jobs:,} in {self.seconds:,.2f} s, {self.robots} robots"),
                ("jobs/s", f"{found['jobs_per_s']:,.0f}"),
                (
                    "transitions/s",
                    f"{found['transitions_per_s']:,.0f} ({self.transitions:,} in all)",
                ),
                ("latency ms", f"{_percentiles(self.latency_ms)}  ({LATENCY_IS})"),
                ("watch delay ms", f"{_percentiles(self.watch_delay_ms)}  ({WATCH_DELAY_IS})"),
                ("final", ", ".join(f"{count:,} {name}" for name, count in found["final"].items())),
            ]
        )
        yield ""
        columns = ("watcher", "events", "gaps", "duplicates", "reorders", "torn", "resumes")
        rows = [
            (str(number), *(f"{watcher[name]:,}" for name in columns[1:]))
            for number, watcher in enumerate(self.watchers, start=1)
        ]
        yield from _table(columns, rows)
        yield ""
        yield f"violations: {len(self.violations)}"
        yield from (f"  {sentence}" for sentence in self.violations[:TOLD_MAX])


def percentiles(values: Sequence[float], counts: Sequence[int] | None = None) -> dict[str, float]:
    """Return p50, p90, p99 and max of values, each of which may count several times."""
    if not values:
        return {}
    pairs = sorted(zip(values, counts or [1] * len(values), strict=True))
    total = sum(count for _, count in pairs)
    found: dict[str, float] = {}
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        left = share * total
        for value, count in pairs:
            left -= count
            if left <= 0:
                found[name] = value
                break
    return {**found, "max": pairs[-1][0]}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


def _percentiles(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:,.1f}" for name, value in values.items()) or "none"


def _aligned(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(name) for name, _ in pairs)
    yield from (f"{name:<{width}}  {text}" for name, text in pairs)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for cells in (columns, *rows):
        yield "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
