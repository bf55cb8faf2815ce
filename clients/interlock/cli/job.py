"""`interlock list`, `get` and `history`: what jobs there are and how they got there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.argument import JOB
from interlock.cli.filter import filter_options, read_filter
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation

#: How many jobs one page has at most.
_PAGE_MAX: Final = 1_000


@click.command("list", cls=ClientCommand)
@filter_options
@click.option("--live", "scope", flag_value="live", help="Only jobs that are not over.")
@click.option("--final", "scope", flag_value="final", help="Only jobs that are over.")
@click.option("--open-message", is_flag=True, help="Only jobs that wait for a reply.")
@click.option("--chain", "chains", type=JOB, multiple=True, help="Only what is below this job.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@click.option("--all", "all_jobs", is_flag=True, help="No limit.")
@click.pass_obj
def list_jobs(
    invocation: Invocation,
    /,
    *,
    scope: str | None,
    open_message: bool,
    chains: tuple[int, ...],
    limit: int,
    all_jobs: bool,
    **filters: Any,
) -> None:
    r"""List jobs, newest first, with status, robot and why.

    \b
    interlock list --live                what goes on now
    interlock list --failed -n 20        what went wrong
    interlock list -q -s Held | xargs interlock release
    """
    from interlock.cli.job_view import job_mapping, job_sheet
    from interlock.cli.waiting import summaries

    selected = read_filter(**filters)
    page_size = _PAGE_MAX if all_jobs else min(limit + 1, _PAGE_MAX)

    async def fetch(interlock: Interlock) -> tuple[list[Any], Any]:
        found: list[Any] = []
        jobs = interlock.list(
            **selected,
            scope=scope or "all",
            open_message=open_message,
            chains=chains,
            page_size=page_size,
        )
        async for job in jobs:
            if len(found) == limit and not all_jobs:
                invocation.note(f"there are more than {limit}; --limit N or --all shows more")
                break
            found.append(job.raw)
        drawn = invocation.output == "table" and not invocation.quiet
        return found, await summaries(interlock, found) if drawn else None

    found, waits = invocation.call(fetch)
    invocation.show_many(
        found,
        mapping=job_mapping,
        sheet=lambda jobs: job_sheet(jobs, now=invocation.now, waits=waits),
        key=lambda job: job.id,
    )


@click.command(cls=ClientCommand)
@click.argument("job", type=JOB)
@click.pass_obj
def get(invocation: Invocation, job: int) -> None:
    """Show everything about one job, and why it is where it is."""
    from interlock.cli.job_view import job_details, job_mapping
    from interlock.cli.waiting import summaries

    async def fetch(interlock: Interlock) -> tuple[Any, Any, Any, Any]:
        told = await interlock.get(job)
        found, runs = told.raw, told.all_executions
        if invocation.output != "table":
            return found, runs, None, None
        entries = await interlock.history(job)
        waits = await summaries(interlock, [found])
        return found, runs, waits, entries[-1].raw if entries else None

    found, runs, waits, last = invocation.call(fetch)
    invocation.show_one(
        found,
        mapping=lambda one: job_mapping(one, runs),
        sheet=lambda one: job_details(one, now=invocation.now, waits=waits, last=last, runs=runs),
    )


@click.command(cls=ClientCommand)
@click.argument("job", type=JOB)
@click.pass_obj
def history(invocation: Invocation, job: int) -> None:
    """Show every status change of one job: when, by whom, why."""
    from interlock.cli.job_view import history_sheet
    from interlock.cli.proto_mapping import to_mapping

    entries = invocation.call(lambda interlock: interlock.history(job))
    invocation.show_many(
        [entry.raw for entry in entries],
        mapping=to_mapping,
        sheet=history_sheet,
        key=lambda entry: entry.revision,
    )
