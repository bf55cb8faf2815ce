from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest

from interlock_server.watch.ends import Compacted, HistoryClosed, RevisionInFuture
from interlock_server.watch.history import PACE_S, PACED_FROM, PUBLISHED_BYTES, History
from tests.support.change_blocks import KeyedBlocks, make_block
from tests.support.memory_journal import MemoryJournal
from tests.support.watch_promises import Changes, Record, Truth, broken_promises

COMMIT_BYTES = 100
ANY_BYTES = 10**9


class Partition:
    """A journal, a history on it, and what makes commits for both."""

    def __init__(self, *, ring_commits=1000):
        self.codec = KeyedBlocks(COMMIT_BYTES)
        self.journal = MemoryJournal()
        self.ring_bytes_max = ring_commits * (COMMIT_BYTES + PUBLISHED_BYTES)
        self.reads = []
        self.history = self.new_history()

    def new_history(self):
        return History(
            head_revision=self.journal.head_revision,
            read_changes=self.read_changes,
            decode=self.codec.decode,
            encode=self.codec.encode,
            ring_bytes_max=self.ring_bytes_max,
        )

    async def read_changes(self, after_revision, bytes_max):
        self.reads.append(after_revision)
        return await self.journal.read_changes(after_revision, bytes_max=bytes_max)

    async def commit(self, *turns, publish=True):
        """Make one commit with a turn for each number of changes."""
        first = self.history.head_revision + 1
        blocks, last = [], first - 1
        for changes in turns:
            blocks.append(make_block(last + 1, range(changes)))
            last += changes
        public = self.codec.encode(tuple(blocks))
        await self.journal.append(
            commit_of(self.journal.head_commit + 1, first, last, public),
        )
        if publish:
            self.history.publish(first, last, public, tuple(blocks))

    async def commits(self, count):
        for _ in range(count):
            await self.commit(1)


def commit_of(number, first, last, public):
    from interlock_server.storage.journal import Commit

    return Commit(number, first, last, 0, public, b"")


def spans(taken):
    return [(published.first_revision, published.last_revision) for published in taken]


async def take(cursor, bytes_max=ANY_BYTES):
    return spans(await asyncio.wait_for(cursor.take(bytes_max=bytes_max), 10))


async def let_others_run():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_cursor_takes_what_was_published_after_it():
    partition = Partition()
    await partition.commit(2)
    cursor = partition.history.cursor(2)

    await partition.commit(3)
    await partition.commit(1)

    assert await take(cursor) == [(3, 5), (6, 6)]
    assert cursor.revision == 6
    assert cursor.take_nowait(bytes_max=ANY_BYTES) == []


async def test_unfiltered_watchers_get_the_very_bytes_that_were_stored():
    partition = Partition()
    cursors = [partition.history.cursor(0) for _ in range(3)]
    await partition.commit(2)

    taken = [(await cursor.take(bytes_max=1))[0] for cursor in cursors]

    assert taken[0] is taken[1] is taken[2]
    assert taken[0].public is partition.journal.commits[0].public
    assert partition.codec.decoded == 0


@pytest.mark.parametrize(("bytes_max", "commits"), [(0, 1), (100, 1), (199, 1), (200, 2)])
@pytest.mark.parametrize("ring_commits", [1000, 1])
async def test_a_take_is_bounded_by_bytes_but_never_empty(bytes_max, commits, ring_commits):
    partition = Partition(ring_commits=ring_commits)
    await partition.commits(5)

    assert len(await take(partition.history.cursor(0), bytes_max)) == commits


async def test_a_sleeping_watcher_wakes_when_something_is_published():
    partition = Partition()
    cursors = [partition.history.cursor(0) for _ in range(10)]
    waiting = [asyncio.ensure_future(take(cursor)) for cursor in cursors]
    await let_others_run()

    await partition.commit(1)

    assert await asyncio.gather(*waiting) == [[(1, 1)]] * 10


