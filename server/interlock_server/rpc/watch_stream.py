"""One open watch: its snapshot, its changes, its progress, and how it ends.

A watch is a number in the history. What is written is bytes, made once for all equal watches.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.v1 import watch_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.rpc import convert_event, convert_job
from interlock_server.rpc.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grpc.aio import ServicerContext

    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.rpc.convert_event import Wire
    from interlock_server.rpc.convert_filter import JobFilter
    from interlock_server.rpc.label_book import LabelBook
    from interlock_server.rpc.name_book import NameBook
    from interlock_server.watch.cursor import Cursor
    from interlock_server.watch.filter import ChangeFilter
    from interlock_server.watch.published import Published

#: Bytes of history that are taken at once.
TAKE_BYTES_MAX: Final = 1 << 20
#: Jobs in one part of a snapshot.
SNAPSHOT_JOBS: Final = 500


class Watched(NamedTuple):
    """What a watch asks for."""

    partition: Partition
    #: Of the snapshot.
    jobs: JobFilter
    #: None for all changes.
    changes: ChangeFilter | None
    columns: bool
    names: NameBook
    labels: LabelBook
    progress_s: float


class WatchStream:
    """Writes one watch. `run` ends by raising why."""

    __slots__ = (
        "_context",
        "_history_id",
        "_loop",
        "_progress_due",
        "_stalled",
        "_task",
        "_ticker",
        "_watched",
        "revision",
        "writing_since",
    )

    def __init__(self, context: ServicerContext[Any, Any], watched: Watched) -> None:
        """Nothing is written before `run`."""
        self._context = context
        self._watched = watched
        self._history_id = watched.partition.journal.history_id
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = None
        self._stalled = False
        self._progress_due = 0.0
        self._ticker: asyncio.TimerHandle | None = None
        #: Everything up to here was written.
        self.revision = 0
        #: When the write that is waiting began, by the loop's time; 0 if none is.
        self.writing_since = 0.0

    async def run(self, start: int | None) -> None:
        """Write until the caller leaves or the history ends; None begins with a snapshot."""
        self._task = asyncio.current_task()
        try:
            await self._run(start)
        except asyncio.CancelledError:
            if not self._stalled or self._context.cancelled():
                raise
            assert self._task is not None
            self._task.uncancel()
            raise Refused(
                ErrorReason.ERROR_REASON_SLOW_CONSUMER,
                "nothing was read from this watch for too long; resume from the last revision that "
                "you have seen",
                metadata={"resume_revision": str(self.revision)},
            ) from None
        finally:
            if self._ticker is not None:
                self._ticker.cancel()

    def end_as_stalled(self) -> None:
        """End the watch, because its reader has stopped."""
        assert self._task is not None, "only a watch that runs writes"
        if not self._stalled:
            self._stalled = True
            self._task.cancel()

    async def _run(self, start: int | None) -> None:
        history = self._watched.partition.history
        revision = await self._write_snapshot() if start is None else start
        cursor = history.cursor(revision)
        self.revision = revision
        if self._watched.columns:
            await self._write_names()
        await self._write_progress()
        self._tick(cursor)
        while True:
            commits = await cursor.take(bytes_max=TAKE_BYTES_MAX)
            if self._watched.changes is not None:
                await self._watched.labels.read_for(commits, self._watched.changes)
            for wire in self._encode(commits):
                await self._write(wire.data)
                self.revision = max(self.revision, wire.revision)
            self.revision = cursor.revision
            if self._loop.time() >= self._progress_due:
                await self._write_progress()

    def _tick(self, cursor: Cursor) -> None:
        """Interrupt the wait when progress is due.

        A timer for each wait would be a sixth of what a watch costs beside its writes.
        """
        now, due = self._loop.time(), self._progress_due
        if now >= due:
            cursor.nudge()
            due = now + self._watched.progress_s
        self._ticker = self._loop.call_at(due, self._tick, cursor)

    def _encode(self, commits: list[Published]) -> list[Wire]:
        watched = self._watched
        changes = watched.changes
        if not commits:
            return []
        if watched.columns:
            if changes is None:
                return self._stored(commits)
            wires = [
                wire
                for published in commits
                for wire in convert_event.selected_columns(published, changes)
            ]
        else:
            watched.names.keep_up()
            wires = [
                wire
                for published in commits
                for wire in convert_event.events(published, changes, watched.names)
            ]
        return wires if len(wires) <= 1 else convert_event.joined(wires)

    def _stored(self, commits: list[Published]) -> list[Wire]:
        """Messages of whole commits as they are stored, made once for watches at the same place."""
        history = self._watched.partition.history
        place = commits[0].first_revision, commits[-1].last_revision
        if history.last_made[:2] != place:
            history.last_made = *place, convert_event.stored_columns(commits)
        wires: list[Wire] = history.last_made[2]
        return wires

    async def _write(self, data: bytes) -> None:
        now = self.writing_since = self._loop.time()
        await self._context.write(data)
        self.writing_since = 0.0
        self._progress_due = now + self._watched.progress_s

    async def _write_progress(self) -> None:
        await self._write(convert_event.progress(self.revision, self._history_id))

    async def _write_names(self) -> None:
        names = await self._watched.partition.read(lambda world: list(world.names))
        for data in convert_event.names_messages(names):
            await self._write(data)

    async def _write_snapshot(self) -> int:
        """Write the live jobs as they are at one revision; returns it.

        Their records are copied in one go, which holds up the engine for about half a second for a
        million jobs; they are converted and written in slices.
        """
        selected = self._watched.jobs

        def look(world: World) -> tuple[int, list[Job]]:
            jobs = [copy(job) for job in world.jobs.values() if selected.matches(job)]
            return world.revision, jobs

        revision, jobs = await self._watched.partition.read(look)
        for part in self._parts(jobs, revision):
            await self._write(part)
            await asyncio.sleep(0)
        return revision

    def _parts(self, jobs: list[Job], revision: int) -> Iterator[bytes]:
        sessions = self._watched.partition.sessions
        starts = range(0, max(len(jobs), 1), SNAPSHOT_JOBS)
        for start in starts:
            message = pb.WatchResponse()
            message.snapshot.revision = revision
            message.snapshot.history_id = self._history_id
            message.snapshot.last = start == starts[-1]
            message.snapshot.jobs.extend(
                convert_job.job(job, unresponsive=sessions.is_unresponsive(job.robot), whole=False)
                for job in jobs[start : start + SNAPSHOT_JOBS]
            )
            yield message.SerializeToString()
