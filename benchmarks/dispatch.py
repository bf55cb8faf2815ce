"""Does dispatching stay flat? Adding, releasing a queue and starting a job, with few and many jobs.

100,000 jobs wait in 1,000 queues, with locks, closed windows, execution sizes and process servers
on some of them; beside it the same with 10,000 jobs, in the same run. Only the pure core: no
network, no disk. Processor time, medians, rounds that alternate. A ratio near 1 is flat.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.dispatch_site import DispatchSite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

JOBS: Final = (10_000, 100_000)
QUEUES: Final = 1_000
ROUNDS: Final = 5
#: Times that each thing is done in a round.
TIMES: Final = 1_000
#: Jobs that end, or follow their queue, together.
_TOGETHER: Final = 10
RESULTS: Final = Path(__file__).parent / "results" / "dispatch.json"


@dataclass
class Case:
    """One thing that is measured: microseconds by round, for few and for many jobs."""

    name: str
    few: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How much longer it takes with many jobs: the median of rounds that ran side by side."""
        return median(many / few for few, many in zip(self.few, self.many, strict=True))

    def row(self) -> dict[str, Any]:
        """What stands in the file."""
        return {
            "case": self.name,
            "unit": "microseconds of processor time",
            "few": round(median(self.few), 2),
            "few_min_max": [round(min(self.few), 2), round(max(self.few), 2)],
            "many": round(median(self.many), 2),
            "many_min_max": [round(min(self.many), 2), round(max(self.many), 2)],
            "ratio": round(self.ratio, 3),
        }


def add(site: DispatchSite, times: int) -> Iterator[float]:
    """Submit single jobs."""
    for _ in range(times):
        begun = time.thread_time_ns()
        site.add()
        yield time.thread_time_ns() - begun


def dispatch(site: DispatchSite, times: int) -> Iterator[float]:
    """Start the jobs that come next after some have ended.

    What the reports cost is not counted, what they do to queues, locks and pools is.
    """
    for _ in range(times // _TOGETHER):
        site.end(site.running(_TOGETHER))
        starts = site.starts()
        begun = time.thread_time_ns()
        site.follow_up()
        spent = time.thread_time_ns() - begun
        yield spent / max(site.starts() - starts, 1)
        site.world.finished.clear()


def release(site: DispatchSite, times: int) -> Iterator[float]:
    """Release a held queue, let the ten jobs that are QueueHeld follow, and start what may."""
    for queue in site.open_queues(times // 10):
        site.hold(queue)
        site.follow_queue(_TOGETHER)
        begun = time.thread_time_ns()
        site.release(queue)
        site.follow_queue(_TOGETHER)
        site.follow_up()
        yield time.thread_time_ns() - begun


def hold(site: DispatchSite, times: int) -> Iterator[float]:
    """Hold a queue: nothing of it starts from then on, whatever its jobs still say."""
    for queue in site.open_queues(times // 10):
        begun = time.thread_time_ns()
        site.hold(queue)
        yield time.thread_time_ns() - begun
        site.release(queue)
        site.follow_queue(_TOGETHER)
        site.follow_up()


CASES: Final[dict[str, Callable[[DispatchSite, int], Iterator[float]]]] = {
    "add one job": add,
    "dispatch one job": dispatch,
    "hold a queue": hold,
    "release a queue, 10 jobs follow": release,
}


def measure(site: DispatchSite, case: str, times: int) -> float:
    """One round of a case: the median in microseconds, so that a pause of the machine is none."""
    return median(CASES[case](site, times)) / 1_000


def run(
    *, jobs: tuple[int, int] = JOBS, queues: int = QUEUES, rounds: int = ROUNDS, times: int = TIMES
) -> list[Case]:
    """Build both sites, and measure each case on one and on the other in turn."""
    few, many = (DispatchSite(jobs=count, queues=queues) for count in jobs)
    cases = [Case(name) for name in CASES]
    for case in cases:  # the first time, caches are cold
        for site in (few, many):
            measure(site, case.name, max(times // 10, _TOGETHER * 10))
    gc.collect()
    gc.freeze()
    gc.disable()  # a full collection looks at every live job: that is not what is measured
    try:
        for number in range(rounds):
            for case in cases:
                sides = [(few, case.few), (many, case.many)]
                for site, found in sides if number % 2 == 0 else reversed(sides):
                    found.append(measure(site, case.name, times))
    finally:
        gc.enable()
        gc.unfreeze()
    return cases


def table(cases: Sequence[Case], jobs: tuple[int, int]) -> Iterator[str]:
    """Yield the lines of the table."""
    width = max(len(case.name) for case in cases)
    heads = "".join(f"{f'{count:,} jobs':>26}" for count in jobs)
    yield f"{'microseconds, median (min..max)':<{width}}{heads}{'ratio':>8}"
    for case in cases:
        line = f"{case.name:<{max(width, len('microseconds, median (min..max)'))}}"
        for found in (case.few, case.many):
            line += f"{f'{median(found):.1f} ({min(found):.1f}..{max(found):.1f})':>26}"
        yield f"{line}{case.ratio:>8.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dispatch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--jobs", type=int, nargs=2, default=JOBS, metavar=("FEW", "MANY"))
    parser.add_argument("--queues", type=int, default=QUEUES)
    parser.add_argument("--times", type=int, default=TIMES, help="Times per round and case.")
    parser.add_argument("--output", type=Path, default=RESULTS, help="File for the results.")
    arguments = parser.parse_args(argv)
    if min(arguments.rounds, arguments.queues, arguments.times, *arguments.jobs) < 1:
        parser.error("expected numbers of at least 1")
    jobs = (arguments.jobs[0], arguments.jobs[1])
    cases = run(jobs=jobs, queues=arguments.queues, rounds=arguments.rounds, times=arguments.times)
    print(*table(cases, jobs), sep="\n")
    document = {
        "jobs": list(jobs),
        "queues": arguments.queues,
        "rounds": arguments.rounds,
        "times": arguments.times,
        "python": sys.version.split()[0],
        "cases": [case.row() for case in cases],
    }
    print(json.dumps(document))
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
