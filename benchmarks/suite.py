"""Measures how fast Interlock is, always as a ratio to something else in the same run.

Prints a table and writes a file for each case. A case that fails is reported as failed, the others
go on, and the exit code is 1. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import DURABILITY, Place
from benchmarks.cases import CASES
from benchmarks.machine import Neighbours, machine, sync_cost_ms, versions
from benchmarks.measurement import Measurement
from benchmarks.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case

RESULTS: Final = Path(__file__).parent / "results"
INTERRUPTED: Final = 130
#: Rounds of `make bench` and of `make bench-quick`, where nothing else is said.
ROUNDS: Final = 5
QUICK_ROUNDS: Final = 3


async def measure(case: Case, place: Place) -> dict[str, Any]:
    """Measure a case; returns what is written about it. One that fails says so."""
    print(f"{case.name}: {case.about}", file=sys.stderr)
    began, neighbours = time.monotonic(), Neighbours()
    with tempfile.TemporaryDirectory(prefix=f"{case.name}-", dir=place.folder) as name:
        folder = Path(name)
        head = {
            "case": case.name,
            "machine": machine(folder),
            "versions": versions(),
            "durability": DURABILITY,
            "fdatasync_ms": sync_cost_ms(folder),
        }
        try:
            found = await case.measure(replace(place, folder=folder))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            sentence = f"{type(error).__name__}: {error}"
            found = [Measurement(case.about, "", "", failure=sentence)]
    return {
        **head,
        "seconds": round(time.monotonic() - began, 1),
        "processors_taken_by_others": neighbours.share(),
        "rows": [{"case": case.name, **each.row()} for each in found],
    }


async def measure_all(cases: Sequence[Case], place: Place, results: Path) -> list[dict[str, Any]]:
    """Measure one case after the other, and write each when it is done."""
    found = []
    for case in cases:
        result = await measure(case, place)
        if result["rows"]:  # none if all that it compares with is left out
            write(results / f"{case.name}.json", result)
        found.append(result)
    return found


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a file of results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


async def _until_told(cases: Sequence[Case], place: Place, results: Path) -> list[dict[str, Any]]:
    """Measure; SIGINT and SIGTERM end everything that was started."""
    task = asyncio.create_task(measure_all(cases, place, results))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.suite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--case", action="append", choices=tuple(CASES), help="only this case; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="name the cases and end")
    parser.add_argument(
        "--quick", action="store_true", help="only the core, beside a bare grpc.aio server"
    )
    parser.add_argument("--rounds", type=int, help=f"of each case ({ROUNDS}, quick {QUICK_ROUNDS})")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="length of a round in seconds (%(default)s)"
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="part of the jobs of large cases (%(default)s)"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave other systems out")
    parser.add_argument("--results", type=Path, help=f"folder to write to ({RESULTS.name}/...)")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    arguments = parser.parse_args(argv)
    if arguments.rounds is None:
        arguments.rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    if arguments.results is None:
        arguments.results = RESULTS / ("quick" if arguments.quick else "full")
    if arguments.rounds < 1 or not 0 < arguments.seconds < 600 or not 0 < arguments.scale <= 1:
        parser.error(
            "expected at least 1 round of more than 0 and less than 600 seconds, "
            "and a scale of more than 0 and at most 1"
        )
    return arguments


def chosen(arguments: argparse.Namespace) -> list[Case]:
    """Return the cases that are asked for."""
    if arguments.case:
        return [CASES[name] for name in arguments.case]
    return [case for case in CASES.values() if case.quick or not arguments.quick]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write; returns the exit code."""
    arguments = _arguments(argv)
    cases = chosen(arguments)
    if arguments.list:
        for case in cases:
            print(f"{case.name:<16} {'quick' if case.quick else '     '}  {case.about}")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        place = Place(
            Path(name),
            shared=Path(name) / "sites",
            rounds=arguments.rounds,
            seconds=arguments.seconds,
            peers=not (arguments.quick or arguments.no_peers),
            scale=arguments.scale,
        )
        try:
            # Not uvloop here: it forks to start processes, which grpc is loud about.
            found = asyncio.run(_until_told(cases, place, arguments.results))
        except asyncio.CancelledError:
            print("benchmarks.suite: ended before it was done", file=sys.stderr)
            return INTERRUPTED
    rows = [row for result in found for row in result["rows"]]
    if arguments.output == "json":
        print(json.dumps(found, indent=2))
    else:
        print(*table(rows), sep="\n")
        print(f"\n{told(found)}; {time.monotonic() - began:.0f} s in all")
    return 1 if any("failed" in row for row in rows) else 0


def told(results: Sequence[dict[str, Any]]) -> str:
    """Say on what it was measured."""
    first = results[0]
    syncs = [result["fdatasync_ms"]["median"] for result in results]
    others = [result["processors_taken_by_others"] for result in results]
    return (
        f"{first['machine']['processors']} processors, "
        f"{', '.join(f'{name} {text}' for name, text in first['versions'].items())}, "
        f"durability {first['durability']} (fdatasync median {min(syncs)}..{max(syncs)} ms), "
        f"others took {min(others):.0%}..{max(others):.0%} of the processors"
    )


if __name__ == "__main__":
    sys.exit(main())
