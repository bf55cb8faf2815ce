"""Snapshots between commits, and what may be dropped after one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from interlock_server import checkpoint
from interlock_server.core import command as c
from interlock_server.core import invariants
from interlock_server.core.command import ReportKind, Verb
from interlock_server.engine import Once
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.port import Compacted, JournalFailed
from interlock_server.storage.recovery import ROW_HEAD, ROW_JOBS, recover
from tests.support.core_driver import REDWOOD
from tests.support.live_partition import LivePartition
from tests.support.memory_journal import MemoryJournal
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SUBMIT = c.SubmitJobs((c.NewJob(REDWOOD),))


@pytest.fixture(params=["memory", "sqlite"])
async def live(request, tmp_path) -> AsyncIterator[LivePartition]:
    journal: Any = MemoryJournal()
    if request.param == "sqlite":
        journal = await SqliteJournal.open(tmp_path / "p.db", durability="off")
    partition = await LivePartition.start(journal)
    await partition.define_both()
    yield partition
    await partition.check_recovery()
    await partition.close()


async def recovered(live: LivePartition) -> str:
    """The digest of what a restart would find."""
    await live.settle()
    found = await recover(live.journal)
    invariants.check(found)
    return digest(found)


async def test_a_snapshot_and_the_commits_after_it_give_the_same_world(live: LivePartition):
    robot = await live.connect()
    jobs = [await live.submit() for _ in range(5)]
    await robot.report(ReportKind.STARTED, *jobs[:3])
    await live.partition.checkpoint.snapshot()
    assert await recovered(live) == digest(live.partition.world)

    await robot.report(ReportKind.COMPLETED, *jobs[:2])
    await live.submit(hold=True)

    assert await recovered(live) == digest(live.partition.world)
    latest = await live.journal.latest_snapshot()
    assert latest is not None
    assert latest.first_commit < live.journal.head_commit


async def test_changes_between_the_slices_of_a_snapshot_are_not_lost_nor_made_twice(
    live: LivePartition, monkeypatch
):
    monkeypatch.setattr(checkpoint, "SLICE_BYTES", 400)
    robot = await live.connect()
    jobs = [await live.submit() for _ in range(8)]
    await robot.report(ReportKind.STARTED, *jobs)

    snapshot = asyncio.ensure_future(live.partition.checkpoint.snapshot())
    for job in jobs[::2]:
        await robot.report(ReportKind.WAITING, job)
        await robot.report(ReportKind.NOTED, job, question=c.Question("?", reply_required=True))
    await robot.report(ReportKind.COMPLETED, jobs[-1])
    await live.submit()
    await snapshot

    assert await recovered(live) == digest(live.partition.world)


async def test_a_job_that_leaves_memory_during_a_snapshot_is_not_missed(monkeypatch):
    monkeypatch.setattr(checkpoint, "SLICE_BYTES", 1)
    live = await LivePartition.start()
    await live.define_both()
    jobs = [await live.submit() for _ in range(4)]
    write_slice = live.journal.write_slice

    async def write(generation, rows) -> None:
        await write_slice(generation, rows)
        for job in jobs[2:]:
            live.partition.engine.submit(c.ChangeJobs(Verb.CANCEL, (job,)))
        await live.settle()

    live.journal.write_slice = write
    await live.partition.checkpoint.snapshot()

    assert await recovered(live) == digest(live.partition.world)
    head, *slices = live.journal.snapshots[1][1]
    assert [row.kind for row in head] == [ROW_HEAD]
    copied = [codec.decode_jobs(row.payload) for rows in slices for row in rows]
    assert [[job.id for job in jobs] for jobs in copied] == [[1], [2]]
    await live.close()


async def test_a_snapshot_counts_only_when_what_it_shows_is_durable():
    live = await LivePartition.start()
    await live.define_both()
    live.journal.hold()
    submit = live.partition.engine.submit(SUBMIT)
    snapshot = asyncio.ensure_future(live.partition.checkpoint.snapshot())
    for _ in range(20):
        await asyncio.sleep(0)

    assert await live.journal.latest_snapshot() is None
    live.journal.release()
    await submit
    await snapshot
    assert await live.journal.latest_snapshot() is not None
    await live.close()


async def test_a_crash_in_the_middle_of_a_snapshot_leaves_the_older_one(monkeypatch):
    live = await LivePartition.start()
    await live.define_both()
    await live.submit()
    await live.partition.checkpoint.snapshot()
    await live.submit()

    async def broken(_generation: int) -> None:
        raise JournalFailed("power loss")

    monkeypatch.setattr(live.journal, "finish_snapshot", broken)
    with pytest.raises(JournalFailed):
        await live.partition.checkpoint.snapshot()
    before = digest(live.partition.world)
    await live.kill()

    assert digest(live.partition.world) == before
    await live.partition.checkpoint.snapshot()
    latest = await live.journal.latest_snapshot()
    assert latest is not None
    assert latest.generation == 2
    await live.close()


async def test_compaction_drops_what_the_snapshot_covers_and_watches_are_told(
    live: LivePartition,
):
    for _ in range(3):
        await live.submit()
    head = live.journal.head_revision

    oldest = await live.partition.compact(0)

    assert oldest == head
    with pytest.raises(Compacted):
        await live.journal.read_changes(head - 1, bytes_max=1 << 20)
    assert await recovered(live) == digest(live.partition.world)
    await live.kill()
    assert await live.path(3) == "New Scheduled Queued"


async def test_compaction_keeps_as_many_revisions_as_asked_for(live: LivePartition):
    for _ in range(5):
        await live.submit()
    head = live.journal.head_revision

    oldest = await live.partition.compact(4)

    assert head - 6 <= oldest <= head - 4


async def test_compaction_by_itself_keeps_what_watches_may_still_ask_for(live: LivePartition):
    await live.submit()
    await live.partition.checkpoint.snapshot()
    await live.partition.checkpoint.compact()
    assert live.journal.oldest_revision() == 0

    live.clock.advance(s=25 * 3600)
    await live.partition.checkpoint.compact()
    assert live.journal.oldest_revision() == live.journal.head_revision


async def test_old_answers_are_forgotten_in_memory_and_on_disk(live: LivePartition):
    async def ask(request_id: str) -> Any:
        return await live.do(SUBMIT, once=Once(request_id, b"d", lambda _: b"answer"))

    await ask("old")
    live.clock.advance(s=23 * 3600)
    await ask("new")
    live.clock.advance(s=2 * 3600)

    await live.partition.checkpoint.drop_answers()
    assert list(live.partition.engine.answers) == ["new"]
    await live.kill()
    assert list(live.partition.engine.answers) == ["new"]


async def test_a_tail_that_has_grown_is_put_into_a_snapshot(tmp_path):
    live = await LivePartition.start(snapshot_every_commits=5)
    await live.define_both()

    for _ in range(6):
        await live.submit()

    await until(lambda: live.journal.complete)
    await live.settle()
    assert await recovered(live) == digest(live.partition.world)
    await live.close()


async def test_a_tail_of_few_but_large_commits_is_put_into_a_snapshot():
    live = await LivePartition.start(snapshot_every_changes=500)
    await live.define_both()

    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=40),)))
    await live.settle()
    assert not live.journal.complete
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=40),)))

    await until(lambda: live.journal.complete)
    await live.settle()
    assert await recovered(live) == digest(live.partition.world)
    await live.close()


async def test_snapshots_are_not_made_more_often_than_they_save_time(monkeypatch):
    monkeypatch.setattr(checkpoint, "JOB_COST", 100)
    live = await LivePartition.start(snapshot_every_changes=1)
    await live.define_both()
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=40),)))
    await live.partition.checkpoint.snapshot()
    before = set(live.journal.complete)

    for _ in range(20):
        await live.submit()

    assert live.journal.complete == before
    await live.close()


async def test_a_restart_counts_the_tail_that_it_has_replayed():
    live = await LivePartition.start()
    await live.define_both()
    await live.submit()
    await live.partition.checkpoint.snapshot()
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=3),)))
    before = live.partition.checkpoint.tail

    await live.kill()

    found = live.partition.checkpoint.tail
    assert found.commits >= before.commits
    assert found.changes >= before.changes >= 3 * 3
    assert found.facts >= before.facts >= 3
    assert found.bytes >= before.bytes > 0
    await live.close()


async def test_a_crash_loop_cannot_grow_the_tail_for_ever():
    live = await LivePartition.start(snapshot_every_commits=6)
    await live.define_both()

    for _ in range(4):
        await live.submit()
        await live.kill()

    await live.submit()
    await until(lambda: live.journal.complete)
    await live.close()


async def test_a_snapshot_packs_the_histories_of_jobs_that_rest(live: LivePartition):
    resting = await live.submit()
    live.clock.advance(s=120)
    busy = await live.submit()

    await live.partition.checkpoint.snapshot()

    jobs = live.partition.world.jobs
    assert isinstance(jobs[resting].entries, bytes)
    assert isinstance(jobs[busy].entries, list)
    assert await live.path(resting) == await live.path(busy) == "New Scheduled Queued"


async def test_the_log_is_moved_between_the_slices_of_a_snapshot_and_not_all_at_its_end(
    live: LivePartition, monkeypatch
):
    monkeypatch.setattr(checkpoint, "SLICE_BYTES", 1)
    monkeypatch.setattr(checkpoint, "WAL_PAGES_MAX", 0)
    for _ in range(3):
        await live.submit()
    moved: list[bool] = []

    async def move(*, truncate: bool = False) -> int:
        moved.append(truncate)
        return 0

    monkeypatch.setattr(live.journal, "checkpoint_wal", move)
    await live.partition.checkpoint.snapshot()

    assert len(moved) >= 3
    assert not any(moved)


async def test_a_snapshot_that_comes_late_copies_more_at_once(monkeypatch):
    monkeypatch.setattr(checkpoint, "SLICE_BYTES", 400)
    live = await LivePartition.start(snapshot_every_changes=100_000)
    await live.define_both()
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=60),)))
    write_slice = live.journal.write_slice
    copied: list[int] = []

    async def write(generation, rows) -> None:
        await write_slice(generation, rows)
        copied.extend(len(codec.decode_jobs(row.payload)) for row in rows if row.kind == ROW_JOBS)
        if len(copied) == 5:  # so many changes were made meanwhile
            live.partition.checkpoint.tail.add(0, 50_000, 0, 0)

    monkeypatch.setattr(live.journal, "write_slice", write)
    await live.partition.checkpoint.snapshot()

    assert sum(copied) == 60
    assert max(copied[:5]) < min(copied[5:7])
    assert await recovered(live) == digest(live.partition.world)
    await live.close()
