"""Lives of seeds: `python -m tests.simulation.run SEED SEEDS` runs many, on all processors."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from interlock_server.core import command as c
from tests.simulation.actions import ACTIONS
from tests.simulation.healing import heal
from tests.simulation.life import Life
from tests.simulation.site import BIG, SMALL, Size

if TYPE_CHECKING:
    from collections.abc import Iterator

#: One in so many lives is a big one.
BIG_EVERY = 500
CHUNK = 10


def live(seed: int, size: Size = SMALL) -> Life:
    """Live one life to its end; a failure says the seed and the last steps."""
    life = Life(seed, size)
    try:
        _open(life)
        names = [
            name
            for name, action in ACTIONS.items()
            if not action.needs or life.can(action.needs)
            for _ in range(action.weight)
        ]
        for step in range(size.steps):
            name = life.choose.choice(names)
            life.recent.append(f"{step} {name} at {life.core.now_ms}")
            ACTIONS[name].do(life)
            life.auditor.scan(whole=step % size.scan_every == 0)
        heal(life)
        life.auditor.scan(whole=True)
        life.restart(from_snapshot=life.snapshot is not None)
    except Exception as error:
        last = "\n  ".join(life.recent)
        raise AssertionError(
            f"seed {seed} failed: {error!r}\nthe last steps:\n  {last}\n"
            f"again: make sim SEED={seed} SEEDS=1"
        ) from error
    return life


def _open(life: Life) -> None:
    """Write the catalog, and let the robots come."""
    site = life.site
    for command in site.catalog(life.choose):
        life.accepted(command)
    life.accepted(c.PutDefinitions(tuple(site.definitions.values())))
    for robot in life.robots.values():
        robot.connect(new_program=True, slots=life.choose.randint(1, 4))
    life.settle()


def live_all(seeds: range) -> tuple[Counter[str], list[str]]:
    """Live these: how often each row was made, and what went wrong."""
    rows: Counter[str] = Counter()
    failures: list[str] = []
    for seed in seeds:
        try:
            rows += live(seed, BIG if seed % BIG_EVERY == BIG_EVERY - 1 else SMALL).auditor.rows
        except AssertionError as error:
            failures.append(str(error))
    return rows, failures


def main(first: int, count: int) -> int:
    """Run seeds; 1 if one failed."""
    began = time.monotonic()
    chunks = [range(n, min(n + CHUNK, first + count)) for n in range(first, first + count, CHUNK)]
    rows: Counter[str] = Counter()
    failures: list[str] = []
    for made, failed in _each(chunks):
        rows += made
        failures += failed
    took = time.monotonic() - began
    summary = (
        f"simulation: {count - len(failures)} of {count} seeds from {first} in {took:.0f} s, "
        f"{sum(rows.values())} transitions, {len(rows)} different rows"
    )
    sys.stdout.write("\n".join([*failures[:3], summary, ""]))
    return 1 if failures else 0


def _each(chunks: list[range]) -> Iterator[tuple[Counter[str], list[str]]]:
    if len(chunks) == 1:
        yield live_all(chunks[0])
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(live_all, chunks)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
