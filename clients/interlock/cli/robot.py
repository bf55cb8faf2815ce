"""`interlock robot`: who runs jobs, and who is not heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from datetime import datetime

    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet

_STYLES: Final = {
    "available": "green",
    "busy": "cyan",
    "disconnected": "dim",
    "unknown": "bold red",
}


@click.group(cls=NounGroup)
def robot() -> None:
    """Show robots, take them out of service, forget them."""


@robot.command("list")
@click.pass_obj
def list_robots(invocation: Invocation) -> None:
    """List robots: state, jobs, and when they were last heard of."""
    _show(invocation, invocation.call(lambda interlock: interlock.robots()))


@robot.command("maintenance")
@click.argument("name")
@click.argument("mode", type=click.Choice(["on", "off"]))
@click.option(
    "--strategy",
    type=click.Choice(["soft-stop", "kill"]),
    help="What happens to its running UiPath jobs. Default: they run on.",
)
@click.pass_obj
def maintenance(invocation: Invocation, name: str, mode: str, strategy: str | None) -> None:
    """Give a robot no new jobs (on), or jobs again (off)."""
    changed = invocation.call(
        lambda interlock: interlock.set_maintenance(
            name, mode == "on", strategy=strategy.replace("-", "_") if strategy else None
        )
    )
    _show(invocation, [changed])


@robot.command("delete")
@click.argument("names", nargs=-1)
@click.option("--all-disconnected", is_flag=True, help="All that are gone and have no jobs.")
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...], *, all_disconnected: bool) -> None:
    """Remove robots that are disconnected or unresponsive and have no jobs."""
    if bool(names) == all_disconnected:
        raise click.UsageError("expected either NAMES of robots or --all-disconnected.")
    deleted = invocation.call(
        lambda interlock: interlock.delete_robots(list(names), all_disconnected=all_disconnected)
    )
    invocation.note(f"deleted: {', '.join(deleted) or 'none'}")


def _show(invocation: Invocation, robots: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        robots,
        mapping=to_mapping,
        sheet=lambda shown: robot_sheet(shown, now=invocation.now),
        key=lambda each: each.name,
    )


def robot_sheet(robots: list[Any], *, now: datetime) -> Sheet:
    """Return robots as a table."""
    from interlock.cli.instant import age
    from interlock.cli.job_view import moment
    from interlock.cli.proto_mapping import to_mapping
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for each in robots:
        state = to_mapping(each)["state"]
        rows.append(
            (
                each.name,
                Cell(state.capitalize(), _STYLES.get(state, "")),
                _trouble(each),
                f"{len(each.jobs)} / {each.slots}",
                age(moment(each, "last_heard_time"), now=now),
                each.host,
                each.server,
                ", ".join(each.queues) or "all",
                ", ".join(each.definitions),
            )
        )
    columns = (
        Column("ROBOT"),
        Column("STATE"),
        Column("NOTE", wraps=True),
        Column("JOBS / SLOTS", right=True),
        Column("HEARD", right=True),
        Column("HOST", wraps=True),
        Column("SERVER", wraps=True),
        Column("QUEUES", wraps=True),
        Column("DEFINITIONS", wraps=True),
    )
    return Sheet(columns, rows, empty="No robots found; none has ever connected.")


def _trouble(robot: Any) -> Any:
    from interlock.cli.sheet import Cell

    if robot.server_missing:
        return Cell(f"idle: put process server {robot.server} first", "yellow")
    if robot.unresponsive:
        return Cell("unresponsive, in maintenance" if robot.maintenance else "unresponsive", "red")
    return Cell("in maintenance", "yellow") if robot.maintenance else ""
