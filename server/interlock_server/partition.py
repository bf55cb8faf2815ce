"""One partition.

World, engine, storage, watch history, sessions and timers, recovered, opened and closed as one.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
import structlog

from interlock_server.checkpoint import Checkpoint, Retention, Tail
from interlock_server.core import invariants
from interlock_server.core.command import RecoverSessions
from interlock_server.core.explain import Sight, explain
from interlock_server.core.model.definition import Keep, RestartAction, RestartBehavior
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.world import Settings, World
from interlock_server.engine import Engine, KeptAnswer, Once, OutcomeUnknown, Sealed
from interlock_server.housekeeping import Housekeeping, kept_job
from interlock_server.media import Media, Room
from interlock_server.sessions import Sessions
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.media_files import MediaFiles
from interlock_server.storage.port import (
    Answer,
    ArchivedJob,
    Commit,
    JournalCorrupt,
    JournalFailed,
    KeptJob,
    SpilledHistory,
)
from interlock_server.storage.recovery import steps
from interlock_server.timers import Timers
from interlock_server.watch.history import History

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from interlock_server.clock import Clock
    from interlock_server.config import Config
    from interlock_server.core.command import Command
    from interlock_server.core.explain import Explanation
    from interlock_server.core.model.job import HistoryEntry, Job
    from interlock_server.core.model.medium import Medium
    from interlock_server.core.turn import Draft
    from interlock_server.storage.directory import DataDirectory
    from interlock_server.storage.port import JournalPort

T = TypeVar("T")

#: Runs of the same work that are shown.
EXECUTIONS_MAX = 200
#: How often the room on the disk is looked at.
ROOM_EVERY_S = 2.0


class Content(NamedTuple):
    """The encoded content of a group."""

    public: bytes
    private: bytes
    archived: list[ArchivedJob]
    spilled: list[SpilledHistory]
    kept: list[KeptJob]
    restarts: list[tuple[int, int]]
    media: list[Medium]
    media_dropped: list[tuple[int, str]]
    #: How many facts are in `private`.
    facts: int


class VerifyStep(NamedTuple):
    """How far a verification is; the last one has `done` and what was found."""

    commits_read: int
    commits_total: int
    revision: int
    done: bool = False
    problems: tuple[str, ...] = ()
    digest: str = ""


class BackupDone(NamedTuple):
    """A finished backup."""

    path: str
    revision: int
    size_bytes: int


class Partition:
    """A namespace with its own revisions. `open_partition` makes one; `close` ends it."""

    def __init__(
        self,
        name: str,
        world: World,
        journal: JournalPort,
        backups: Path,
        clock: Clock,
        config: Config,
        files: MediaFiles,
    ) -> None:
        """Join the parts around a recovered World. Nothing runs before `start`."""
        self.name = name
        self.world = world
        self.journal = journal
        self.started_ms = clock.now_ms()
        self.durability = config.durability
        #: Open watches, counted by whoever opens them.
        self.watchers = 0
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.history = History(
            head_revision=world.revision,
            read_changes=lambda after, size: journal.read_changes(after, bytes_max=size),
            decode=codec.decode_blocks,
            encode=codec.encode_blocks,
        )
        self.engine = Engine(
            world, self, clock, head_commit=journal.head_commit, inbox_max=config.inbox_max
        )
        self.sessions = Sessions(
            self.engine,
            clock,
            lambda: self.history.head_revision,
            heartbeat_interval_ms=int(config.heartbeat_s * 1000),
            missed_heartbeats=config.missed_heartbeats,
            time_to_live_ms=int(config.session_ttl_s * 1000),
        )
        self.timers = Timers(
            self.engine, clock, clean_up_period_ms=int(config.terminating_period_min * 60_000)
        )
        self.checkpoint = Checkpoint(self.engine, journal, clock, _retention(config))
        self.media = Media(
            self.engine,
            journal,
            files,
            Room(config.media_max_bytes, config.media_total_bytes, config.min_free_bytes),
        )
        self.housekeeping = Housekeeping(
            self.engine,
            journal,
            self.media,
            clock,
            period_ms=int(config.retention_min * 60_000),
        )
        self._keep = Keep(config.keep_count, int(config.keep_age_hours * 3_600_000))
        self._clock = clock
        self._backups = backups
        self._min_free_bytes = config.min_free_bytes
        self._tasks: list[asyncio.Task[None]] = []

    # -- the engine's store ---------------------------------------------------------------------

    def seal(
        self,
        draft: Draft,
        archived: list[Job],
        spilled: list[tuple[int, int, list[HistoryEntry]]],
    ) -> Content:
        """Encode a group."""
        return Content(
            codec.encode_blocks(draft.blocks),
            codec.encode_facts(draft.facts),
            [_archived(job) for job in archived],
            [SpilledHistory(job, part, codec.encode(entries)) for job, part, entries in spilled],
            [kept for job in archived if (kept := kept_job(job, self._keep_of(job))) is not None],
            [(job.original, job.id) for job in archived if job.original],
            draft.media,
            draft.media_dropped,
            len(draft.facts),
        )

    def _keep_of(self, job: Job) -> Keep:
        """The rule for a job that ends now; one that changes later is not about it any more."""
        definition = self.world.definitions.get(job.definition)
        return (definition and definition.keep) or self._keep

    async def commit(self, group: Sealed) -> None:
        """Make a group durable."""
        content: Content = group.content
        await self.journal.append(
            Commit(
                group.number,
                group.first_revision,
                group.last_revision,
                group.at_ms,
                content.public,
                content.private,
                [Answer(*kept) for kept in group.answers],
                content.archived,
                content.spilled,
                content.kept,
                content.restarts,
                content.media,
                content.media_dropped,
            )
        )
        self.checkpoint.committed(
            group.last_revision - group.first_revision + 1,
            content.facts,
            len(content.public) + len(content.private),
            archived=len(content.archived),
            spilled=len(content.spilled),
        )

    def publish(self, group: Sealed) -> None:
        """Let watchers and robots hear of a durable group."""
        if group.blocks:
            self.history.publish(
                group.first_revision, group.last_revision, group.content.public, tuple(group.blocks)
            )
        if group.effects:
            self.sessions.deliver(group.effects)
        self.timers.poke()

    # -- start and stop -------------------------------------------------------------------------

    async def start(self) -> None:
        """Run the parts, and let recovery's command say what became of what was running."""
        for run, what in (
            (self.engine.run(), "engine"),
            (self.timers.run(), "timers"),
            (self.sessions.run(), "sessions"),
            (self.checkpoint.run(), "checkpoint"),
            (self.housekeeping.run(), "housekeeping"),
            (self._watch_room(), "room"),
        ):
            task = asyncio.create_task(run, name=f"{self.name} {what}")
            task.add_done_callback(self._task_done)
            self._tasks.append(task)
        more = True
        while more:
            more = await self.engine.request(
                RecoverSessions(), actor=Actor.SYSTEM, author="recovery"
            )

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failed.done():
            self.failed.set_result(error)

    async def close(self) -> None:
        """Make durable what was decided, end every watch, and close the journal.

        May be called twice.
        """
        self.engine.drain()
        self.sessions.go_away()
        if not self.failed.done():
            with suppress(OutcomeUnknown):  # the failure is reported by whoever watches `failed`
                await self.engine.flush()
        self.history.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.media.close()
        await self.journal.close()

    async def _watch_room(self) -> None:
        """Refuse changes while the disk is nearly full.

        A commit that fails would end the process.
        """
        never = asyncio.Event()
        while True:
            free = await self.journal.free_bytes()
            if (free < self._min_free_bytes) != self.engine.refuse_writes:
                self.engine.refuse_writes = free < self._min_free_bytes
                structlog.get_logger().warning(
                    "disk_full" if self.engine.refuse_writes else "disk_has_room",
                    partition=self.name,
                    free_bytes=free,
                )
            try:
                async with asyncio.timeout(ROOM_EVERY_S):
                    await never.wait()
            except TimeoutError:
                continue

    # -- what servicers call --------------------------------------------------------------------

    async def submit(
        self,
        command: Command,
        *,
        actor: Actor = Actor.USER,
        author: str = "user",
        reason: str = "",
        once: Once | None = None,
    ) -> Any:
        """A command's answer, durable. Raises Rejection and EngineError.

        A caller that is cancelled stops waiting; the command is decided all the same.
        """
        # Its own future: one that is cancelled is left out when answers are given.
        return await self.engine.submit(
            command, actor=actor, author=author, reason=reason, once=once
        )

    def now_ms(self) -> int:
        """The time of the partition's clock."""
        return self._clock.now_ms()

    async def read(self, look: Callable[[World], T]) -> T:
        """Look at World; the result is held until what it shows is durable (promise P2)."""
        seen = look(self.world)
        await self.engine.barrier()
        return seen

    async def job(self, job_id: int) -> Job | None:
        """A job as it is now, live or archived; its history may lack what was spilled to disk."""
        job = await self.read(lambda world: _copy(world.jobs.get(job_id)))
        if job is not None:
            return job
        archived = await self.journal.archived_job(job_id)
        return codec.decode_job(archived.record) if archived is not None else None

    async def executions(self, job: Job) -> list[Job]:
        """All runs of the same work, by id: what it is a restart of, and its restarts.

        Those that retention has deleted are left out.
        """
        found = {job.id: job}
        earlier = list(job.executions) or ([job.restarted_from] if job.restarted_from else [])
        while earlier and len(found) < EXECUTIONS_MAX:
            before = await self.job(earlier.pop())
            if before is not None and before.id not in found:
                found[before.id] = before
                if not earlier and before.original:
                    earlier.append(before.original)
        originals = set(found)
        while originals and len(found) < EXECUTIONS_MAX:
            live = _restarts(self.world, originals)
            await self.engine.barrier()
            archived = await self.journal.restarts_of(originals)
            restarts = {*live, *(restart for _, restart in archived)} - found.keys()
            originals = restarts
            for each in sorted(restarts):
                if (later := await self.job(each)) is not None:
                    found[each] = later
        return [found[job_id] for job_id in sorted(found)]

    async def archived_jobs(self, *, before_job: int, limit: int, **filters: Any) -> list[Job]:
        """Archived jobs with an id below `before_job`, highest first, without their history."""
        found = await self.journal.list_archived(before_job=before_job, limit=limit, **filters)
        return [codec.decode_job(each.record) for each in found]

    async def explain(self, job_id: int) -> Explanation | None:
        """All that keeps a job; None if there is no such job."""
        sight = Sight(self.world, self._clock.now_ms(), self.sessions.silent_since_ms)

        def look(world: World) -> Explanation | None:
            job = world.jobs.get(job_id)
            return None if job is None else explain(sight, job)

        found = await self.read(look)
        if found is not None:
            return found
        archived = await self.journal.archived_job(job_id)
        return explain(sight, codec.decode_job(archived.record)) if archived is not None else None

    async def job_history(self, job_id: int) -> list[HistoryEntry] | None:
        """Every change of a job, oldest first; None if there is no such job."""
        job = await self.read(lambda world: _copy(world.jobs.get(job_id)))
        if job is not None:
            recent, parts = job.history, job.spilled_parts
        else:
            archived = await self.journal.archived_job(job_id)
            if archived is None:
                return None
            recent = codec.decode_history(archived.history)
            parts = codec.decode_job(archived.record).spilled_parts
        older: list[HistoryEntry] = []
        if parts:
            for part in await self.journal.spilled_history(job_id):
                older += codec.decode_history(part.entries)
            recent = [entry for entry in recent if entry.revision > older[-1].revision]
        return older + recent

    async def verify(self) -> AsyncIterator[VerifyStep]:
        """Replay what is on disk beside the live World and compare the two."""
        async with self.checkpoint.lock:
            # Until the first await World stands still: live and commit belong together.
            live, through = digest(self.world), self.engine.decided
            problems = list(invariants.problems(self.world))
            await self.engine.barrier()
            replayed = World(self.world.settings)
            reached = 0
            try:
                async for step in steps(self.journal, replayed, through_commit=through):
                    reached = step.commit
                    yield VerifyStep(reached, through, step.revision)
                problems += [f"after replay: {each}" for each in invariants.problems(replayed)]
            except JournalCorrupt as error:
                problems.append(str(error))
            found = digest(replayed)
            if found != live and not problems:
                problems.append(f"replay gives {found[:16]}, but the live state is {live[:16]}")
            yield VerifyStep(
                reached,
                through,
                replayed.revision,
                done=True,
                problems=tuple(problems),
                digest=found,
            )

    async def backup(self, name: str = "") -> BackupDone:
        """Write a consistent copy of the journal while it works."""
        revision = self.history.head_revision
        path = self._backups / f"{self.name}-{name or _time_of_day(self._clock.now_ms())}.db"
        await self.journal.backup(path)
        return BackupDone(str(path), revision, path.stat().st_size)

    async def compact(self, keep_revisions: int | None) -> int:
        """Snapshot, then drop what neither recovery nor the kept watches need.

        The oldest revision left.
        """
        try:
            await self.checkpoint.snapshot()
            await self.checkpoint.compact(keep_revisions)
        except JournalFailed as error:
            if not self.failed.done():
                self.failed.set_result(error)  # nothing can be written any more
            raise OutcomeUnknown from error
        return self.journal.oldest_revision()


