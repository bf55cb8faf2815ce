"""Both sides of whole lives: submitted through the SDK, run by SDK robots, seen to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import CaseFailed, ask, put_definition
from benchmarks.own_server import cpu_seconds
from benchmarks.rate import Rate
from interlock import connect

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.load_process import LoadProcess
    from benchmarks.own_server import OwnServer

LIFECYCLES: Final = ("uipath", "redwood")
_ROBOTS: Final = ("robot-1", "robot-2")
_SLOTS: Final = 1_000
_LOAD: Final = {"batch": 500, "window": 2_000}


class OurLives:
    """Lives on a server of ours; every job has to be in the archive at the end of a round."""

    def __init__(self, server: OwnServer, load: LoadProcess) -> None:
        self._server = server
        self._load = load
        #: Recorded changes of each life of the last round.
        self.changes_per_life = 0.0

    async def run(self, seconds: float) -> Rate:
        """Live for so long."""
        async with connect(self._server.address) as interlock:
            before = await interlock.server_status()
            used = cpu_seconds(self._server.pid)
            done = await ask(self._load, seconds=seconds)
            used = cpu_seconds(self._server.pid) - used
            after = await interlock.server_status()
        jobs = done["jobs"]
        archived = after.archived_jobs - before.archived_jobs
        if archived != jobs:
            raise CaseFailed(f"{jobs} jobs ended, but {archived} were archived")
        self.changes_per_life = (after.revision - before.revision) / jobs
        return Rate(jobs, done["ended"] - done["began"], used, done["cpu_s"])


class OurChanges:
    """The same, counted in recorded changes."""

    def __init__(self, lives: OurLives) -> None:
        self._lives = lives

    async def run(self, seconds: float) -> Rate:
        """Live for so long."""
        rate = await self._lives.run(seconds)
        return rate._replace(items=round(rate.items * self._lives.changes_per_life))


class BareLives:
    """Lives on a bare server, which only passes messages on."""

    def __init__(self, server: LoadProcess, load: LoadProcess) -> None:
        self._server = server
        self._load = load

    async def run(self, seconds: float) -> Rate:
        """Live for so long."""
        used = cpu_seconds(self._server.pid)
        done = await ask(self._load, seconds=seconds)
        used = cpu_seconds(self._server.pid) - used
        return Rate(done["jobs"], done["ended"] - done["began"], used, done["cpu_s"])


async def our_lives(bench: Bench, lifecycle: str) -> OurLives:
    """Start a server of ours, its robots and who submits."""
    server = await bench.server()
    await put_definition(server, definition_of(lifecycle), lifecycle)
    return OurLives(server, await living_load(bench, server.address, lifecycle))


async def bare_lives(bench: Bench, lifecycle: str) -> BareLives:
    """Start a bare server, its robots and who submits."""
    server, address = await bench.bare()
    return BareLives(server, await living_load(bench, address, lifecycle))


def definition_of(lifecycle: str) -> str:
    """Return the name of what is run in a lifecycle."""
    return f"bench.{lifecycle}"


async def living_load(bench: Bench, address: str, lifecycle: str) -> LoadProcess:
    """Start robots and who submits; the definition has to be there."""
    definition = definition_of(lifecycle)
    robots: dict[str, Any] = {
        "names": list(_ROBOTS),
        "slots": _SLOTS,
        "partition": "default",
        "definitions": [definition],
        "speed": None,
    }
    await bench.load("replay_robots", address=address, **robots)
    return await bench.load("loads.lives", address=address, definition=definition, **_LOAD)
