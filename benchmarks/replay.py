"""Replays a real workload: python -m benchmarks.replay FILE

A file in the Standard Workload Format becomes single jobs, a workflow in WfFormat (.json) a chain.

Exit codes: 0 if every job ended as the log says and every watcher saw every change once and in
order; 1 if not; 2 for a wrong file or option; 5 if the server cannot be reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import load_process
from benchmarks.chain_run import ChainOrder, run_chain
from benchmarks.own_server import OwnServer
from benchmarks.replay_plan import LIFECYCLES, make_plan
from benchmarks.replay_run import NotReached, Order, replay
from benchmarks.swf import SwfError, read_workload
from benchmarks.wfformat import WorkflowError, read_workflow
from interlock import InterlockError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from benchmarks.chain_run import ChainReport
    from benchmarks.replay_report import Report

    Outcome = TypeVar("Outcome")

OK: Final = 0
VIOLATED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 5
INTERRUPTED: Final = 130

_COUNT_MAX: Final = 1_000


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError(
            f"expected a number above 0, such as 1000, or max, but got {text!r}"
        )
    return speed


def _count(low: int, high: int | None = None) -> type[int]:
    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
        if number < low or (high is not None and number > high):
            upper = f" to {high:,}" if high is not None else " or more"
            raise argparse.ArgumentTypeError(f"expected a number of {low}{upper}, but got {text!r}")
        return number

    return read  # type: ignore[return-value]  # argparse takes any callable


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text.startswith("unix:") or (host and port.isascii() and port.isdigit()):
        return text
    raise argparse.ArgumentTypeError(f"expected host:port or unix:PATH, but got {text!r}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "file",
        type=Path,
        help="workload (Standard Workload Format) or workflow (WfFormat, .json), or .gz",
    )
    made.add_argument(
        "--lifecycle", choices=LIFECYCLES, default="redwood", help="what the jobs are (%(default)s)"
    )
    made.add_argument(
        "--speed",
        type=_speed,
        default="max",
        metavar="N|max",
        help="how many seconds of the log take one; max waits for nothing (%(default)s)",
    )
    made.add_argument(
        "--jobs", type=_count(1), metavar="N", help="only the first N jobs of the file"
    )
    made.add_argument(
        "--robots", type=_count(1, _COUNT_MAX), default=4, metavar="N", help="robots (%(default)s)"
    )
    made.add_argument(
        "--watchers",
        type=_count(0, _COUNT_MAX),
        default=2,
        metavar="N",
        help="watchers that check every change (%(default)s)",
    )
    made.add_argument(
        "--address",
        type=_address,
        metavar="HOST:PORT",
        help="a server that runs; by default one is started on a temporary directory",
    )
    made.add_argument("--output", choices=("table", "json"), default="table")
    return made


async def _on_a_server(
    arguments: argparse.Namespace, on: Callable[[str], Awaitable[Outcome]]
) -> Outcome:
    if arguments.address:
        return await on(arguments.address)
    async with OwnServer() as server:
        return await on(server.address)


async def _replay(arguments: argparse.Namespace) -> Report | ChainReport:
    if ".json" in arguments.file.suffixes:
        workflow = read_workflow(arguments.file)
        return await _on_a_server(
            arguments,
            lambda address: run_chain(
                ChainOrder(
                    file=arguments.file.name,
                    workflow=workflow,
                    speed=arguments.speed,
                    robots=arguments.robots,
                    watchers=arguments.watchers,
                    address=address,
                )
            ),
        )
    workload = read_workload(arguments.file)
    plan = make_plan(
        workload,
        lifecycle=arguments.lifecycle,
        prefix=f"replay-{secrets.token_hex(4)}",
        jobs_max=arguments.jobs,
    )

    return await _on_a_server(
        arguments,
        lambda address: replay(
            Order(
                workload=arguments.file.name,
                plan=plan,
                speed=arguments.speed,
                robots=arguments.robots,
                watchers=arguments.watchers,
                address=address,
            )
        ),
    )


async def _until_told(arguments: argparse.Namespace) -> Report | ChainReport:
    """Replay; SIGINT and SIGTERM end everything that was started."""
    task = asyncio.create_task(_replay(arguments))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    arguments = parser().parse_args(argv)
    reports: list[Report | ChainReport] = []

    async def program() -> None:
        reports.append(await _until_told(arguments))

    try:
        asyncio.run(program())  # not uvloop: it forks, which grpc is loud about
    except (SwfError, WorkflowError) as error:
        return _say(str(error), USAGE)
    except NotReached as error:
        return _say(str(error), UNAVAILABLE)
    except (asyncio.CancelledError, KeyboardInterrupt):
        return _say("ended before it was done", INTERRUPTED)
    except (InterlockError, load_process.ProcessEnded, OSError, TimeoutError) as error:
        return _say(f"the replay failed: {str(error) or type(error).__name__}", VIOLATED)
    report = reports[0]
    if arguments.output == "json":
        print(json.dumps(report.as_mapping()))
    else:
        print(*report.lines(), sep="\n")
    return VIOLATED if report.violations else OK


def _say(sentence: str, code: int) -> int:
    print(f"benchmarks.replay: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
