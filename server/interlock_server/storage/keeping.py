"""What is stored about archived jobs beside their records: how long they stay, restarts, media.

Reads are short and sliced by their callers; a deletion is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from interlock_server.core.model.medium import Medium
from interlock_server.failpoints import fp
from interlock_server.storage.port import Commit, KeptJob
from interlock_server.storage.queries import STATEMENTS

_DELETIONS: Final = tuple(
    STATEMENTS[name]
    for name in (
        "delete_archived",
        "delete_spilled",
        "delete_kept",
        "delete_restart",
        "delete_media",
    )
)


def insert_keeping(database: sqlite3.Connection, commit: Commit) -> None:
    """Write what a commit says of these things, inside its transaction."""
    if commit.kept:
        rows = [
            (each.job, each.definition, each.ended_ms, each.top, each.count, each.expire_ms)
            for each in commit.kept
        ]
        database.executemany(STATEMENTS["insert_kept"], rows)
    if commit.restarts:
        database.executemany(STATEMENTS["insert_restart"], commit.restarts)
    if commit.media_dropped:
        database.executemany(STATEMENTS["drop_medium"], commit.media_dropped)
    if commit.media:
        fp("media.mid_insert")
        media = [
            (
                each.job,
                each.name,
                each.digest,
                each.size_bytes,
                each.content_type,
                each.at_ms,
                each.robot,
            )
            for each in commit.media
        ]
        database.executemany(STATEMENTS["insert_medium"], media)


def delete_jobs(database: sqlite3.Connection, jobs: Collection[int]) -> int:
    """Forget archived jobs, inside a transaction; returns how many were there."""
    fp("retention.before_delete")
    before = database.total_changes
    rows = [(job,) for job in jobs]
    counts = []
    for sql in _DELETIONS:
        database.executemany(sql, rows)
        counts.append(database.total_changes - before)
    return counts[0]


def drop_media(database: sqlite3.Connection, jobs: Collection[int]) -> None:
    """Forget the media of some jobs, inside a transaction."""
    database.executemany(STATEMENTS["delete_media"], [(job,) for job in jobs])


# -- reads: what a Reader runs ----------------------------------------------------------------


def expired_jobs(database: sqlite3.Connection, now_ms: int, limit: int) -> list[int]:
    """Jobs that go by age alone and may go now."""
    return [job for (job,) in database.execute(STATEMENTS["expired_jobs"], (now_ms, limit))]


def next_counted(database: sqlite3.Connection, after: str) -> str:
    """The next definition that has jobs with a count."""
    found = database.execute(STATEMENTS["next_counted"], (after,)).fetchone()
    return str(found[0]) if found else ""


def counted_jobs(
    database: sqlite3.Connection, definition: str, before: tuple[int, int], limit: int
) -> list[KeptJob]:
    """Jobs of a definition that have a count, latest end first."""
    found = database.execute(STATEMENTS["counted_jobs"], (definition, *before, limit))
    return [KeptJob(*row) for row in found]


def following_jobs(database: sqlite3.Connection, after_job: int, limit: int) -> list[KeptJob]:
    """Jobs that go together with another one."""
    found = database.execute(STATEMENTS["following_jobs"], (after_job, limit))
    return [KeptJob(*row) for row in found]


def restarts_of(database: sqlite3.Connection, jobs: Collection[int]) -> list[tuple[int, int]]:
    """Archived restarts of some jobs."""
    return [
        (original, restart)
        for job in sorted(jobs)
        for original, restart in database.execute(STATEMENTS["restarts_of"], (job,))
    ]


def media_of(database: sqlite3.Connection, jobs: Collection[int]) -> list[Medium]:
    """What is recorded of some jobs."""
    if not database.execute(STATEMENTS["any_media"]).fetchone():
        return []  # most partitions have none, and lists ask for a thousand jobs
    return [
        Medium(*row)
        for job in sorted(jobs)
        for row in database.execute(STATEMENTS["media_of"], (job,))
    ]


def media_jobs(database: sqlite3.Connection, after_job: int, limit: int) -> list[int]:
    """Jobs that have media."""
    return [job for (job,) in database.execute(STATEMENTS["media_jobs"], (after_job, limit))]


def used_digests(database: sqlite3.Connection, digests: Collection[str]) -> set[str]:
    """Which contents are still named."""
    return {
        digest
        for digest in digests
        if database.execute(STATEMENTS["uses_of_digest"], (digest,)).fetchone()
    }
