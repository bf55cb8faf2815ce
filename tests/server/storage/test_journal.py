"""What only a journal on a disk can show: crashes, broken disks, flipped bits, copies."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from interlock_server.failpoints import ENVIRONMENT
from interlock_server.storage import commits
from interlock_server.storage.connection import APPLICATION_ID
from interlock_server.storage.journal import (
    Answer,
    ArchivedJob,
    Commit,
    JournalCorrupt,
    JournalFailed,
    SnapshotInfo,
    SnapshotRow,
    SpilledHistory,
    SqliteJournal,
)
from interlock_server.storage.queries import read_sql

EVERYTHING = {"keep_after_revision": 10**9, "keep_newer_than_ms": 10**9, "bytes_max": 0}

#: Appends commits with everything a commit can hold and says which were acknowledged.
WRITE_UNTIL_KILLED = """
import asyncio, sys
from interlock_server.storage.journal import *

async def main():
    journal = await SqliteJournal.open(sys.argv[1])
    for number in range(1, 20):
        await journal.append(Commit(
            number, 2 * number - 1, 2 * number, 0, b"public" * 2000, b"private",
            [Answer(f"request {number}", 1, b"", "", b"")],
            [ArchivedJob(number, 1, 7, "d", "q", "r", 0, 0, b"record", b"history")],
            [SpilledHistory(number, 1, b"entries")],
        ))
        print(number, flush=True)
        if number == 8:
            await journal.begin_snapshot(1, 8)
            await journal.write_slice(1, [SnapshotRow(1, "a", 8, b"")])
            await journal.finish_snapshot(1)
            await journal.compact(through_commit=8, keep_after_revision=99,
                                  keep_newer_than_ms=99, bytes_max=0)

