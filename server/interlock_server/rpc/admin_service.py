"""AdminService: looks after the server and its partitions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.v1 import admin_service_pb2 as pb
from interlock.v1.admin_service_pb2_grpc import AdminServiceServicer
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.vocabulary.status import STATUS_LIFECYCLE, STATUS_NAME, Lifecycle
from interlock_server.partitions import PartitionExists
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument, Refused
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from grpc.aio import ServicerContext

    from interlock_server.core.world import World
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

_PARTITION_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BACKUP_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


class About(NamedTuple):
    """What is true of the server as a whole."""

    server_version: str
    sqlite_version: str
    started_ms: int


class AdminService(AdminServiceServicer):
    """Shows how the server is, and cares for its data."""

    def __init__(self, partitions: Partitions, about: About) -> None:
        """Serve these partitions."""
        self._partitions = partitions
        self._about = about

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    async def ListPartitions(  # noqa: N802
        self, _request: pb.ListPartitionsRequest, _context: Context
    ) -> pb.ListPartitionsResponse:
        """Show the partitions."""
        return pb.ListPartitionsResponse(names=self._partitions.names())

    async def CreatePartition(  # noqa: N802
        self, request: pb.CreatePartitionRequest, _context: Context
    ) -> pb.CreatePartitionResponse:
        """Make an empty partition."""
        if not _PARTITION_NAME.fullmatch(request.name):
            raise InvalidArgument(
                "name",
                "expected 1 to 64 of a-z 0-9 _ -, beginning with a letter or digit, "
                f"but got {request.name[:64]!r}",
                ErrorReason.ERROR_REASON_INVALID_NAME,
            )
        try:
            await self._partitions.create(request.name)
        except PartitionExists as error:
            raise Refused(ErrorReason.ERROR_REASON_PARTITION_EXISTS, str(error)) from None
        return pb.CreatePartitionResponse()

    async def GetStatus(  # noqa: N802
        self, request: pb.GetStatusRequest, _context: Context
    ) -> pb.GetStatusResponse:
        """Show how the server and one partition are doing."""
        partition = self._partition(request)
        sizes = await partition.journal.sizes()
        archived = await partition.journal.archived_count()
        response = await partition.read(_world_status)
        response.server_version = self._about.server_version
        response.sqlite_version = self._about.sqlite_version
        response.durability = partition.durability
        response.start_time.FromMilliseconds(self._about.started_ms)
        response.partition = partition.name
        response.revision = partition.history.head_revision
        response.oldest_revision = partition.journal.oldest_revision()
        response.history_id = partition.journal.history_id
        response.archived_jobs = archived
        response.watchers = partition.watchers
        response.journal_bytes = sizes["journal_bytes"]
        response.wal_bytes = sizes["wal_bytes"]
        response.media = partition.media.files.count
        response.media_bytes = partition.media.files.used_bytes
        response.deleted_jobs = partition.housekeeping.deleted_jobs
        if partition.housekeeping.passed_ms:
            response.retention_time.FromMilliseconds(partition.housekeeping.passed_ms)
        return response

    async def Verify(  # noqa: N802
        self, request: pb.VerifyRequest, _context: Context
    ) -> AsyncIterator[pb.VerifyResponse]:
        """Replay the journal beside the live server and compare."""
        async for step in self._partition(request).verify():
            yield pb.VerifyResponse(
                commits_read=step.commits_read,
                commits_total=step.commits_total,
                revision=step.revision,
                done=step.done,
                problems=_clipped(step.problems),
                digest=step.digest,
            )

    async def Backup(self, request: pb.BackupRequest, _context: Context) -> pb.BackupResponse:  # noqa: N802
        """Write a consistent copy of a partition while it works."""
        if request.name and not _BACKUP_NAME.fullmatch(request.name):
            raise InvalidArgument(
                "name",
                "expected 1 to 64 of A-Z a-z 0-9 . _ - and no leading dot, "
                f"but got {request.name[:64]!r}",
                ErrorReason.ERROR_REASON_INVALID_NAME,
            )
        done = await self._partition(request).backup(request.name)
        return pb.BackupResponse(path=done.path, revision=done.revision, size_bytes=done.size_bytes)

    async def Compact(self, request: pb.CompactRequest, _context: Context) -> pb.CompactResponse:  # noqa: N802
        """Write a snapshot and drop old commits."""
        keep = None
        if request.HasField("keep_revisions"):
            keep = validate.bounded("keep_revisions", request.keep_revisions)
        oldest = await self._partition(request).compact(keep)
        return pb.CompactResponse(oldest_revision=oldest)


#: Problems in one message, and characters of each.
PROBLEMS_MAX: Final = 1_000
PROBLEM_CHARS_MAX: Final = 1_000


def _clipped(problems: Sequence[str]) -> list[str]:
    return [problem[:PROBLEM_CHARS_MAX] for problem in problems[:PROBLEMS_MAX]]


def _world_status(world: World) -> pb.GetStatusResponse:
    return pb.GetStatusResponse(
        live_jobs=len(world.jobs),
        robots=sum(robot.connected for robot in world.robots.values()),
        open_messages=len(world.open_messages),
        status_counts={
            f"{Lifecycle(STATUS_LIFECYCLE[status]).text}/{STATUS_NAME[status]}": count
            for status, count in enumerate(world.status_counts)
            if count and STATUS_NAME[status]
        },
    )
