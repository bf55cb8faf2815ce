"""The cases of `make bench-quick`, each on a fresh server of ours and on a bare one beside it.

Rounds alternate, so that whatever else the machine does is done to both.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.load_process import LoadProcess
from benchmarks.measurement import Measurement
from benchmarks.own_server import OwnServer, cpu_seconds
from interlock import connect

if TYPE_CHECKING:
    from pathlib import Path

BATCH: Final = 100
REPORTED_JOBS: Final = 10_000
#: Batches in flight of all streams together.
WINDOW: Final = 32
STREAMS: Final = 2
CALLERS: Final = 64
FAN_OUT_WATCHERS: Final = 100
LIVES: Final = 6_000
LIVE_JOBS: Final = 100_000
DURABILITY: Final = "full"
WARM_UP_SECONDS: Final = 0.5
WARM_UP_LIVES: Final = 2_000
_SUBMIT_MAX: Final = 10_000
_HEAR_SECONDS: Final = 60.0


class CaseFailed(Exception):  # noqa: N818 - says what is
    """A case did not do what it was to measure."""


@dataclass
class Place:
    """Where and how long to measure."""

    folder: Path
    rounds: int
    seconds: float


class Bench:
    """The processes of one case. Use as `async with`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def server(self) -> OwnServer:
        """Start a server of ours; it has to keep what it acknowledges."""
        server = await self._stack.enter_async_context(OwnServer(directory=self._place.folder))
        async with connect(server.address) as interlock:
            durability = (await interlock.server_status()).durability
        if durability != DURABILITY:
            raise CaseFailed(f"expected durability {DURABILITY}, but the server has {durability}")
        return server

    async def bare(self, **task: Any) -> tuple[LoadProcess, str]:
        """Start a bare server; returns its process and its address."""
        process = await self._stack.enter_async_context(LoadProcess("benchmarks.bare_server", task))
        return process, (await process.hear(timeout=_HEAR_SECONDS))["address"]

    async def load(self, module: str, **task: Any) -> LoadProcess:
        """Start a process that makes load, and wait until it is ready."""
        process = await self._stack.enter_async_context(LoadProcess(f"benchmarks.{module}", task))
        await process.hear(timeout=_HEAR_SECONDS)
        return process


async def put_definition(server: OwnServer, name: str, lifecycle: str) -> None:
    """Make a definition; servers are started without any."""
    async with connect(server.address) as interlock:
        await interlock.put_definitions([{"name": name, "lifecycle": lifecycle}])


async def _ask(process: LoadProcess, **question: Any) -> dict[str, Any]:
    await process.tell(question)
    try:
        return await process.hear(timeout=_HEAR_SECONDS)
    except TimeoutError:
        raise CaseFailed(
            f"expected an answer of {process.module} within {_HEAR_SECONDS:g} s, but none came"
        ) from None


# -- reports --------------------------------------------------------------------------------------


