"""One run of the command line: what it was told, how it reaches the server, where it writes.

Data goes to stdout, everything said about it to stderr. The SDK, and grpc with it, is loaded when
a command first talks to the server.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from interlock.cli.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from interlock import Interlock
    from interlock.cli.sheet import Sheet

_Answer = TypeVar("_Answer")

#: When somebody who waits is told for what.
_PATIENCE_SECONDS: Final = 1.5


def connect_to(settings: Settings) -> Interlock:
    """Return the connection that the settings describe."""
    from interlock import connect

    return connect(
        settings["address"],
        partition=settings["partition"],
        user=settings["user"] or None,
        timeout=settings["timeout"],
    )


@dataclass
class Invocation:
    """What commands share."""

    #: Settings given as flags, by name, as text.
    flags: dict[str, str] = field(default_factory=dict)
    quiet: bool = False
    connect: Callable[[Settings], Interlock] = connect_to
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
    def settings(self) -> Settings:
        """All settings; a wrong one is a usage error."""
        return load(self.flags, self.environ)

    @property
    def now(self) -> datetime:
        """The instant from which ages are counted."""
        return datetime.now(UTC)

    @property
    def output(self) -> str:
        """The form of data on stdout: table, json or jsonl."""
        return str(self.settings["output"])

    @property
    def output_was_chosen(self) -> bool:
        """Whether anybody chose the form, rather than the default."""
        return self.settings.values["output"].origin != "default"

    @property
    def colour(self) -> bool:
        """Whether stdout gets colours."""
        wish = self.settings["color"]
        return bool(wish == "always" or (wish == "auto" and sys.stdout.isatty()))

    @property
    def width(self) -> int | None:
        """The width of the terminal; None if stdout is none."""
        if not sys.stdout.isatty():
            return None
        return os.get_terminal_size(sys.stdout.fileno()).columns

    def call(self, work: Callable[[Interlock], Awaitable[_Answer]]) -> _Answer:
        """Connect, do the work, disconnect; say so on stderr when it takes long."""
        return self.follow(work, patience=_PATIENCE_SECONDS)

    def follow(
        self, work: Callable[[Interlock], Awaitable[_Answer]], *, patience: float | None = None
    ) -> _Answer:
        """Connect and do work that may well take for ever."""
        import asyncio

        async def connected() -> _Answer:
            async with self.connect(self.settings) as interlock:
                loop = asyncio.get_running_loop()
                late = patience and loop.call_later(patience, self._note_waiting)
                try:
                    return await work(interlock)
                finally:
                    if late:
                        late.cancel()

        return asyncio.run(connected())

    def _note_waiting(self) -> None:
        self.note(
            f"no answer from {self.settings['address']} yet, trying for "
            f"{self.settings['timeout']:g} seconds (Ctrl-C ends)"
        )

    def note(self, sentence: str) -> None:
        """Say something to the person on stderr, unless asked to be quiet."""
        if not self.quiet:
            click.echo(f"interlock: {sentence}", err=True)

    def show_many(
        self,
        items: Iterable[Any],
        *,
        mapping: Callable[[Any], Any],
        sheet: Callable[[list[Any]], Sheet],
        key: Callable[[Any], Any],
    ) -> None:
        """Write a list: a table, a JSON array, JSON lines, or with --quiet only the keys."""
        found = list(items)
        if self.quiet and not self.output_was_chosen:
            for item in found:
                click.echo(str(key(item)))
        elif self.output == "table":
            self.draw(sheet(found))
        elif self.output == "json":
            self.write_json([mapping(item) for item in found])
        else:
            for item in found:
                self.write_line(mapping(item))

    def show_one(
        self, item: Any, *, mapping: Callable[[Any], Any], sheet: Callable[[Any], Sheet]
    ) -> None:
        """Write one thing: names and values, a JSON object, or that on one line."""
        if self.output == "table":
            self.draw(sheet(item))
        elif self.output == "json":
            self.write_json(mapping(item))
        else:
            self.write_line(mapping(item))

    def draw(self, sheet: Sheet) -> None:
        """Write a table, or say on stderr that it would be empty."""
        from interlock.cli.sheet import paint

        if sheet.rows:
            text = paint(sheet, colour=self.colour, width=self.width)
            click.echo(text, nl=False, color=True)
        elif sheet.empty:
            self.note(sheet.empty)

    def write_json(self, value: Any) -> None:
        """Write a JSON document for programs and people."""
        _write(value, indent=2)

    def write_line(self, value: Any) -> None:
        """Write one JSON line, at once."""
        _write(value, indent=None)


def _write(value: Any, *, indent: int | None) -> None:
    import json

    from interlock.cli.safe_text import in_json

    separators = None if indent else (",", ":")
    document = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    click.echo(in_json(document))
