"""`interlock wait`: until jobs are over; the exit code says how they ended."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli import exit_code
from interlock.cli.argument import DURATION, read_job_ids
from interlock.cli.failure import CommandError
from interlock.cli.instant import length
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock import Interlock
    from interlock.cli.invocation import Invocation

#: How many jobs one watch is asked for; a filter has at most 500 values.
_WATCH_MAX: Final = 400


@click.command(cls=ClientCommand)
@click.argument("jobs", nargs=-1, required=True)
@click.option("--for", "limit", type=DURATION, help="Give up after so long, with exit code 5.")
@click.pass_obj
def wait(invocation: Invocation, jobs: tuple[str, ...], limit: timedelta | None) -> int:
    """Wait until jobs are over, and show how they ended.

    Exits with 0 if all ended well (Successful, Completed), with 1 if one did not, and with 5 if
    --for was over first. JOBS are ids; - reads them from standard input.
    """
    return wait_for(invocation, read_job_ids(jobs), limit=limit)


def wait_for(invocation: Invocation, ids: Sequence[int], *, limit: timedelta | None) -> int:
    """Wait for the jobs, show them, and return the exit code."""
    import asyncio

    async def work(interlock: Interlock) -> list[Any]:
        seconds = limit.total_seconds() if limit is not None else None
        parts = [ids[start : start + _WATCH_MAX] for start in range(0, len(ids), _WATCH_MAX)]
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(_until_over(invocation, interlock, part) for part in parts))
            return [(await interlock.get(job)).raw for job in ids]

    try:
        ended = invocation.follow(work)
    except TimeoutError:
        raise CommandError(
            f"expected {_jobs(ids)} to be over in {length(limit or timedelta())}, but it is not. "
            f"`interlock get {ids[0]}` shows why; --for waits longer.",
            exit_code.UNAVAILABLE,
        ) from None
    return _show(invocation, ended)


async def _until_over(invocation: Invocation, interlock: Interlock, ids: Sequence[int]) -> None:
    async with interlock.watch(snapshot=True, jobs=ids, columns=False) as watch:
        # also shows jobs that are over but whose message is still open
        live = {job.id for job in await watch.snapshot() if not job.final}
        for job in ids:
            if job not in live:
                await interlock.get(job)  # raises now and not at the end if there is no such job
        while live:
            change = await anext(watch)
            if sys.stderr.isatty():
                invocation.note(f"job {change.job}: {change}")
            if change.final:
                live.discard(change.job)


def _jobs(ids: Sequence[int]) -> str:
    return f"job {ids[0]}" if len(ids) == 1 else f"{len(ids)} jobs"


def _show(invocation: Invocation, ended: list[Any]) -> int:
    from interlock.cli.job_view import job_mapping, job_sheet
    from interlock.cli.status_text import ENDED_WELL, status_name

    if not invocation.quiet or invocation.output_was_chosen:
        invocation.show_many(
            ended,
            mapping=job_mapping,
            sheet=lambda jobs: job_sheet(jobs, now=invocation.now),
            key=lambda job: job.id,
        )
    well = all(status_name(job.status) in ENDED_WELL for job in ended)
    return exit_code.OK if well else exit_code.FAILURE