async def reports(place: Place) -> Measurement:
    """Reports in batches, with one watcher that receives every change."""
    found = Measurement(
        f"reports, batches of {BATCH}, one watcher",
        "transitions/s",
        "bare echo of the same messages",
    )
    task = {"batch": BATCH, "jobs": REPORTED_JOBS, "streams": STREAMS, "window": WINDOW // STREAMS}
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench", "redwood")
        load = await bench.load(
            "report_load", address=server.address, definition="bench", bare=False, **task
        )
        watcher = await bench.load("watch_load", address=server.address, count=1, bare=False)
        _, bare_address = await bench.bare()
        bare_load = await bench.load("report_load", address=bare_address, bare=True, **task)
        before = (await _warm_up(load, watcher))["events"]
        await _ask(bare_load, seconds=WARM_UP_SECONDS)
        for _ in range(place.rounds):
            used = cpu_seconds(server.pid)
            done = await _ask(load, seconds=place.seconds)
            used = cpu_seconds(server.pid) - used
            seen = await _ask(watcher, until=done["revision"])
            if seen["events"] - before != done["reports"]:
                raise CaseFailed(
                    f"{done['reports']} reports were acknowledged, but the watcher saw "
                    f"{seen['events'] - before} changes"
                )
            before = seen["events"]
            found.ours.append(done["reports"] / (max(done["ended"], seen["at"]) - done["began"]))
            found.server_us.append(1e6 * used / done["reports"])
            found.load_us.append(1e6 * done["cpu_s"] / done["reports"])
            bare = await _ask(bare_load, seconds=place.seconds)
            found.theirs.append(bare["reports"] / (bare["ended"] - bare["began"]))
    return found


async def _warm_up(load: LoadProcess, *watchers: LoadProcess) -> dict[str, Any]:
    """Let everything run for a moment; returns what the last watcher saw of it."""
    seen: dict[str, Any] = {}
    done = await _ask(load, seconds=WARM_UP_SECONDS)
    for watcher in watchers:
        seen = await _ask(watcher, until=done["revision"])
    return seen


# -- unary ----------------------------------------------------------------------------------------


async def unary(place: Place) -> Measurement:
    """One transition in each unary call."""
    found = Measurement(
        f"one transition per unary call, {CALLERS} in flight",
        "transitions/s",
        "bare unary echo",
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench", "redwood")
        load = await bench.load(
            "unary_load", address=server.address, definition="bench", callers=CALLERS, bare=False
        )
        _, bare_address = await bench.bare()
        bare_load = await bench.load("unary_load", address=bare_address, callers=CALLERS, bare=True)
        await _ask(load, seconds=WARM_UP_SECONDS)
        await _ask(bare_load, seconds=WARM_UP_SECONDS)
        async with connect(server.address) as interlock:
            for _ in range(place.rounds):
                revision = (await interlock.server_status()).revision
                used = cpu_seconds(server.pid)
                done = await _ask(load, seconds=place.seconds)
                used = cpu_seconds(server.pid) - used
                changes = (await interlock.server_status()).revision - revision
                if changes != done["calls"]:
                    raise CaseFailed(
                        f"{done['calls']} calls were answered, but there were {changes} changes"
                    )
                found.ours.append(done["calls"] / (done["ended"] - done["began"]))
                found.server_us.append(1e6 * used / done["calls"])
                found.load_us.append(1e6 * done["cpu_s"] / done["calls"])
                bare = await _ask(bare_load, seconds=place.seconds)
                found.theirs.append(bare["calls"] / (bare["ended"] - bare["began"]))
    return found


# -- lives ----------------------------------------------------------------------------------------


async def lives(place: Place, lifecycle: str) -> Measurement:
    """Whole lives through the SDK: submitted in batches, run by robots, seen to end."""
    found = Measurement(
        f"whole lives through SDK robots, {lifecycle}",
        "jobs/s",
        "the same SDK against a bare server that only passes messages on",
    )
    name = f"bench.{lifecycle}"
    robots = {
        "partition": "default",
        "definitions": [name],
        "slots": 1_000,
        "speed": None,
    }
    load = {"definition": name, "batch": 500, "window": 2_000}
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, name, lifecycle)
        _, bare_address = await bench.bare()
        loads = []
        for address in (server.address, bare_address):
            await bench.load(
                "replay_robots", address=address, names=["robot-1", "robot-2"], **robots
            )
            loads.append(await bench.load("lives_load", address=address, **load))
        for each in loads:
            await _ask(each, jobs=WARM_UP_LIVES)
        transitions = 0
        async with connect(server.address) as interlock:
            for _ in range(place.rounds):
                revision = (await interlock.server_status()).revision
                done = await _ask(loads[0], jobs=LIVES)
                found.ours.append(LIVES / (done["ended"] - done["began"]))
                transitions = (await interlock.server_status()).revision - revision
                bare = await _ask(loads[1], jobs=LIVES)
                found.theirs.append(LIVES / (bare["ended"] - bare["began"]))
            archived = (await interlock.server_status()).archived_jobs
        ended = WARM_UP_LIVES + LIVES * place.rounds
        if archived != ended:
            raise CaseFailed(f"{ended} jobs ended, but {archived} are archived")
    found.note = f"{transitions / LIVES:g} transitions in each life"
    return found


# -- fan-out --------------------------------------------------------------------------------------


async def fan_out(place: Place) -> Measurement:
    """Reports in batches, with very many watchers that all receive every change."""
    found = Measurement(
        f"fan-out of reports to {FAN_OUT_WATCHERS} watchers",
        "changes received/s",
        "bare stream of the same bytes, nothing else to do",
    )
    half = FAN_OUT_WATCHERS // 2
    task = {"batch": BATCH, "jobs": REPORTED_JOBS, "streams": STREAMS, "window": WINDOW // STREAMS}
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench", "redwood")
        load = await bench.load(
            "report_load", address=server.address, definition="bench", bare=False, **task
        )
        watchers = [
            await bench.load("watch_load", address=server.address, count=half, bare=False)
            for _ in range(2)
        ]
        bare_server, bare_address = await bench.bare()
        seen_before = await _warm_up(load, *watchers)
        before = [seen_before["events"]] * 2
        for number in range(place.rounds):
            recording = place.folder / f"recording-{number}"
            await _ask(watchers[0], record=True)
            used = cpu_seconds(server.pid)
            done = await _ask(load, seconds=place.seconds)
            question = {"until": done["revision"], "recording": str(recording)}
            seen = await asyncio.gather(*(_ask(each, **question) for each in watchers))
            used = cpu_seconds(server.pid) - used
            events = [each["events"] for each in seen]
            received = sum(events) - sum(before)
            before = events
            if received != done["reports"] * FAN_OUT_WATCHERS:
                raise CaseFailed(
                    f"{done['reports']} changes went to {FAN_OUT_WATCHERS} watchers, "
                    f"but they received {received}"
                )
            ended = max(done["ended"], *(each["at"] for each in seen))
            found.ours.append(received / (ended - done["began"]))
            found.server_us.append(1e6 * used / received)
            found.theirs.append(
                await _bare_fan_out(place, bare_server, bare_address, recording, done, received)
            )
    return found


async def _bare_fan_out(
    place: Place,
    server: LoadProcess,
    address: str,
    recording: Path,
    done: dict[str, Any],
    received: int,
) -> float:
    """Stream what a watcher of ours received to as many watchers; returns changes per second."""
    async with Bench(place) as bench:
        watchers = [
            await bench.load("watch_load", address=address, count=FAN_OUT_WATCHERS // 2, bare=True)
            for _ in range(2)
        ]
        began = await _ask(server, fan_out=str(recording), watchers=FAN_OUT_WATCHERS)
        seen = await asyncio.gather(*(_ask(each, until=done["revision"]) for each in watchers))
    if sum(each["events"] for each in seen) != received:
        raise CaseFailed("the bare server's watchers did not receive what ours did")
    ended: float = max(each["at"] for each in seen)
    return received / (ended - float(began["at"]))


# -- start-up -------------------------------------------------------------------------------------


async def start_up(place: Place) -> Measurement:
    """From the start of the process to the first answer, after SIGKILL, with many live jobs."""
    found = Measurement(
        f"start-up with {LIVE_JOBS:,} live jobs",
        "s",
        "bare server that reads the same bytes from disk first",
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "bench", "redwood")
        async with connect(server.address) as interlock:
            for _ in range(LIVE_JOBS // _SUBMIT_MAX):
                await interlock.submit_many([{"definition": "bench", "count": _SUBMIT_MAX}])
        size = 0
        for _ in range(place.rounds):
            await server.kill()
            began = time.monotonic()
            await server.start()
            async with connect(server.address) as interlock:
                status = await interlock.server_status()
                found.ours.append(time.monotonic() - began)
            if status.live_jobs != LIVE_JOBS:
                raise CaseFailed(
                    f"{LIVE_JOBS} jobs were acknowledged, but {status.live_jobs} came back"
                )
            began = time.monotonic()
            bare = LoadProcess("benchmarks.bare_server", {"read": str(server.data)})
            async with bare:
                answer = await bare.hear(timeout=_HEAR_SECONDS)
                found.theirs.append(answer["at"] - began)
                size = answer["read"]
    found.note = f"{size / 1e6:.1f} MB on disk; a ratio above 1 is slower"
    return found
