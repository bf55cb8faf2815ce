"""The live table of `interlock watch` on a terminal: one row per job, the latest change on top.

The table is redrawn a few times a second however many changes come, so a busy server cannot make
it lag behind: what is shown is always the newest.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.cli.change_view import because
from interlock.cli.instant import age
from interlock.cli.job_view import COLUMNS, moment, why
from interlock.cli.safe_text import one_line
from interlock.cli.sheet import Sheet, renderable, status_cell, terminal
from interlock.cli.status_text import FINAL, STYLE_OF, status_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from interlock import Change

#: Jobs that are over stay in sight until so many have come after them.
_FINAL_JOBS_MAX: Final = 1_000
#: Lines that are not rows of jobs: two of header, a blank one, the headings, one to spare.
_HEADER_LINES: Final = 5
_REFRESH_SECONDS: Final = 0.25


class Row(NamedTuple):
    """What is shown of a job."""

    job: int
    status: str
    since: datetime | None
    definition: str
    queue: str
    robot: str
    why: str


class Board:
    """The jobs in sight, by the order of their latest change."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._final: dict[int, None] = {}
        #: How many changes were taken.
        self.changes = 0

    def seed(self, job: Any, *, now: datetime) -> None:
        """Take a job of the snapshot."""
        since = moment(job, "change_time")
        reason = why(job, now=now)
        status = status_name(job.status)
        self._put(Row(job.id, status, since, job.definition, job.queue, job.robot, reason))

    def take(self, change: Change) -> None:
        """Take a change."""
        self.changes += 1
        self._put(
            Row(
                change.job,
                change.to_status,
                change.time,
                change.definition,
                change.queue,
                change.robot,
                because(change),
            )
        )

    def _put(self, row: Row) -> None:
        self._rows.pop(row.job, None)
        self._rows[row.job] = row
        self._final.pop(row.job, None)
        if row.status in FINAL:
            self._final[row.job] = None
            if len(self._final) > _FINAL_JOBS_MAX:
                oldest = next(iter(self._final))
                del self._final[oldest], self._rows[oldest]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many jobs in sight are in each status, most first."""
        return Counter(row.status for row in self._rows.values()).most_common()

    def sheet(self, *, rows_max: int, now: datetime) -> Sheet:
        """Return the newest rows."""
        newest = islice(reversed(self._rows.values()), rows_max)
        return Sheet(
            COLUMNS,
            [
                (
                    str(row.job),
                    status_cell(row.status),
                    age(row.since, now=now),
                    row.definition,
                    row.queue,
                    row.robot,
                    row.why,
                )
                for row in newest
            ],
        )


def view(board: Board, *, title: str, height: int, now: datetime) -> RenderableType:
    """Return the whole screen."""
    from rich.console import Group
    from rich.text import Text

    counts = Text("  ").join(
        Text(f"{status} {count}", STYLE_OF.get(status, "")) for status, count in board.counts
    )
    sheet = board.sheet(rows_max=max(1, height - _HEADER_LINES), now=now)
    return Group(
        Text(one_line(title), "bold"), counts or Text("no jobs in sight yet"), "", renderable(sheet)
    )


@contextmanager
def screen(draw: Callable[[int], RenderableType], *, colour: bool) -> Iterator[None]:
    """Show what `draw` returns for a height, again and again, until the block is left."""
    import asyncio
    import sys

    from rich.live import Live

    console = terminal(sys.stdout, colour=colour, is_terminal=True)
    loop = asyncio.get_running_loop()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        timers: list[asyncio.Handle] = []

        def refresh() -> None:
            live.update(draw(console.height), refresh=True)
            timers[:] = [loop.call_later(_REFRESH_SECONDS, refresh)]

        refresh()
        try:
            yield
        finally:
            timers.pop().cancel()
            live.update(draw(console.height), refresh=True)
