"""Tables for people, described without drawing them.

A sheet is rows of cells under headings; `paint` draws it with rich, which is loaded then and not
before. On a terminal it wraps text to the width and never cuts it; elsewhere each row is one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock.cli.safe_text import lines, one_line
from interlock.cli.status_text import STYLE_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

#: Wider than any row: what is not a terminal has no width.
_UNBOUNDED: Final = 100_000


class Column(NamedTuple):
    """One heading."""

    heading: str
    #: Ids, statuses and ages stay whole on one line; texts are wrapped.
    wraps: bool = False
    right: bool = False


class Cell(NamedTuple):
    """A text with its rich style."""

    text: str
    style: str = ""


@dataclass(slots=True)
class Sheet:
    """A table; without headings it lists names and values."""

    columns: tuple[Column, ...]
    rows: list[tuple[Cell | str, ...]] = field(default_factory=list)
    #: Said instead of an empty table, on stderr.
    empty: str = "Nothing found."
    headings: bool = True


def status_cell(status: str) -> Cell:
    """Return a status in its colour."""
    return Cell(status, STYLE_OF.get(status, ""))


def details(pairs: Sequence[tuple[str, Cell | str]]) -> Sheet:
    """Return a sheet of names and values, without the pairs that have no value."""
    rows: list[tuple[Cell | str, ...]] = []
    for name, value in pairs:
        if value if isinstance(value, str) else value.text:
            rows.append((Cell(name, "bold"), value))
    return Sheet((Column("name"), Column("value", wraps=True)), rows, headings=False)


def renderable(sheet: Sheet) -> RenderableType:
    """Return the sheet as something that rich draws."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=sheet.headings, header_style="bold")
    for column in sheet.columns:
        table.add_column(
            column.heading,
            no_wrap=not column.wraps,
            overflow="fold",
            justify="right" if column.right else "left",
        )
    keep_lines = not sheet.headings
    for row in sheet.rows:
        cells = [Cell(cell) if isinstance(cell, str) else cell for cell in row]
        table.add_row(
            *(Text(lines(c.text) if keep_lines else one_line(c.text), c.style) for c in cells)
        )
    return table


def paint(sheet: Sheet, *, colour: bool, width: int | None) -> str:
    """Return the sheet as text. `width` is the terminal's; None draws each row on one line."""
    import io

    drawn = io.StringIO()
    console = terminal(drawn, colour=colour, is_terminal=colour, width=width or _UNBOUNDED)
    console.print(renderable(sheet), soft_wrap=False, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines())


def terminal(file: object, *, colour: bool, is_terminal: bool, width: int | None = None) -> Console:
    """Return a console that does what it is told and looks at no environment variable.

    Without a width it is as wide as the terminal is, whenever it is looked at.
    """
    from rich.console import Console

    return Console(
        file=file,  # type: ignore[arg-type]
        force_terminal=is_terminal,
        no_color=not colour,
        color_system="standard" if colour else None,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
