"""One case against one comparison: the rounds of both, and the row that stands for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from benchmarks.rate import Rate

#: Of a server that stores nothing.
NOTHING_KEPT = "nothing is stored"


class Target(NamedTuple):
    """What is to be reached: a bound of the ratio, or of our own figure."""

    bound: Literal["at_least", "at_most"]
    value: float
    of: Literal["ratio", "ours"] = "ratio"

    def reached(self, row: dict[str, Any]) -> bool:
        """Whether a row with figures reaches it."""
        figure: float = row[self.of]
        return figure >= self.value if self.bound == "at_least" else figure <= self.value

    def told(self, row: dict[str, Any]) -> dict[str, Any]:
        """What a row says of it."""
        return {"of": self.of, self.bound: self.value, "reached": self.reached(row)}


def at_least(value: float) -> Target:
    """A ratio that is to be reached."""
    return Target("at_least", value)


def at_most(value: float, of: Literal["ratio", "ours"] = "ratio") -> Target:
    """A bound that is not to be crossed."""
    return Target("at_most", value, of)


@dataclass
class Measurement:
    """Rounds that alternate between ours and theirs."""

    title: str
    unit: str
    comparison: str
    #: What a crash of the machine may take: of ours and of theirs.
    durability: tuple[str, str] = ("full", NOTHING_KEPT)
    target: Target | None = None
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    #: Microseconds of processor time of each server for one item, by round.
    our_server_us: list[float] = field(default_factory=list)
    their_server_us: list[float] = field(default_factory=list)
    load_us: list[float] = field(default_factory=list)
    note: str = ""
    #: Further figures of this row, for plots and for programs.
    more: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    #: Why there was nothing to compare with.
    skipped: str = ""

    def add_ours(self, rate: Rate) -> None:
        """Take a round of ours."""
        self.ours.append(rate.per_second)
        if rate.server_cpu_s:
            self.our_server_us.append(rate.server_us)
        if rate.load_cpu_s:
            self.load_us.append(rate.load_us)

    def add_theirs(self, rate: Rate) -> None:
        """Take a round of the comparison."""
        self.theirs.append(rate.per_second)
        if rate.server_cpu_s:
            self.their_server_us.append(rate.server_us)

    def row(self) -> dict[str, Any]:
        """Return the row of the results; medians, with the least and the most beside them."""
        row: dict[str, Any] = {
            "title": self.title,
            "unit": self.unit,
            "comparison": self.comparison,
            "ours": None,
            "theirs": None,
            "ratio": None,
        }
        for name, sentence in (("failed", self.failure), ("skipped", self.skipped)):
            if sentence:
                return {**row, name: sentence}
        ours = median(self.ours)
        row |= {
            "ours": _rounded(ours),
            "ours_min_max": [_rounded(min(self.ours)), _rounded(max(self.ours))],
            "rounds": len(self.ours),
            "durability": dict(zip(("ours", "theirs"), self.durability, strict=True)),
        }
        if self.theirs:
            theirs = median(self.theirs)
            row |= {
                "theirs": _rounded(theirs),
                "theirs_min_max": [_rounded(min(self.theirs)), _rounded(max(self.theirs))],
                "ratio": round(ours / theirs, 3),
            }
        if self.target is not None:
            row["target"] = self.target.told(row)
        for name, figures in (
            ("our_server_us_per_item", self.our_server_us),
            ("their_server_us_per_item", self.their_server_us),
            ("load_us_per_item", self.load_us),
        ):
            if figures:
                row[name] = round(median(figures), 2)
        if self.note:
            row["note"] = self.note
        return row | self.more


def _rounded(value: float) -> float:
    return round(value) if value >= 1_000 else round(value, 3)
