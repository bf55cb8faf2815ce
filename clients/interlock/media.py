"""Recordings of jobs: send them, list them, fetch them, delete them.

Contents go in parts and are checked against their SHA-256, so what is handed out is whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from grpc.aio import AioRpcError

from interlock.errors import Indeterminate, ServerError, Unavailable, from_rpc
from interlock.retry import Backoff
from interlock.v1 import media_service_pb2 as api

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable
    from typing import BinaryIO

    from interlock.connection import Connection
    from interlock.v1.job_pb2 import Medium

    # The class has a method of that name.
    Media = list[Medium]

_PART_BYTES: Final = 256 * 1024
#: The slowest way to a server that an upload is given time for.
_BYTES_PER_SECOND_MIN: Final = 256 * 1024
#: Attempts to go on with a download that bring nothing.
_ATTEMPTS_MAX: Final = 5
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._:-]")
_NAME_MAX: Final = 128


class Content(NamedTuple):
    """A file that is to be sent."""

    size_bytes: int
    digest: str


def name_of(path: Path) -> str:
    """Return a name for the recording in a file."""
    return _NOT_IN_A_NAME.sub("-", path.name)[:_NAME_MAX]


def look_at(path: Path) -> Content:
    """Return size and digest of a file; it must not change before it is sent."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Content(file.tell(), digest)


class MediaCalls:
    """Calls of MediaService, as `interlock.media`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, job: int) -> Media:
        """Return what is recorded of a job, by name."""
        connection = self._connection
        request = api.ListMediaRequest(job=job)
        return [*(await connection.call(connection.media.ListMedia, request)).media]

    async def upload(
        self,
        path: str | Path,
        *,
        job: int,
        robot: str,
        fence: int,
        name: str = "",
        content_type: str = "",
    ) -> Medium:
        """Keep a file as a recording of the attempt that a robot made of a job.

        It is durable when this returns. Sending the same again changes nothing.
        """
        path = Path(path)
        content = await asyncio.to_thread(look_at, path)
        request = api.NewMedium(
            job=job,
            robot=robot,
            fence=fence,
            name=name or name_of(path),
            content_type=content_type,
            size_bytes=content.size_bytes,
            digest=content.digest,
        )

        # A refusal while the content is on its way may be lost, so it is asked for before.
        known = await self._check(request)
        if known is not None:
            return known

        async def send(request: api.NewMedium, *, timeout: float) -> api.UploadMediumResponse:
            parts = _upload(request, path)
            try:
                return await self._connection.media.UploadMedium(parts, timeout=timeout)
            finally:
                with suppress(RuntimeError):  # grpc may still be reading it
                    await parts.aclose()

        # Each attempt gets a third of the time.
        needed = self._connection.timeout + 3 * content.size_bytes / _BYTES_PER_SECOND_MIN
        try:
            return (await self._connection.call(send, request, timeout=needed)).medium
        except ServerError:
            known = await self._check(request)
            if known is None:
                raise
            return known

    async def _check(self, request: api.NewMedium) -> Medium | None:
        """Return the recording if it is kept already. Raises what refuses it."""
        asked = api.NewMedium()
        asked.CopyFrom(request)
        asked.validate_only = True

        async def ask(request: api.NewMedium, *, timeout: float) -> api.UploadMediumResponse:
            said = iter([api.UploadMediumRequest(medium=request)])
            return await self._connection.media.UploadMedium(said, timeout=timeout)

        answer = await self._connection.call(ask, asked)
        return answer.medium if answer.HasField("medium") else None

    async def download(self, job: int, name: str, target: str | Path | BinaryIO) -> Medium:
        """Write a recording to a file, or to a path where it appears when it is whole.

        Goes on where it was when the connection breaks. Raises ServerError if the content is not
        what was recorded.
        """
        if not isinstance(target, str | Path):
            return await self._fetch(job, name, target)
        path = Path(target)
        unfinished = path.with_name(f"{path.name}.unfinished")
        try:
            with unfinished.open("wb") as file:
                medium = await self._fetch(job, name, file)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return medium

    async def _fetch(self, job: int, name: str, file: BinaryIO) -> Medium:
        digest = hashlib.sha256()
        fetched = failures = 0
        medium: Medium | None = None
        backoff = Backoff()
        while True:
            before = fetched
            try:
                async for told, part in self.stream(job, name, offset=fetched):
                    medium = told
                    digest.update(part)
                    fetched += len(part)
                    await asyncio.to_thread(file.write, part)
                break
            except (Unavailable, Indeterminate) as error:
                failures = 0 if fetched > before else failures + 1
                if failures >= _ATTEMPTS_MAX:
                    raise
                if fetched > before:
                    backoff.reset()
                await asyncio.sleep(backoff.next_delay(error.retry_after))
        assert medium is not None, "a download that ends says what it was"
        if digest.hexdigest() != medium.digest:
            raise ServerError(
                f"expected {medium.size_bytes:,} bytes with the digest {medium.digest}, but the "
                f"{fetched:,} bytes that came have {digest.hexdigest()}",
                reason="DIGEST_MISMATCH",
            )
        return medium

    async def stream(
        self, job: int, name: str, *, offset: int = 0
    ) -> AsyncIterator[tuple[Medium, bytes]]:
        """Yield a recording in parts, from an offset; the first one may be empty."""
        connection = self._connection
        request = api.DownloadMediumRequest(
            partition=connection.partition, job=job, name=name, offset=offset
        )
        call: Any = connection.end_with_me(connection.media.DownloadMedium(request))
        try:
            medium: Medium | None = None
            async for said in call:
                medium = said.medium if said.HasField("medium") else medium
                assert medium is not None, "the server says first what follows"
                yield medium, said.data
        except AioRpcError as error:
            raise from_rpc(error) from error
        finally:
            call.cancel()  # a call that is only dropped is never ended

    async def delete(self, job: int, names: str | Iterable[str]) -> Media:
        """Delete recordings of a job, all of them or none; returns them."""
        connection = self._connection
        request = api.DeleteMediaRequest(
            job=job,
            names=[names] if isinstance(names, str) else names,
            requested_by=connection.user,
        )
        return [*(await connection.call(connection.media.DeleteMedia, request)).media]


async def _upload(request: api.NewMedium, path: Path) -> AsyncGenerator[api.UploadMediumRequest]:
    yield api.UploadMediumRequest(medium=request)
    with path.open("rb") as file:
        while part := await asyncio.to_thread(file.read, _PART_BYTES):
            yield api.UploadMediumRequest(data=part)


def remove(path: Path) -> None:
    """Delete a file, if that is possible."""
    with suppress(OSError):
        path.unlink()
