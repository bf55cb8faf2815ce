"""`interlock status`, `verify`, `backup` and `compact`: looking after a server and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli import exit_code
from interlock.cli.failure import CommandError
from interlock.cli.option import ClientCommand
from interlock.cli.safe_text import one_line

if TYPE_CHECKING:
    from datetime import datetime

    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.command(cls=ClientCommand)
@click.pass_obj
def status(invocation: Invocation) -> None:
    """Show how the server and the partition are doing."""
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_one(
        invocation.call(lambda interlock: interlock.server_status()),
        mapping=to_mapping,
        sheet=lambda found: status_sheet(found, now=invocation.now),
    )


def status_sheet(found: Any, *, now: datetime) -> Sheet:
    """Return the server's status as names and values."""
    from interlock.cli.instant import age, local
    from interlock.cli.job_view import moment
    from interlock.cli.job_view import size_text as _size
    from interlock.cli.sheet import Cell, details

    started = moment(found, "start_time")
    counts = sorted(found.status_counts.items())
    since = f"{local(started)} ({age(started, now=now)} ago)" if started else ""
    durability = Cell(found.durability, "" if found.durability == "full" else "bold yellow")
    return details(
        [
            ("server", f"Interlock {found.server_version}, SQLite {found.sqlite_version}"),
            ("started", since),
            ("durability", durability),
            ("partition", found.partition),
            ("revision", f"{found.revision} (watches can resume from {found.oldest_revision})"),
            ("history", found.history_id),
            ("live jobs", str(found.live_jobs)),
            ("", "\n".join(f"{count:>9}  {name}" for name, count in counts)),
            ("archived jobs", str(found.archived_jobs)),
            ("retention", _retention(found, now=now)),
            ("recordings", f"{found.media} ({_size(found.media_bytes)})"),
            ("robots", str(found.robots)),
            ("watchers", str(found.watchers)),
            ("open messages", _messages(found.open_messages)),
            ("journal", _size(found.journal_bytes)),
            ("write-ahead log", _size(found.wal_bytes)),
        ]
    )


def _retention(found: Any, *, now: datetime) -> str:
    from interlock.cli.instant import age, local
    from interlock.cli.job_view import moment

    passed = moment(found, "retention_time")
    if passed is None:
        return "no pass yet"
    deleted = f"{found.deleted_jobs} jobs deleted since the start"
    return f"last pass {local(passed)} ({age(passed, now=now)} ago), {deleted}"


def _messages(count: int) -> str:
    return f"{count} (see: interlock messages)" if count else "0"


@click.command(cls=ClientCommand)
@click.pass_obj
def verify(invocation: Invocation) -> int:
    """Replay the journal beside the live server and compare. Exits with 1 if they differ."""
    from interlock.cli.proto_mapping import to_mapping

    problems: list[str] = []

    async def work(interlock: Interlock) -> Any:
        last: Any = None
        async for step in interlock.verify():
            last = step
            problems.extend(step.problems)
            _show_progress(invocation, step)
        return last

    last = invocation.follow(work)
    if last is None or not last.done:
        raise CommandError(
            "expected the verification to end, but the server ended it early. Try again; "
            "its log says why.",
            exit_code.FAILURE,
        )
    if invocation.output != "table":
        invocation.write_line({**to_mapping(last), "problems": problems})
    elif not problems:
        click.echo(
            f"clean: {last.commits_read} commits up to revision {last.revision} replay to what "
            f"the server has (digest {last.digest})"
        )
    else:
        for problem in problems:
            click.echo(one_line(problem))
    if problems:
        invocation.note(
            f"expected no differences, but found {len(problems)}. Keep a copy of the data "
            "directory, then restart the server: it recovers from the journal"
        )
    return exit_code.FAILURE if problems else exit_code.OK


def _show_progress(invocation: Invocation, step: Any) -> None:
    import sys

    if invocation.quiet or not sys.stderr.isatty():
        return
    total = f" of {step.commits_total}" if step.commits_total else ""
    end = "\n" if step.done else ""
    click.echo(f"\r{step.commits_read}{total} commits{end}", err=True, nl=False)


@click.command(cls=ClientCommand)
@click.argument("name", default="")
@click.pass_obj
def backup(invocation: Invocation, name: str) -> None:
    """Copy the partition while it works.

    The copy goes into the server's backup directory.
    NAME is the name of the copy; default: the time of day.
    """
    from interlock.cli.job_view import size_text as _size
    from interlock.cli.proto_mapping import to_mapping
    from interlock.cli.sheet import details

    made = invocation.call(lambda interlock: interlock.backup(name))
    invocation.show_one(
        made,
        mapping=to_mapping,
        sheet=lambda done: details(
            [
                ("copy", f"{done.path} (on the server's machine)"),
                ("revision", str(done.revision)),
                ("size", _size(done.size_bytes)),
            ]
        ),
    )


@click.command(cls=ClientCommand)
@click.option("--keep-revisions", type=click.IntRange(0), help="Newest revisions kept for watches.")
@click.pass_obj
def compact(invocation: Invocation, keep_revisions: int | None) -> None:
    """Write a snapshot and drop journal commits that nothing needs."""
    oldest = invocation.call(lambda interlock: interlock.compact(keep_revisions=keep_revisions))
    if invocation.output == "table":
        click.echo(f"watches can resume from revision {oldest}")
    else:
        invocation.write_line({"oldest_revision": oldest})