asyncio.run(main())
"""


@pytest.fixture
async def journal(tmp_path):
    journal = await SqliteJournal.open(tmp_path / "journal.db", durability="off")
    yield journal
    await journal.close()


async def fill(journal, count, **rest):
    for number in range(journal.head_commit + 1, journal.head_commit + 1 + count):
        await journal.append(
            Commit(number, number, number, number, b"public" * 50, b"private" * 50, **rest)
        )


async def replayed(path, after_commit=0):
    journal = await SqliteJournal.open(path, durability="off")
    try:
        return [commit async for commit in journal.replay(after_commit)]
    finally:
        await journal.close()


def change(path, statement, *values):
    database = sqlite3.connect(path)
    with database:
        database.execute(statement, values)
    database.close()


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("journal.before_begin=kill:after=5", 5),
        ("journal.mid_insert=kill:after=5", 5),
        ("journal.before_commit=kill:after=5", 5),
        ("journal.after_commit=kill:after=5", 6),
        ("snapshot.before_finish=kill", 8),
        ("compact.before_delete=kill", 8),
    ],
)
async def test_a_killed_process_keeps_whole_commits_and_every_acknowledged_one(
    tmp_path, place, kept
):
    path = tmp_path / "journal.db"

    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", WRITE_UNTIL_KILLED, path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, ENVIRONMENT: place},
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    journal = await SqliteJournal.open(path)
    assert journal.head_commit == kept >= int(killed.stdout.split()[-1])
    assert [each.number async for each in journal.replay(0)] == list(range(1, kept + 1))
    assert len(await journal.load_answers(0)) == kept
    assert await journal.archived_count() == kept
    assert await journal.spilled_history(kept) == [SpilledHistory(kept, 1, b"entries")]
    assert await journal.spilled_history(kept + 1) == []
    snapshot = SnapshotInfo(1, 8) if place.startswith("compact") else None
    assert await journal.latest_snapshot() == snapshot
    await journal.close()


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("journal.before_begin", 2),
        ("journal.mid_insert", 2),
        ("journal.before_commit", 2),
        ("journal.after_commit", 3),
    ],
)
async def test_a_disk_error_stops_the_journal_until_it_is_opened_again(
    journal, tmp_path, armed_failpoints, place, kept
):
    await fill(journal, 2)
    armed_failpoints(f"{place}=raise:once")

    with pytest.raises(JournalFailed, match="whether it is on disk is unknown"):
        await fill(journal, 1)
    with pytest.raises(JournalFailed):
        await fill(journal, 1)

    await journal.close()
    assert len(await replayed(tmp_path / "journal.db")) == kept


async def test_a_failed_append_also_fails_those_queued_behind_it(journal, armed_failpoints):
    armed_failpoints("journal.before_commit=raise:once")

    outcomes = await asyncio.gather(
        journal.append(Commit(1, 1, 1, 0, b"", b"")),
        journal.append(Commit(2, 2, 2, 0, b"", b"")),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [JournalFailed, JournalFailed]


async def test_a_missing_commit_is_named(journal, tmp_path):
    await fill(journal, 5)
    await journal.close()
    change(tmp_path / "journal.db", "DELETE FROM commits WHERE number = 3")

    with pytest.raises(JournalCorrupt, match="commit 3 "):
        await replayed(tmp_path / "journal.db")


@pytest.mark.parametrize("column", ["public", "private", "at_ms", "first_revision", "crc"])
async def test_a_changed_commit_is_named(journal, tmp_path, column):
    await fill(journal, 5)
    await journal.close()
    value = b"public!" if column in {"public", "private"} else 77
    change(tmp_path / "journal.db", f"UPDATE commits SET {column} = ? WHERE number = 3", value)

    with pytest.raises(JournalCorrupt, match="commit 3 "):
        await replayed(tmp_path / "journal.db")


async def test_a_missing_commit_is_found_by_who_reads_changes(journal, tmp_path):
    await fill(journal, 5)
    change(tmp_path / "journal.db", "DELETE FROM commits WHERE number = 3")

    with pytest.raises(JournalCorrupt, match="commit 3 "):
        await journal.read_changes(2, bytes_max=10_000)


async def test_a_flipped_bit_never_changes_what_is_replayed(journal, tmp_path):
    path = tmp_path / "journal.db"
    await fill(journal, 60)
    await journal.close()
    sound = path.read_bytes()
    truth = await replayed(path)
    chance = random.Random(20)

    for _ in range(60):
        damaged = bytearray(sound)
        damaged[chance.randrange(len(sound))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            found = await replayed(path)
        except (JournalCorrupt, JournalFailed):
            continue
        assert found == truth


async def test_a_damaged_slice_of_a_snapshot_is_named(journal, tmp_path):
    await journal.begin_snapshot(1, 0)
    await journal.write_slice(1, [SnapshotRow(1, "a", 0, b"payload")])
    await journal.finish_snapshot(1)
    change(tmp_path / "journal.db", "UPDATE snapshot_slices SET slice_rows = x'00'")

    with pytest.raises(JournalCorrupt, match="slice 1 of snapshot 1"):
        [rows async for rows in journal.read_snapshot(1)]


@pytest.mark.parametrize("column", ["record", "history"])
async def test_a_damaged_archived_job_is_named(journal, tmp_path, column):
    job = ArchivedJob(7, 1, 7, "d", "q", "r", 0, 0, b"record", b"history")
    await fill(journal, 1, archived=[job], spilled=[SpilledHistory(7, 1, b"entries")])
    change(tmp_path / "journal.db", f"UPDATE archived SET {column} = x'00'")
    change(tmp_path / "journal.db", "UPDATE spilled SET entries = x'00'")

    with pytest.raises(JournalCorrupt, match="archived job 7"):
        await journal.archived_job(7)
    with pytest.raises(JournalCorrupt, match="part 1 of job 7"):
        await journal.spilled_history(7)


async def test_damaged_answers_are_found(journal, tmp_path):
    await fill(journal, 1, answers=[Answer("a", 1, b"", "", b"")])
    change(tmp_path / "journal.db", "UPDATE answers SET answers = x'00'")

    with pytest.raises(JournalCorrupt, match="answers"):
        await journal.load_answers(0)


async def test_a_backup_is_complete_although_commits_go_on(journal, tmp_path):
    await fill(journal, 300)

    copying = asyncio.ensure_future(journal.backup(tmp_path / "backups" / "copy.db"))
    while not copying.done():
        await fill(journal, 1)
    await copying

    found = [commit.number for commit in await replayed(tmp_path / "backups" / "copy.db")]
    assert found == list(range(1, len(found) + 1))
    assert 300 <= len(found) <= journal.head_commit
    assert [path.name for path in (tmp_path / "backups").glob("*.unfinished")] == []


async def test_every_time_that_a_backup_is_restored_another_history_begins(journal, tmp_path):
    await fill(journal, 3)
    copy = tmp_path / "backups" / "copy.db"
    await journal.backup(copy)
    histories = {journal.history_id}

    for place in ("first.db", "second.db"):
        shutil.copy(copy, tmp_path / place)
        restored = await SqliteJournal.open(tmp_path / place, durability="off")
        histories.add(restored.history_id)
        await restored.close()

    assert len(histories) == 3
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]


async def test_a_journal_made_before_there_were_histories_gets_one(tmp_path):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as database:
        database.executescript(read_sql("schema.sql"))
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
    database.close()

    journal = await SqliteJournal.open(path)
    await journal.close()
    again = await SqliteJournal.open(path)
    await again.close()

    assert journal.history_id == again.history_id != ""


async def test_the_log_is_cut_when_it_was_moved(journal):
    await fill(journal, 50)
    before = await journal.sizes()

    assert await journal.checkpoint_wal(truncate=True) == 0

    after = await journal.sizes()
    assert before["wal_bytes"] > 0 == after["wal_bytes"]
    assert after["journal_bytes"] > before["journal_bytes"]


async def test_a_checkpoint_does_not_wait_for_a_reader(journal, tmp_path):
    await fill(journal, 5)
    reader = sqlite3.connect(tmp_path / "journal.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM commits").fetchone()
    await fill(journal, 5)

    waiting = await journal.checkpoint_wal(truncate=True)

    assert waiting > 0
    reader.close()


async def test_large_commits_are_dropped_a_few_at_a_time(journal, monkeypatch):
    monkeypatch.setattr(commits, "DROPPED_BYTES_MAX", 1000)
    await fill(journal, 20)
    slices: list[commits.Position | None] = []
    monkeypatch.setattr(commits, "drop_slice", noting(commits.drop_slice, slices))

    await journal.compact(through_commit=15, **EVERYTHING)

    assert [each.number for each in slices if each] == list(range(1, 16))


def noting(function, results):
    def noted(*arguments):
        results.append(function(*arguments))
        return results[-1]

    return noted