async def test_a_cancelled_watcher_wakes_nobody_and_misses_nothing():
    partition = Partition()
    cursor, other = partition.history.cursor(0), partition.history.cursor(0)
    waiting, staying = (asyncio.ensure_future(take(each)) for each in (cursor, other))
    await let_others_run()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert not staying.done()
    await partition.commit(1)
    assert await staying == [(1, 1)]
    assert await take(cursor) == [(1, 1)]


async def test_watchers_that_stopped_waiting_leave_nothing_behind():
    partition = Partition()
    for _ in range(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(partition.history.wait_beyond(0), 0)

    assert partition.history._sleepers == set()


async def test_a_revision_that_does_not_exist_yet_is_refused():
    partition = Partition()
    await partition.commit(2)

    partition.history.cursor(2)
    with pytest.raises(RevisionInFuture, match="up to 2") as refused:
        partition.history.cursor(3)
    assert refused.value.head_revision == 2


async def test_who_is_behind_the_memory_reads_from_disk_and_misses_nothing():
    partition = Partition(ring_commits=3)
    await partition.commits(20)
    cursor = partition.history.cursor(0)

    taken = []
    while cursor.revision < 20:
        taken += await take(cursor, 4 * COMMIT_BYTES)

    assert taken == [(revision, revision) for revision in range(1, 21)]
    assert partition.reads == [0, 4, 8, 12, 16]


async def test_memory_is_bounded():
    partition = Partition(ring_commits=3)
    await partition.commits(5000)

    assert partition.history._ring_bytes <= partition.ring_bytes_max
    assert len(partition.history._ring) < 2000


async def test_after_a_restart_watchers_share_what_one_reads_from_disk():
    partition = Partition()
    await partition.commits(5)
    partition.history = partition.new_history()
    cursors = [partition.history.cursor(2) for _ in range(10)]

    taken = await asyncio.gather(*(cursor.take(bytes_max=ANY_BYTES) for cursor in cursors))

    assert partition.reads == [2]
    assert all(found[0] is taken[0][0] for found in taken)


async def test_what_is_durable_but_not_published_is_left_to_publishing():
    partition = Partition(ring_commits=0)
    await partition.commits(3)
    await partition.commit(1, publish=False)
    cursor = partition.history.cursor(0)

    assert await take(cursor) == [(1, 1), (2, 2), (3, 3)]
    assert cursor.take_nowait(bytes_max=ANY_BYTES) == []


async def test_a_watcher_whose_revisions_are_gone_is_told_the_oldest():
    partition = Partition(ring_commits=1)
    await partition.commits(10)
    await partition.journal.compact(
        through_commit=6, keep_after_revision=99, keep_newer_than_ms=99, bytes_max=0
    )

    with pytest.raises(Compacted) as refused:
        await take(partition.history.cursor(5))
    assert refused.value.oldest_revision == 6
    assert await take(partition.history.cursor(6), 1) == [(7, 7)]


@pytest.mark.parametrize("ring_commits", [1000, 1])
async def test_who_resumes_within_a_commit_gets_only_the_rest_of_it(ring_commits):
    partition = Partition(ring_commits=ring_commits)
    await partition.commit(2, 3)
    await partition.commit(1)
    await partition.commit(1)

    for revision in range(5):
        (first, *rest) = await partition.history.cursor(revision).take(bytes_max=ANY_BYTES)

        assert (first.first_revision, first.last_revision) == (revision + 1, 5)
        blocks = partition.codec.decode(first.public)
        assert [r for block in blocks for r in block.revisions()] == list(range(revision + 1, 6))
        assert rest


async def test_closing_ends_every_watch_with_the_revision_to_resume_from():
    partition = Partition()
    await partition.commit(2)
    idle, behind = partition.history.cursor(2), partition.history.cursor(0)
    waiting = asyncio.ensure_future(take(idle))
    await let_others_run()

    partition.history.close()

    for watch, revision in ((waiting, 2), (take(behind), 0)):
        with pytest.raises(HistoryClosed) as ended:
            await watch
        assert ended.value.resume_revision == revision


async def test_publishing_wakes_the_loop_once_for_any_number_of_watchers(monkeypatch):
    partition = Partition()
    waiting = [asyncio.ensure_future(partition.history.wait_beyond(0)) for _ in range(50)]
    await let_others_run()
    loop = asyncio.get_running_loop()
    call_soon = Mock(wraps=loop.call_soon)
    monkeypatch.setattr(loop, "call_soon", call_soon)

    partition.history.publish(1, 1, b"")
    partition.history.publish(2, 2, b"")

    assert call_soon.call_count == 1
    await asyncio.gather(*waiting)


async def test_many_watchers_are_woken_once_for_the_commits_of_some_time(monkeypatch):
    partition = Partition()
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    cursors = [partition.history.cursor(0) for _ in range(PACED_FROM)]
    first = [asyncio.ensure_future(take(cursor)) for cursor in cursors]
    await let_others_run()
    await partition.commit(1)
    assert await asyncio.gather(*first) == [[(1, 1)]] * PACED_FROM

    later = [asyncio.ensure_future(cursor.take(bytes_max=ANY_BYTES)) for cursor in cursors]
    await let_others_run()
    await partition.commits(5)
    await let_others_run()
    assert not any(each.done() for each in later)
    now += PACED_FROM * PACE_S

    assert [len(found) for found in await asyncio.gather(*later)] == [5] * PACED_FROM


async def test_few_watchers_hear_of_every_commit_at_once(monkeypatch):
    partition = Partition()
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    cursors = [partition.history.cursor(0) for _ in range(PACED_FROM - 1)]

    for revision in range(1, 4):
        waiting = [asyncio.ensure_future(take(cursor)) for cursor in cursors]
        await let_others_run()
        await partition.commit(1)
        assert await asyncio.gather(*waiting) == [[(revision, revision)]] * len(cursors)


async def test_many_watchers_are_told_at_once_that_the_server_goes_away():
    partition = Partition()
    waiting = [
        asyncio.ensure_future(partition.history.cursor(0).take(bytes_max=1))
        for _ in range(PACED_FROM)
    ]
    await let_others_run()
    partition.history._next_wake = asyncio.get_running_loop().time() + 3_600

    partition.history.close()

    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in ends} == {HistoryClosed}


