"""Which layout of the journal? Events per second into raw SQLite, durable with every commit.

Row per event, row and UPDATE per event, one blob of messages per commit, one blob of columns per
commit. We chose the last; this is why. Rounds alternate; no server, no grpc, nothing else.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, Protocol

from interlock.v1 import event_pb2
from interlock.v1.status_pb2 import Actor, Lifecycle, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Live jobs; events come to them in no order.
JOBS: Final = 100_000
COMMIT_SIZES: Final = (100, 1_000, 10_000)
ROUNDS: Final = 3
_SECONDS: Final = 1.0
_ROW: Final = 120
_NOW_MS: Final = 1_764_000_000_000


class Layout(Protocol):
    """A way to store the events of a commit."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    @property
    def schema(self) -> str:
        """Its tables."""

    def prepare(self, database: sqlite3.Connection) -> None:
        """Write what has to be there before."""

    def write(
        self, database: sqlite3.Connection, number: int, first: int, jobs: Sequence[int]
    ) -> None:
        """Store one event of each job, within a transaction."""


class RowPerEvent:
    """Every event is a row."""

    name = "row per event"
    schema = (
        "CREATE TABLE event (revision INTEGER PRIMARY KEY, job INTEGER NOT NULL, row INTEGER, "
        "at_ms INTEGER, actor INTEGER, author TEXT, definition INTEGER, queue INTEGER, "
        "robot INTEGER) STRICT"
    )

    def prepare(self, database: sqlite3.Connection) -> None:
        """Nothing."""

    def write(
        self, database: sqlite3.Connection, _number: int, first: int, jobs: Sequence[int]
    ) -> None:
        """Insert the rows."""
        database.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (revision, job, _ROW, _NOW_MS, 2, "robot-1", 1, 2, 3)
                for revision, job in zip(count(first), jobs, strict=False)
            ],
        )


class RowAndUpdate(RowPerEvent):
    """Every event is a row, and the row of its job has the newest status."""

    name = "row and UPDATE per event"
    schema = (
        f"{RowPerEvent.schema}; CREATE TABLE job (id INTEGER PRIMARY KEY, status INTEGER, "
        "revision INTEGER, changed_ms INTEGER) STRICT"
    )

    def prepare(self, database: sqlite3.Connection) -> None:
        """Write the jobs."""
        rows = [(job, 24, 0, 0) for job in range(1, JOBS + 1)]
        database.executemany("INSERT INTO job VALUES (?, ?, ?, ?)", rows)

    def write(
        self, database: sqlite3.Connection, number: int, first: int, jobs: Sequence[int]
    ) -> None:
        """Insert the rows and update the jobs."""
        super().write(database, number, first, jobs)
        database.executemany(
            "UPDATE job SET status = ?, revision = ?, changed_ms = ? WHERE id = ?",
            [
                (26, revision, _NOW_MS, job)
                for revision, job in zip(count(first), jobs, strict=False)
            ],
        )


class _Blob:
    schema = (
        'CREATE TABLE "commit" (number INTEGER PRIMARY KEY, first_revision INTEGER, '
        "last_revision INTEGER, content BLOB) STRICT"
    )

    def prepare(self, database: sqlite3.Connection) -> None:
        """Nothing."""

    def write(
        self, database: sqlite3.Connection, number: int, first: int, jobs: Sequence[int]
    ) -> None:
        """Insert one row."""
        database.execute(
            'INSERT INTO "commit" VALUES (?, ?, ?, ?)',
            (number, first, first + len(jobs) - 1, self.encode(first, jobs)),
        )

    def encode(self, first: int, jobs: Sequence[int]) -> bytes:
        """Encode the events of a commit."""
        raise NotImplementedError


class BlobOfMessages(_Blob):
    """One row per commit, with a message for each event."""

    name = "blob of messages per commit"

    def encode(self, first: int, jobs: Sequence[int]) -> bytes:
        """Encode a message for each event."""
        batch = event_pb2.EventBatch()
        for revision, job in zip(count(first), jobs, strict=False):
            event = batch.events.add(
                revision=revision,
                job=job,
                lifecycle=Lifecycle.LIFECYCLE_REDWOOD,
                to=Status.STATUS_REDWOOD_WAITING,
                trigger="wait",
                transition="TR-093",
                actor=Actor.ACTOR_ROBOT,
                author="robot-1",
                definition="bench",
                queue="default",
                robot="robot-1",
            )
            event.time.seconds = _NOW_MS // 1_000
        return batch.SerializeToString()


