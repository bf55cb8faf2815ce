"""`interlock lifecycle`: the tables of what is legal. They need no server, only the package.

The tables live in the server's package, which this one never imports: entry points lead to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli import exit_code
from interlock.cli.failure import CommandError
from interlock.cli.option import ClientCommand, NounGroup
from interlock.cli.settings import OUTPUTS
from interlock.cli.sheet import Cell, Column, Sheet, status_cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock.cli.invocation import Invocation

#: The group of entry points that describe lifecycles: describe(name) and mermaid(name).
GROUP: Final = "interlock.lifecycle"
_NAMES: Final = {
    "uipath": "jobs of UiPath Orchestrator",
    "redwood": "processes of Redwood RunMyJobs",
}


@click.group(cls=NounGroup)
def lifecycle() -> None:
    """Show the statuses and what leads from one to another."""


@lifecycle.command("list")
@click.pass_obj
def list_lifecycles(invocation: Invocation) -> None:
    """List the lifecycles."""
    found = [
        {"name": name, "about": about, **_counts(_find("describe")(name))}
        for name, about in _NAMES.items()
    ]
    columns = (
        Column("LIFECYCLE"),
        Column("STATUSES", right=True),
        Column("TRANSITIONS", right=True),
        Column("OF", wraps=True),
    )
    invocation.show_many(
        found,
        mapping=dict,
        sheet=lambda shown: Sheet(
            columns,
            [(e["name"], str(e["statuses"]), str(e["transitions"]), e["about"]) for e in shown],
        ),
        key=lambda each: each["name"],
    )


def _counts(described: dict[str, Any]) -> dict[str, int]:
    return {name: len(described[name]) for name in ("statuses", "transitions")}


class _ShowCommand(ClientCommand):
    outputs = (*OUTPUTS, "mermaid")


@lifecycle.command("show", cls=_ShowCommand)
@click.argument("name", type=click.Choice(list(_NAMES)))
@click.option("-s", "--status", "status", help="Only what leaves this status.")
@click.pass_obj
def show(invocation: Invocation, name: str, status: str | None) -> None:
    """Show one lifecycle: its statuses and transitions, or a diagram with -o mermaid."""
    if invocation.flags.get("output") == "mermaid":
        click.echo(_find("mermaid")(name), nl=False)
        return
    described = _find("describe")(name)
    if status:
        described = _only(described, status)
    match invocation.output:
        case "table":
            if not status:
                invocation.draw(_status_sheet(described))
                click.echo()
            invocation.draw(_transition_sheet(described))
        case "json":
            invocation.write_json(described)
        case _:
            for each in described["transitions"]:
                invocation.write_line(each)


def _only(described: dict[str, Any], status: str) -> dict[str, Any]:
    for each in described["statuses"]:
        if status in {each["name"], each["name"].lower(), each["code"] or status + "?"}:
            leaving = [row for row in described["transitions"] if row["from"] == each["name"]]
            return {**described, "statuses": [each], "transitions": leaving}
    names = ", ".join(each["name"] for each in described["statuses"])
    raise click.UsageError(
        f"expected a status of {described['name']}, but got {status!r}. Statuses: {names}"
    )


def _find(name: str) -> Callable[[str], Any]:
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None:
        raise CommandError(
            f"expected the lifecycle tables, but they are not installed here: no entry point "
            f"{name!r} in the group {GROUP}. Install the whole package: pip install interlock",
            exit_code.FAILURE,
        )
    loaded: Callable[[str], Any] = found.load()
    return loaded


def _status_sheet(described: dict[str, Any]) -> Sheet:
    rows: list[tuple[Cell | str, ...]] = [
        (status_cell(each["name"]), each["code"], each["state"]) for each in described["statuses"]
    ]
    return Sheet((Column("STATUS"), Column("CODE"), Column("STATE")), rows)


def _transition_sheet(described: dict[str, Any]) -> Sheet:
    rows: list[tuple[Cell | str, ...]] = [
        (
            status_cell(each["from"]) if each["from"] else "(new)",
            each["trigger"],
            status_cell(each["to"]),
            ", ".join(each["actors"]),
            each["id"],
        )
        for each in described["transitions"]
    ]
    columns = (
        Column("FROM"),
        Column("TRIGGER"),
        Column("TO"),
        Column("BY", wraps=True),
        Column("ROW"),
    )
    return Sheet(columns, rows, empty="Nothing leaves this status: it is final.")
