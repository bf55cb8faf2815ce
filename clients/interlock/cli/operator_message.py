"""`interlock messages` and `reply`: the questions that jobs ask people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.argument import MESSAGE
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from datetime import datetime

    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.command(cls=ClientCommand)
@click.option("-a", "--all", "include_closed", is_flag=True, help="Answered ones and notes too.")
@click.pass_obj
def messages(invocation: Invocation, *, include_closed: bool) -> None:
    """List the operator messages that need a reply, oldest first."""
    from interlock.cli.proto_mapping import to_mapping

    found = invocation.call(lambda interlock: interlock.messages(include_closed=include_closed))
    invocation.show_many(
        found,
        mapping=to_mapping,
        sheet=lambda shown: message_sheet(shown, now=invocation.now),
        key=lambda message: message.id,
    )


def message_sheet(messages: list[Any], *, now: datetime) -> Sheet:
    """Return operator messages as a table."""
    from interlock.cli.instant import age
    from interlock.cli.job_view import moment
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            str(each.id),
            str(each.job),
            age(moment(each, "create_time"), now=now),
            Cell("job waits", "bold magenta") if each.blocking and not each.reply else "",
            each.text,
            _accepted(each),
            f"{each.reply} (by {each.replied_by})" if each.reply else "",
        )
        for each in messages
    ]
    columns = (
        Column("MESSAGE", right=True),
        Column("JOB", right=True),
        Column("AGE", right=True),
        Column("BLOCKS"),
        Column("TEXT", wraps=True),
        Column("ACCEPTS", wraps=True),
        Column("REPLY", wraps=True),
    )
    return Sheet(columns, rows, empty="No operator message needs a reply.")


def _accepted(message: Any) -> str:
    if message.choices:
        return " / ".join(message.choices)
    return f"matching {message.pattern}" if message.pattern else ""


@click.command(cls=ClientCommand)
@click.argument("message", type=MESSAGE)
@click.argument("text")
@click.pass_obj
def reply(invocation: Invocation, message: int, text: str) -> int:
    """Answer an operator message. TEXT is the reply; - reads it from standard input."""
    from interlock.cli.outcome import show_outcomes

    answer = sys.stdin.read().rstrip("\n") if text == "-" else text
    if not answer.strip():
        raise click.UsageError("expected a reply, but it is blank.")
    outcome = invocation.call(lambda interlock: interlock.reply(message, answer))
    return show_outcomes(invocation, [outcome.raw], done="replied")
