from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from interlock_server.storage.connection import (
    APPLICATION_ID,
    MIGRATIONS,
    Connection,
    has_wal_reset_fault,
)
from interlock_server.storage.journal import JournalCorrupt


def pragma(name):
    return lambda database: database.execute(f"PRAGMA {name}").fetchone()[0]


def statement(text):
    return lambda database: database.execute(text)


@pytest.fixture
async def writer(tmp_path):
    connection = await Connection.open(tmp_path / "journal.db")
    yield connection
    await connection.close()


async def test_a_function_runs_in_one_hop_on_the_thread_of_the_connection(writer):
    """Fails if the private call of aiosqlite that this rests on is renamed."""
    first = await writer.run(lambda _: threading.get_ident())
    second = await writer.run(lambda _: threading.get_ident())

    assert first == second != threading.get_ident()


async def test_a_cancelled_caller_does_not_interrupt_the_function(writer):
    entered, leave, done = threading.Event(), threading.Event(), []

    def work(_):
        entered.set()
        leave.wait(10)
        done.append(True)

    running = asyncio.ensure_future(writer.run(work))
    await asyncio.to_thread(entered.wait, 10)
    running.cancel()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    await writer.run(lambda _: None)

    assert done == [True]


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1), ("off", 0)])
async def test_durability_is_how_much_a_commit_waits_for(tmp_path, durability, level):
    connection = await Connection.open(tmp_path / "journal.db", durability=durability)

    assert await connection.run(pragma("synchronous")) == level
    await connection.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("wal_autocheckpoint", 0),
        ("secure_delete", 0),
        ("application_id", APPLICATION_ID),
        ("user_version", len(MIGRATIONS)),
    ],
)
async def test_the_writer_has_the_settings_that_durability_rests_on(writer, name, value):
    assert await writer.run(pragma(name)) == value


async def test_a_reader_can_neither_write_nor_checkpoint(writer, tmp_path):
    await writer.run(lambda db: db.execute("UPDATE dropped SET number = 5"))
    reader = await Connection.open(tmp_path / "journal.db", read_only=True)

    assert await reader.run(pragma("query_only")) == 1
    for name in ("DELETE FROM commits", "PRAGMA wal_checkpoint(TRUNCATE)"):
        with pytest.raises(sqlite3.OperationalError):
            await reader.run(statement(name))
    await reader.close()


async def test_a_connection_can_be_closed_twice(writer):
    await writer.close()
    await writer.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database" * 1000)

    with pytest.raises(JournalCorrupt, match="expected a journal"):
        await Connection.open(path)


@pytest.mark.parametrize("setting", ["application_id = 7", "user_version = 7"])
async def test_a_database_of_another_program_is_refused(tmp_path, setting):
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA {setting}")
    database.close()

    with pytest.raises(JournalCorrupt, match="another program"):
        await Connection.open(path)


async def test_a_journal_of_a_newer_release_is_refused(writer, tmp_path):
    await writer.run(lambda db: db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}"))

    with pytest.raises(JournalCorrupt, match="newer one"):
        await Connection.open(tmp_path / "journal.db")


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 9), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_releases_of_sqlite_that_lose_commits_are_known(version, faulty):
    assert has_wal_reset_fault(version) == faulty
