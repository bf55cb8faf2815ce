"""Snapshots: the live objects, written in slices between commits, by generation.

A slice is one row of the table, whatever it holds; a snapshot counts once it is complete.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from typing import Final
from zlib import crc32

import msgspec

from interlock_server.failpoints import fp
from interlock_server.storage.checksum import checked
from interlock_server.storage.port import SnapshotInfo, SnapshotRow
from interlock_server.storage.queries import STATEMENTS
from interlock_server.storage.reader import Reader
from interlock_server.storage.writer import Writer

#: One transaction drops no more slices than this, so that a commit never waits long behind it.
DROPPED_SLICES_MAX: Final = 4

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[SnapshotRow])


class Snapshots:
    """The snapshots of one journal; at most one is being written."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def begin(self, generation: int, first_commit: int) -> None:
        """Start a generation; whatever is neither it nor the latest complete one is dropped."""
        latest = await self.latest()
        await self._drop_all_but(latest.generation if latest else 0)
        row = (generation, first_commit)
        await self._writer.transact(lambda db: db.execute(STATEMENTS["begin_snapshot"], row))

    async def write_slice(self, generation: int, rows: list[SnapshotRow]) -> None:
        """Add a slice to a generation that was begun."""
        encoded = _ENCODER.encode(rows)
        await self._writer.transact(partial(_insert_slice, generation, encoded))

    async def finish(self, generation: int) -> None:
        """Make the generation the latest and drop the others."""
        fp("snapshot.before_finish")
        await self._writer.transact(
            lambda db: db.execute(STATEMENTS["complete_snapshot"], (generation,))
        )
        await self._drop_all_but(generation)

    async def latest(self) -> SnapshotInfo | None:
        """The newest complete generation."""
        row = await self._reader.read(
            lambda db: db.execute(STATEMENTS["latest_snapshot"]).fetchone()
        )
        return SnapshotInfo(*row) if row else None

    async def read(self, generation: int) -> AsyncIterator[list[SnapshotRow]]:
        """Yield the slices of a generation; JournalCorrupt if one is damaged."""
        part = 0
        while row := await self._reader.read(partial(_read_slice, generation, part)):
            part, crc, encoded = row
            what = f"slice {part} of snapshot {generation}"
            yield _DECODER.decode(checked(encoded, crc, what))

    async def _drop_all_but(self, generation: int) -> None:
        while await self._writer.transact(partial(_drop_slices, generation)):
            pass
        await self._writer.transact(
            lambda db: db.execute(STATEMENTS["drop_snapshots"], (generation,))
        )


def _insert_slice(generation: int, encoded: bytes, database: sqlite3.Connection) -> None:
    (newest,) = database.execute(STATEMENTS["newest_part"], (generation,)).fetchone()
    row = (generation, (newest or 0) + 1, crc32(encoded), encoded)
    database.execute(STATEMENTS["insert_slice"], row)


def _read_slice(
    generation: int, after_part: int, database: sqlite3.Connection
) -> tuple[int, int, bytes] | None:
    row: tuple[int, int, bytes] | None = database.execute(
        STATEMENTS["slice_after"], (generation, after_part)
    ).fetchone()
    return row


def _drop_slices(keep: int, database: sqlite3.Connection) -> bool:
    cursor = database.execute(STATEMENTS["drop_slices"], (keep, DROPPED_SLICES_MAX))
    return cursor.rowcount > 0