class BlobOfColumns(_Blob):
    """One row per commit, with its events as columns."""

    name = "blob of columns per commit"

    def encode(self, first: int, jobs: Sequence[int]) -> bytes:
        """Encode the columns."""
        block = event_pb2.ChangeBlock(
            first_revision=first,
            time_ms=_NOW_MS,
            actor=Actor.ACTOR_ROBOT,
            author="robot-1",
            jobs=jobs,
            transitions=bytes([_ROW]) * len(jobs),
            definitions=[1],
            queues=[2],
            robots=[3],
        )
        return event_pb2.ChangeColumns(blocks=[block]).SerializeToString()


LAYOUTS: Final[tuple[Layout, ...]] = (
    RowPerEvent(),
    RowAndUpdate(),
    BlobOfMessages(),
    BlobOfColumns(),
)


@dataclass
class Cell:
    """What was measured of one layout with one size of commits."""

    rates: list[float] = field(default_factory=list)
    bytes_per_event: float = 0.0


def measure(layout: Layout, size: int, path: Path, seconds: float, cell: Cell) -> None:
    """Write commits of so many events to a new file for so long."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 10000"):
            database.execute(f"PRAGMA {pragma}").fetchone()
        database.executescript(layout.schema)
        database.execute("BEGIN")
        layout.prepare(database)
        database.execute("COMMIT")
        empty = _pages(database)
        order = list(range(1, JOBS + 1))
        random.Random(1).shuffle(order)
        began, events = time.perf_counter(), 0
        for number in count(1):
            start = (number - 1) * size
            jobs = [order[(start + index) % JOBS] for index in range(size)]
            database.execute("BEGIN IMMEDIATE")
            layout.write(database, number, start + 1, jobs)
            database.execute("COMMIT")
            events += size
            if time.perf_counter() - began >= seconds:
                break
        cell.rates.append(events / (time.perf_counter() - began))
        cell.bytes_per_event = (_pages(database) - empty) / events
    finally:
        database.close()


def _pages(database: sqlite3.Connection) -> int:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def run(folder: Path, *, rounds: int, seconds: float) -> dict[tuple[str, int], Cell]:
    """Measure every layout with every size of commits, alternating."""
    cells = {(layout.name, size): Cell() for layout in LAYOUTS for size in COMMIT_SIZES}
    for number in range(rounds):
        for size in COMMIT_SIZES:
            for index, layout in enumerate(LAYOUTS):
                path = folder / f"{number}-{size}-{index}.sqlite"
                measure(layout, size, path, seconds, cells[layout.name, size])
                for each in folder.glob(f"{path.name}*"):
                    each.unlink()
    return cells


def table(cells: dict[tuple[str, int], Cell]) -> Iterator[str]:
    """Yield the lines of the table: thousands of events a second, median and extremes."""
    width = max(len(layout.name) for layout in LAYOUTS)
    heads = "".join(f"{f'{size:,} a commit':>24}" for size in COMMIT_SIZES)
    yield f"{'thousand events/s':<{width}}{heads}{'bytes/event':>14}"
    for layout in LAYOUTS:
        line = f"{layout.name:<{width}}"
        for size in COMMIT_SIZES:
            rates = [rate / 1_000 for rate in cells[layout.name, size].rates]
            text = f"{median(rates):,.0f} ({min(rates):,.0f}..{max(rates):,.0f})"
            line += f"{text:>24}"
        middle = cells[layout.name, COMMIT_SIZES[1]]
        yield f"{line}{middle.bytes_per_event:>14.1f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.journal_layout",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=_SECONDS)
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or not 0 < arguments.seconds < 600:
        parser.error("expected at least 1 round of more than 0 and less than 600 seconds")
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        cells = run(Path(name), rounds=arguments.rounds, seconds=arguments.seconds)
    print(*table(cells), sep="\n")
    print(f"\nSQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL; bytes at 1,000 a commit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
