"""Rows of results as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEAD = ("case", "ours", "min..max", "theirs", "min..max", "ratio", "target", "unit", "beside")
#: Columns of words, which begin on the left.
_WORDS = {0, 7, 8}


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table; what failed or was skipped stands below it."""
    cells = [_HEAD, *(_cells(row) for row in rows if row["ours"] is not None)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(map(_aligned, range(len(line)), line, widths)).rstrip()
    for word in ("failed", "skipped"):
        for row in rows:
            if word in row:
                yield f"{word}: {called(row)}: {row[word]}"


def _aligned(column: int, cell: str, width: int) -> str:
    return f"{cell:<{width}}" if column in _WORDS else f"{cell:>{width}}"


def called(row: dict[str, Any]) -> str:
    """Name a row: its title, and what it is compared with."""
    return " / ".join(filter(None, (row["title"], row["comparison"])))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    compared = row["ratio"] is not None
    return (
        row["title"],
        number(row["ours"]),
        "..".join(map(number, row["ours_min_max"])),
        number(row["theirs"]) if compared else "",
        "..".join(map(number, row["theirs_min_max"])) if compared else "",
        f"{row['ratio']:.2f}" if compared else "",
        target(row),
        row["unit"],
        row["comparison"],
    )


def target(row: dict[str, Any]) -> str:
    """Say what was to be reached and whether it was; nothing if there is no such thing."""
    told = row.get("target")
    if told is None:
        return ""
    bound, value = (">=", told["at_least"]) if "at_least" in told else ("<=", told["at_most"])
    unit = "" if told["of"] == "ratio" else f" {row['unit']}"
    return f"{bound} {value:g}{unit}: {'yes' if told['reached'] else 'no'}"


def number(value: float) -> str:
    """Write a figure as people read it."""
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.2f}"
