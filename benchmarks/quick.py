"""make bench-quick: a few minutes' look at how fast Interlock is, as ratios to bare grpc.aio.

Prints a table and writes benchmarks/results/quick.json. A case that fails is reported as failed and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import google.protobuf
import grpc
import psutil

from benchmarks import quick_cases as cases
from benchmarks.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    Case = Callable[[cases.Place], Awaitable[Measurement]]

RESULTS: Final = Path(__file__).parent / "results" / "quick.json"
CASES: Final[dict[str, Case]] = {
    "reports": cases.reports,
    "unary": cases.unary,
    "lives-uipath": partial(cases.lives, lifecycle="uipath"),
    "lives-redwood": partial(cases.lives, lifecycle="redwood"),
    "fan-out": cases.fan_out,
    "start-up": cases.start_up,
}
INTERRUPTED: Final = 130
_SYNCS: Final = 300
_SYNC_BYTES: Final = 4_096


def sync_cost_ms(folder: Path) -> dict[str, float]:
    """Measure what the disk takes to make 4 KiB durable, as a commit does."""
    taken = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(b"\0" * _SYNC_BYTES)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(1_000 * (time.perf_counter() - began))
    path.unlink()
    taken.sort()
    return {
        "median": round(median(taken), 3),
        "p99": round(taken[int(len(taken) * 0.99)], 3),
    }


def machine(folder: Path) -> dict[str, Any]:
    """Say what it was measured on, and how busy that was with other things."""
    disks = sorted(psutil.disk_partitions(all=True), key=lambda each: len(each.mountpoint))
    holder = [each for each in disks if folder.is_relative_to(each.mountpoint)]
    return {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "file_system": holder[-1].fstype if holder else "unknown",
        "load_average_before": round(os.getloadavg()[0], 2),
    }


class Neighbours:
    """How much of the processors others took meanwhile: what they took, we could not."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy_seconds()
        self._ours = _our_seconds()

    def share(self) -> float:
        """Return their part of all processors since this was made."""
        seconds = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        taken = _busy_seconds() - self._busy - (_our_seconds() - self._ours)
        return round(max(taken, 0.0) / seconds, 2)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq + times.steal)


def _our_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def versions() -> dict[str, str]:
    """Say with which versions it was measured."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        loop = "asyncio"
    else:
        loop = f"uvloop {version(uvloop.__name__)}"
    return {
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
        "protobuf": google.protobuf.__version__,
        "sqlite": sqlite3.sqlite_version,
        "loop": loop,
    }


async def measure(names: Sequence[str], place: cases.Place) -> list[Measurement]:
    """Measure the cases one after the other; one that fails says so and the others go on."""
    found = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        try:
            found.append(await CASES[name](place))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            sentence = f"{type(error).__name__}: {error}"
            found.append(Measurement(name, "", "", failure=sentence))
    return found


async def _until_told(names: Sequence[str], place: cases.Place) -> list[Measurement]:
    """Measure; SIGINT and SIGTERM end everything that was started."""
    task = asyncio.create_task(measure(names, place))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table for people."""
    cells = [("case", "ours", "min..max", "theirs", "min..max", "ratio", "unit")]
    for row in rows:
        if "failed" in row:
            cells.append((row["case"], "failed", "", "", "", "", ""))
            continue
        cells.append(
            (
                row["case"],
                _number(row["ours"]),
                "..".join(map(_number, row["ours_min_max"])),
                _number(row["theirs"]),
                "..".join(map(_number, row["theirs_min_max"])),
                f"{row['ratio']:.2f}",
                row["unit"],
            )
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        first, *rest = (f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        yield "  ".join((f"{line[0]:<{widths[0]}}", *rest[:-1], line[-1])) if first else ""
    yield from (f"failed: {row['case']}: {row['failed']}" for row in rows if "failed" in row)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.2f}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quick",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--case", action="append", choices=tuple(CASES), help="only this case; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each case (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="length of a round in seconds (%(default)s)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to write (%(default)s)")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or not 0 < arguments.seconds < 600:
        parser.error("expected at least 1 round of more than 0 and less than 600 seconds")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write; returns the exit code."""
    arguments = _arguments(argv)
    names = arguments.case or list(CASES)
    began, neighbours = time.monotonic(), Neighbours()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        folder = Path(name)
        result: dict[str, Any] = {
            "machine": machine(folder),
            "versions": versions(),
            "durability": cases.DURABILITY,
            "fdatasync_ms": sync_cost_ms(folder),
        }
        place = cases.Place(folder, arguments.rounds, arguments.seconds)
        # Not uvloop here: it forks to start processes, which grpc is loud about.
        try:
            found = asyncio.run(_until_told(names, place))
        except asyncio.CancelledError:
            print("benchmarks.quick: ended before it was done", file=sys.stderr)
            return INTERRUPTED
    result["seconds"] = round(time.monotonic() - began, 1)
    result["processors_taken_by_others"] = neighbours.share()
    result["rows"] = [each.row() for each in found]
    print(*table(result["rows"]), sep="\n")
    print(
        f"\n{result['machine']['processors']} processors, "
        f"{', '.join(f'{name} {text}' for name, text in result['versions'].items())}, "
        f"durability {cases.DURABILITY} (fdatasync median {result['fdatasync_ms']['median']} ms), "
        f"{result['seconds']} s, others took {result['processors_taken_by_others']:.0%} of the "
        "processors meanwhile"
    )
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    arguments.results.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 1 if any(each.failure for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
