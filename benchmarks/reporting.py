"""Both sides of reports in batches: a server of ours with watchers, and echoes of a bare one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bench import CaseFailed, ask, put_definition
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

    async def run(self, seconds: float) -> Rate:
        """Report; the clock stops when the last acknowledgement and the last change are there."""
        used = cpu_seconds(self.server.pid)
        done = await ask(self._load, seconds=seconds)
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
        return Rate(done["reports"], ended - done["began"], used, done["cpu_s"])


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
) -> OurReports:
    """Start what reports to a server of ours; a fresh one unless one is given."""
    if server is None:
        server = await bench.server()
    await put_definition(server, definition)
    load = await bench.load(
        "loads.reports", address=server.address, definition=definition, **task(batch)
    )
    each = watchers // watch_processes
    watching = [
        await bench.load("loads.watch", address=server.address, count=each, bare=False)
        for _ in range(watch_processes if watchers else 0)
    ]
    return OurReports(server, load, watching, watchers)


async def echoed_reports(
    bench: Bench, bare: tuple[LoadProcess, str], *, batch: int, echo: str
) -> EchoedReports:
    """Start what reports to an echo of a bare server."""
    server, address = bare
    load = await bench.load("loads.reports", address=address, echo=echo, **task(batch))
    return EchoedReports(server, load)
