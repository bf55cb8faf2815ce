"""Deletes final jobs that their keep rules give up, and recordings that nobody refers to.

Passes are at whole multiples of the period since 1970, however often the server starts; one that
was due while it was down is made up for at once. Work is done in slices, each durable by itself: a
pass that a crash ends is gone on with by the next one. What a rule says was stored when the job was
archived, so that a new rule is about jobs that end after it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from interlock_server.storage.port import KeptJob

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock_server.clock import Clock
    from interlock_server.core.model.definition import Keep
    from interlock_server.core.model.job import Job
    from interlock_server.engine import Engine
    from interlock_server.media import Media
    from interlock_server.storage.port import JournalPort

#: Jobs that one transaction deletes: how long a commit may wait behind it.
SLICE_JOBS: Final = 200
#: Jobs that one read looks through.
_LOOK_JOBS: Final = 1_000
#: A wall clock that is set forward is noticed within this time.
_LOOK_EVERY_S: Final = 10.0
_LATEST_MS: Final = 1 << 62


def kept_job(job: Job, keep: Keep | None) -> KeptJob | None:
    """What the archive has to know of a job that ends under this rule; None: it stays for ever.

    Jobs of a family go with the one at its top, unless their own rule says otherwise (domain.md
    B13).
    """
    on_its_own = keep is not None and keep.force and job.ended_ms  # a Disabled call has no end
    if job.top and not on_its_own:
        return KeptJob(job.id, job.definition, job.ended_ms, top=job.top)
    if keep is None or not (keep.count or keep.age_ms):
        return None
    if keep.statuses and job.status not in keep.statuses:
        return None
    expire_ms = job.ended_ms + keep.age_ms if keep.age_ms else 0
    return KeptJob(job.id, job.definition, job.ended_ms, count=keep.count, expire_ms=expire_ms)


class Housekeeping:
    """The background passes of one partition."""

    def __init__(
        self, engine: Engine, journal: JournalPort, media: Media, clock: Clock, *, period_ms: int
    ) -> None:
        """Nothing is done before `run`."""
        self._engine = engine
        self._journal = journal
        self._media = media
        self._clock = clock
        self._period_ms = period_ms
        self._last_pass = -1
        #: When the last pass ended; 0 for none since the start.
        self.passed_ms = 0
        #: Jobs deleted since the start.
        self.deleted_jobs = 0

    async def run(self) -> None:
        """Pass when it is due, until cancelled."""
        never = asyncio.Event()
        while True:
            await self.pass_due()
            try:
                async with asyncio.timeout(min(_LOOK_EVERY_S, self._period_ms / 1_000)):
                    await never.wait()
            except TimeoutError:
                continue

    async def pass_due(self) -> None:
        """Pass if it is due now."""
        now_ms = self._clock.now_ms()
        if now_ms // self._period_ms > self._last_pass:
            self._last_pass = now_ms // self._period_ms
            await self.pass_now()

    async def pass_now(self) -> None:
        """Delete what may go now."""
        before, now_ms = self.deleted_jobs, self._clock.now_ms()
        await self._delete_expired(now_ms)
        await self._delete_counted(now_ms)
        await self._delete_following()
        try:
            await self._media.sweep()
        except OSError as error:  # of a file beside the journal: nothing that was decided needs it
            structlog.get_logger().warning("media_sweep_failed", error=str(error))
        self.passed_ms = self._clock.now_ms()
        if self.deleted_jobs > before:
            structlog.get_logger().info("jobs_deleted", count=self.deleted_jobs - before)

    async def _delete(self, jobs: Iterable[int]) -> int:
        """Delete jobs, but no family that is not over yet; returns how many were there."""
        world = self._engine.world
        going = [job for job in jobs if job not in world.jobs and job not in world.families]
        deleted = await self._journal.delete_archived(going) if going else 0
        self.deleted_jobs += deleted
        return deleted

    async def _delete_expired(self, now_ms: int) -> None:
        limit = SLICE_JOBS
        while True:
            jobs = await self._journal.expired_jobs(now_ms, limit)
            deleted = await self._delete(jobs[-SLICE_JOBS:])
            if len(jobs) < limit:
                return
            if not deleted:  # families that are not over stand before the others
                limit += SLICE_JOBS

    async def _delete_counted(self, now_ms: int) -> None:
        definition = ""
        while definition := await self._journal.next_counted(definition):
            await self._delete_counted_of(definition, now_ms)

    async def _delete_counted_of(self, definition: str, now_ms: int) -> None:
        """Latest end first: a job may go once as many of the later ones stay as it says."""
        staying = 0
        before_ms, before_job = _LATEST_MS, 0
        going: list[int] = []
        while True:
            jobs = await self._journal.counted_jobs(
                definition, before_ms=before_ms, before_job=before_job, limit=_LOOK_JOBS
            )
            for each in jobs:
                if staying >= each.count and each.expire_ms <= now_ms:
                    going.append(each.job)
                else:
                    staying += 1
            while len(going) >= SLICE_JOBS or (going and len(jobs) < _LOOK_JOBS):
                await self._delete(going[:SLICE_JOBS])
                del going[:SLICE_JOBS]
            if len(jobs) < _LOOK_JOBS:
                return
            before_ms, before_job = jobs[-1].ended_ms, jobs[-1].job

    async def _delete_following(self) -> None:
        """Delete jobs whose top is gone, those of forgotten families of an earlier pass as well."""
        after = 0
        while jobs := await self._journal.following_jobs(after, _LOOK_JOBS):
            after = jobs[-1].job
            gone = await self._gone({each.top for each in jobs})
            going = [each.job for each in jobs if each.top in gone]
            for start in range(0, len(going), SLICE_JOBS):
                await self._delete(going[start : start + SLICE_JOBS])

    async def _gone(self, jobs: set[int]) -> set[int]:
        """Which jobs are neither live nor archived. Memory first: a job goes from there to disk."""
        rest = {job for job in jobs if job not in self._engine.world.jobs}
        await self._engine.barrier()
        return {job for job in rest if await self._journal.archived_job(job) is None}