def _restarts(world: World, originals: set[int]) -> list[int]:
    return [job for original in originals for job in world.restarts.get(original, ())]


def _copy(job: Job | None) -> Job | None:
    """A record that does not move on while its reader waits for the disk."""
    return None if job is None else msgspec.structs.replace(job, entries=job.history.copy())


def _archived(job: Job) -> ArchivedJob:
    return ArchivedJob(
        job.id,
        job.lifecycle,
        job.status,
        job.definition,
        job.queue,
        job.robot,
        job.created_ms,
        job.ended_ms,
        codec.encode_without_history(job),
        codec.encode_history(job),
    )


def _retention(config: Config) -> Retention:
    return Retention(
        int(config.watch_hours * 3_600_000),
        config.watch_bytes,
        int(config.answers_hours * 3_600_000),
        config.answers_max,
        config.snapshot_every_bytes,
        config.snapshot_every_commits,
        config.snapshot_every_changes,
    )


async def open_partition(
    name: str, directory: DataDirectory, config: Config, clock: Clock
) -> Partition:
    """Recover a partition from disk, or make it, and run it.

    Raises:
        JournalCorrupt: what is on disk is not what was written; restore a backup.
    """
    journal = await SqliteJournal.open(directory.journal_path(name), durability=config.durability)
    try:
        files = MediaFiles(directory.media_folder(name))
        partition = await _recover(name, journal, directory.backups, config, clock, files)
        await partition.start()
    except BaseException:
        await journal.close()
        raise
    return partition


