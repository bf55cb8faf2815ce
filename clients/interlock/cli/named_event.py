"""`interlock event`: what jobs wait for, raised and cleared by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Cell, Sheet


@click.group(cls=NounGroup)
def event() -> None:
    """Show, change, raise and clear named events that jobs wait for."""


@event.command("list")
@click.pass_obj
def list_events(invocation: Invocation) -> None:
    """List named events: raised by whom, pending raises, and how many jobs wait."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_events()))


@event.command("put")
@click.argument("name")
@click.option("--description", help="Free text for people.")
@click.pass_obj
def put(invocation: Invocation, name: str, description: str | None) -> None:
    """Create a named event, or change its description. Its raises stay."""

    async def work(interlock: Interlock) -> Any:
        fields: dict[str, Any] = {"name": name}
        if description is not None:
            fields["description"] = description
        else:
            for each in await interlock.list_events():
                if each.name == name:
                    fields["description"] = each.description
        return await interlock.put_events([fields])

    _show(invocation, invocation.call(work))


@event.command("raise")
@click.argument("name")
@click.option("-m", "--comment", default="", help="What happened; shown with the raise.")
@click.pass_obj
def raise_event(invocation: Invocation, name: str, comment: str) -> None:
    """Raise a named event: jobs that wait for it go on. Raised already, it is pending."""
    raised = invocation.call(lambda interlock: interlock.raise_event(name, comment=comment))
    _show(invocation, [raised])


@event.command("clear")
@click.argument("name")
@click.pass_obj
def clear(invocation: Invocation, name: str) -> None:
    """Clear what is raised of a named event. If a raise is pending, that counts at once."""
    _show(invocation, [invocation.call(lambda interlock: interlock.clear_event(name))])


@event.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove named events that nothing uses. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_events(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


def _show(invocation: Invocation, events: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(events, mapping=to_mapping, sheet=event_sheet, key=lambda each: each.name)


def event_sheet(events: list[Any]) -> Sheet:
    """Return named events as a table."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for each in events:
        pending = str(max(each.raise_count - 1, 0))
        if each.dropped:
            pending += f" ({each.dropped} dropped)"
        rows.append(
            (
                each.name,
                Cell("raised", "bold green") if each.raised else Cell("not raised", ""),
                pending,
                str(each.waiting),
                _raised_by(each),
                each.description,
            )
        )
    columns = (
        Column("EVENT"),
        Column("STATUS"),
        Column("PENDING", right=True),
        Column("JOBS WAITING", right=True),
        Column("RAISED BY", wraps=True),
        Column("DESCRIPTION", wraps=True),
    )
    return Sheet(columns, rows, empty="No named events found.")


def _raised_by(event: Any) -> str:
    if not event.raises:
        return ""
    first = event.raises[0]
    return f"{first.by}: {first.comment}" if first.comment else str(first.by)
