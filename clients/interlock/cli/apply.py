"""`interlock apply` and `interlock export`: what jobs are made of, as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet
    from interlock.manifest import Change, Manifest

_SIGNS: Final = {"create": ("+", "green"), "change": ("~", "yellow"), "delete": ("-", "red")}
_LANGUAGES: Final = ("toml", "yaml", "json")


@click.command(cls=ClientCommand)
@click.option(
    *("-f", "--file", "files"),
    multiple=True,
    required=True,
    help="File (.toml, .yaml, .json) or folder of such files; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Delete what the files lack, of their kinds.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def apply(
    invocation: Invocation, files: tuple[str, ...], *, dry_run: bool, prune: bool, yes: bool
) -> None:
    r"""Make definitions, queues and all else in files so.

    Shows the difference first, and asks. Applying the same files again changes nothing.

    \b
    interlock apply -f site/
    interlock apply -f definitions.toml --dry-run
    """
    manifest = _read(files)
    changes = invocation.call(lambda interlock: interlock.compare(manifest, prune=prune))
    pending = [change for change in changes if change.what != "keep"]
    _show(invocation, pending if invocation.output == "table" else changes)
    if not pending:
        invocation.note(f"nothing to change: {len(changes)} as they should be")
        return
    if dry_run:
        invocation.note(f"{_count(pending)}; nothing was changed")
        return
    if not yes:
        _ask(pending)

    async def work(interlock: Interlock) -> None:
        await interlock.apply(pending)

    invocation.call(work)
    invocation.note(f"done: {_count(pending)}")


def _read(files: Sequence[str]) -> Manifest:
    from interlock.manifest import ManifestError
    from interlock.manifest_file import read

    try:
        return read(files)
    except ManifestError as error:
        raise click.UsageError(f"{str(error).rstrip('.')}.") from None
    except OSError as error:
        raise click.UsageError(f"expected a file or folder: {error}.") from None


def _ask(pending: Sequence[Change]) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"expected --yes, or a terminal to ask on: {_count(pending)}. --dry-run shows them."
        )
    if not click.confirm(f"{_count(pending)}. Go on?", err=True):
        raise click.Abort


def _count(changes: Sequence[Change]) -> str:
    counts = {what: sum(change.what == what for change in changes) for what in _SIGNS}
    return ", ".join(f"{count} to {what}" for what, count in counts.items() if count)


def _show(invocation: Invocation, changes: Sequence[Change]) -> None:
    invocation.show_many(
        changes, mapping=_mapping, sheet=change_sheet, key=lambda change: change.name
    )


def _mapping(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.name,
        "name": change.name,
        "what": change.what,
        "before": change.before,
        "after": change.after,
    }


def change_sheet(changes: Sequence[Change]) -> Sheet:
    """Return what would change, field by field."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for change in changes:
        sign, style = _SIGNS[change.what]
        title = f"{change.what} {change.kind.name.removesuffix('s')} {change.name}"
        rows.append((Cell(sign, style), Cell(title, f"bold {style}")))
        if change.what != "delete":
            rows += [
                (Cell("", ""), Cell(f"{mark} {line}", "green" if mark == "+" else "red"))
                for mark, line in change.lines()
            ]
    columns = (Column(""), Column("CHANGE", wraps=True))
    return Sheet(columns, rows, empty="", headings=False)


@click.command(cls=ClientCommand)
@click.argument("kinds", nargs=-1)
@click.option("--language", type=click.Choice(_LANGUAGES), default="toml", help="Of the files.")
@click.option("--dir", "folder", help="Write one file for each kind there instead of to stdout.")
@click.pass_obj
def export(
    invocation: Invocation, kinds: tuple[str, ...], language: str, folder: str | None
) -> None:
    r"""Write what jobs are made of as files that `apply` accepts.

    \b
    interlock export > site.toml
    interlock export definitions queues --language yaml --dir site
    """
    from interlock.manifest import KINDS
    from interlock.manifest_file import write

    known = [kind.name for kind in KINDS]
    for kind in kinds:
        if kind not in known:
            raise click.UsageError(f"expected kinds ({', '.join(known)}), but got {kind!r}.")
    found = invocation.call(lambda interlock: interlock.export(kinds))
    if folder is None:
        click.echo(write(found, "json" if invocation.output != "table" else language), nl=False)
        return
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for kind, documents in found.items():
            if documents:
                text = write({kind: documents}, language)
                (target / f"{kind}.{language}").write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"expected a folder to write to: {error}.") from None
    counted = ", ".join(f"{len(items)} {kind}" for kind, items in found.items() if items)
    invocation.note(f"wrote {counted or 'nothing'} to {folder}")
