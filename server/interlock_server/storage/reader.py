"""A read-only connection for short reads beside the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from interlock_server.storage.connection import Connection
from interlock_server.storage.port import JournalCorrupt, JournalFailed

T = TypeVar("T")


class Reader:
    """Runs read transactions. Each must be short: an open one keeps the log from shrinking."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on one consistent state of the journal."""
        return await self._connection.run(lambda database: _in_transaction(database, query))

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


def _in_transaction(database: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    try:
        database.execute("BEGIN")
        try:
            return query(database)
        finally:
            # Not there any more if SQLite gave up the transaction itself.
            if database.in_transaction:
                database.execute("ROLLBACK")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        }:
            raise JournalCorrupt(f"the journal is damaged ({error}); restore a backup") from error
        raise JournalFailed(f"the journal could not be read: {error}") from error
