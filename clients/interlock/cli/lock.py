"""`interlock lock`: what keeps jobs from running together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Cell, Sheet

#: In the order of their numbers.
_KINDS: Final = ("simple", "counted", "shared-exclusive")


@click.group(cls=NounGroup)
def lock() -> None:
    """Show and change locks: which jobs have them, and how many wait."""


@lock.command("list")
@click.pass_obj
def list_locks(invocation: Invocation) -> None:
    """List locks: counts, who has them, and how many jobs wait."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_locks()))


@lock.command("put")
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), help="Default: simple, for one job at a time.")
@click.option("--counts", type=click.IntRange(1), help="Counts that may be held at once.")
@click.option("--description", help="Free text for people.")
@click.option("--replace", is_flag=True, help="Write what is not given back to its default.")
@click.pass_obj
def put(invocation: Invocation, /, *, name: str, replace: bool, **given: Any) -> None:
    """Create a lock, or change what is given of it. What jobs have, they keep."""
    changes = {key: value for key, value in given.items() if value is not None}
    if "kind" in changes:
        changes["kind"] = changes["kind"].replace("-", "_")

    async def work(interlock: Interlock) -> Any:
        fields: dict[str, Any] = {"name": name}
        if not replace:
            for each in await interlock.list_locks():
                if each.name == name:
                    kept = ("description", "kind", "counts")
                    fields |= {key: getattr(each, key) for key in kept}
        return await interlock.put_locks([fields | changes])

    _show(invocation, invocation.call(work))


@lock.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove locks that nothing uses. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_locks(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


def _show(invocation: Invocation, locks: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(locks, mapping=to_mapping, sheet=lock_sheet, key=lambda each: each.name)


def lock_sheet(locks: list[Any]) -> Sheet:
    """Return locks as a table."""
    from interlock.cli.sheet import Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            each.name,
            _KINDS[each.kind - 1] if 0 < each.kind <= len(_KINDS) else str(each.kind),
            f"{each.held} / {each.counts}",
            str(each.waiting),
            _holders(each),
            each.description,
        )
        for each in locks
    ]
    columns = (
        Column("LOCK"),
        Column("KIND"),
        Column("HELD / COUNTS", right=True),
        Column("JOBS WAITING", right=True),
        Column("HELD BY JOBS", wraps=True),
        Column("DESCRIPTION", wraps=True),
    )
    return Sheet(columns, rows, empty="No locks found.")


def _holders(lock: Any) -> str:
    shown = []
    for each in lock.holders:
        how = f" ({each.counts} counts)" if each.counts > 1 else ""
        if each.exclusive:
            how = " (exclusively)"
        shown.append(f"{each.job}{how}")
    more = lock.holder_count - len(lock.holders)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
