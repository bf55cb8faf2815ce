"""What a journal promises, whatever keeps it: records, errors and the port itself.

One conformance suite holds every implementation to it (tests/server/storage/test_journal_port.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Protocol

import msgspec

from interlock_server.core.compacted import Compacted
from interlock_server.core.model.medium import Medium

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
    "StoredChanges",
]


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a request with a `request_id` was answered, so that a retry gets the same."""

    request_id: str
    at_ms: int
    digest: bytes
    kind: str
    body: bytes


class ArchivedJob(msgspec.Struct, frozen=True, gc=False):
    """A final job with its whole history; the fields before `record` can be searched."""

    job: int
    lifecycle: int
    status: int
    definition: str
    queue: str
    robot: str
    created_ms: int
    ended_ms: int
    record: bytes
    history: bytes


class KeptJob(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How long a final job stays in the archive, as it was decided when it was archived.

    `top` is the job that it goes together with, 0 if it goes by itself: then at least one of
    `count` (newest of the definition that stay) and `expire_ms` (when it may go) is not 0.
    """

    job: int
    definition: str
    ended_ms: int
    top: int = 0
    count: int = 0
    expire_ms: int = 0


class SpilledHistory(msgspec.Struct, frozen=True, gc=False):
    """A part of the older history of a live job with very many changes."""

    job: int
    part: int
    entries: bytes


class Commit(msgspec.Struct):
    """One durable group of turns.

    `first_revision` follows the last revision of the commit before; without changes
    `last_revision` is one less. `public` is what watchers are sent, `private` what else replay
    needs; both are opaque here.
    """

    number: int
    first_revision: int
    last_revision: int
    at_ms: int
    public: bytes
    private: bytes
    answers: list[Answer] = []
    archived: list[ArchivedJob] = []
    spilled: list[SpilledHistory] = []
    #: Which of `archived` may be deleted one day.
    kept: list[KeptJob] = []
    #: Which of `archived` are restarts, and of which job: (original, job).
    restarts: list[tuple[int, int]] = []
    media: list[Medium] = []
    #: (job, name)
    media_dropped: list[tuple[int, str]] = []


class StoredChanges(msgspec.Struct, frozen=True, gc=False):
    """The changes of one commit, as they were stored."""

    first_revision: int
    last_revision: int
    public: bytes


class SnapshotRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One live object as it was after commit `stamp`."""

    kind: int
    key: str
    stamp: int
    payload: bytes


class SnapshotInfo(msgspec.Struct, frozen=True, gc=False):
    """A complete snapshot: replay the commits after `first_commit` onto its rows."""

    generation: int
    first_commit: int


class JournalError(Exception):
    """Something is wrong with the journal; the subclasses say what."""


class JournalFailed(JournalError):  # noqa: N818 - says what is
    """A write failed, so memory is ahead of the disk: the server has to stop and recover."""


class JournalOrderError(JournalError):
    """A commit does not follow the one before it. Nothing was written."""


class JournalCorrupt(JournalError):  # noqa: N818 - says what is
    """What is on disk is not what was written; restore a backup."""


class JournalPort(Protocol):
    """The durable record of one partition. All calls may be made from one event loop at a time."""

    @property
    def head_commit(self) -> int:
        """Number of the last durable commit, 0 if there is none."""

    @property
    def head_revision(self) -> int:
        """Revision of the last durable change, 0 if there is none."""

    @property
    def history_id(self) -> str:
        """What history the revisions belong to: 32 hex digits.

        The same whenever the journal is opened, another one in each backup that is opened.
        """

    async def append(self, commit: Commit) -> None:
        """Make a commit durable, all of it or nothing, before returning.

        Raises JournalOrderError unless it follows the head, and JournalFailed if the disk
        refuses: then its outcome is unknown, and every later call raises too. A cancelled caller
        does not cancel the write.
        """

    async def read_changes(self, after_revision: int, *, bytes_max: int) -> list[StoredChanges]:
        """Commits that have a change after a revision, in order, at least one if there is any.

        The first one may begin before `after_revision`; no more than `bytes_max` unless the first
        alone is larger. Raises Compacted if some of the changes were dropped.
        """

    def oldest_revision(self) -> int:
        """Lowest revision that a watch can resume from."""

    def replay(self, after_commit: int, *, rows_max: int = 500) -> AsyncIterator[Commit]:
        """Yield the commits after one, checked; JournalCorrupt names the first bad one.

        Only changes and facts are read back; what the archive took in stays there.
        """

    async def load_answers(self, newer_than_ms: int) -> list[Answer]:
        """Answers given after an instant, oldest first."""

    async def drop_answers(self, older_than_ms: int, keep_max: int) -> None:
        """Drop old answers, and the oldest beyond `keep_max`; those of one commit go together."""

    async def begin_snapshot(self, generation: int, first_commit: int) -> None:
        """Start a snapshot that begins after a commit; an unfinished older one is dropped."""

    async def write_slice(self, generation: int, rows: list[SnapshotRow]) -> None:
        """Add rows to a snapshot that was begun."""

    async def finish_snapshot(self, generation: int) -> None:
        """Make the snapshot the one to recover from, then drop older ones in slices."""

    async def latest_snapshot(self) -> SnapshotInfo | None:
        """The newest complete snapshot."""

    def read_snapshot(self, generation: int) -> AsyncIterator[list[SnapshotRow]]:
        """Yield the slices of a snapshot in the order written."""

    async def compact(
        self,
        *,
        through_commit: int,
        keep_after_revision: int,
        keep_newer_than_ms: int,
        bytes_max: int,
    ) -> None:
        """Drop commits up to `through_commit`, in slices, oldest first.

        Kept are those with a change after `keep_after_revision`, and those newer than
        `keep_newer_than_ms` as long as they are within `bytes_max` of the newest.
        """

    async def checkpoint_wal(self, *, truncate: bool = False) -> int:
        """Move what was appended to its final place; returns the pages that still wait."""

    async def archived_job(self, job: int) -> ArchivedJob | None:
        """One final job, None if it is not there."""

    async def spilled_history(self, job: int) -> list[SpilledHistory]:
        """Older history of a job, oldest part first."""

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
        """Final jobs with an id below `before_job`, highest first; an empty filter means any."""

    async def archived_count(self) -> int:
        """How many final jobs there are."""

    async def expired_jobs(self, now_ms: int, limit: int) -> list[int]:
        """Some jobs that go by their age alone and may go now, those that may longest first."""

    async def next_counted(self, after: str) -> str:
        """The definition after a name that has jobs with a count; "" if there is none."""

    async def counted_jobs(
        self, definition: str, *, before_ms: int, before_job: int, limit: int
    ) -> list[KeptJob]:
        """Jobs of a definition that have a count, latest end first, after one of them."""

    async def following_jobs(self, after_job: int, limit: int) -> list[KeptJob]:
        """Jobs that go together with another one, lowest id first."""

    async def delete_archived(self, jobs: Collection[int]) -> int:
        """Forget final jobs: records, histories and media. Returns how many were there.

        All of them or none; those that are not there do not matter.
        """

    async def restarts_of(self, jobs: Collection[int]) -> list[tuple[int, int]]:
        """Archived restarts of some jobs: (original, restart), lowest ids first."""

    async def list_media(self, jobs: Collection[int]) -> list[Medium]:
        """What is recorded of some jobs, live or archived, by job and name."""

    async def media_jobs(self, after_job: int, limit: int) -> list[int]:
        """Jobs that have media, lowest id first."""

    async def drop_media(self, jobs: Collection[int]) -> None:
        """Forget all media of some jobs."""

    async def used_digests(self, digests: Collection[str]) -> set[str]:
        """Which contents some medium still names."""

    async def backup(self, path: str | Path) -> None:
        """Write a complete, consistent and durable copy while commits go on.

        Whoever puts it in place of the journal begins another history.
        """

    async def sizes(self) -> dict[str, int]:
        """`journal_bytes` and `wal_bytes` on disk."""

    async def free_bytes(self) -> int:
        """Room left on the disk, to refuse work before a commit would fail."""

    async def close(self) -> None:
        """Close after what was asked for before is done. May be called twice."""
