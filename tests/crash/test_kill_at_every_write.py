"""A server that dies, or whose disk fails, at any single write or sync keeps every promise.

strace counts the system calls of a thread and breaks the Nth one. One run of the script for each
point; the server then starts again without strace, and everything is compared.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.crash.life import Life
from tests.crash.script import CutOff, Script
from tests.crash.server_process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

pytestmark = [
    pytest.mark.chaos,
    # Some 160 points with two starts of a server each. On a busy machine the two lanes together
    # were measured to end one in four seconds.
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        shutil.which("strace") is None, reason="strace is not installed: apt-get install strace"
    ),
]

WRITES = ("pwrite64", "fdatasync", "ftruncate", "unlink", "rename", "fsync")
#: Points that are tried of each kind of call at most, spread evenly; INTERLOCK_SWEEP_POINTS
#: (0: all of them).
POINTS_MAX = 150
FAILURES_MAX = 40
#: Runs at once; each has processes of its own.
LANES = 2
EXIT_S = 5.0


class Point(NamedTuple):
    """One system call: the Nth of its kind on its thread."""

    call: str
    number: int


def traced(*options: str) -> tuple[str, ...]:
    return ("strace", "-f", *options)


def breaking(point: Point, how: str) -> tuple[str, ...]:
    inject = f"inject={point.call}:{how}:when={point.number}"
    return traced("-o", "/dev/null", "-e", f"trace={point.call}", "-e", inject)


async def count_points(folder: Path) -> dict[str, int]:
    """How many calls of each kind the busiest thread makes in the script."""
    server, trace = ServerProcess(folder), folder / "trace"
    await server.start(prefix=traced("-o", str(trace), "-e", f"trace={','.join(WRITES)}"))
    async with Life(server.address) as life:
        await Script().go(life)
    server.kill()
    calls = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(), re.MULTILINE))
    return {
        name: max((count for (_, call), count in calls.items() if call == name), default=0)
        for name in WRITES
    }


def sample(call: str, count: int, rng: Random, default: int = POINTS_MAX) -> list[Point]:
    most = int(os.environ.get("INTERLOCK_SWEEP_POINTS") or default) or count
    step = max(1.0, count / most)
    chosen = {min(count, int(rng.random() * step + index * step) + 1) for index in range(most)}
    return [Point(call, number) for number in sorted(chosen) if number <= count]


async def try_each(points: Sequence[Point], one: Callable[[Point], Awaitable[None]]) -> None:
    """Run `one` for every point, a few at a time."""
    waiting = iter(points)

    async def lane() -> None:
        for point in waiting:
            await one(point)

    await asyncio.gather(*(lane() for _ in range(LANES)))


async def run_until_broken(server: ServerProcess, script: Script, prefix: Sequence[str]) -> bool:
    """Run the script on a server that breaks; false if it did not."""
    try:
        await server.start(prefix=prefix)
    except RuntimeError:
        return True
    async with Life(server.address) as life:
        try:
            await script.go(life)
        except CutOff:
            return True
    return False


async def settled(server: ServerProcess, script: Script, point: Point) -> list[str]:
    """What is wrong after a start without strace."""
    await server.start()
    async with Life(server.address) as life:
        broken = await script.settle(life)
    server.kill()
    return [f"{point.call} {point.number}: {sentence}" for sentence in broken]


async def test_kill_at_every_write_and_sync(tmp_path, scoreboard):
    rng = Random(int(os.environ.get("INTERLOCK_SWEEP_SEED") or 1))
    counts = await count_points(tmp_path / "count")
    points = [point for call in WRITES for point in sample(call, counts[call], rng)]
    chosen = Counter(point.call for point in points)
    killed: Counter[str] = Counter()
    broken = []

    async def kill_at(point):
        folder = tmp_path / f"{point.call}-{point.number}"
        server, script = ServerProcess(folder), Script()
        try:
            was_killed = await run_until_broken(server, script, breaking(point, "signal=SIGKILL"))
            killed[point.call] += was_killed
            server.kill()
            broken.extend(await settled(server, script, point))
        finally:
            server.kill()
        shutil.rmtree(folder)

    await try_each(points, kill_at)

    scoreboard.count(
        "sweep",
        **{
            call: f"{killed[call]} kills of {chosen[call]} tried of {counts[call]}"
            for call in WRITES
            if counts[call]
        },
        broken=len(broken),
    )
    assert broken == []
    assert killed.total() > 0.8 * len(points), (killed, counts)


async def test_a_failed_sync_ends_the_server_and_the_retry_is_carried_out_once(
    tmp_path, scoreboard
):
    syncs = (await count_points(tmp_path / "count"))["fdatasync"]
    points = sample("fdatasync", syncs, Random(1), FAILURES_MAX)
    codes: Counter[int] = Counter()
    last_words: Counter[str] = Counter()
    broken = []

    async def fail_at(point):
        folder = tmp_path / f"eio-{point.number}"
        server, script = ServerProcess(folder), Script()
        try:
            if await run_until_broken(server, script, breaking(point, "error=EIO")):
                codes[await server.exited(within=EXIT_S)] += 1
                last_words.update(script.last_words)
            server.kill()
            broken.extend(await settled(server, script, point))
        finally:
            server.kill()
        shutil.rmtree(folder)

    await try_each(points, fail_at)

    scoreboard.count(
        "failed sync",
        points=f"{len(points)} of {syncs}",
        exits={str(code): count for code, count in codes.items()},
        last_words=dict(last_words),
        broken=len(broken),
    )
    assert broken == []
    assert set(codes) == {1}
    assert codes[1] > 0.5 * len(points)
    assert "OUTCOME_UNKNOWN" in last_words
