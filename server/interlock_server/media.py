"""Recordings of jobs: their contents become files, and what is known of them becomes durable.

The order is what a crash relies on: content, its name, then the commit that refers to it. A content
that nobody refers to is removed; `_placing` keeps that apart from uploads.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog

from interlock_server.core.command import DropMedia, KeepMedium
from interlock_server.core.model.medium import Medium
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import medium as rule
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.engine import Overloaded, StorageFull
from interlock_server.storage import codec
from interlock_server.storage.media_files import NoRoom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from typing import IO

    from interlock_server.core.model.job import Job
    from interlock_server.engine import Engine
    from interlock_server.storage.media_files import MediaFiles, Unfinished
    from interlock_server.storage.port import JournalPort

#: Bytes of a download that are sent at once.
PART_BYTES: Final = 256 * 1024
#: Media of one job.
MEDIA_MAX: Final = 100
#: Uploads, and downloads, that may be under way.
UPLOADS_MAX: Final = 64
DOWNLOADS_MAX: Final = 256
#: A robot that says nothing for so long has given its upload up.
PART_TIMEOUT_S: Final = 60.0
#: Jobs that are looked through at once for media whose job is gone.
_SLICE: Final = 200


class Room(NamedTuple):
    """How much may be recorded."""

    medium_bytes: int = 256 << 20
    total_bytes: int = 20 << 30
    min_free_bytes: int = 64 << 20


class NewMedium(NamedTuple):
    """A recording as its robot announces it."""

    medium: Medium
    fence: int


class Content:
    """A recording that is given out. `close` has to be called."""

    def __init__(self, medium: Medium, file: IO[bytes], closed: Callable[[], None]) -> None:
        """Read from an open file."""
        self.medium = medium
        self._file = file
        self._closed = closed

    async def parts(self) -> AsyncIterator[bytes]:
        """The rest of the content."""
        while part := await asyncio.to_thread(self._file.read, PART_BYTES):
            yield part

    def close(self) -> None:
        """Give the file up. May be called once."""
        self._file.close()
        self._closed()


class Media:
    """The recordings of one partition."""

    def __init__(self, engine: Engine, journal: JournalPort, files: MediaFiles, room: Room) -> None:
        """Take over files that were counted."""
        self.files = files
        self._engine = engine
        self._journal = journal
        self._room = room
        #: Announced sizes of uploads that are under way.
        self._coming_bytes = 0
        self._uploads = 0
        self._downloads = 0
        #: Held from giving a content its name until the commit that refers to it, and while
        #: contents that nobody refers to are removed.
        self._placing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Medium]] = set()

    # -- upload ---------------------------------------------------------------------------------

    async def upload(self, new: NewMedium, parts: AsyncIterator[bytes]) -> Medium:
        """Take a recording in. It is durable when this returns.

        The same one again, after an answer was lost, is answered without its content. Raises
        Rejection and EngineError.
        """
        known, archived = await self._look(new)
        if known is not None:
            return known
        wanted = new.medium
        if self._uploads >= UPLOADS_MAX:
            raise Overloaded
        self._uploads += 1
        self._coming_bytes += wanted.size_bytes
        try:
            return await self._take_in(new, parts, archived)
        except NoRoom:
            raise StorageFull from None
        finally:
            self._uploads -= 1
            self._coming_bytes -= wanted.size_bytes

    async def check(self, new: NewMedium) -> Medium | None:
        """The recording if it is kept already, None if it would be. Raises Rejection."""
        known, _ = await self._look(new)
        return known

    async def _look(self, new: NewMedium) -> tuple[Medium | None, Job | None]:
        """The recording if it is kept already, and the record of its job if that is archived."""
        wanted = new.medium
        archived = await self._archived(wanted.job)
        refused = rule.refusal(self._engine.world, wanted, new.fence, archived)
        if refused is not None:
            raise refused
        known = await self._known(wanted)
        if known is None:
            await self._find_room(wanted)
        return known, archived

    async def _take_in(
        self, new: NewMedium, parts: AsyncIterator[bytes], archived: Job | None
    ) -> Medium:
        unfinished = await self.files.begin()
        handed_over = False
        try:
            await _receive(unfinished, new.medium, parts)
            # Its own task: a caller that leaves now must not tear placing from the commit.
            task = asyncio.create_task(self._keep(new, unfinished, archived), name="medium")
            handed_over = True
        finally:
            if not handed_over:
                await asyncio.to_thread(unfinished.discard)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_look_at)
        return await asyncio.shield(task)

    async def _keep(self, new: NewMedium, unfinished: Unfinished, archived: Job | None) -> Medium:
        try:
            await asyncio.to_thread(unfinished.sync)
            async with self._placing:
                known = await self._known(new.medium)
                if known is not None:
                    return known
                await self.files.place(unfinished)
                command = KeepMedium(new.medium, new.fence, archived)
                author = new.medium.robot
                kept: Medium = await self._engine.submit(command, actor=Actor.ROBOT, author=author)
                return kept
        finally:
            await asyncio.to_thread(unfinished.discard)

    async def _known(self, wanted: Medium) -> Medium | None:
        """What the job has under this name, if it is the same content."""
        media = await self._journal.list_media([wanted.job])
        known = next((each for each in media if each.name == wanted.name), None)
        if known is not None and known.digest != wanted.digest:
            raise Rejection(
                Reason.RECORDING_REFUSED,
                f"expected a name that is free, but job {wanted.job} already has another recording "
                f"named {wanted.name!r}",
            )
        if known is None and len(media) >= MEDIA_MAX:
            raise Rejection(
                Reason.TOO_LARGE,
                f"expected at most {MEDIA_MAX} recordings of a job, and job {wanted.job} already "
                f"has {len(media)}",
                max=MEDIA_MAX,
            )
        return known

    async def _find_room(self, wanted: Medium) -> None:
        room = self._room
        if wanted.size_bytes > room.medium_bytes:
            raise Rejection(
                Reason.TOO_LARGE,
                f"expected a recording of at most {room.medium_bytes:,} bytes, but it has "
                f"{wanted.size_bytes:,}",
                max=room.medium_bytes,
            )
        coming = self._coming_bytes + wanted.size_bytes
        if self.files.used_bytes + coming > room.total_bytes:
            raise Rejection(
                Reason.STORAGE_FULL,
                f"expected room for {wanted.size_bytes:,} bytes, but recordings already take "
                f"{self.files.used_bytes:,} of {room.total_bytes:,}; delete some, or keep jobs for "
                f"less long",
                max=room.total_bytes,
            )
        if await self.files.free_bytes() - coming < room.min_free_bytes:
            raise StorageFull

    async def _archived(self, job_id: int) -> Job | None:
        """The record of a job that has left memory."""
        if job_id in self._engine.world.jobs:
            return None
        await self._engine.barrier()
        found = await self._journal.archived_job(job_id)
        return codec.decode_job(found.record) if found is not None else None

    async def close(self) -> None:
        """Wait for uploads that are between their name and their commit."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- show and delete ------------------------------------------------------------------------

    async def of_jobs(self, jobs: Collection[int]) -> list[Medium]:
        """What is recorded of some jobs, by job and name."""
        return await self._journal.list_media(jobs)

    async def read(self, job: int, name: str, offset: int) -> Content:
        """A recording and its content from an offset, to be closed. Raises Rejection."""
        media = await self._journal.list_media([job])
        medium = next((each for each in media if each.name == name), None)
        if medium is None:
            raise _no_medium(job, name)
        if offset > medium.size_bytes:
            raise Rejection(
                Reason.INVALID_NUMBER,
                f"expected an offset of at most {medium.size_bytes:,}, but got {offset:,}",
            )
        if self._downloads >= DOWNLOADS_MAX:
            raise Overloaded
        file = await self.files.open_content(medium.digest, offset)
        if file is None:
            raise Rejection(
                Reason.MEDIUM_NOT_FOUND,
                f"there is no content of recording {name!r} of job {job} any more: its file is "
                f"missing",
                job=job,
            )

        self._downloads += 1
        return Content(medium, file, self._download_ended)

    def _download_ended(self) -> None:
        self._downloads -= 1

    async def delete(self, job: int, names: Collection[str], author: str) -> list[Medium]:
        """Forget recordings of a job, all of them or none. Raises Rejection."""
        media = await self._journal.list_media([job])
        known = {each.name for each in media}
        for name in names:
            if name not in known:
                raise _no_medium(job, name)
        gone = [each for each in media if each.name in names]
        command = DropMedia(job, tuple(names))
        await self._engine.submit(command, actor=Actor.USER, author=author)
        structlog.get_logger().info("media_deleted", job=job, names=[*names], author=author)
        await self._collect([each.digest for each in gone])
        return gone

    # -- what nobody refers to ------------------------------------------------------------------

    async def sweep(self) -> None:
        """Forget media of jobs that are gone, then contents that nobody refers to, in slices."""
        after = 0
        while jobs := await self._journal.media_jobs(after, _SLICE):
            after = jobs[-1]
            gone = await self._gone(jobs)
            if gone:
                await self._journal.drop_media(gone)
        for part in range(256):
            stored = await self.files.stored(part)
            if stored:
                await self._collect(stored)

    async def _gone(self, jobs: list[int]) -> list[int]:
        """Which jobs are neither live nor archived. Memory first: a job goes from there to disk."""
        live = {job for job in jobs if job in self._engine.world.jobs}
        await self._engine.barrier()
        rest = [job for job in jobs if job not in live]
        return [job for job in rest if await self._journal.archived_job(job) is None]

    async def _collect(self, digests: list[str]) -> None:
        async with self._placing:
            used = await self._journal.used_digests(digests)
            await self.files.remove(sorted(set(digests) - used))


