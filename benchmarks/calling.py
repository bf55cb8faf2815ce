"""Both sides of single calls: each caller holds and releases a job of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.bench import CaseFailed, ask, put_definition
from benchmarks.own_server import cpu_seconds
from benchmarks.rate import Rate
from interlock import InterlockError, connect

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.load_process import LoadProcess
    from benchmarks.own_server import OwnServer

CALLERS: Final = 64
_DEFINITION: Final = "bench"


class OurCalls:
    """Calls to a server of ours; it has to count as many changes as were answered."""

    def __init__(self, server: OwnServer, load: LoadProcess) -> None:
        self._server = server
        self._load = load

    async def run(self, seconds: float) -> Rate:
        """Call for so long."""
        async with connect(self._server.address) as interlock:
            revision = (await interlock.server_status()).revision
            used = cpu_seconds(self._server.pid)
            done = await ask(self._load, seconds=seconds)
            used = cpu_seconds(self._server.pid) - used
            changes = (await interlock.server_status()).revision - revision
        if changes != done["calls"]:
            raise CaseFailed(
                f"{done['calls']} calls were answered, but there were {changes} changes"
            )
        return Rate(done["calls"], done["ended"] - done["began"], used, done["cpu_s"])


class BareCalls:
    """Calls with the same messages to a bare server."""

    def __init__(self, server: LoadProcess, load: LoadProcess) -> None:
        self._server = server
        self._load = load

    async def run(self, seconds: float) -> Rate:
        """Call for so long."""
        used = cpu_seconds(self._server.pid)
        done = await ask(self._load, seconds=seconds)
        used = cpu_seconds(self._server.pid) - used
        return Rate(done["calls"], done["ended"] - done["began"], used, done["cpu_s"])


async def waiting_jobs(server: OwnServer, count: int) -> list[int]:
    """Create jobs that wait for tomorrow, so that a hold and a release are one transition each."""
    await put_definition(server, _DEFINITION)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    new = {"definition": _DEFINITION, "start_time": tomorrow}
    async with connect(server.address) as interlock:
        jobs = await interlock.submit_many([new] * count)
    for job in jobs:
        if isinstance(job, InterlockError):
            raise job
    return [job.id for job in jobs if not isinstance(job, InterlockError)]


async def our_calls(bench: Bench, server: OwnServer, load: str) -> OurCalls:
    """Start callers of a server of ours; `load` says how they call: unary or gathered."""
    jobs = await waiting_jobs(server, CALLERS)
    task = {"address": server.address, "jobs": jobs, "bare": False}
    return OurCalls(server, await bench.load(f"loads.{load}", **task))


async def bare_calls(bench: Bench) -> BareCalls:
    """Start a bare server and its callers."""
    server, address = await bench.bare()
    jobs = list(range(1, CALLERS + 1))
    return BareCalls(server, await bench.load("loads.unary", address=address, jobs=jobs, bare=True))
