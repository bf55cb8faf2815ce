"""Both sides of reports in batches: a server of ours with watchers, and echoes of a bare one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.bench import CaseFailed, ask, put_definition
from benchmarks.latency import Latency
from benchmarks.own_server import cpu_seconds
from benchmarks.rate import Rate

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.load_process import LoadProcess
    from benchmarks.own_server import OwnServer

JOBS: Final = 10_000
STREAMS: Final = 2
#: Reports in flight of all streams together.
IN_FLIGHT: Final = 3_200
#: Batches in flight of each stream, however large they are: one is decided, one is written, one
#: is on its way in and one on its way back.
_WINDOW_MIN: Final = 4


def task(batch: int, jobs: int = JOBS) -> dict[str, Any]:
    """Return what a load of reports is told."""
    window = max(_WINDOW_MIN, IN_FLIGHT // STREAMS // batch)
    return {"batch": batch, "jobs": jobs, "streams": STREAMS, "window": window}


class PacedRound(NamedTuple):
    """A round at a given rate: what was done, and what it was late."""

    published: Rate
    #: From the instant at which a batch was to be sent to its acknowledgement.
    acknowledged: Latency
    #: From the decision of a change to its arrival at a watcher.
    watched: Latency


class OurReports:
    """Reports to a server of ours; every watcher receives every change, without a gap."""

    def __init__(
        self, server: OwnServer, load: LoadProcess, watching: list[LoadProcess], watchers: int
    ) -> None:
        self.server = server
        self._load = load
        self._watching = watching
        self._watchers = watchers
        self._seen = 0
        #: The newest that was acknowledged.
        self.revision = 0

    def watched_by(self, watching: list[LoadProcess], watchers: int) -> None:
        """Let other watchers, that have just come, see what is reported from now on."""
        self._watching, self._watchers, self._seen = watching, watchers, 0

    async def run(self, seconds: float) -> Rate:
        """Report as fast as it goes."""
        rate, _, _ = await self._run(seconds=seconds)
        return rate

    async def paced(self, seconds: float, rate: float) -> PacedRound:
        """Report so many jobs in each second, whatever becomes of them."""
        done, answer, seen = await self._run(seconds=seconds, rate=rate)
        published = done._replace(seconds=answer["ended"] - answer["began"])
        lag = Latency.of(each["lag"] for each in seen)
        return PacedRound(published, Latency.of([answer["latency"]]), lag)

    async def _run(self, **order: float) -> tuple[Rate, dict[str, Any], list[dict[str, Any]]]:
        """Report; the clock stops when the last acknowledgement and the last change are there."""
        used = cpu_seconds(self.server.pid)
        done = await ask(self._load, **order)
        self.revision = done["revision"]
        seen = await asyncio.gather(*(ask(each, until=done["revision"]) for each in self._watching))
        used = cpu_seconds(self.server.pid) - used
        total = sum(each["events"] for each in seen)
        received, self._seen = total - self._seen, total
        if received != done["reports"] * self._watchers:
            raise CaseFailed(
                f"{done['reports']} reports were acknowledged, but {self._watchers} watchers saw "
                f"{received} changes"
            )
        ended = max([done["ended"], *(each["at"] for each in seen)])
        return Rate(done["reports"], ended - done["began"], used, done["cpu_s"]), done, seen


class EchoedReports:
    """The same reports, sent to an echo of the bare server."""

    def __init__(self, server: LoadProcess, load: LoadProcess) -> None:
        self._server = server
        self._load = load

    async def run(self, seconds: float) -> Rate:
        """Report; the clock stops with the last echo."""
        used = cpu_seconds(self._server.pid)
        done = await ask(self._load, seconds=seconds)
        used = cpu_seconds(self._server.pid) - used
        return Rate(done["reports"], done["ended"] - done["began"], used, done["cpu_s"])


async def our_reports(
    bench: Bench,
    *,
    batch: int,
    watchers: int = 1,
    watch_processes: int = 1,
    server: OwnServer | None = None,
    definition: str = "bench",
    lag: bool = False,
) -> OurReports:
    """Start what reports to a server of ours; a fresh one unless one is given.

    `lag` has watchers note when each change arrives.
    """
    if server is None:
        server = await bench.server()
    await put_definition(server, definition)
    load = await bench.load(
        "loads.reports", address=server.address, definition=definition, **task(batch)
    )
    watching = await watchers_of(bench, server, watchers, watch_processes, lag=lag)
    return OurReports(server, load, watching, watchers)


async def watchers_of(
    bench: Bench, server: OwnServer, watchers: int, processes: int = 1, *, lag: bool = False
) -> list[LoadProcess]:
    """Start so many watchers, in so many processes."""
    task = {"address": server.address, "count": watchers // processes, "bare": False, "lag": lag}
    return [await bench.load("loads.watch", **task) for _ in range(processes if watchers else 0)]


async def echoed_reports(
    bench: Bench, bare: tuple[LoadProcess, str], *, batch: int, echo: str
) -> EchoedReports:
    """Start what reports to an echo of a bare server."""
    server, address = bare
    load = await bench.load("loads.reports", address=address, echo=echo, **task(batch))
    return EchoedReports(server, load)
