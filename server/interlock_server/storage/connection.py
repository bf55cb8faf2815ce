"""One SQLite connection on a thread of its own, with the settings that durability rests on.

Exactly one connection of a journal writes and checkpoints: SQLite before 3.51.3 can lose a commit
when two do so at the same instant. Readers are read-only and never checkpoint.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import quote

import aiosqlite

from interlock_server.storage.port import JournalCorrupt
from interlock_server.storage.queries import read_sql

Durability = Literal["full", "normal", "off"]
T = TypeVar("T")

#: "ilok", so that `file` and other programs can tell what this is.
APPLICATION_ID: Final = 0x696C6F6B
#: Version of the SQLite that stores.
SQLITE_VERSION: Final = sqlite3.sqlite_version
#: Step n brings a file from user_version n to n + 1. Only ever added to.
MIGRATIONS: Final = ("schema.sql", "history.sql", "retention.sql")
BUSY_TIMEOUT_MS: Final = 5_000
#: Large commits take 10 % less than with SQLite's 4096, checkpoints a quarter; small ones the same.
PAGE_SIZE: Final = 8192
#: The write-ahead log is cut back to this after a checkpoint.
JOURNAL_SIZE_LIMIT: Final = 64 * 1024 * 1024
_SYNCHRONOUS: Final = {"full": "FULL", "normal": "NORMAL", "off": "OFF"}
#: The first releases of SQLite without the fault that the module docstring speaks of.
_FIXED_IN: Final = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


class Connection:
    """A connection whose every use is one function, run on its thread in the order asked for."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._closed = False

    @classmethod
    async def open(
        cls, path: str | Path, *, durability: Durability = "full", read_only: bool = False
    ) -> Connection:
        """Open a journal file; unless read-only, make or migrate it first.

        Raises JournalCorrupt if the file is not a journal, or is one of a newer Interlock.
        """
        uri = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"
        connection = cls(await aiosqlite.connect(uri, uri=True, isolation_level=None))
        try:
            if read_only:
                await connection.run(_prepare_reader)
            else:
                await connection.run(lambda database: _prepare_writer(database, durability))
        except BaseException as error:
            await connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise JournalCorrupt(f"expected a journal at {path}, but: {error}") from error
            raise
        return connection

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the connection's thread and return its result.

        A cancelled caller stops waiting, but the function runs to its end all the same: whoever
        has to know how it ended notes that inside it.
        """
        # The private call is the price of one hop instead of one per statement; a test notices
        # if it is renamed.
        database = self._database
        execute: Callable[..., Awaitable[T]] = database._execute  # noqa: SLF001
        return await execute(function, database._conn)  # noqa: SLF001

    async def close(self) -> None:
        """Close after the functions asked for before have ended. May be called twice."""
        if not self._closed:
            self._closed = True
            await self._database.close()


def has_wal_reset_fault(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite loses commits if two connections write or checkpoint; worth a warning."""
    return not any(
        version >= fixed and (fixed == _FIXED_IN[0] or version[:2] == fixed[:2])
        for fixed in _FIXED_IN
    )


def _prepare_reader(database: sqlite3.Connection) -> None:
    database.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("PRAGMA query_only = 1")
    # Also shows that the file can be read at all.
    database.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def _prepare_writer(database: sqlite3.Connection, durability: Durability) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"page_size = {PAGE_SIZE}",  # only a new file takes it, and only before the next one
        "journal_mode = WAL",
        f"synchronous = {_SYNCHRONOUS[durability]}",
        "wal_autocheckpoint = 0",  # checkpoints block commits, so the owner says when
        "secure_delete = OFF",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"journal_size_limit = {JOURNAL_SIZE_LIMIT}",
    ):
        database.execute(f"PRAGMA {pragma}").fetchone()
    _migrate(database)


def _migrate(database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application not in {0, APPLICATION_ID} or (version and not application):
        raise JournalCorrupt("expected a journal of Interlock, but it is another program's file")
    if version > len(MIGRATIONS):
        raise JournalCorrupt(
            f"expected a journal of version {len(MIGRATIONS)} or older, but this one has version "
            f"{version}; start the Interlock that wrote it, or a newer one"
        )
    for number, name in enumerate(MIGRATIONS[version:], start=version + 1):
        database.executescript(
            f"BEGIN IMMEDIATE;\n{read_sql(name)}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {number};\nCOMMIT;"
        )
