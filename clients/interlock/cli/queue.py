"""`interlock queue`: where jobs wait; holding one stops its jobs from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.group(cls=NounGroup)
def queue() -> None:
    """Show, change, hold and release queues."""


@queue.command("list")
@click.pass_obj
def list_queues(invocation: Invocation) -> None:
    """List queues: load, limit, waiting jobs, and who holds them why."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_queues()))


@queue.command("put")
@click.argument("name")
@click.option("--execution-size", type=click.IntRange(0), help="Jobs at once; 0 for no limit.")
@click.option("--description", help="Free text for people.")
@click.option("--system/--no-system", default=None, help="A queue that cannot be held.")
@click.option("--replace", is_flag=True, help="Write what is not given back to its default.")
@click.pass_obj
def put(invocation: Invocation, /, *, name: str, replace: bool, **given: Any) -> None:
    """Create a queue, or change what is given of it."""
    changes = {key: value for key, value in given.items() if value is not None}

    async def work(interlock: Interlock) -> Any:
        fields: dict[str, Any] = {"name": name}
        if not replace:
            for each in await interlock.list_queues():
                if each.name == name:
                    kept = ("description", "execution_size", "system")
                    fields |= {key: getattr(each, key) for key in kept}
        return await interlock.put_queues([fields | changes])

    _show(invocation, invocation.call(work))


@queue.command("hold")
@click.argument("name")
@click.option("-m", "--reason", default="", help="Why; shown with the queue.")
@click.pass_obj
def hold(invocation: Invocation, name: str, reason: str) -> None:
    """Stop dispatching from a queue at once. Running jobs go on."""
    held = invocation.call(lambda interlock: interlock.hold_queue(name, reason=reason))
    _show(invocation, [held])


@queue.command("release")
@click.argument("name")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def release(invocation: Invocation, name: str, reason: str) -> None:
    """Let a held queue go on."""
    released = invocation.call(lambda interlock: interlock.release_queue(name, reason=reason))
    _show(invocation, [released])


@queue.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove queues that nothing uses. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_queues(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


def _show(invocation: Invocation, queues: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(queues, mapping=to_mapping, sheet=queue_sheet, key=lambda each: each.name)


def queue_sheet(queues: list[Any]) -> Sheet:
    """Return queues as a table."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            each.name,
            Cell("held", "bold magenta") if each.held else Cell("open", "green"),
            f"{each.load} / {each.execution_size or 'no limit'}",
            str(each.waiting),
            _held_by(each) if each.held else "cannot be held" if each.system else "",
            each.description,
        )
        for each in queues
    ]
    columns = (
        Column("QUEUE"),
        Column("STATUS"),
        Column("LOAD / SIZE", right=True),
        Column("WAITING", right=True),
        Column("WHY", wraps=True),
        Column("DESCRIPTION", wraps=True),
    )
    return Sheet(columns, rows, empty="No queues found.")


def _held_by(queue: Any) -> str:
    return f"held by {queue.held_by or 'user'}" + (
        f": {queue.hold_reason}" if queue.hold_reason else ""
    )
