"""`interlock watch`: status changes as they happen, none left out, from any revision on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.filter import filter_options, read_filter
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation


@click.command(cls=ClientCommand)
@filter_options
@click.option(
    "--from-revision", type=click.IntRange(0), help="Changes after it. Default: from now."
)
@click.option("--snapshot", is_flag=True, help="All live jobs first, then changes.")
@click.option("-n", "--limit", type=click.IntRange(1), help="End after so many changes.")
@click.option("--lines", is_flag=True, help="On a terminal: one line per change, no table.")
@click.pass_obj
def watch(
    invocation: Invocation,
    /,
    *,
    from_revision: int | None,
    snapshot: bool,
    limit: int | None,
    lines: bool,
    **filters: Any,
) -> None:
    r"""Watch jobs change, none left out.

    On a terminal a live table, anywhere else JSON lines.

    \b
    interlock watch --failed                         faults as they happen
    interlock watch --from-revision 1000 | jq .job   every change after revision 1000
    interlock watch --snapshot -o jsonl              live jobs, then changes
    """
    if snapshot and from_revision is not None:
        raise click.UsageError(
            "expected --snapshot or --from-revision, but got both: a snapshot starts now."
        )
    selected = read_filter(**filters)
    is_terminal = sys.stdout.isatty()
    as_json = invocation.output != "table" or not (is_terminal or invocation.output_was_chosen)
    live = is_terminal and not as_json and not lines

    async def work(interlock: Interlock) -> None:
        start = {
            "from_revision": from_revision,
            "snapshot": snapshot or (live and not from_revision),
        }
        stream = interlock.watch(**start, **selected)
        if live:
            await _follow_live(invocation, stream, limit)
        else:
            await _follow_lines(invocation, stream, limit, as_json=as_json)

    invocation.follow(work)


async def _follow_lines(
    invocation: Invocation, stream: Any, limit: int | None, *, as_json: bool
) -> None:
    from interlock.cli.change_view import change_line, change_mapping

    count = 0
    async with stream:
        async for change in stream:
            if as_json:
                invocation.write_line(change_mapping(change))
            else:
                click.echo(change_line(change))
            count += 1
            if count == limit:
                return


async def _follow_live(invocation: Invocation, stream: Any, limit: int | None) -> None:
    from interlock.cli.live import Board, screen, view

    board = Board()
    settings = invocation.settings

    def draw(height: int) -> Any:
        title = (
            f"{settings['partition']} at {settings['address']}  revision {stream.revision}"
            f"  {board.changes} changes" + (f"  {stream.resumes} resumes" if stream.resumes else "")
        )
        return view(board, title=title, height=height, now=invocation.now)

    async with stream:
        with screen(draw, colour=invocation.colour):
            async for change in stream:
                board.take(change)
                if board.changes == limit:
                    return
