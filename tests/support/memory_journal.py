"""A journal in memory, for tests of what stands on one.

It keeps the promises of JournalPort (the same conformance suite runs over it and SQLite), and can
do what a disk cannot be asked for: hold commits back, lose what was not durable, and fail.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interlock_server.ids import IdSource
from interlock_server.storage.journal import (
    Answer,
    ArchivedJob,
    Commit,
    Compacted,
    JournalCorrupt,
    JournalFailed,
    JournalOrderError,
    KeptJob,
    Medium,
    SnapshotInfo,
    SnapshotRow,
    SpilledHistory,
    StoredChanges,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

FREE_BYTES = 1 << 40


class MemoryJournal:
    """A JournalPort without a disk. `hold` keeps commits from becoming durable until `release`."""

    def __init__(self) -> None:
        self._history_id = IdSource().history_id()
        self.commits: list[Commit] = []
        self.answers: dict[int, list[Answer]] = {}
        self.archived: dict[int, ArchivedJob] = {}
        self.spilled: dict[tuple[int, int], SpilledHistory] = {}
        self.kept: dict[int, KeptJob] = {}
        self.restarts: set[tuple[int, int]] = set()
        self.media: dict[tuple[int, str], Medium] = {}
        self.snapshots: dict[int, tuple[int, list[list[SnapshotRow]]]] = {}
        self.complete: set[int] = set()
        self.dropped_commit = 0
        self.dropped_revision = 0
        self.free = FREE_BYTES
        self.backups: dict[str, MemoryJournal] = {}
        self._failure = ""
        self._passable = asyncio.Event()
        self._passable.set()
        self._turn = asyncio.Lock()

    # What only a test asks for.

    def hold(self) -> None:
        """Let no commit become durable until `release`."""
        self._passable.clear()

    def release(self) -> None:
        """Let the commits that were held become durable."""
        self._passable.set()

    def crash(self) -> MemoryJournal:
        """What a new process finds: everything durable, nothing that was held."""
        found = MemoryJournal()
        found._history_id = self._history_id
        found.commits = list(self.commits)
        found.answers = dict(self.answers)
        found.archived = dict(self.archived)
        found.spilled = dict(self.spilled)
        found.kept = dict(self.kept)
        found.restarts = set(self.restarts)
        found.media = dict(self.media)
        found.snapshots = {
            key: (first, list(rows)) for key, (first, rows) in self.snapshots.items()
        }
        found.complete = set(self.complete)
        found.dropped_commit = self.dropped_commit
        found.dropped_revision = self.dropped_revision
        self.fail("the process was killed")
        return found

    def fail(self, why: str) -> None:
        """Refuse everything from now on."""
        self._failure = why

    # JournalPort.

    @property
    def head_commit(self) -> int:
        return self.commits[-1].number if self.commits else self.dropped_commit

    @property
    def head_revision(self) -> int:
        return self.commits[-1].last_revision if self.commits else self.dropped_revision

    @property
    def history_id(self) -> str:
        return self._history_id

    async def append(self, commit: Commit) -> None:
        self._check()
        # As on a real disk, a cancelled caller stops waiting and the commit goes on.
        await asyncio.shield(asyncio.ensure_future(self._append(commit)))

    async def _append(self, commit: Commit) -> None:
        async with self._turn:
            await self._passable.wait()
            self._check()
            self._check_order(commit)
            self.write(commit)

    def write(self, commit: Commit) -> None:
        """Make a commit durable."""
        self.commits.append(commit)
        if commit.answers:
            self.answers[commit.number] = list(commit.answers)
        self.archived |= {job.job: job for job in commit.archived}
        self.spilled |= {(part.job, part.part): part for part in commit.spilled}
        self.kept |= {each.job: each for each in commit.kept}
        self.restarts |= set(commit.restarts)
        for key in commit.media_dropped:
            self.media.pop(key, None)
        self.media |= {(each.job, each.name): each for each in commit.media}

    async def read_changes(self, after_revision: int, *, bytes_max: int) -> list[StoredChanges]:
        self._check()
        if after_revision < self.dropped_revision:
            raise Compacted(self.dropped_revision)
        found: list[StoredChanges] = []
        size = 0
        for each in self.commits:
            if each.last_revision <= after_revision or each.last_revision < each.first_revision:
                continue
            size += len(each.public)
            if found and size > bytes_max:
                break
            found.append(StoredChanges(each.first_revision, each.last_revision, each.public))
        return found

    def oldest_revision(self) -> int:
        return self.dropped_revision

    async def replay(self, after_commit: int, *, rows_max: int = 500) -> AsyncIterator[Commit]:
        self._check()
        if not self.dropped_commit <= after_commit <= self.head_commit:
            raise JournalCorrupt(f"commit {after_commit} is not there")
        for each in list(self.commits):
            if each.number > after_commit:
                yield Commit(
                    each.number,
                    each.first_revision,
                    each.last_revision,
                    each.at_ms,
                    each.public,
                    each.private,
                )

    async def load_answers(self, newer_than_ms: int) -> list[Answer]:
        self._check()
        return [
            answer
            for number in sorted(self.answers)
            for answer in self.answers[number]
            if answer.at_ms > newer_than_ms
        ]

    async def drop_answers(self, older_than_ms: int, keep_max: int) -> None:
        self._check()
        kept = 0
        dropping = False
        for number in sorted(self.answers, reverse=True):
            answers = self.answers[number]
            kept += len(answers)
            newest_ms = max(answer.at_ms for answer in answers)
            dropping = dropping or newest_ms < older_than_ms or kept > keep_max
            if dropping:
                del self.answers[number]

    async def begin_snapshot(self, generation: int, first_commit: int) -> None:
        self._check()
        latest = await self.latest_snapshot()
        self._drop_snapshots(keep=latest.generation if latest else 0)
        self.snapshots[generation] = (first_commit, [])

    async def write_slice(self, generation: int, rows: list[SnapshotRow]) -> None:
        self._check()
        self.snapshots[generation][1].append(list(rows))

    async def finish_snapshot(self, generation: int) -> None:
        self._check()
        self.complete.add(generation)
        self._drop_snapshots(keep=generation)

    async def latest_snapshot(self) -> SnapshotInfo | None:
        self._check()
        if not self.complete:
            return None
        generation = max(self.complete)
        return SnapshotInfo(generation, self.snapshots[generation][0])

    async def read_snapshot(self, generation: int) -> AsyncIterator[list[SnapshotRow]]:
        self._check()
        for rows in self.snapshots.get(generation, (0, []))[1]:
            yield list(rows)

    async def compact(
        self,
        *,
        through_commit: int,
        keep_after_revision: int,
        keep_newer_than_ms: int,
        bytes_max: int,
    ) -> None:
        self._check()
        while self.commits:
            oldest, *newer = self.commits
            size = sum(len(each.public) + len(each.private) for each in newer)
            for_watches = oldest.at_ms > keep_newer_than_ms and size < bytes_max
            if (
                for_watches
                or oldest.number > through_commit
                or oldest.last_revision > keep_after_revision
            ):
                return
            self.commits = newer
            self.dropped_commit = oldest.number
            self.dropped_revision = oldest.last_revision

    async def checkpoint_wal(self, *, truncate: bool = False) -> int:
        self._check()
        return 0

    async def archived_job(self, job: int) -> ArchivedJob | None:
        self._check()
        return self.archived.get(job)

    async def spilled_history(self, job: int) -> list[SpilledHistory]:
        self._check()
        return [self.spilled[key] for key in sorted(self.spilled) if key[0] == job]

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
        self._check()
        found = [
            job
            for _, job in sorted(self.archived.items(), reverse=True)
            if job.job < before_job
            and (not lifecycles or job.lifecycle in lifecycles)
            and (not statuses or job.status in statuses)
            and (not definitions or job.definition in definitions)
            and (not queues or job.queue in queues)
            and (not robots or job.robot in robots)
            and (not jobs or job.job in jobs)
        ]
        return found[:limit]

    async def archived_count(self) -> int:
        self._check()
        return len(self.archived)

    async def expired_jobs(self, now_ms: int, limit: int) -> list[int]:
        self._check()
        found = sorted(
            (each.expire_ms, each.job)
            for each in self.kept.values()
            if not each.top and not each.count and each.expire_ms <= now_ms
        )
        return [job for _, job in found[:limit]]

    def _counted(self) -> list[KeptJob]:
        return [each for each in self.kept.values() if each.count and not each.top]

    async def next_counted(self, after: str) -> str:
        self._check()
        names = (each.definition for each in self._counted())
        return min((name for name in names if name > after), default="")

    async def counted_jobs(
        self, definition: str, *, before_ms: int, before_job: int, limit: int
    ) -> list[KeptJob]:
        self._check()
        found = [
            each
            for each in self._counted()
            if each.definition == definition and (each.ended_ms, each.job) < (before_ms, before_job)
        ]
        return sorted(found, key=lambda each: (each.ended_ms, each.job), reverse=True)[:limit]

    async def following_jobs(self, after_job: int, limit: int) -> list[KeptJob]:
        self._check()
        found = [self.kept[job] for job in sorted(self.kept) if job > after_job]
        return [each for each in found if each.top][:limit]

    async def delete_archived(self, jobs: Collection[int]) -> int:
        self._check()
        found = self.archived.keys() & set(jobs)
        for job in jobs:
            self.archived.pop(job, None)
            self.kept.pop(job, None)
        self.restarts = {each for each in self.restarts if each[1] not in jobs}
        self.spilled = {key: part for key, part in self.spilled.items() if key[0] not in jobs}
        await self.drop_media(jobs)
        return len(found)

    async def restarts_of(self, jobs: Collection[int]) -> list[tuple[int, int]]:
        self._check()
        return sorted(each for each in self.restarts if each[0] in jobs)

    async def list_media(self, jobs: Collection[int]) -> list[Medium]:
        self._check()
        return [self.media[key] for key in sorted(self.media) if key[0] in jobs]

    async def media_jobs(self, after_job: int, limit: int) -> list[int]:
        self._check()
        return sorted({job for job, _ in self.media if job > after_job})[:limit]

    async def drop_media(self, jobs: Collection[int]) -> None:
        self._check()
        self.media = {key: each for key, each in self.media.items() if key[0] not in jobs}

    async def used_digests(self, digests: Collection[str]) -> set[str]:
        self._check()
        return {each.digest for each in self.media.values()} & set(digests)

    async def backup(self, path: str | Path) -> None:
        self._check()
        failure = self._failure
        copy = self.backups[str(path)] = self.crash()
        copy._history_id = IdSource().history_id()
        self._failure = failure

    async def sizes(self) -> dict[str, int]:
        self._check()
        size = sum(len(each.public) + len(each.private) for each in self.commits)
        return {"journal_bytes": size, "wal_bytes": 0}

    async def free_bytes(self) -> int:
        self._check()
        return self.free

    async def close(self) -> None:
        self.release()
        async with self._turn:
            self._failure = self._failure or "the journal is closed"

    def _drop_snapshots(self, keep: int) -> None:
        self.snapshots = {key: value for key, value in self.snapshots.items() if key == keep}
        self.complete &= self.snapshots.keys()

    def _check(self) -> None:
        if self._failure:
            raise JournalFailed(self._failure)

    def _check_order(self, commit: Commit) -> None:
        expected = (self.head_commit + 1, self.head_revision + 1)
        given = (commit.number, commit.first_revision)
        if given != expected or commit.last_revision < commit.first_revision - 1:
            raise JournalOrderError(f"expected (commit, revision) {expected}, but got {given}")


class FailingJournal(MemoryJournal):
    """A MemoryJournal whose disk fails at one commit.

    With `keeps` that commit is there after a restart although it was reported failed, as it can
    be with a real disk; `crash` gives what the restart finds.
    """

    def __init__(self, *, fails_at: int, keeps: bool = False) -> None:
        super().__init__()
        self._fails_at = fails_at
        self._keeps = keeps

    def write(self, commit: Commit) -> None:
        if commit.number == self._fails_at:
            if self._keeps:
                super().write(commit)
            self.fail("the disk is broken")
            self._check()
        super().write(commit)
