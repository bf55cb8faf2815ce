"""The peers: other systems that keep the state of jobs, by name, and a way to run one by itself.

`python -m benchmarks.peer NAME` starts one, runs a few rounds and prints their rates.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.dbos import dbos
from benchmarks.peers.etcd import etcd
from benchmarks.peers.pgqueuer import pgqueuer
from benchmarks.peers.postgres import postgres
from benchmarks.peers.prefect import prefect
from benchmarks.peers.procrastinate import procrastinate
from benchmarks.peers.protocol import NotInstalled, Peer, Rate, WrongCount
from benchmarks.peers.redis import redis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PEERS", "NotInstalled", "Peer", "Rate", "WrongCount"]

#: Every peer by name. What is called with a folder keeps all of its files in it.
PEERS: Final[dict[str, Callable[[Path], Peer]]] = {
    "postgres-single": partial(postgres, batch=1),
    "postgres-unnest-100": partial(postgres, batch=100),
    "postgres-unnest-1000": partial(postgres, batch=1_000),
    "postgres-any-100": partial(postgres, batch=100, alike=True),
    "postgres-any-1000": partial(postgres, batch=1_000, alike=True),
    "redis-single": partial(redis, batch=1),
    "redis-batch-100": partial(redis, batch=100),
    "etcd-single": partial(etcd, batch=1),
    "etcd-txn-100": partial(etcd, batch=100),
    "prefect": prefect,
    "dbos": dbos,
    "procrastinate": procrastinate,
    "pgqueuer": pgqueuer,
    "pgqueuer-changes": partial(pgqueuer, unit="changes/s"),
}
FAILED: Final = 1
SKIPPED: Final = 3
INTERRUPTED: Final = 130


async def measure(name: str, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Run rounds of one peer; returns what it is and its rates."""
    with tempfile.TemporaryDirectory(prefix="interlock-peer-") as folder:
        async with PEERS[name](Path(folder)) as peer:
            done = [await peer.run(seconds) for _ in range(rounds)]
            rates = [round(each.items / each.seconds, 1) for each in done]
            return {
                "peer": name,
                "name": peer.name,
                "unit": peer.unit,
                "durability": peer.durability,
                "median": median(rates),
                "rates": rates,
            }


async def _until_told(name: str, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure; SIGINT and SIGTERM end everything that was started."""
    task = asyncio.create_task(measure(name, rounds=rounds, seconds=seconds))
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(told, task.cancel)
    return await task


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peer",
        description="Run one peer by itself and print its rates.",
        epilog="Exit code 3: it is not installed.",
    )
    parser.add_argument("name", choices=tuple(PEERS), metavar="NAME", help=", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="length of a round in seconds (%(default)s)"
    )
    parser.add_argument("--output", choices=("text", "json"), default="text")
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or not 0 < arguments.seconds < 600:
        parser.error("expected at least 1 round of more than 0 and less than 600 seconds")
    return arguments


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.1f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    arguments = _arguments(argv)
    try:
        found = asyncio.run(
            _until_told(arguments.name, rounds=arguments.rounds, seconds=arguments.seconds)
        )
    except NotInstalled as missing:
        print(f"{arguments.name}: skipped: {missing}", file=sys.stderr)
        return SKIPPED
    except asyncio.CancelledError:
        print(f"{arguments.name}: ended before it was done", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        print(f"{arguments.name}: failed: {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    if arguments.output == "json":
        print(json.dumps(found, indent=2))
    else:
        print(found["name"], f"({found['durability']})")
        rates = ", ".join(map(_number, found["rates"]))
        print(f"{_number(found['median'])} {found['unit']} (rounds: {rates})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