async def _recover(
    name: str,
    journal: SqliteJournal,
    backups: Path,
    config: Config,
    clock: Clock,
    files: MediaFiles,
) -> Partition:
    began_ms = clock.monotonic_ms()
    world = World(
        Settings(
            int(config.uncertain_timeout_s * 1000),
            int(config.terminating_timeout_min * 60_000),
            tuple(_restart_behavior(each) for each in config.restart_default),
        )
    )
    tail = Tail()
    gc.disable()  # all that is made now is kept: looking for garbage costs 5 % of recovery
    try:
        async for step in steps(journal, world):
            tail.add(step.commits, step.changes, step.facts, step.size)
    finally:
        gc.enable()
    await files.open()
    partition = Partition(name, world, journal, backups, clock, config, files)
    partition.checkpoint.tail = tail  # so a crash loop cannot grow it for ever
    oldest_ms = clock.now_ms() - int(config.answers_hours * 3_600_000)
    for answer in await journal.load_answers(oldest_ms):
        partition.engine.answers[answer.request_id] = KeptAnswer(
            answer.request_id, answer.at_ms, answer.digest, answer.kind, answer.body
        )
    structlog.get_logger().info(
        "partition_recovered",
        partition=name,
        revision=world.revision,
        live_jobs=len(world.jobs),
        commits_replayed=tail.commits,
        changes_replayed=tail.changes,
        took_ms=clock.monotonic_ms() - began_ms,
    )
    return partition


def _restart_behavior(text: str) -> RestartBehavior:
    """What a setting such as Error=restart says."""
    name, _, action = text.partition("=")
    status = Status[f"REDWOOD_{name.upper()}"]
    return RestartBehavior(int(status), RestartAction[action.upper()])


def _time_of_day(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
