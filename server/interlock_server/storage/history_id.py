"""Which history the revisions of a journal belong to.

Revisions alone do not say it: a restored backup counts on from an older one, and what it counts
then is another history. Functions here run inside a transaction.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from interlock_server.storage.queries import STATEMENTS

_READ: Final = STATEMENTS["history_id"]
_INSERT: Final = STATEMENTS["insert_history_id"]
_FORGET: Final = STATEMENTS["forget_history_id"]


def read_history_id(database: sqlite3.Connection) -> str:
    """The id; empty if the journal is new, or a copy that is opened for the first time."""
    row = database.execute(_READ).fetchone()
    return str(row[0]) if row else ""


def insert_history_id(database: sqlite3.Connection, history_id: str) -> None:
    """Give an id to a journal that has none."""
    database.execute(_INSERT, (history_id,))


def forget_history_id(database: sqlite3.Connection) -> None:
    """Let whoever opens the journal next begin another history."""
    database.execute(_FORGET)
