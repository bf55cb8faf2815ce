"""What every journal promises; runs over SQLite and over the one in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from interlock_server.storage.journal import (
    Answer,
    ArchivedJob,
    Commit,
    Compacted,
    JournalCorrupt,
    JournalFailed,
    JournalOrderError,
    SnapshotInfo,
    SnapshotRow,
    SpilledHistory,
    SqliteJournal,
    StoredChanges,
)
from tests.support.memory_journal import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlock_server.storage.journal import JournalPort

NOTHING_KEPT = {"keep_after_revision": 10**9, "keep_newer_than_ms": 10**9, "bytes_max": 0}


class Journals:
    """Opens a journal, and opens it again."""

    def __init__(self, kind, path):
        self._kind = kind
        self._path = path
        self.journal: JournalPort | None = None

    async def open(self) -> JournalPort:
        journal: JournalPort
        if self._kind == "memory":
            before = self.journal
            journal = before.crash() if isinstance(before, MemoryJournal) else MemoryJournal()
        else:
            if self.journal:
                await self.journal.close()
            journal = await SqliteJournal.open(self._path, durability="off")
        self.journal = journal
        return journal

    async def restore(self) -> JournalPort:
        """Back the journal up and open the copy in its place."""
        assert self.journal
        copy = self._path.with_name("copy.db")
        await self.journal.backup(copy)
        if isinstance(self.journal, MemoryJournal):
            self.journal = self.journal.backups[str(copy)]
            return self.journal
        self._path = copy
        return await self.open()


@pytest.fixture(params=["sqlite", "memory"])
async def journals(request, tmp_path) -> AsyncIterator[Journals]:
    journals = Journals(request.param, tmp_path / "journal.db")
    yield journals
    if journals.journal:
        await journals.journal.close()


@pytest.fixture
async def journal(journals: Journals) -> JournalPort:
    return await journals.open()


def commit_after(journal, changes=2, *, at_ms=0, public=b"", **rest) -> Commit:
    first = journal.head_revision + 1
    number = journal.head_commit + 1
    public = public or f"public {number}".encode()
    return Commit(number, first, first + changes - 1, at_ms, public, b"private", **rest)


async def fill(journal, *changes, **rest) -> list[Commit]:
    commits = []
    for count in changes:
        commits.append(commit_after(journal, count, **rest))
        await journal.append(commits[-1])
    return commits


async def replayed(journal, after_commit=0, **rest) -> list[Commit]:
    return [commit async for commit in journal.replay(after_commit, **rest)]


def archived_job(job, **fields) -> ArchivedJob:
    values = {
        "lifecycle": 2,
        "status": 32,
        "definition": "payroll",
        "queue": "main",
        "robot": "r1",
        "created_ms": 1,
        "ended_ms": 2,
        "record": b"record",
        "history": b"history",
    }
    return ArchivedJob(job=job, **{**values, **fields})


async def test_a_new_journal_is_empty(journal):
    assert (journal.head_commit, journal.head_revision) == (0, 0)
    assert journal.oldest_revision() == 0
    assert await replayed(journal) == []
    assert await journal.read_changes(0, bytes_max=100) == []


async def test_what_was_appended_is_replayed_after_reopening(journals, journal):
    commits = await fill(journal, 2, 0, 3)

    journal = await journals.open()

    assert (journal.head_commit, journal.head_revision) == (3, 5)
    assert await replayed(journal) == commits


async def test_replay_begins_after_the_commit_asked_for(journal):
    commits = await fill(journal, 1, 2, 3)

    assert await replayed(journal, 1, rows_max=1) == commits[1:]
    assert await replayed(journal, 3) == []


async def test_replay_after_a_commit_that_is_not_there_is_corruption(journal):
    await fill(journal, 1, 2)

    with pytest.raises(JournalCorrupt, match="commit 3"):
        await replayed(journal, 3)


@pytest.mark.parametrize(
    ("number", "first", "last"), [(1, 3, 3), (3, 3, 3), (2, 2, 2), (2, 4, 4), (2, 3, 1)]
)
async def test_a_commit_that_does_not_follow_is_refused_and_the_journal_goes_on(
    journal, number, first, last
):
    await fill(journal, 2)

    with pytest.raises(JournalOrderError):
        await journal.append(Commit(number, first, last, 0, b"", b""))

    assert journal.head_commit == 1
    await journal.append(Commit(2, 3, 3, 0, b"", b""))


async def test_a_cancelled_append_is_written_all_the_same(journals, journal):
    appending = asyncio.ensure_future(journal.append(commit_after(journal)))
    await asyncio.sleep(0)
    appending.cancel()
    await asyncio.gather(appending, return_exceptions=True)
    # Queued behind it.
    await journal.append(Commit(2, 3, 3, 0, b"", b""))

    journal = await journals.open()

    assert [commit.number for commit in await replayed(journal)] == [1, 2]


async def test_a_closed_journal_can_be_closed_again(journals, journal):
    await journal.close()
    await journal.close()


async def test_changes_are_read_from_the_next_commit_on(journal):
    await fill(journal, 2, 3, 1)

    found = await journal.read_changes(2, bytes_max=1000)

    assert found == [StoredChanges(3, 5, b"public 2"), StoredChanges(6, 6, b"public 3")]


async def test_changes_after_a_revision_within_a_commit_come_with_the_whole_commit(journal):
    await fill(journal, 2, 3, 1)

    found = await journal.read_changes(4, bytes_max=1000)

    assert [each.first_revision for each in found] == [3, 6]


async def test_commits_without_changes_are_not_among_the_changes(journal):
    await fill(journal, 0, 2, 0, 0, 1, 0)

    assert [each.last_revision for each in await journal.read_changes(0, bytes_max=99)] == [2, 3]
    assert [each.last_revision for each in await journal.read_changes(2, bytes_max=99)] == [3]
    assert await journal.read_changes(3, bytes_max=99) == []


@pytest.mark.parametrize(("bytes_max", "commits"), [(0, 1), (8, 1), (16, 2), (23, 2), (24, 3)])
async def test_changes_are_bounded_by_bytes_but_there_is_always_one(journal, bytes_max, commits):
    await fill(journal, 1, 1, 1)

    assert len(await journal.read_changes(0, bytes_max=bytes_max)) == commits


async def test_answers_are_there_after_reopening(journals, journal):
    answers = [Answer(f"request {n}", n, b"digest", "Hold", b"body") for n in range(1, 4)]
    await fill(journal, 1, answers=answers[:2])
    await fill(journal, 0, answers=answers[2:])

    journal = await journals.open()

    assert await journal.load_answers(0) == answers
    assert await journal.load_answers(1) == answers[1:]
    assert await journal.load_answers(3) == []


async def test_old_answers_are_dropped(journal):
    for at_ms in (10, 20, 30):
        await fill(journal, 1, answers=[Answer(f"{at_ms}", at_ms, b"", "", b"")])

    await journal.drop_answers(20, keep_max=100)

    assert [answer.request_id for answer in await journal.load_answers(0)] == ["20", "30"]


async def test_the_oldest_answers_beyond_the_bound_are_dropped(journal):
    for at_ms in (10, 20, 30):
        await fill(journal, 1, answers=[Answer(f"{at_ms}", at_ms, b"", "", b"")] * 2)

    await journal.drop_answers(0, keep_max=4)

    assert [answer.request_id for answer in await journal.load_answers(0)] == ["20"] * 2 + [
        "30"
    ] * 2


async def test_a_finished_snapshot_is_read_back_in_order(journals, journal):
    await fill(journal, 1)
    slices = [
        [SnapshotRow(1, "a", 1, b"x"), SnapshotRow(2, "b", 1, b"y")],
        [],
        [SnapshotRow(1, "c", 1, b"z")],
    ]

    await journal.begin_snapshot(1, 1)
    for rows in slices:
        await journal.write_slice(1, rows)
    await journal.finish_snapshot(1)
    journal = await journals.open()

    assert await journal.latest_snapshot() == SnapshotInfo(1, 1)
    assert [rows async for rows in journal.read_snapshot(1)] == slices


async def test_an_unfinished_snapshot_does_not_count(journals, journal):
    await journal.begin_snapshot(1, 0)
    await journal.write_slice(1, [SnapshotRow(1, "a", 0, b"kept")])
    await journal.finish_snapshot(1)

    await journal.begin_snapshot(2, 0)
    await journal.write_slice(2, [SnapshotRow(1, "a", 0, b"lost")])
    journal = await journals.open()

    assert await journal.latest_snapshot() == SnapshotInfo(1, 0)
    assert [rows async for rows in journal.read_snapshot(1)] == [[SnapshotRow(1, "a", 0, b"kept")]]


async def test_a_generation_can_be_begun_again_after_it_was_left_unfinished(journals, journal):
    await journal.begin_snapshot(1, 0)
    await journal.write_slice(1, [SnapshotRow(1, "a", 0, b"lost")])
    journal = await journals.open()

    await journal.begin_snapshot(1, 0)
    await journal.write_slice(1, [SnapshotRow(1, "b", 0, b"kept")])
    await journal.finish_snapshot(1)

    assert [rows async for rows in journal.read_snapshot(1)] == [[SnapshotRow(1, "b", 0, b"kept")]]


async def test_a_finished_snapshot_replaces_the_one_before(journal):
    for generation in (1, 2):
        await journal.begin_snapshot(generation, generation - 1)
        for part in range(20):
            await journal.write_slice(generation, [SnapshotRow(1, f"{part}", 0, b"")])
        await journal.finish_snapshot(generation)

    assert await journal.latest_snapshot() == SnapshotInfo(2, 1)
    assert [rows async for rows in journal.read_snapshot(1)] == []
    assert len([rows async for rows in journal.read_snapshot(2)]) == 20


async def test_commits_that_a_snapshot_covers_are_dropped(journals, journal):
    commits = await fill(journal, 2, 0, 3, 1)

    await journal.compact(through_commit=3, **NOTHING_KEPT)

    assert journal.oldest_revision() == 5
    journal = await journals.open()
    assert journal.oldest_revision() == 5
    assert await replayed(journal, 3) == commits[3:]


async def test_a_dropped_revision_cannot_be_read_but_the_oldest_can(journal):
    await fill(journal, 2, 2, 2)
    await journal.compact(through_commit=2, **NOTHING_KEPT)

    assert [each.first_revision for each in await journal.read_changes(4, bytes_max=9)] == [5]
    with pytest.raises(Compacted) as refused:
        await journal.read_changes(3, bytes_max=9)
    assert refused.value.oldest_revision == 4


async def test_replay_from_before_the_oldest_commit_is_corruption(journal):
    await fill(journal, 2, 2, 2)
    await journal.compact(through_commit=2, **NOTHING_KEPT)

    with pytest.raises(JournalCorrupt):
        await replayed(journal, 1)


async def test_a_journal_whose_every_commit_was_dropped_goes_on_where_it_was(journals, journal):
    await fill(journal, 2, 2)
    await journal.compact(through_commit=2, **NOTHING_KEPT)

    journal = await journals.open()
    await fill(journal, 1)

    assert (journal.head_commit, journal.head_revision) == (3, 5)
    assert [commit.number for commit in await replayed(journal, 2)] == [3]


@pytest.mark.parametrize(
    ("kept", "oldest"),
    [
        ({}, 4),
        ({"keep_after_revision": 2}, 2),
        ({"keep_after_revision": 0}, 0),
        ({"keep_newer_than_ms": 20, "bytes_max": 10**9}, 2),
        ({"keep_newer_than_ms": 0, "bytes_max": 10**9}, 0),
        # Newest and the one before are 15 bytes each.
        ({"keep_newer_than_ms": 0, "bytes_max": 31}, 1),
        ({"keep_newer_than_ms": 0, "bytes_max": 30}, 2),
        ({"keep_newer_than_ms": 0, "bytes_max": 1}, 3),
        ({"keep_newer_than_ms": 10**9, "bytes_max": 10**9}, 4),
    ],
)
async def test_what_watches_may_need_is_kept(journal, kept, oldest):
    for at_ms in (10, 20, 30, 40):
        await fill(journal, 1, at_ms=at_ms)

    await journal.compact(through_commit=4, **{**NOTHING_KEPT, **kept})

    assert journal.oldest_revision() == oldest


async def test_many_commits_are_dropped_in_slices_while_others_are_appended(journal):
    await fill(journal, *([1] * 450))

    compacting = asyncio.ensure_future(journal.compact(through_commit=440, **NOTHING_KEPT))
    await fill(journal, 1)
    await compacting

    assert journal.oldest_revision() == 440
    assert len(await replayed(journal, 440)) == 11


async def test_an_archived_job_is_found_again(journals, journal):
    job = archived_job(7)
    await fill(journal, 1, archived=[job])

    journal = await journals.open()

    assert await journal.archived_job(7) == job
    assert await journal.archived_job(8) is None
    assert await journal.archived_count() == 1


async def test_archiving_a_job_again_replaces_it(journal):
    await fill(journal, 1, archived=[archived_job(7)])
    await fill(journal, 1, archived=[archived_job(7, status=33)])

    assert await journal.archived_count() == 1
    assert [job.status for job in await journal.list_archived(before_job=99, limit=9)] == [33]


async def test_archived_jobs_are_listed_page_by_page_from_the_highest_id(journal):
    await fill(journal, 1, archived=[archived_job(job) for job in range(1, 8)])

    pages = []
    before_job = 100
    while page := await journal.list_archived(before_job=before_job, limit=3):
        pages.append([job.job for job in page])
        before_job = page[-1].job

    assert pages == [[7, 6, 5], [4, 3, 2], [1]]


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"lifecycles": [1]}, [6, 3]),
        ({"statuses": [33]}, [4]),
        ({"statuses": {33, 7}}, [6, 4, 3]),
        ({"definitions": ["backup"]}, [5, 4]),
        ({"definitions": ("backup", "payroll")}, [6, 5, 4, 3, 2, 1]),
        ({"definitions": ["backup"], "statuses": [32]}, [5]),
        ({"definitions": ["nothing"]}, []),
        ({"queues": ["night"]}, [2]),
        ({"robots": ["r2"], "statuses": [7]}, [6]),
        ({"jobs": [1, 5, 77]}, [5, 1]),
        ({"jobs": [1, 5], "definitions": ["backup"], "statuses": [32]}, [5]),
        ({"definitions": ["x'; --"]}, []),
    ],
)
async def test_archived_jobs_are_found_by_what_they_were(journal, query, jobs):
    archive = [
        archived_job(1),
        archived_job(2, queue="night"),
        archived_job(3, lifecycle=1, status=7),
        archived_job(4, status=33, definition="backup"),
        archived_job(5, definition="backup"),
        archived_job(6, lifecycle=1, status=7, robot="r2"),
    ]
    await fill(journal, 1, archived=archive)

    found = await journal.list_archived(before_job=100, limit=10, **query)
    some = await journal.list_archived(before_job=5, limit=1, **query)

    assert [job.job for job in found] == jobs
    assert [job.job for job in some] == [job for job in jobs if job < 5][:1]


async def test_older_history_of_a_job_comes_oldest_part_first(journal):
    parts = [SpilledHistory(7, part, f"{part}".encode()) for part in (1, 2)]
    await fill(journal, 1, spilled=[parts[1], SpilledHistory(8, 1, b"other")])
    await fill(journal, 1, spilled=[parts[0]])

    assert await journal.spilled_history(7) == parts
    assert await journal.spilled_history(9) == []


async def test_a_journal_keeps_its_history_over_restarts(journals, journal):
    await fill(journal, 1)
    before = journal.history_id

    journal = await journals.open()

    assert journal.history_id == before
    assert len(bytes.fromhex(before)) == 16


async def test_a_restored_backup_has_the_commits_and_another_history(journals, journal):
    commits = await fill(journal, 1, 2)
    before = journal.history_id

    restored = await journals.restore()

    after = restored.history_id
    assert await replayed(restored) == commits
    assert len({before, after}) == 2
    assert (await journals.open()).history_id == after


async def test_sizes_and_free_room_are_known(journal):
    await fill(journal, 1)

    assert set(await journal.sizes()) == {"journal_bytes", "wal_bytes"}
    assert await journal.free_bytes() > 0
    assert await journal.checkpoint_wal() == 0
    assert await journal.checkpoint_wal(truncate=True) == 0


async def test_after_a_failed_commit_every_call_is_refused(journal, armed_failpoints):
    async def read_all():
        return [rows async for rows in journal.read_snapshot(1)]

    if isinstance(journal, MemoryJournal):
        journal.fail("the disk is broken")
    armed_failpoints("journal.before_commit=raise")
    with pytest.raises(JournalFailed):
        await journal.append(commit_after(journal))

    for call in (
        lambda: journal.append(Commit(1, 1, 1, 0, b"", b"")),
        lambda: journal.read_changes(0, bytes_max=1),
        lambda: replayed(journal),
        lambda: journal.load_answers(0),
        lambda: journal.drop_answers(0, 1),
        lambda: journal.begin_snapshot(1, 0),
        lambda: journal.write_slice(1, []),
        lambda: journal.finish_snapshot(1),
        journal.latest_snapshot,
        read_all,
        lambda: journal.compact(through_commit=1, **NOTHING_KEPT),
        journal.checkpoint_wal,
        lambda: journal.archived_job(1),
        lambda: journal.spilled_history(1),
        lambda: journal.list_archived(before_job=1, limit=1),
        journal.archived_count,
        lambda: journal.backup("copy"),
        journal.sizes,
        journal.free_bytes,
    ):
        with pytest.raises(JournalFailed):
            await call()
