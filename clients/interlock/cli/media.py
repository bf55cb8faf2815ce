"""`interlock media`: recordings of jobs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from interlock.cli import exit_code
from interlock.cli.argument import JOB
from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.group(cls=NounGroup)
def media() -> None:
    """Show, fetch and delete recordings of jobs."""


@media.command("list")
@click.argument("job", type=JOB)
@click.pass_obj
def list_media(invocation: Invocation, job: int) -> None:
    """List the recordings of a job by name."""
    _show(invocation, invocation.call(lambda interlock: interlock.media.list(job)))


@media.command("get")
@click.argument("job", type=JOB)
@click.argument("name")
@click.option("--to", "target", metavar="FILE", default="-", help="File to write. Default: stdout.")
@click.pass_obj
def get(invocation: Invocation, job: int, name: str, target: str) -> None:
    r"""Write a recording to a file. It appears there when it is whole.

    \b
    interlock media get 4711 screen.webm --to screen.webm
    interlock media get 4711 screen.webm | mpv -
    """
    from interlock.cli.failure import CommandError
    from interlock.cli.job_view import size_text

    if target == "-" and sys.stdout.isatty():
        raise click.UsageError("expected --to FILE, because the output is a terminal.")

    async def fetch(interlock: Interlock) -> Any:
        return await interlock.media.download(
            job, name, sys.stdout.buffer if target == "-" else target
        )

    try:
        medium = invocation.follow(fetch)
    except OSError as error:
        raise CommandError(
            f"expected to write {target}, but: {error.strerror}. Choose another file with --to.",
            exit_code.FAILURE,
        ) from None
    if target != "-":
        invocation.note(f"{size_text(medium.size_bytes)} written to {target}")


@media.command("delete")
@click.argument("job", type=JOB)
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All recordings of the job.")
@click.pass_obj
def delete(invocation: Invocation, job: int, names: tuple[str, ...], *, every: bool) -> None:
    """Delete recordings of a job, all of those that are named or none."""
    if bool(names) == every:
        raise click.UsageError("expected the NAMES of recordings, or --all.")

    async def work(interlock: Interlock) -> Any:
        given = names or [each.name for each in await interlock.media.list(job)]
        return await interlock.media.delete(job, given) if given else []

    gone = invocation.call(work)
    _show(invocation, gone)
    invocation.note(f"{len(gone)} deleted")


def _show(invocation: Invocation, found: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        found,
        mapping=to_mapping,
        sheet=media_sheet,
        key=lambda medium: medium.name,
    )


def media_sheet(found: list[Any]) -> Sheet:
    """Return recordings as a table."""
    from interlock.cli.instant import local
    from interlock.cli.job_view import moment, size_text
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for each in found:
        made = moment(each, "create_time")
        rows.append(
            (
                each.name,
                size_text(each.size_bytes),
                each.content_type,
                local(made) if made is not None else "",
                each.robot,
                each.digest[:16],
            )
        )
    columns = (
        Column("NAME"),
        Column("SIZE", right=True),
        Column("TYPE"),
        Column("MADE"),
        Column("ROBOT", wraps=True),
        Column("SHA-256"),
    )
    return Sheet(columns, rows, empty="No recordings found.")
