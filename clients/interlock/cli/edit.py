"""`interlock edit`: changes a job that is not Queued yet, and corrects a Modified one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.argument import INSTANT, read_id, read_parameters
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation


@click.command(cls=ClientCommand)
@click.argument("job")
@click.option("-p", "--param", "assignments", multiple=True, help="NAME=TEXT or NAME:=JSON.")
@click.option(
    "--parameters", "documents", multiple=True, help="A JSON object, @FILE, or - for stdin."
)
@click.option("--queue", help="Queue to wait in.")
@click.option("--priority", type=click.IntRange(1, 100), help="1 to 100, larger is sooner.")
@click.option("--start-time", type=INSTANT, help="Not before: RFC 3339, local or +2h.")
@click.option("--expected-revision", type=click.IntRange(1), help="Refuse if changed since.")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def edit(
    invocation: Invocation,
    /,
    *,
    job: str,
    assignments: tuple[str, ...],
    documents: tuple[str, ...],
    **given: Any,
) -> int:
    r"""Change a Redwood job that is not Queued yet.

    Parameters are replaced whole. A Modified job, whose restart could not be prepared, goes on
    once nothing is wrong with it. Queue and priority can be changed until a robot has it.

    \b
    interlock edit 17 --queue finance
    interlock edit 17 --parameters '{"account": 7}' -m "account was closed"
    """
    changes = {name: value for name, value in given.items() if value}
    if assignments or documents:
        changes["parameters"] = read_parameters(documents, assignments)
    if not changes.keys() - {"reason", "expected_revision"}:
        raise click.UsageError(
            "expected something to change: --param, --parameters, --queue, --priority or "
            "--start-time."
        )
    try:
        job_id = read_id(job, "job")
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None

    async def work(interlock: Interlock) -> Any:
        return await interlock.edit(job_id, **changes)

    from interlock.cli.outcome import show_outcomes

    return show_outcomes(invocation, [invocation.call(work).raw], done="changed")
