"""Snapshots of a partition, taken in slices between commits, and what may be dropped after one."""

from __future__ import annotations

import asyncio
from operator import length_hint
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core import apply
from interlock_server.storage import codec
from interlock_server.storage.port import SnapshotRow
from interlock_server.storage.recovery import ROW_HEAD, ROW_JOBS, head_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.clock import Clock
    from interlock_server.core.model.job import Job
    from interlock_server.engine import Engine
    from interlock_server.storage.port import JournalPort

#: Bytes of jobs that are copied at once: half a millisecond of the loop, and one of the disk for
#: which a commit may have to wait.
SLICE_BYTES: Final = 128 << 10
#: After a slice that comes in time, other work goes on alone for so long, if there is any.
PAUSE_S: Final = 0.002
#: Slices that come late are larger, by so much at most; else commits that fill a processor would
#: let a snapshot of a million jobs take half a minute.
LATE_SLICES_MAX: Final = 16
#: The history of a job that has not changed for so long is packed.
RESTS_AFTER_MS: Final = 60_000
#: What it costs recovery to replay a fact and a commit, and to read a job of a snapshot, in changes
#: that it replays: 1, 20 and 2 microseconds, beside 0.5 for a change (2 processors, Python 3.11).
FACT_COST: Final = 2
COMMIT_COST: Final = 40
JOB_COST: Final = 4
#: About what the smallest commit adds to the write-ahead log.
PAGE_BYTES: Final = 8192
#: Write-ahead log pages after which it is moved into the database file. Commits wait meanwhile:
#: about 5 ms for so many, and four times as often costs no more in all, for pages are written once.
WAL_PAGES_MAX: Final = 1_000


class Retention(NamedTuple):
    """What is kept although recovery does not need it."""

    watch_ms: int = 24 * 3_600_000
    watch_bytes: int = 4 << 30
    answers_ms: int = 24 * 3_600_000
    answers_max: int = 1_000_000
    snapshot_bytes: int = 256 << 20
    snapshot_commits: int = 100_000
    snapshot_changes: int = 6_000_000


