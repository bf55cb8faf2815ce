"""The journal of one partition on SQLite: one commit is one transaction and one fsync.

One connection writes and checkpoints, a second reads for watches and recovery, a third reads the
archive; each has its own thread, so that only a commit can delay a commit.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from functools import partial
from pathlib import Path
from typing import TypeVar

from interlock_server.core.compacted import Compacted
from interlock_server.failpoints import fp
from interlock_server.ids import IdSource
from interlock_server.storage import answers, commits, keeping
from interlock_server.storage.archive import (
    Archive,
    ArchiveQuery,
    insert_archived,
    insert_spilled,
)
from interlock_server.storage.backup import write_backup
from interlock_server.storage.commits import Position, Retention
from interlock_server.storage.connection import BUSY_TIMEOUT_MS, Connection, Durability
from interlock_server.storage.history_id import insert_history_id, read_history_id
from interlock_server.storage.port import (
    Answer,
    ArchivedJob,
    Commit,
    JournalCorrupt,
    JournalError,
    JournalFailed,
    JournalOrderError,
    JournalPort,
    KeptJob,
    Medium,
    SnapshotInfo,
    SnapshotRow,
    SpilledHistory,
    StoredChanges,
)
from interlock_server.storage.reader import Reader
from interlock_server.storage.snapshot import Snapshots
from interlock_server.storage.writer import Writer

__all__ = [
    "Answer",
    "ArchivedJob",
    "Commit",
    "Compacted",
    "JournalCorrupt",
    "JournalError",
    "JournalFailed",
    "JournalOrderError",
    "JournalPort",
    "KeptJob",
    "Medium",
    "SnapshotInfo",
    "SnapshotRow",
    "SpilledHistory",
    "SqliteJournal",
    "StoredChanges",
]

T = TypeVar("T")


class SqliteJournal:
    """A JournalPort on one SQLite file. `open` makes one."""

    def __init__(self, path: Path, writer: Writer, reader: Reader, archive_reader: Reader) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self._archive_reader = archive_reader
        self._archive = Archive(archive_reader)
        self._snapshots = Snapshots(writer, reader)
        self._history_id = ""
        # Set on the writer's thread, right after COMMIT: a caller that was cancelled meanwhile
        # must not make them wrong.
        self._head = Position(0, 0, 0)
        self._dropped = Position(0, 0, 0)

    @classmethod
    async def open(
        cls, path: str | Path, *, durability: Durability = "full", ids: IdSource | None = None
    ) -> SqliteJournal:
        """Open the journal at `path`, made if it is new; JournalCorrupt if it cannot be one.

        The caller holds the lock of the data directory. Commits are checked by `replay`.
        """
        path = Path(path)
        opened: list[Connection] = []
        try:
            opened.append(await Connection.open(path, durability=durability))
            opened.append(await Connection.open(path, read_only=True))
            opened.append(await Connection.open(path, read_only=True))
            writing, reading, archive = opened
            journal = cls(path, Writer(writing), Reader(reading), Reader(archive))
            journal._head = await journal._reader.read(commits.read_head)
            journal._dropped = await journal._reader.read(commits.read_dropped)
            journal._history_id = await journal._own_history_id(ids or IdSource())
        except BaseException:
            for connection in reversed(opened):
                await connection.close()
            raise
        return journal

    async def _own_history_id(self, ids: IdSource) -> str:
        """The id that it has, or a new one that it keeps."""
        found = await self._reader.read(read_history_id)
        if not found:
            found = ids.history_id()
            await self._writer.transact(partial(insert_history_id, history_id=found))
        return found

    @property
    def history_id(self) -> str:
        """What history the revisions belong to; see JournalPort."""
        return self._history_id

    @property
    def head_commit(self) -> int:
        """Number of the last durable commit."""
        return self._head.number

    @property
    def head_revision(self) -> int:
        """Revision of the last durable change."""
        return self._head.revision

    async def append(self, commit: Commit) -> None:
        """Make a commit durable; see JournalPort."""
        await self._writer.run(partial(self._append, commit))

    def _append(self, commit: Commit, database: sqlite3.Connection) -> None:
        self._writer.check()
        commits.check_order(commit, self._head)
        try:
            fp("journal.before_begin")
            self._head = self._writer.in_transaction(database, partial(self._insert, commit))
            fp("journal.after_commit")
        except OSError as error:
            self._writer.fail(error)
            self._writer.check()

    def _insert(self, commit: Commit, database: sqlite3.Connection) -> Position:
        head = commits.insert_commit(database, commit, self._head)
        fp("journal.mid_insert")
        if commit.answers:
            answers.insert_answers(database, commit.number, commit.answers)
        if commit.archived:
            insert_archived(database, commit.archived)
        if commit.spilled:
            insert_spilled(database, commit.spilled)
        keeping.insert_keeping(database, commit)
        fp("journal.before_commit")
        return head

    async def read_changes(self, after_revision: int, *, bytes_max: int) -> list[StoredChanges]:
        """Stored changes after a revision; see JournalPort."""
        self._writer.check()
        return await self._reader.read(
            lambda database: commits.read_changes(database, after_revision, bytes_max)
        )

    def oldest_revision(self) -> int:
        """Lowest revision that a watch can resume from."""
        return self._dropped.revision

    async def replay(self, after_commit: int, *, rows_max: int = 500) -> AsyncIterator[Commit]:
        """Yield the commits after one, checked; see JournalPort."""
        self._writer.check()
        read = self._reader.read
        position = await read(lambda database: commits.position_of(database, after_commit))
        while True:
            found, position = await read(
                partial(commits.read_commits, after=position, rows_max=rows_max)
            )
            if not found:
                return
            for commit in found:
                yield commit

    async def load_answers(self, newer_than_ms: int) -> list[Answer]:
        """Answers given after an instant, oldest first."""
        self._writer.check()
        return await self._reader.read(
            lambda database: answers.read_answers(database, newer_than_ms)
        )

    async def drop_answers(self, older_than_ms: int, keep_max: int) -> None:
        """Drop what is too old or too many, in slices; see JournalPort."""
        self._writer.check()
        through = await self._reader.read(
            lambda database: answers.last_to_drop(database, older_than_ms, keep_max)
        )
        if through:
            while await self._writer.transact(
                lambda database: answers.drop_slice(database, through)
            ):
                pass

    async def begin_snapshot(self, generation: int, first_commit: int) -> None:
        """Start a snapshot; see JournalPort."""
        await self._snapshots.begin(generation, first_commit)

    async def write_slice(self, generation: int, rows: list[SnapshotRow]) -> None:
        """Add rows to a snapshot that was begun."""
        await self._snapshots.write_slice(generation, rows)

    async def finish_snapshot(self, generation: int) -> None:
        """Make the snapshot the one to recover from."""
        await self._snapshots.finish(generation)

    async def latest_snapshot(self) -> SnapshotInfo | None:
        """The newest complete snapshot."""
        self._writer.check()
        return await self._snapshots.latest()

    def read_snapshot(self, generation: int) -> AsyncIterator[list[SnapshotRow]]:
        """Yield the slices of a snapshot in the order written."""
        self._writer.check()
        return self._snapshots.read(generation)

    async def compact(
        self,
        *,
        through_commit: int,
        keep_after_revision: int,
        keep_newer_than_ms: int,
        bytes_max: int,
    ) -> None:
        """Drop old commits in slices; see JournalPort."""
        retention = Retention(through_commit, keep_after_revision, keep_newer_than_ms, bytes_max)
        while await self._writer.run(partial(self._drop_slice, retention)):
            pass

    def _drop_slice(self, retention: Retention, database: sqlite3.Connection) -> bool:
        def drop(database: sqlite3.Connection) -> Position | None:
            fp("compact.before_delete")
            return commits.drop_slice(database, retention)

        dropped = self._writer.in_transaction(database, drop)
        if dropped is None:
            return False
        self._dropped = dropped
        return True

    async def checkpoint_wal(self, *, truncate: bool = False) -> int:
        """Move the log into the file; returns the pages that still wait, for a reader to end."""
        return await self._writer.run(partial(self._checkpoint, truncate))

    def _checkpoint(self, truncate: bool, database: sqlite3.Connection) -> int:  # noqa: FBT001
        mode = "TRUNCATE" if truncate else "PASSIVE"
        try:
            # Commits queue behind this, so it must not wait for a reader.
            database.execute("PRAGMA busy_timeout = 0")
            _, pages, moved = database.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            database.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        except sqlite3.Error as error:
            self._writer.fail(error)
            raise JournalFailed(f"the write-ahead log could not be moved: {error}") from error
        return max(0, int(pages) - int(moved))

    async def archived_job(self, job: int) -> ArchivedJob | None:
        """One final job, None if it is not there."""
        self._writer.check()
        return await self._archive.job(job)

    async def spilled_history(self, job: int) -> list[SpilledHistory]:
        """Older history of a job, oldest part first."""
        self._writer.check()
        return await self._archive.spilled(job)

    async def list_archived(
        self,
        *,
        before_job: int,
        limit: int,
        lifecycles: Collection[int] = (),
        statuses: Collection[int] = (),
        definitions: Collection[str] = (),
        queues: Collection[str] = (),
        robots: Collection[str] = (),
        jobs: Collection[int] = (),
    ) -> list[ArchivedJob]:
        """Final jobs that match, highest id first; see JournalPort."""
        self._writer.check()
        query = ArchiveQuery(
            before_job, limit, lifecycles, statuses, definitions, queues, robots, jobs
        )
        return await self._archive.page(query)

    async def archived_count(self) -> int:
        """How many final jobs there are."""
        self._writer.check()
        return await self._archive.count()

    async def expired_jobs(self, now_ms: int, limit: int) -> list[int]:
        """Jobs that go by their age alone and may go now; see JournalPort."""
        return await self._look(partial(keeping.expired_jobs, now_ms=now_ms, limit=limit))

    async def next_counted(self, after: str) -> str:
        """The next definition that has jobs with a count."""
        return await self._look(partial(keeping.next_counted, after=after))

    async def counted_jobs(
        self, definition: str, *, before_ms: int, before_job: int, limit: int
    ) -> list[KeptJob]:
        """Jobs of a definition that have a count, latest end first."""
        before = (before_ms, before_job)
        return await self._look(
            partial(keeping.counted_jobs, definition=definition, before=before, limit=limit)
        )

    async def following_jobs(self, after_job: int, limit: int) -> list[KeptJob]:
        """Jobs that go together with another one, lowest id first."""
        return await self._look(partial(keeping.following_jobs, after_job=after_job, limit=limit))

    async def delete_archived(self, jobs: Collection[int]) -> int:
        """Forget final jobs; see JournalPort."""
        return await self._writer.transact(partial(keeping.delete_jobs, jobs=tuple(jobs)))

    async def restarts_of(self, jobs: Collection[int]) -> list[tuple[int, int]]:
        """Archived restarts of some jobs: (original, restart)."""
        return await self._look(partial(keeping.restarts_of, jobs=tuple(jobs)))

    async def list_media(self, jobs: Collection[int]) -> list[Medium]:
        """What is recorded of some jobs, by job and name."""
        return await self._look(partial(keeping.media_of, jobs=tuple(jobs)))

    async def media_jobs(self, after_job: int, limit: int) -> list[int]:
        """Jobs that have media, lowest id first."""
        return await self._look(partial(keeping.media_jobs, after_job=after_job, limit=limit))

    async def drop_media(self, jobs: Collection[int]) -> None:
        """Forget all media of some jobs."""
        await self._writer.transact(partial(keeping.drop_media, jobs=tuple(jobs)))

    async def used_digests(self, digests: Collection[str]) -> set[str]:
        """Which contents some medium still names."""
        return await self._look(partial(keeping.used_digests, digests=tuple(digests)))

    async def _look(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Read on the connection of the archive."""
        self._writer.check()
        return await self._archive_reader.read(query)

    async def backup(self, path: str | Path) -> None:
        """Write a copy while commits go on; see JournalPort."""
        self._writer.check()
        await write_backup(self._path, Path(path))

    async def sizes(self) -> dict[str, int]:
        """`journal_bytes` and `wal_bytes` on disk."""
        self._writer.check()
        log = self._path.with_name(f"{self._path.name}-wal")
        return {
            "journal_bytes": self._path.stat().st_size,
            "wal_bytes": log.stat().st_size if log.exists() else 0,
        }

    async def free_bytes(self) -> int:
        """Room left on the disk, asked on a reader's thread because a sick disk can hang."""
        self._writer.check()
        return await self._archive_reader.read(lambda _: shutil.disk_usage(self._path).free)

    async def close(self) -> None:
        """Close after what was asked for before is done. May be called twice."""
        # The writer last: the last connection to close moves the log, and only it may.
        await self._archive_reader.close()
        await self._reader.close()
        await self._writer.close()
