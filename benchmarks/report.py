"""Writes the figures of benchmarks/README.md from the files of results, so that they cannot differ.

`--check` writes nothing and fails if they do.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.cases import CASES
from benchmarks.measurement import NOTHING_KEPT
from benchmarks.table import called, number, target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

README: Final = Path(__file__).parent / "README.md"
RESULTS: Final = Path(__file__).parent / "results" / "full"
LONG_RUN: Final = Path(__file__).parent / "results" / "long.json"
PLOTS: Final = Path(__file__).parent / "plots"
#: What each plot shows.
CAPTIONS: Final = {
    "bare.svg": "Rates as multiples of a bare server's, or of another of our own",
    "peers.svg": "Rates as multiples of other systems'",
    "latency.svg": "Latency at half of the peak, by percentile",
    "long.svg": "The long run: changes per second, and memory",
}
_MEASURED: Final = {
    "changes_per_s": "changes/s",
    "calls_per_s": "single calls/s",
    "rss_mib": "resident memory, MiB",
}
BEGIN: Final = "<!-- figures: written by benchmarks.report -->"
END: Final = "<!-- end of figures -->"
STALE: Final = 1


def read_results(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """Read what was measured, in the order of the cases."""
    paths = [folder / f"{name}.json" for name in CASES]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def read_long_run(path: Path = LONG_RUN) -> dict[str, Any] | None:
    """Read the newest long run, if there was one."""
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def page(
    text: str, results: Sequence[dict[str, Any]], long_run: dict[str, Any] | None = None
) -> str:
    """Return a page with its figures between the marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = [*figures(results), *_plots(), *_long_run(long_run)]
    return "\n".join((head + BEGIN, "", *lines, "", END)) + tail


def figures(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the cases."""
    if not results:
        yield "Nothing was measured."
        return
    yield from _machines(results)
    yield ""
    yield "| Case | Interlock (min..max) | Compared with | its figure (min..max) | Ratio | Target |"
    yield "|---|---|---|---|---|---|"
    rows = [row for result in results for row in result["rows"]]
    for row in rows:
        if row["ours"] is not None:
            yield _line(row)
    yield ""
    yield from (f"* {row['title']}: {row['note']}." for row in _noted(rows))
    for durability, names in _durabilities(rows).items():
        yield f"* {', '.join(names)}: {durability}."
    for word in ("failed", "skipped"):
        yield from (f"* {word}: {called(row)}: {row[word]}." for row in rows if word in row)


def _plots() -> Iterator[str]:
    for name, words in CAPTIONS.items():
        if (PLOTS / name).exists():
            yield from ("", f"![{words}](plots/{name})")


def _long_run(found: dict[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    yield from ("", f"Long run of {found['minutes'][-1]['minute']:.0f} minutes: {_machine(found)},")
    yield (
        f"fdatasync median {found['fdatasync_ms']['median']:g} ms, others took "
        f"{found['processors_taken_by_others']:.0%} of the processors. The write-ahead log had at "
        f"most {found['wal_mib_max']:g} MiB."
    )
    yield from ("", "| | Mean | Change for each hour | Flat |", "|---|---|---|---|")
    for name, slope in found["slopes"].items():
        error = "" if slope["error"] is None else f" ± {slope['error']:,.0f}"
        flat = "yes" if slope["flat"] else "no"
        yield (
            f"| {_MEASURED[name]} | {slope['mean']:,.0f} | {slope['per_hour']:+,.0f}{error} "
            f"| {flat} |"
        )


def _noted(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    said = set()
    for row in rows:
        if row.get("note") and row["note"] not in said:
            said.add(row["note"])
            yield row


def _durabilities(rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Return how durable other systems are, and which are so."""
    found: dict[str, list[str]] = {}
    for row in rows:
        words = row.get("durability", {}).get("theirs", "full")
        name = row["comparison"].partition(",")[0]
        if words not in {"full", NOTHING_KEPT} and name not in found.setdefault(words, []):
            found[words].append(name)
    return found


def _machines(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Say on what it was measured, once for all cases that agree."""
    alike: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        alike.setdefault(_machine(result), []).append(result)
    for words, same in alike.items():
        syncs = [result["fdatasync_ms"]["median"] for result in same]
        others = [result["processors_taken_by_others"] for result in same]
        seconds = sum(result["seconds"] for result in same)
        cases = "" if len(alike) == 1 else f" ({', '.join(result['case'] for result in same)})"
        yield (
            f"{words}, fdatasync median {min(syncs):g} to {max(syncs):g} ms; {seconds / 60:.0f} "
            f"minutes, others took {min(others):.0%} to {max(others):.0%} of the processors{cases}."
        )


def _machine(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    return (
        f"{machine['processors']} processors ({machine['architecture']}), "
        f"{machine['memory_gib']:g} GiB, {machine['system']}, {machine['file_system']}, "
        f"{', '.join(f'{name} {text}' for name, text in versions.items())}, "
        f"durability {result['durability']}"
    )


def _line(row: dict[str, Any]) -> str:
    theirs, ratio = "", ""
    if row["ratio"] is not None:
        theirs = f"{number(row['theirs'])} ({_span(row['theirs_min_max'])})"
        ratio = f"{row['ratio']:.2f}"
    ours = f"**{number(row['ours'])}** {row['unit']} ({_span(row['ours_min_max'])})"
    return f"| {row['title']} | {ours} | {row['comparison']} | {theirs} | {ratio} | {target(row)} |"


def _span(bounds: Sequence[float]) -> str:
    return "..".join(map(number, bounds))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, or check it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args(argv)
    text = README.read_text(encoding="utf-8")
    current = page(text, read_results(), read_long_run())
    if arguments.check:
        if text != current:
            print(f"expected {README.name} to say what the results say; run make bench-report")
        return STALE if text != current else 0
    README.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
