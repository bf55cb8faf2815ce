"""Stage: what the audience sees. Sentences, and a live view below them on a terminal.

Without a terminal the live view becomes a line of progress every few seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from interlock.cli.status_text import STYLE_OF

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from benchmarks.demo.claims import Claim
    from benchmarks.demo.observer import Observer

_ROWS_SHOWN: Final = 12
_REFRESH_SECONDS: Final = 0.25
_PROGRESS_SECONDS: Final = 4.0
_WIDTH_WITHOUT_TERMINAL: Final = 120


class Stage:
    """Where the story is told."""

    def __init__(self, *, pause: float) -> None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", line_buffering=True)
        console = Console(highlight=False)
        self._live_view = console.is_terminal and not console.is_dumb_terminal
        self._console = (
            console
            if self._live_view
            else Console(highlight=False, width=_WIDTH_WITHOUT_TERMINAL, force_terminal=False)
        )
        self._pause = pause
        self._began = time.monotonic()
        self._live: Live | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    async def say(self, sentence: str, style: str = "") -> None:
        """Tell something, and leave time to read it."""
        clock = Text(f"{self.elapsed:5.1f} s  ", style="dim")
        self._print(clock + Text(sentence, style=style))
        await asyncio.sleep(self._pause)

    def scene(self, title: str) -> None:
        """Begin another part of the story."""
        self._print(Text(f"\n{title}", style="bold"))

    def _print(self, content: Any) -> None:
        console = self._live.console if self._live else self._console
        # What stands in a file should not be cut into lines of some width.
        console.print(content, soft_wrap=not self._live_view)

    @asynccontextmanager
    async def live(self, observer: Observer, state: Callable[[], str]) -> AsyncIterator[None]:
        """Show how the jobs are doing while the block runs."""
        task = asyncio.create_task(self._show(observer, state))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _show(self, observer: Observer, state: Callable[[], str]) -> None:
        if not self._live_view:
            shown = ""
            while True:
                await asyncio.sleep(_PROGRESS_SECONDS)
                if (line := _progress(observer)) != shown:
                    self._print(Text(f"{self.elapsed:5.1f} s    ... {line}", style="dim"))
                    shown = line
        with Live(
            console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop"
        ) as live:
            self._live = live
            try:
                while True:
                    live.update(_board(observer, state()), refresh=True)
                    await asyncio.sleep(_REFRESH_SECONDS)
            finally:
                self._live = None
                live.update(Text(""), refresh=True)

    def show_claims(self, claims: Sequence[Claim]) -> None:
        """Show what was promised and what came of it."""
        table = Table(title="What was promised, and what was observed", title_justify="left")
        table.add_column("promise", ratio=5)
        table.add_column("observed", ratio=6)
        table.add_column("holds")
        for claim in claims:
            verdict = Text("yes", style="green") if claim.holds else Text("NO", style="bold red")
            table.add_row(Text(claim.promise), Text(claim.observed), verdict)
        self._console.print()
        self._console.print(table)


def _progress(observer: Observer) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in observer.counts().most_common())
    return f"{len(observer.latest)} jobs: {counts}; {len(observer.changes)} changes seen"


def _board(observer: Observer, state: str) -> Group:
    counts = Text("  ").join(
        Text(f"{count} {status}", style=STYLE_OF.get(status, ""))
        for status, count in observer.counts().most_common()
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "definition", "status", "robot", "why"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    newest = sorted(observer.latest.values(), key=lambda change: -change.revision)
    for change in islice(newest, _ROWS_SHOWN):
        status = Text(change.to_status, style=STYLE_OF.get(change.to_status, ""))
        why = change.reason or f"{change.trigger} by {change.author}"
        cells = (str(change.job), change.definition, status, change.robot, why)
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
    return Group(Text(""), Text(state, style="dim"), counts, Text(""), table)
