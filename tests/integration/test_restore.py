"""A backup that is restored: clean, and never taken for the history that went on without it."""

from __future__ import annotations

import shutil
from typing import NamedTuple

import pytest

from interlock import Definition, HistoryChanged, Interlock, connect
from tests.support.own_process import ServerProcess


class Place(NamedTuple):
    """Where a watcher has come to, to go on from there."""

    from_revision: int
    history_id: str = ""


async def watched(interlock: Interlock, count: int, place: Place) -> tuple[list[int], Place]:
    """Return the revisions of so many changes, and the place after them."""
    async with interlock.watch(**place._asdict()) as watch:
        revisions = [(await anext(watch)).revision for _ in range(count)]
        return revisions, Place(watch.revision, watch.history_id)


@pytest.fixture
def server(tmp_path):
    with ServerProcess(tmp_path) as server:
        yield server


@pytest.fixture
def restore(server, tmp_path):
    """Put a backup in place as an operator does."""

    def restore(copy: str) -> None:
        server.stop()
        journal = tmp_path / "data" / "partitions" / "default" / "journal.db"
        assert journal.exists()
        shutil.copy(copy, journal)
        for log in ("journal.db-wal", "journal.db-shm"):
            (journal.parent / log).unlink(missing_ok=True)
        server.start()

    return restore


async def test_a_watcher_is_told_that_a_backup_was_restored(server, restore):
    async with connect(server.address) as interlock:
        await interlock.put_definitions([Definition("report", "redwood")])
        await interlock.submit("report")
        backup = await interlock.backup("night")
        await interlock.submit("report")
        before = await interlock.server_status()
        _, place = await watched(interlock, before.revision, Place(0))

    restore(backup.path)

    async with connect(server.address) as interlock:
        restored = await interlock.server_status()
        steps = [step async for step in interlock.verify()]
        # Other changes under the numbers that the watcher has seen, and then more.
        for _ in range(3):
            await interlock.submit("report")
        with pytest.raises(HistoryChanged) as changed:
            await watched(interlock, 1, place)
        without_id, _ = await watched(interlock, 1, Place(place.from_revision))
        async with interlock.watch(snapshot=True) as watch:
            jobs = await watch.snapshot()
            again = Place(watch.revision, watch.history_id)
        await interlock.submit("report")
        after, _ = await watched(interlock, 1, again)

    assert place == Place(before.revision, before.history_id)
    assert restored.revision == backup.revision < before.revision
    assert (steps[-1].done, [problem for step in steps for problem in step.problems]) == (True, [])
    assert restored.history_id != before.history_id
    assert changed.value.history_id == restored.history_id == again.history_id
    assert without_id == [before.revision + 1]
    assert len(jobs) == 4
    assert after == [again.from_revision + 1]


async def test_a_watch_that_is_open_over_a_restore_ends(server, restore):
    async with connect(server.address) as interlock:
        await interlock.put_definitions([Definition("report", "redwood")])
        backup = await interlock.backup("night")
        async with interlock.watch() as watch:
            await watch.start()
            restore(backup.path)
            await interlock.submit("report")
            with pytest.raises(HistoryChanged):
                await anext(watch)


async def test_each_restore_of_one_backup_is_a_history_of_its_own(server, restore):
    async with connect(server.address) as interlock:
        histories = {(await interlock.server_status()).history_id}
        backup = await interlock.backup("night")
        for _ in range(2):
            restore(backup.path)
            histories.add((await interlock.server_status()).history_id)
        server.restart(kill=True)
        last = (await interlock.server_status()).history_id

    assert len(histories) == 3
    assert last in histories