async def _receive(unfinished: Unfinished, wanted: Medium, parts: AsyncIterator[bytes]) -> None:
    while (part := await _next(parts, wanted)) is not None:
        if unfinished.size_bytes + len(part) > wanted.size_bytes:
            raise _mismatch(wanted, f"more than {wanted.size_bytes:,} bytes came")
        await asyncio.to_thread(unfinished.write, part)
    if unfinished.size_bytes != wanted.size_bytes:
        raise _mismatch(wanted, f"{unfinished.size_bytes:,} of {wanted.size_bytes:,} bytes came")
    if unfinished.digest != wanted.digest:
        raise _mismatch(wanted, f"it has the digest {unfinished.digest}")


async def _next(parts: AsyncIterator[bytes], wanted: Medium) -> bytes | None:
    try:
        async with asyncio.timeout(PART_TIMEOUT_S):
            return await anext(parts, None)
    except TimeoutError:
        raise _mismatch(wanted, f"nothing came for {PART_TIMEOUT_S:g} seconds") from None


def _mismatch(wanted: Medium, what: str) -> Rejection:
    return Rejection(
        Reason.DIGEST_MISMATCH,
        f"expected the content that was announced for {wanted.name!r}, but {what}; nothing is "
        f"kept, send it again",
    )


def _no_medium(job: int, name: str) -> Rejection:
    return Rejection(
        Reason.MEDIUM_NOT_FOUND, f"there is no recording {name!r} of job {job}", job=job
    )


def _look_at(task: asyncio.Task[Any]) -> None:
    """A caller that has left does not look at what became of its upload; that is no error."""
    if not task.cancelled():
        task.exception()
