"""`interlock watch`: status changes as they happen, none left out, from any revision on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.filter import filter_options, read_filter
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from interlock import Change, Interlock, Job, Watch
    from interlock.cli.invocation import Invocation


@click.command(cls=ClientCommand)
@filter_options
@click.option(
    "--from-revision", type=click.IntRange(0), help="Changes after it. Default: from now."
)
@click.option("--history", "history_id", help="History of that revision: refused if another.")
@click.option("--snapshot", is_flag=True, help="All live jobs first, then changes.")
@click.option("-n", "--limit", type=click.IntRange(1), help="End after so many changes.")
@click.option("--lines", is_flag=True, help="On a terminal: one line per change, no table.")
@click.pass_obj
def watch(
    invocation: Invocation,
    /,
    *,
    from_revision: int | None,
    history_id: str | None,
    snapshot: bool,
    limit: int | None,
    lines: bool,
    **filters: Any,
) -> None:
    r"""Watch jobs change, none left out.

    On a terminal a live table, anywhere else JSON lines: `"type": "job"` for each job of the
    snapshot, then "start" with the revision and its history unless --from-revision said it, then
    "change" for each change.

    A restored backup begins another history with the same numbers. A program that keeps a
    revision keeps the "history_id" too, and passes both.

    \b
    interlock watch --failed                         faults as they happen
    interlock watch --from-revision 1000 | jq .job   every change after revision 1000
    interlock watch --snapshot -o jsonl              live jobs, then changes
    """
    if snapshot and from_revision is not None:
        raise click.UsageError(
            "expected --snapshot or --from-revision, but got both: a snapshot starts now."
        )
    if history_id and from_revision is None:
        raise click.UsageError("expected --from-revision with --history: it says which revision.")
    selected = read_filter(**filters)
    is_terminal = sys.stdout.isatty()
    as_json = invocation.output != "table" or not (is_terminal or invocation.output_was_chosen)
    live = is_terminal and not as_json and not lines

    async def work(interlock: Interlock) -> None:
        with_snapshot = snapshot or (live and from_revision is None)
        async with interlock.watch(
            from_revision=from_revision,
            history_id=history_id or "",
            snapshot=with_snapshot,
            **selected,
        ) as stream:
            jobs = await stream.snapshot() if with_snapshot else []
            if live:
                await _follow_live(invocation, stream, jobs, limit)
            elif as_json:
                await _write_json(
                    invocation, stream, jobs, limit, resumed=from_revision is not None
                )
            else:
                await _write_lines(invocation, stream, jobs, limit)

    invocation.follow(work)


async def _write_json(
    invocation: Invocation, stream: Watch, jobs: list[Job], limit: int | None, *, resumed: bool
) -> None:
    from interlock.cli.change_view import change_mapping
    from interlock.cli.job_view import job_mapping

    for job in jobs:
        invocation.write_line({"type": "job", **job_mapping(job.raw)})
    if not resumed:
        revision = await stream.start()
        invocation.write_line(
            {"type": "start", "revision": revision, "history_id": stream.history_id}
        )
    await _write_each(
        invocation, stream, limit, lambda change: invocation.write_line(change_mapping(change))
    )


async def _write_lines(
    invocation: Invocation, stream: Watch, jobs: list[Job], limit: int | None
) -> None:
    from interlock.cli.change_view import change_line
    from interlock.cli.job_view import job_sheet

    if jobs:
        invocation.draw(job_sheet([job.raw for job in jobs], now=invocation.now))
    await _write_each(invocation, stream, limit, lambda change: click.echo(change_line(change)))


async def _write_each(
    invocation: Invocation, stream: Watch, limit: int | None, write: Callable[[Change], None]
) -> None:
    count, began = 0, stream.revision
    try:
        async for change in stream:
            write(change)
            count += 1
            if count == limit:
                return
    except BrokenPipeError:  # whoever reads the output has enough
        raise
    except BaseException:
        if stream.revision > began:
            history = f" --history {stream.history_id}" if stream.history_id else ""
            invocation.note(f"go on with --from-revision {stream.revision}{history}")
        raise


async def _follow_live(
    invocation: Invocation, stream: Watch, jobs: list[Job], limit: int | None
) -> None:
    from interlock.cli.live import Board, screen, view

    board = Board()
    for job in jobs:
        board.seed(job.raw, now=invocation.now)
    settings = invocation.settings

    def draw(height: int) -> RenderableType:
        resumes = f"  {stream.resumes} resumes" if stream.resumes else ""
        title = (
            f"{settings['partition']} at {settings['address']}  revision {stream.revision}"
            f"  {board.changes} changes{resumes}"
        )
        return view(board, title=title, height=height, now=invocation.now)

    with screen(draw, colour=invocation.colour):
        async for change in stream:
            board.take(change)
            if board.changes == limit:
                return
