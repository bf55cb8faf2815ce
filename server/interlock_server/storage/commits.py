"""Rows of commits: how they are written, found by revision, read back checked, and dropped.

Numbers, revisions, times and sizes all rise together, so everything is found by bisecting the
numbers and no index has to be written with a commit. Functions here run inside a transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from interlock_server.core.compacted import Compacted
from interlock_server.storage.checksum import commit_checksum
from interlock_server.storage.port import Commit, JournalCorrupt, JournalOrderError, StoredChanges
from interlock_server.storage.queries import STATEMENTS

#: One transaction drops no more than this, so that a commit never waits long behind it.
DROPPED_ROWS_MAX: Final = 200
DROPPED_BYTES_MAX: Final = 1024 * 1024
#: Rows read in one go hold no more than about this.
READ_BYTES_MAX: Final = 16 * 1024 * 1024

_INSERT: Final = STATEMENTS["insert_commit"]
_POSITION: Final = STATEMENTS["commit_position"]


class Position(NamedTuple):
    """The end of a commit: what the next one has to follow."""

    number: int
    revision: int
    bytes_so_far: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What of the journal may be dropped, and what is kept for watches."""

    through_commit: int
    keep_after_revision: int
    keep_newer_than_ms: int
    bytes_max: int


def check_order(commit: Commit, head: Position) -> None:
    """Raise JournalOrderError unless the commit follows the head."""
    if (commit.number, commit.first_revision) != (head.number + 1, head.revision + 1):
        raise JournalOrderError(
            f"expected commit {head.number + 1} from revision {head.revision + 1}, but got commit "
            f"{commit.number} from revision {commit.first_revision}"
        )
    if commit.last_revision < commit.first_revision - 1:
        raise JournalOrderError(
            f"expected commit {commit.number} to end at revision {commit.first_revision - 1} or "
            f"later, but it ends at {commit.last_revision}"
        )


def insert_commit(database: sqlite3.Connection, commit: Commit, head: Position) -> Position:
    """Write the row of a commit and return the new head."""
    size = head.bytes_so_far + len(commit.public) + len(commit.private)
    database.execute(
        _INSERT,
        (
            commit.number,
            commit.first_revision,
            commit.last_revision,
            commit.at_ms,
            size,
            commit_checksum(commit),
            commit.public,
            commit.private,
        ),
    )
    return Position(commit.number, commit.last_revision, size)


def read_dropped(database: sqlite3.Connection) -> Position:
    """Where the journal begins: the end of the newest dropped commit."""
    return Position(*database.execute(STATEMENTS["newest_dropped"]).fetchone())


def read_head(database: sqlite3.Connection) -> Position:
    """The end of the newest commit."""
    row = database.execute(STATEMENTS["newest_commit"]).fetchone()
    return Position(*row) if row else read_dropped(database)


def read_changes(
    database: sqlite3.Connection, after_revision: int, bytes_max: int
) -> list[StoredChanges]:
    """Commits with changes after a revision, at least one if there is any; or Compacted."""
    dropped = read_dropped(database)
    if after_revision < dropped.revision:
        raise Compacted(dropped.revision)
    number = _first_number(
        database, dropped.number, lambda revision, _at, _size: revision > after_revision
    )
    found: list[StoredChanges] = []
    size = 0
    for first, last, public in database.execute(STATEMENTS["changes_from"], (number,)):
        if last < first:
            continue
        size += len(public)
        if found and size > bytes_max:
            break
        found.append(StoredChanges(first, last, public))
    return found


def read_commits(
    database: sqlite3.Connection, after: Position, rows_max: int
) -> tuple[list[Commit], Position]:
    """The next checked commits and the position they end at; JournalCorrupt names a bad one."""
    commits: list[Commit] = []
    size = 0
    try:
        for number, first, last, at_ms, crc, public, private in database.execute(
            STATEMENTS["commits_from"], (after.number, rows_max)
        ):
            commit = Commit(number, first, last, at_ms, public, private)
            _check_commit(commit, crc, after)
            size += len(public) + len(private)
            after = Position(number, last, after.bytes_so_far + len(public) + len(private))
            commits.append(commit)
            if size > READ_BYTES_MAX:
                break
    except (sqlite3.DatabaseError, OverflowError) as error:
        raise JournalCorrupt(_damaged(after.number + 1, str(error))) from error
    return commits, after


def position_of(database: sqlite3.Connection, number: int) -> Position:
    """Where commit `number` ends, whether it is the newest dropped one or still there."""
    dropped = read_dropped(database)
    if number == dropped.number:
        return dropped
    row = database.execute(_POSITION, (number,)).fetchone()
    if row is None or number < dropped.number:
        raise JournalCorrupt(_damaged(max(number, dropped.number + 1), "it is not there"))
    revision, _, size = row
    return Position(number, revision, size)


def drop_slice(database: sqlite3.Connection, retention: Retention) -> Position | None:
    """Drop some of the oldest commits that are not kept; None if there are none to drop."""
    dropped = read_dropped(database)
    newest = read_head(database).bytes_so_far

    def kept(revision: int, at_ms: int, size: int) -> bool:
        for_watches = at_ms > retention.keep_newer_than_ms and newest - size < retention.bytes_max
        return for_watches or revision > retention.keep_after_revision

    last = min(
        _first_number(database, dropped.number, kept) - 1,
        retention.through_commit,
        dropped.number + DROPPED_ROWS_MAX,
    )
    if last <= dropped.number:
        return None
    slice_end = dropped.bytes_so_far + DROPPED_BYTES_MAX
    within = _first_number(database, dropped.number, lambda _revision, _at, size: size > slice_end)
    last = min(last, max(within - 1, dropped.number + 1))
    position = position_of(database, last)
    database.execute(STATEMENTS["drop_commits"], (last,))
    database.execute(STATEMENTS["set_dropped"], position)
    return position


def _first_number(
    database: sqlite3.Connection, dropped: int, wanted: Callable[[int, int, int], bool]
) -> int:
    """Lowest number whose (revision, time, size) is wanted, one past the head if none is.

    Once wanted, all later ones must be.
    """
    (newest,) = database.execute(STATEMENTS["newest_number"]).fetchone()
    low, high = dropped + 1, (newest or dropped) + 1
    while low < high:
        middle = (low + high) // 2
        row = database.execute(_POSITION, (middle,)).fetchone()
        if row is None:
            raise JournalCorrupt(_damaged(middle, "it is not there"))
        if wanted(*row):
            high = middle
        else:
            low = middle + 1
    return low


def _check_commit(commit: Commit, checksum: int, after: Position) -> None:
    if commit.number != after.number + 1:
        raise JournalCorrupt(_damaged(after.number + 1, "it is not there"))
    if commit_checksum(commit) != checksum:
        raise JournalCorrupt(_damaged(commit.number, "its checksum does not match"))
    try:
        check_order(commit, after)
    except JournalOrderError as error:
        raise JournalCorrupt(_damaged(commit.number, str(error))) from error


def _damaged(number: int, why: str) -> str:
    return f"commit {number} of the journal is damaged: {why}; restore a backup"
