"""Finds the partition and the job that a request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.rpc.errors import Refused, no_job
from interlock_server.rpc.validate import DEFAULT_PARTITION

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions


def find_partition(partitions: Partitions, name: str) -> Partition:
    """The partition of this name; "" means the default one."""
    try:
        return partitions.get(name or DEFAULT_PARTITION)
    except KeyError:
        known = ", ".join(partitions.names()[:10])
        raise Refused(
            ErrorReason.ERROR_REASON_PARTITION_NOT_FOUND,
            f"there is no partition {name[:128]!r} (known: {known}); create it first",
        ) from None


async def find_job(partition: Partition, job_id: int) -> Job:
    """A job, live or archived."""
    found = await partition.job(job_id)
    if found is None:
        raise no_job(job_id, partition.world.next_job)
    return found
