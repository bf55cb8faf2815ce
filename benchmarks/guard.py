"""Fails when Interlock has become much slower, as a ratio to a bare grpc.aio server in this run.

Compared is the processor time that each server takes for an item, in rounds that alternate: it is
steadier than rates, and absolute times say nothing on another machine. The echo of reports is the
one with a message for each: the cheaper ones vary more. A ratio must not be below its floor in
guard.json, which is far enough below what was measured that noise does not reach it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import Bench, Place
from benchmarks.calling import bare_calls, our_calls
from benchmarks.reporting import echoed_reports, our_reports
from benchmarks.rounds import Rival, Subject, alternate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FLOORS: Final = Path(__file__).parent / "guard.json"
#: Part of what was measured that is the floor.
FLOOR_SHARE: Final = 0.6
BATCH: Final = 100
GUARDED: Final = ("reports", "unary")


async def measure(place: Place) -> dict[str, float]:
    """Return for each guarded exchange the bare server's processor time, as a part of ours."""
    found = {}
    async with Bench(place) as bench:
        reports = Subject("reports", "", await our_reports(bench, batch=BATCH))
        echo = await echoed_reports(bench, await bench.bare(), batch=BATCH, echo="reports")
        calls = Subject("unary", "", await our_calls(bench, await bench.server(), "unary"))
        bare_unary = await bare_calls(bench)
        for subject, side in ((reports, echo), (calls, bare_unary)):
            (measured,) = await alternate(place, subject, [Rival("bare", side)])
            ours, theirs = median(measured.our_server_us), median(measured.their_server_us)
            found[subject.title] = round(theirs / ours, 3)
    return found


def below(found: Mapping[str, float], floors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a sentence for each ratio that is under its floor."""
    return [
        f"{name}: expected a ratio of at least {floors[name]['floor']:g}, but it is {ratio:g} "
        f"({floors[name]['measured']:g} when the floor was set)"
        for name, ratio in found.items()
        if ratio < floors[name]["floor"]
    ]


def floors_of(found: Mapping[str, float]) -> dict[str, Any]:
    """Return the floors that follow from what was measured."""
    return {
        name: {"measured": ratio, "floor": round(FLOOR_SHARE * ratio, 3)}
        for name, ratio in found.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and compare; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.guard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a round (%(default)s)")
    parser.add_argument("--write", action="store_true", help="set the floors by this run")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        place = Place(Path(name), rounds=arguments.rounds, seconds=arguments.seconds)
        found = asyncio.run(measure(place))
    if arguments.write:
        FLOORS.write_text(json.dumps(floors_of(found), indent=2) + "\n", encoding="utf-8")
    floors = json.loads(FLOORS.read_text(encoding="utf-8"))
    for name, ratio in found.items():
        print(
            f"{name}: {ratio:g} of a bare server's speed by processor time, floor "
            f"{floors[name]['floor']:g}"
        )
    problems = below(found, floors)
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
