"""From the journal to a World, and the sentences when that cannot be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind
from interlock_server.core.world import Settings, World
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.first_layout import FirstLayout
from interlock_server.storage.port import JournalCorrupt, SnapshotRow
from interlock_server.storage.recovery import ROW_HEAD, ROW_JOB, head_of, recover, steps
from tests.support.live_partition import LivePartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def live() -> AsyncIterator[LivePartition]:
    """A partition with a little history."""
    partition = await LivePartition.start()
    await partition.define_both()
    robot = await partition.connect()
    first, second = await partition.submit(), await partition.submit()
    await robot.report(ReportKind.STARTED, first, second)
    await robot.report(ReportKind.ASKED, second, question=c.Question("go on?"))
    yield partition
    await partition.close()


async def test_an_empty_journal_gives_an_empty_world():
    live = await LivePartition.start()

    found = await recover(live.journal)

    assert digest(found) == digest(World())
    await live.close()


async def test_recovery_gives_every_index_anew(live: LivePartition):
    found = await recover(live.journal)
    known = live.partition.world

    for name in (
        "revision",
        "next_job",
        "next_epoch",
        "next_message",
        "next_number",
        "status_counts",
        "open_messages",
        "robot_jobs",
        "queue_load",
        "queue_chains",
        "server_load",
        "provider_load",
        "providers",
        "definition_numbers",
        "queue_numbers",
        "robot_numbers",
    ):
        assert getattr(found, name) == getattr(known, name), name
    assert found.pending_names == []
    assert found.spilled == []


async def test_recovery_does_not_depend_on_settings(live: LivePartition):
    found = await recover(live.journal, Settings(1, 1))

    assert digest(found) == digest(live.partition.world)


async def test_a_snapshot_of_the_first_release_gives_the_same_world():
    live = await LivePartition.start()
    await live.define_both()
    job = await live.submit()
    journal, world = live.journal, live.partition.world
    old = FirstLayout(*(getattr(world.jobs[job], name) for name in FirstLayout.__struct_fields__))
    head = SnapshotRow(ROW_HEAD, "", journal.head_commit, codec.encode(head_of(world)))
    row = SnapshotRow(ROW_JOB, str(job), journal.head_commit, codec.encode(old))
    await journal.begin_snapshot(1, journal.head_commit)
    await journal.write_slice(1, [head, row])
    await journal.finish_snapshot(1)

    found = await recover(journal)

    assert digest(found) == digest(world)
    await live.close()


async def test_the_steps_of_recovery_say_how_far_it_is(live: LivePartition):
    reached = [step async for step in steps(live.journal, World())]

    assert [step.commit for step in reached] == list(range(1, live.journal.head_commit + 1))
    assert reached[-1].revision == live.journal.head_revision


async def test_a_commit_that_ends_elsewhere_than_it_says_is_corrupt(live: LivePartition):
    live.journal.commits[-1].last_revision += 1

    with pytest.raises(JournalCorrupt, match=r"ends at revision \d+, not \d+"):
        await recover(live.journal)


async def test_a_change_that_does_not_fit_the_one_before_it_is_corrupt(live: LivePartition):
    last = live.journal.commits[-1]
    (block,) = codec.decode_blocks(last.public)
    block.rows[0] = 1
    last.public = codec.encode_blocks([block])

    with pytest.raises(JournalCorrupt, match=r"commit \d+, revision \d+, job 2: row 1"):
        await recover(live.journal)


async def test_changes_of_a_job_that_is_nowhere_are_corrupt(live: LivePartition):
    commits = [each for each in live.journal.commits if each.public]
    (block, *_) = codec.decode_blocks(commits[-1].public)
    block.jobs[0] = 77
    commits[-1].public = codec.encode_blocks([block])

    with pytest.raises(JournalCorrupt, match="nowhere"):
        await recover(live.journal)


async def test_a_fact_of_a_newer_release_is_corrupt_and_says_so(live: LivePartition):
    last = live.journal.commits[-1]
    last.private = msgspec.msgpack.encode([(last.last_revision, 99, "default", None)])

    with pytest.raises(JournalCorrupt, match="kind 99: written by a newer release"):
        await recover(live.journal)


async def test_two_worlds_that_differ_in_one_field_have_different_digests(live: LivePartition):
    world = live.partition.world
    before = digest(world)

    world.jobs[1].priority += 1
    assert digest(world) != before
    world.jobs[1].priority -= 1
    assert digest(world) == before


async def test_the_head_of_a_snapshot_has_everything_but_the_jobs(live: LivePartition):
    world = live.partition.world

    head = codec.decode_head(codec.encode(head_of(world)))

    assert head.next_job == world.next_job
    assert {robot.name for robot in head.robots} == set(world.robots)
    assert {queue.name for queue in head.queues} == set(world.queues)
    assert head.names == world.names