class Tail:
    """What recovery would have to replay: the commits since the newest snapshot began."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.commits = 0
        self.changes = 0
        self.facts = 0
        self.bytes = 0

    def add(self, commits: int, changes: int, facts: int, size: int) -> None:
        """Count what was committed."""
        self.commits += commits
        self.changes += changes
        self.facts += facts
        self.bytes += size

    @property
    def cost(self) -> int:
        """How long its replay takes, in changes."""
        return self.changes + FACT_COST * self.facts + COMMIT_COST * self.commits


class Checkpoint:
    """Snapshots when the tail has grown, trims the journal, keeps the write-ahead log short."""

    def __init__(
        self, engine: Engine, journal: JournalPort, clock: Clock, retention: Retention
    ) -> None:
        """Count from the present commit."""
        self._engine = engine
        self._journal = journal
        self._clock = clock
        self._retention = retention
        self._grown = asyncio.Event()
        self._bytes_in_log = 0
        self.tail = Tail()
        #: One at a time: a snapshot, or whoever reads the present one.
        self.lock = asyncio.Lock()

    def committed(
        self, changes: int, facts: int, size: int, *, archived: int = 0, spilled: int = 0
    ) -> None:
        """Count a commit, and what else it wrote: archived jobs, and parts of long histories."""
        self.tail.add(1, changes, facts, size)
        # Archived jobs share their pages; a part of a history has one of the index to itself.
        self._bytes_in_log += size + PAGE_BYTES * (1 + archived // 8 + spilled)
        if self._bytes_in_log >= WAL_PAGES_MAX * PAGE_BYTES or self._is_due():
            self._grown.set()

    def _is_due(self) -> bool:
        """Whether the tail is long; it may take as long to replay as the live jobs take to read."""
        retention, tail = self._retention, self.tail
        return (
            tail.bytes >= retention.snapshot_bytes
            or tail.commits >= retention.snapshot_commits
            or tail.cost >= self._cost_max()
        )

    def _cost_max(self) -> int:
        return max(self._retention.snapshot_changes, JOB_COST * len(self._engine.world.jobs))

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            await self._shorten_log()
            if self._is_due():
                await self.snapshot()
                await self.compact()

    async def _shorten_log(self) -> None:
        if self._bytes_in_log >= WAL_PAGES_MAX * PAGE_BYTES:
            self._bytes_in_log = 0
            await self._journal.checkpoint_wal()

    async def snapshot(self) -> None:
        """Write the live objects. Each job is stamped with the commit after which it was copied."""
        async with self.lock:
            engine, journal = self._engine, self._journal
            self.tail = Tail()
            newest = await journal.latest_snapshot()
            generation = newest.generation + 1 if newest is not None else 1
            # From here to the first await World stands still: the head is exactly at this commit.
            first_commit = engine.decided
            head = SnapshotRow(ROW_HEAD, "", first_commit, codec.encode(head_of(engine.world)))
            ids = list(engine.world.jobs)
            await journal.begin_snapshot(generation, first_commit)
            await journal.write_slice(generation, [head])
            await self._write_jobs(generation, ids)
            await engine.barrier()  # what the slices show has to be durable before they count
            await journal.finish_snapshot(generation)

    async def _write_jobs(self, generation: int, ids: list[int]) -> None:
        engine, rest, size = self._engine, iter(ids), SLICE_BYTES
        jobs = self._resting(rest)
        while encoded := codec.encode_jobs(jobs, size):
            copied = engine.decided
            row = SnapshotRow(ROW_JOBS, "", copied, encoded)
            await self._journal.write_slice(generation, [row])
            self._bytes_in_log += len(encoded)
            await self._shorten_log()
            size = self._slice_bytes(length_hint(rest) / len(ids))
            if size == SLICE_BYTES and engine.decided > copied:
                await asyncio.sleep(PAUSE_S)

    def _slice_bytes(self, left: float) -> int:
        """How large the next slice is: more if the snapshot is late.

        Until it counts, its own tail has to be replayed together with the one that made it due. So
        it is to be complete before that has grown by a quarter.
        """
        late = 4 * self.tail.cost / self._cost_max() - (1 - left)
        return int(SLICE_BYTES * min(LATE_SLICES_MAX, max(1, LATE_SLICES_MAX * late)))

    def _resting(self, ids: Iterator[int]) -> Iterator[Job]:
        """Those that are still live when it is their turn.

        It is a good moment to let those rest that have not changed for a while: they need not be
        packed for the next snapshot.
        """
        world, rests_ms = self._engine.world, self._clock.now_ms() - RESTS_AFTER_MS
        for job_id in ids:
            job = world.jobs.get(job_id)
            if job is not None:
                if job.changed_ms <= rests_ms:
                    apply.rest(job)
                yield job

    async def compact(self, keep_revisions: int | None = None) -> None:
        """Drop commits that the newest snapshot covers and no watch needs, and old answers."""
        retention, journal = self._retention, self._journal
        now_ms = self._clock.now_ms()
        newest = await journal.latest_snapshot()
        if newest is not None:
            own = keep_revisions is not None
            await journal.compact(
                through_commit=newest.first_commit,
                keep_after_revision=max(0, journal.head_revision - (keep_revisions or 0))
                if own
                else journal.head_revision,
                keep_newer_than_ms=now_ms if own else now_ms - retention.watch_ms,
                bytes_max=0 if own else retention.watch_bytes,
            )
        await self.drop_answers()
        await journal.checkpoint_wal(truncate=True)

    async def drop_answers(self) -> None:
        """Forget answers that are too old or too many, in memory and on disk."""
        oldest_ms = self._clock.now_ms() - self._retention.answers_ms
        answers = self._engine.answers
        excess = len(answers) - self._retention.answers_max
        old = []
        for index, (request_id, answer) in enumerate(answers.items()):
            if index >= excess and answer.at_ms >= oldest_ms:
                break  # the oldest come first
            old.append(request_id)
        for request_id in old:
            del answers[request_id]
        await self._journal.drop_answers(oldest_ms, self._retention.answers_max)
