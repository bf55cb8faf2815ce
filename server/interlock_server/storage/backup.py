"""A copy of a journal, taken while it is being written."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Final

from interlock_server.storage.connection import Connection
from interlock_server.storage.history_id import forget_history_id

#: Pages copied at a time; between two steps the copy holds no lock of SQLite's library.
STEP_PAGES: Final = 256


async def write_backup(source: Path, target: Path) -> None:
    """Copy a journal as it is at one instant; `target` appears only when it is complete.

    The copy has no history id. Whoever restores it goes on from an older revision, and gets a new
    id each time, so that a watcher never takes one history for the other.
    Commits go on meanwhile, but the write-ahead log cannot shrink until the copy is done.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    connection = await Connection.open(source, read_only=True)
    try:
        await connection.run(partial(_copy, unfinished))
        await connection.run(lambda _: _publish(unfinished, target))
    finally:
        await connection.close()


def _copy(target: Path, database: sqlite3.Connection) -> None:
    target.unlink(missing_ok=True)
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        # An open read keeps the copy on one state; without it every commit starts it over.
        database.execute("BEGIN")
        database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        database.backup(copy, pages=STEP_PAGES, sleep=0)
        database.execute("COMMIT")
        # One file from here on: in the copied mode, the next change could stay in a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
        forget_history_id(copy)
    finally:
        copy.close()


def _publish(unfinished: Path, target: Path) -> None:
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
