"""MediaService: recordings of jobs come in and go out in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import media_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.media_service_pb2_grpc import MediaServiceServicer
from interlock_server.core.model.medium import Medium
from interlock_server.media import NewMedium
from interlock_server.rpc import convert_job, validate
from interlock_server.rpc.errors import InvalidArgument
from interlock_server.rpc.partition_lookup import find_job, find_partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from grpc.aio import ServicerContext

    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

CONTENT_TYPE_MAX: Final = 128
PART_BYTES_MAX: Final = 1 << 20
_HEX: Final = frozenset("0123456789abcdef")
_DIGEST_CHARS: Final = 64


class MediaService(MediaServiceServicer):
    """Keeps recordings, shows them, gives them out, and forgets them."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def UploadMedium(  # noqa: N802
        self, request: AsyncIterator[pb.UploadMediumRequest], _context: Context
    ) -> pb.UploadMediumResponse:
        """Keep a recording."""
        said = await anext(request, pb.UploadMediumRequest())
        if not said.HasField("medium"):
            raise InvalidArgument("medium", "expected it in the first message, but it is unset")
        partition = self._partition(said.medium)
        new = _new_medium(said.medium, partition.now_ms())
        if said.medium.validate_only:
            known = await partition.media.check(new)
            return pb.UploadMediumResponse(
                medium=None if known is None else convert_job.medium(known)
            )
        kept = await partition.media.upload(new, _parts(request))
        return pb.UploadMediumResponse(medium=convert_job.medium(kept))

    async def DownloadMedium(  # noqa: N802
        self, request: pb.DownloadMediumRequest, _context: Context
    ) -> AsyncIterator[pb.DownloadMediumResponse]:
        """Give a recording out."""
        job = validate.identifier("job", request.job)
        name = validate.name("name", request.name)
        offset = validate.bounded("offset", request.offset)
        partition = self._partition(request)
        await find_job(partition, job)
        content = await partition.media.read(job, name, offset)
        try:
            yield pb.DownloadMediumResponse(medium=convert_job.medium(content.medium))
            async for part in content.parts():
                yield pb.DownloadMediumResponse(data=part)
        finally:
            content.close()

    async def ListMedia(  # noqa: N802
        self, request: pb.ListMediaRequest, _context: Context
    ) -> pb.ListMediaResponse:
        """Show the recordings of a job."""
        job = validate.identifier("job", request.job)
        partition = self._partition(request)
        media = await partition.media.of_jobs([job])
        if not media:
            await find_job(partition, job)
        return pb.ListMediaResponse(media=[convert_job.medium(each) for each in media])

    async def DeleteMedia(  # noqa: N802
        self, request: pb.DeleteMediaRequest, _context: Context
    ) -> pb.DeleteMediaResponse:
        """Forget recordings of a job."""
        job = validate.identifier("job", request.job)
        validate.batch("names", len(request.names))
        names = validate.names("names", request.names)
        author = validate.author("requested_by", request.requested_by)
        partition = self._partition(request)
        await find_job(partition, job)
        gone = await partition.media.delete(job, names, author)
        return pb.DeleteMediaResponse(media=[convert_job.medium(each) for each in gone])


def _new_medium(said: pb.NewMedium, now_ms: int) -> NewMedium:
    digest = said.digest
    if len(digest) != _DIGEST_CHARS or not _HEX.issuperset(digest):
        raise InvalidArgument(
            "medium.digest", "expected a SHA-256 of 64 lowercase hex digits, but it is none"
        )
    medium = Medium(
        job=validate.identifier("medium.job", said.job),
        name=validate.name("medium.name", said.name),
        digest=digest,
        size_bytes=validate.bounded("medium.size_bytes", said.size_bytes),
        content_type=validate.text("medium.content_type", said.content_type, CONTENT_TYPE_MAX),
        at_ms=now_ms,
        robot=validate.name("medium.robot", said.robot),
    )
    return NewMedium(medium, said.fence)


async def _parts(request: AsyncIterator[pb.UploadMediumRequest]) -> AsyncIterator[bytes]:
    async for said in request:
        if not said.HasField("data"):
            raise InvalidArgument("data", "expected a part of the content, but it is unset")
        if len(said.data) > PART_BYTES_MAX:
            raise InvalidArgument(
                "data",
                f"expected a part of at most {PART_BYTES_MAX:,} bytes, but got {len(said.data):,}",
                ErrorReason.ERROR_REASON_OUT_OF_BOUNDS,
            )
        yield said.data
