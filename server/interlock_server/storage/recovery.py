"""From disk to World: the newest snapshot, then the commits after it. No rule is consulted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from interlock_server.core import apply
from interlock_server.core.replay import Replay, ReplayError
from interlock_server.core.world import DEFAULT_SETTINGS, Settings, World
from interlock_server.storage import codec
from interlock_server.storage.port import JournalCorrupt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlock_server.storage.port import Commit, JournalPort, SnapshotRow

#: Kinds of snapshot rows. Stored on disk: added to, never changed.
ROW_HEAD: Final = 1
#: One job; so snapshots were before `ROW_JOBS`.
ROW_JOB: Final = 2
#: Many jobs that were copied at once.
ROW_JOBS: Final = 3


class Step(NamedTuple):
    """How far a recovery is, and what this step was: a slice of the snapshot, or a commit."""

    commit: int
    revision: int
    #: 1 for a commit, of so many changes, facts and bytes.
    commits: int = 0
    changes: int = 0
    facts: int = 0
    size: int = 0


async def recover(
    journal: JournalPort,
    settings: Settings = DEFAULT_SETTINGS,
    *,
    through_commit: int | None = None,
) -> World:
    """The World after the last durable commit, or after `through_commit`.

    Raises:
        JournalCorrupt: what is on disk is not what was written; it says where.
    """
    world = World(settings)
    async for _ in steps(journal, world, through_commit=through_commit):
        pass
    return world


async def steps(
    journal: JournalPort, world: World, *, through_commit: int | None = None
) -> AsyncIterator[Step]:
    """Fill an empty World; says after every slice and commit how far it is."""
    through = journal.head_commit if through_commit is None else through_commit
    replay = Replay(world)
    after = 0
    snapshot = await journal.latest_snapshot()
    try:
        if snapshot is not None:
            after = snapshot.first_commit
            async for rows in journal.read_snapshot(snapshot.generation):
                for row in rows:
                    _take_row(replay, row)
                yield Step(after, world.revision)
        async for commit in journal.replay(after):
            if commit.number > through:
                break
            blocks, facts = codec.decode_blocks(commit.public), codec.decode_facts(commit.private)
            replay.commit(commit.number, blocks, facts)
            _check_end(world, commit)
            changes = commit.last_revision - commit.first_revision + 1
            size = len(commit.public) + len(commit.private)
            yield Step(commit.number, world.revision, 1, changes, len(facts), size)
        replay.finish()
    except ReplayError as error:
        raise JournalCorrupt(str(error)) from error


def _check_end(world: World, commit: Commit) -> None:
    if world.revision != commit.last_revision:
        raise ReplayError(
            f"commit {commit.number} ends at revision {world.revision}, not {commit.last_revision}"
        )


def _take_row(replay: Replay, row: SnapshotRow) -> None:
    if row.kind == ROW_HEAD:
        _take_head(replay.world, codec.decode_head(row.payload))
    elif row.kind == ROW_JOBS:
        replay.take_in(codec.decode_jobs(row.payload), row.stamp)
    else:
        replay.take_in([codec.decode_job(row.payload)], row.stamp)


def _take_head(world: World, head: codec.Head) -> None:
    world.names.clear()
    world.queues.clear()
    for numbers in (world.definition_numbers, world.queue_numbers, world.robot_numbers):
        numbers.clear()
    world.robot_numbers[""] = 0
    for name in head.names:
        world.add_name(name)
    world.next_job, world.next_epoch = head.next_job, head.next_epoch
    world.next_message, world.revision = head.next_message, head.revision
    for write, records in (
        (apply.put_definition, head.definitions),
        (apply.put_queue, head.queues),
        (apply.put_window, head.windows),
        (apply.put_event, head.events),
        (apply.put_lock, head.locks),
        (apply.put_server, head.servers),
        (apply.put_schedule, head.schedules),
        (apply.put_run_times, head.run_times),
        (apply.put_robot, head.robots),
    ):
        for record in cast("list[Any]", records):
            write(world, record)
    world.moving_queues = head.moving_queues
    apply.put_restart_defaults(world, head.restart_defaults)
    apply.review_starts(world, head.reviewing_starts)


def head_of(world: World) -> codec.Head:
    """Everything of a World but its jobs, as it is now."""
    return codec.Head(
        world.next_job,
        world.next_epoch,
        world.next_message,
        world.revision,
        world.names,
        list(world.definitions.values()),
        list(world.queues.values()),
        list(world.robots.values()),
        world.moving_queues,
        list(world.windows.values()),
        list(world.events.values()),
        list(world.locks.values()),
        list(world.servers.values()),
        list(world.schedules.values()),
        list(world.run_times.values()),
        world.restart_defaults,
        world.reviewing_starts,
    )
