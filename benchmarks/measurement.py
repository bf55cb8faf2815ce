"""A case that was measured: rounds of ours and of the comparison's, and what stands in a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Measurement:
    """Rounds of one case, alternating between ours and theirs."""

    case: str
    unit: str
    comparison: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    #: Microseconds of processor time of our server for one item, by round.
    server_us: list[float] = field(default_factory=list)
    load_us: list[float] = field(default_factory=list)
    note: str = ""
    failure: str = ""

    def row(self) -> dict[str, Any]:
        """Return the row of the results; medians, with the least and the most beside them."""
        row: dict[str, Any] = {"case": self.case, "unit": self.unit, "comparison": self.comparison}
        if self.failure:
            return {**row, "ours": None, "theirs": None, "ratio": None, "failed": self.failure}
        ours, theirs = median(self.ours), median(self.theirs)
        row |= {
            "ours": _rounded(ours),
            "theirs": _rounded(theirs),
            "ratio": round(ours / theirs, 3),
            "ours_min_max": [_rounded(min(self.ours)), _rounded(max(self.ours))],
            "theirs_min_max": [_rounded(min(self.theirs)), _rounded(max(self.theirs))],
            "rounds": len(self.ours),
        }
        if self.server_us:
            row["server_cpu_us_per_item"] = round(median(self.server_us), 2)
        if self.load_us:
            row["load_cpu_us_per_item"] = round(median(self.load_us), 2)
        if self.note:
            row["note"] = self.note
        return row


def _rounded(value: float) -> float:
    return round(value) if value >= 1_000 else round(value, 3)
