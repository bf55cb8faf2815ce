"""The one connection that writes, and the rule that it never writes again after a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from interlock_server.storage.connection import Connection
from interlock_server.storage.port import JournalFailed

T = TypeVar("T")


class Writer:
    """Runs transactions one after the other; after the first failed one it refuses everything.

    A COMMIT that failed may still be there after a restart, so there is nothing to roll back to
    and nothing to go on from: what is true is known only after recovery.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._failure = ""

    def check(self) -> None:
        """Raise JournalFailed if a write has failed before."""
        if self._failure:
            raise JournalFailed(self._failure)

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the writer's thread, unless a write has failed before."""
        self.check()
        return await self._connection.run(function)

    async def transact(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """Run `write` in a transaction of its own."""
        return await self.run(lambda database: self.in_transaction(database, write))

    def in_transaction(
        self, database: sqlite3.Connection, write: Callable[[sqlite3.Connection], T]
    ) -> T:
        """Run `write` between BEGIN and COMMIT; called on the writer's thread."""
        self.check()  # an earlier function may have failed after this one was asked for
        try:
            database.execute("BEGIN IMMEDIATE")
            result = write(database)
            database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self.fail(error)
            raise JournalFailed(self._failure) from error
        except BaseException as error:
            self.fail(error)
            raise
        return result

    def fail(self, error: BaseException) -> None:
        """Refuse everything from now on."""
        self._failure = self._failure or (
            f"a write to the journal failed ({error}), and whether it is on disk is unknown; "
            f"stop the server, look at the disk and start it again"
        )

    async def close(self) -> None:
        """Close the connection; an open transaction of a failed write is not committed."""
        await self._connection.close()
