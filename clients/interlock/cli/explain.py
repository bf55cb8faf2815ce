"""`interlock explain`: why a job is not moving, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from interlock.cli.argument import JOB
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from datetime import datetime

    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Cell, Sheet
    from interlock.explanation import Explanation, Reason


@click.command(cls=ClientCommand)
@click.argument("job", type=JOB)
@click.option("-w", "--watch", is_flag=True, help="Say it again whenever it changes.")
@click.pass_obj
def explain(invocation: Invocation, job: int, *, watch: bool) -> None:
    r"""Say why a job is not moving, and what would stop it next.

    \b
    interlock explain 4711
    interlock explain 4711 --watch
    """
    if not watch:
        _show(invocation, invocation.call(lambda interlock: interlock.explain(job)))
        return

    async def follow(interlock: Interlock) -> None:
        async for found in interlock.watch_explanation(job):
            _show(invocation, found)

    invocation.follow(follow)


def _show(invocation: Invocation, found: Explanation) -> None:
    from interlock.cli.proto_mapping import to_mapping

    def sheet(explanation: Explanation) -> Sheet:
        return explanation_sheet(explanation, invocation.now)

    invocation.show_one(found, mapping=lambda each: to_mapping(each.raw), sheet=sheet)


def explanation_sheet(found: Explanation, now: datetime) -> Sheet:
    """Return the tree of reasons."""
    from interlock.cli.sheet import Cell, Column, Sheet, status_cell

    rows: list[tuple[Cell | str, ...]] = [
        (Cell(f"job {found.job}", "bold"), status_cell(str(found.status)))
    ]
    for depth, reason in found.walk():
        mark = Cell("  " * depth + ("now" if reason.current else "next"), "dim")
        rows.append((mark, _line(depth, reason, now)))
    if len(rows) == 1:
        rows.append((Cell("now", "dim"), found.summary))
    columns = (Column("WHEN"), Column("WHY", wraps=True))
    return Sheet(columns, rows, headings=False)


def _line(depth: int, reason: Reason, now: datetime) -> Cell | str:
    from interlock.cli.instant import age, ahead, local
    from interlock.cli.sheet import Cell

    parts = [reason.sentence]
    if reason.by:
        parts.append(f"by {reason.by}")
    if reason.since is not None:
        parts.append(f"for {age(reason.since, now=now)}")
    if reason.until is not None:
        parts.append(f"until {local(reason.until)} ({ahead(reason.until, now=now)})")
    text = "  " * depth + ", ".join(parts)
    return text if reason.current else Cell(text, "dim")