async def test_a_nudge_ends_a_wait_with_nothing_and_loses_nothing():
    partition = Partition()
    cursor = partition.history.cursor(0)
    waiting = asyncio.ensure_future(take(cursor))
    await let_others_run()

    cursor.nudge()
    assert await waiting == []
    cursor.nudge()
    await partition.commit(2)

    assert await take(cursor) == [(1, 2)]
    assert partition.history._sleepers == set()


async def test_blocks_that_nobody_uses_any_more_are_forgotten_and_decoded_again():
    partition = Partition()
    partition.history._shelf._changes_max = 10
    await partition.commit(6)
    await partition.commit(6)
    first, second = partition.history.cursor(0).take_nowait(bytes_max=ANY_BYTES)

    assert len(second.blocks[0]) == 6
    assert partition.codec.decoded == 0
    assert len(first.blocks[0]) == 6
    assert first.blocks is first.blocks
    assert partition.codec.decoded == 1


async def test_watchers_of_any_pace_see_every_change_once_and_in_order():
    partition = Partition(ring_commits=5)
    records = [Record(0) for _ in range(4)]

    async def watch(record, pace):
        cursor = partition.history.cursor(0)
        while cursor.revision < 120:
            for published in await cursor.take(bytes_max=pace * COMMIT_BYTES):
                revisions = range(published.first_revision, published.last_revision + 1)
                record.messages.append(Changes(tuple(revisions)))
            for _ in range(pace):
                await asyncio.sleep(0)

    watching = [
        asyncio.ensure_future(watch(record, pace))
        for record, pace in zip(records, (1, 2, 7, 30), strict=True)
    ]
    for _ in range(40):
        await partition.commit(1, 2)
    await asyncio.wait_for(asyncio.gather(*watching), 30)

    turns = [turn for at in range(1, 120, 3) for turn in ((at, at), (at + 1, at + 2))]
    truth = Truth(range(1, 121), turns)
    assert [broken_promises(record, truth) for record in records] == [[]] * 4
    assert all(len(record.revisions) == 120 for record in records)
