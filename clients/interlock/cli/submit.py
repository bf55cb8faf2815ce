"""`interlock submit`: creates jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.argument import DURATION, INSTANT, LABEL, read_parameters
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation


@click.command(cls=ClientCommand)
@click.argument("definition")
@click.option("-p", "--param", "assignments", multiple=True, help="NAME=TEXT or NAME:=JSON.")
@click.option(
    "--parameters", "documents", multiple=True, help="A JSON object, @FILE, or - for stdin."
)
@click.option("--queue", help="Queue to wait in. Default: the definition's.")
@click.option("--priority", type=click.IntRange(1, 100), help="1 to 100, larger is sooner.")
@click.option("--robot", help="Robot that has to run it. Default: any.")
@click.option("--count", type=click.IntRange(1, 10_000), help="So many equal jobs.")
@click.option("--start-time", type=INSTANT, help="Not before (Redwood): RFC 3339, local or +2h.")
@click.option("--from-step", "start_at_step", help="Start the chain at this step.")
@click.option("--parent", type=click.IntRange(1), help="Live job that it belongs to (Redwood).")
@click.option(
    "--when-parent-ends",
    "start_when_parent_ends",
    is_flag=True,
    help="Delay it until --parent is over (Redwood).",
)
@click.option("--window", help="Time window of its start (Redwood). Default: the definition's.")
@click.option("--hold", is_flag=True, help="Put it on hold at once (Redwood).")
@click.option("-l", "--label", "labels", type=LABEL, multiple=True, help="For filters: key=value.")
@click.option("--reference", help="Free text of yours.")
@click.option("--trigger-time", type=INSTANT, help="Instant from which --stop-after counts.")
@click.option("--stop-after", type=DURATION, help="Stop it so long after the trigger (UiPath).")
@click.option("--kill-after", type=DURATION, help="Kill it so long after the stop (UiPath).")
@click.option("--wait", is_flag=True, help="Wait until it is over; exit codes as of `wait`.")
@click.pass_obj
def submit(
    invocation: Invocation,
    /,
    *,
    definition: str,
    assignments: tuple[str, ...],
    documents: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    wait: bool,
    **given: Any,
) -> int:
    r"""Create jobs of a definition. With -q prints only their ids.

    \b
    interlock submit DailyReport -p month=2026-10 -p pages:=5 --queue finance
    interlock submit DailyReport --parameters @report.json --wait
    """
    spec = {
        "definition": definition,
        "parameters": read_parameters(documents, assignments),
        "labels": dict(labels),
        **{name: value for name, value in given.items() if value},
    }

    async def work(interlock: Interlock) -> list[Any]:
        if "count" in spec:
            return list(await interlock.submit_many([spec]))
        return [await interlock.submit(**spec)]

    created = invocation.call(work)
    refused = next((each for each in created if each.raw is None), None)
    if refused is not None:  # an error of the whole request, not of one job in it
        raise refused
    if wait:
        from interlock.cli.wait import wait_for

        return wait_for(invocation, [each.id for each in created], limit=None)
    from interlock.cli.outcome import show_outcomes

    return show_outcomes(invocation, [each.raw for each in created], done="created")
