"""Sites with very many live jobs and a long history behind them, made once for several cases.

They are made through the API, by a server that does not wait for the disk and is then killed.
Whoever measures starts a server of its own on a copy.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.bench import Bench, Place, ask, put_definition
from benchmarks.own_server import OwnServer
from benchmarks.reporting import task
from interlock import InterlockError, connect
from interlock_server.checkpoint import COMMIT_COST
from interlock_server.config import Config

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from benchmarks.load_process import LoadProcess

LIVE_JOBS: Final = 1_000_000
#: Revisions behind a site with a long history, and behind one with a long past, by live job.
LONG_HISTORY: Final = 10
LONG_PAST: Final = 30
#: Part of a tail that makes a snapshot due.
FULL: Final = 0.95
_SUBMIT_MAX: Final = 10_000
_BATCH: Final = 2_500
_CALL_SECONDS: Final = 600.0
#: Definitions of the jobs that history is about.
_OLD: Final = "old"
_OLDER: Final = "older"
#: Seconds of reports between two looks at how long the tail is.
_STEP_MIN: Final = 0.05
_STEP_MAX: Final = 2.0


class Site(NamedTuple):
    """Data of a server that was killed."""

    data: Path
    live_jobs: int
    revision: int


class Tail(NamedTuple):
    """What of a journal is younger than its newest snapshot, and has to be replayed."""

    commits: int
    #: Facts are not counted: of reports there are next to none.
    changes: int
    bytes: int

    def share(self, config: Config) -> float:
        """Return which part it is of a tail that makes a snapshot due."""
        cost = self.changes + COMMIT_COST * self.commits
        return max(
            self.commits / config.snapshot_every_commits,
            cost / config.snapshot_every_changes,
            self.bytes / config.snapshot_every_bytes,
        )


async def submit(server: OwnServer, definition: str, jobs: int) -> None:
    """Create so many waiting jobs."""
    async with connect(server.address, timeout=_CALL_SECONDS) as interlock:
        for start in range(0, jobs, _SUBMIT_MAX):
            count = min(_SUBMIT_MAX, jobs - start)
            for answer in await interlock.submit_many([{"definition": definition, "count": count}]):
                if isinstance(answer, InterlockError):
                    raise answer


async def compact(server: OwnServer) -> None:
    """Have a snapshot written; what watches may ask for stays."""
    async with connect(server.address, timeout=_CALL_SECONDS) as interlock:
        await interlock.compact()


def tail_of(data: Path) -> Tail:
    """Read how long the tail of a server's data is."""
    (path,) = data.glob("partitions/default/*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        (covered,) = database.execute(
            "SELECT coalesce(max(first_commit), 0) FROM snapshots WHERE complete"
        ).fetchone()
        found = database.execute(
            "SELECT count(*), coalesce(sum(last_revision - first_revision + 1), 0),"
            " coalesce(sum(length(public) + length(private)), 0)"
            " FROM commits WHERE number > ?",
            (covered,),
        ).fetchone()
    return Tail(*found)


# -- sites, each made from the one before ---------------------------------------------------------


async def large(place: Place) -> Site:
    """A million live jobs, all of them in a snapshot."""

    async def fill(bench: Bench, server: OwnServer) -> None:  # noqa: ARG001
        await put_definition(server, "idle")
        await submit(server, "idle", place.scaled(LIVE_JOBS, least=_SUBMIT_MAX))
        await compact(server)

    return await _made(place, "large", None, fill)


async def young(place: Place) -> Site:
    """The large one with the same jobs as one with a long past, and hardly a report about them."""

    async def fill(bench: Bench, server: OwnServer) -> None:
        for definition in (_OLD, _OLDER):
            await ask(await _reporter(bench, server, definition), seconds=_STEP_MIN)
        await compact(server)

    return await _made(place, "young", await large(place), fill)


async def long_lived(place: Place) -> Site:
    """The same with ten revisions for each job."""

    async def fill(bench: Bench, server: OwnServer) -> None:
        reports = await _reporter(bench, server, _OLD)
        await _report_up_to(place, server, reports, LONG_HISTORY)

    return await _made(place, "long", await large(place), fill)


async def with_long_past(place: Place) -> Site:
    """The same with thirty, ten times what a young one has, and a new snapshot."""

    async def fill(bench: Bench, server: OwnServer) -> None:
        reports = await _reporter(bench, server, _OLDER)
        await _report_up_to(place, server, reports, LONG_PAST)
        await compact(server)

    return await _made(place, "past", await long_lived(place), fill)


async def with_full_tail(place: Place) -> Site:
    """The same with a tail that is as long as it may get before a snapshot is due."""

    async def fill(bench: Bench, server: OwnServer) -> None:
        reports = await _reporter(bench, server, "tail")
        limit, share, config = FULL * place.scale, 0.0, Config()
        seconds = _STEP_MIN
        while share < limit:
            await ask(reports, seconds=seconds)
            before, share = share, tail_of(server.data).share(config)
            print(f"  the tail is at {share:.0%} of a snapshot", file=sys.stderr)
            if share < before:  # there was one, so it is due earlier than we thought
                limit = FULL * before
            else:  # not so far that there would be one
                left = (limit - share) * seconds / max(share - before, 1e-6)
                seconds = min(max(left, _STEP_MIN), _STEP_MAX)

    return await _made(place, "full", await with_long_past(place), fill)


async def _report_up_to(place: Place, server: OwnServer, reports: LoadProcess, by_job: int) -> None:
    revisions = by_job * place.scaled(LIVE_JOBS, least=_SUBMIT_MAX)
    while (await _status(server)).revision < revisions:
        await ask(reports, seconds=1.0 * place.scale)


async def _made(
    place: Place,
    name: str,
    begins_with: Site | None,
    fill: Callable[[Bench, OwnServer], Awaitable[None]],
) -> Site:
    """Make a site, unless it was made before."""
    folder = (place.shared or place.folder / "sites") / name
    about = folder / "site.json"
    if not about.exists():
        print(f"  making a site: {name}", file=sys.stderr)
        server = OwnServer(
            directory=place.folder,
            settings=("--durability", "off"),
            data=begins_with and begins_with.data,
        )
        async with Bench(place) as bench:
            await bench.enter(server)
            await fill(bench, server)
            status = await _status(server)
            await server.kill()
            shutil.copytree(server.data, folder / "data")
        about.write_text(json.dumps([status.live_jobs, status.revision]), encoding="utf-8")
    live_jobs, revision = json.loads(about.read_text(encoding="utf-8"))
    return Site(folder / "data", live_jobs, revision)


async def _reporter(bench: Bench, server: OwnServer, definition: str) -> LoadProcess:
    await put_definition(server, definition)
    return await bench.load(
        "loads.reports", address=server.address, definition=definition, **task(_BATCH)
    )


async def _status(server: OwnServer) -> Any:
    async with connect(server.address) as interlock:
        return await interlock.server_status()
