"""`interlock restart-default`: what follows a final status where a definition does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.argument import DURATION
from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet

_STATUSES: Final = ("Completed", "Error", "Killed", "Canceled", "Unknown")
_ACTIONS: Final = (
    *("continue", "stop", "request-restart"),
    *("restart", "restart-from-error", "restart-no-resubmit"),
)


@click.group(cls=NounGroup)
def restart_default() -> None:
    """Show and change what follows a final status by default."""


@restart_default.command("list")
@click.pass_obj
def list_defaults(invocation: Invocation) -> None:
    """List the behaviors of this partition; a status without one continues."""
    _show(invocation, invocation.call(lambda interlock: interlock.restart_defaults()))


@restart_default.command("put")
@click.argument("status", type=click.Choice(_STATUSES, case_sensitive=False))
@click.argument("action", type=click.Choice(_ACTIONS))
@click.option("--delay", type=DURATION, help="Restart so long after the end: 90s, 5m.")
@click.option("--message", is_flag=True, help="Leave an operator message in any case.")
@click.pass_obj
def put(
    invocation: Invocation, /, *, status: str, action: str, delay: float | None, message: bool
) -> None:
    """Say what follows one final status."""
    behavior: dict[str, Any] = {"status": status, "action": action.replace("-", "_")}
    if delay:
        behavior["delay"] = delay
    if message:
        behavior["message"] = True
    _show(invocation, _change(invocation, status, behavior))


@restart_default.command("delete")
@click.argument("status", type=click.Choice(_STATUSES, case_sensitive=False))
@click.pass_obj
def delete(invocation: Invocation, /, *, status: str) -> None:
    """Say nothing about one final status: it continues."""
    _show(invocation, _change(invocation, status, None))


def _change(invocation: Invocation, status: str, behavior: dict[str, Any] | None) -> Any:
    async def work(interlock: Interlock) -> Any:
        kept = [each for each in await interlock.restart_defaults() if each["status"] != status]
        return await interlock.put_restart_defaults([*kept, behavior] if behavior else kept)

    return invocation.call(work)


def _show(invocation: Invocation, behaviors: Any) -> None:
    invocation.show_many(
        behaviors, mapping=dict, sheet=behavior_sheet, key=lambda each: each["status"]
    )


def behavior_sheet(behaviors: list[Any]) -> Sheet:
    """Return behaviors as a table."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            each["status"],
            each.get("action", "continue").replace("_", "-"),
            str(each.get("delay", "")),
            "yes" if each.get("message") else "",
        )
        for each in behaviors
    ]
    columns = (Column("AFTER"), Column("WHAT FOLLOWS"), Column("DELAY"), Column("MESSAGE"))
    return Sheet(columns, rows, empty="No behaviors: everything continues.")
