"""How far a long run is, on stderr: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_EVERY_SECONDS: Final = 2.0


class Progress(Protocol):
    """Shows how far it is."""

    def show(self, done: int, note: str = "") -> None:
        """Say that so much is done."""


class _Lines:
    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._due = time.monotonic() + _LINE_EVERY_SECONDS

    def show(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _LINE_EVERY_SECONDS
            share = 100 * done // max(self._total, 1)
            print(f"{self._what}: {done:,} of {self._total:,} ({share}%) {note}", file=sys.stderr)


@contextmanager
def progress(what: str, total: int) -> Iterator[Progress]:
    """Show progress while the block runs."""
    if not sys.stderr.isatty():
        yield _Lines(what, total)
        return
    from rich.console import Console  # noqa: PLC0415 - slow to load
    from rich.progress import (  # noqa: PLC0415 - slow to load
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415 - slow to load

    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        task = bars.add_task(what, total=total, note="")

        class _Bar:
            def show(self, done: int, note: str = "") -> None:
                bars.update(task, completed=done, note=note)

        yield _Bar()
