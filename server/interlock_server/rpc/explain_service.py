"""ExplainService: why jobs are not moving."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import explain_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.explain_service_pb2_grpc import ExplainServiceServicer
from interlock_server.core.vocabulary.status import IS_FINAL
from interlock_server.rpc import convert_explanation, validate
from interlock_server.rpc.errors import Refused, no_job
from interlock_server.rpc.partition_lookup import find_partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from grpc.aio import ServicerContext

    from interlock_server.core.explain import Explanation
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

#: Reasons change without a change of a status, as when a robot falls silent: look this often.
LOOK_EVERY_S: Final = 1.0
WATCHES_MAX: Final = 1_000


class ExplainService(ExplainServiceServicer):
    """Explains jobs with the conditions that decide about them."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions
        self._watches = 0

    async def ExplainJob(  # noqa: N802
        self, request: pb.ExplainJobRequest, _context: Context
    ) -> pb.ExplainJobResponse:
        """Say what keeps a job now."""
        partition = find_partition(self._partitions, request.partition)
        found = await _explain(partition, validate.identifier("job", request.job))
        return pb.ExplainJobResponse(explanation=convert_explanation.explanation(found))

    async def WatchExplanation(  # noqa: N802
        self, request: pb.WatchExplanationRequest, _context: Context
    ) -> AsyncIterator[pb.WatchExplanationResponse]:
        """Say it again whenever it has changed, until the job is final."""
        partition = find_partition(self._partitions, request.partition)
        job_id = validate.identifier("job", request.job)
        if self._watches >= WATCHES_MAX:
            raise Refused(
                ErrorReason.ERROR_REASON_TOO_MANY_WATCHES,
                f"expected at most {WATCHES_MAX:,} watched explanations; close some",
                retry_after_ms=5_000,
            )
        self._watches += 1
        try:
            async for found in _explanations(partition, job_id):
                message = convert_explanation.explanation(found)
                yield pb.WatchExplanationResponse(explanation=message)
        finally:
            self._watches -= 1


async def _explanations(partition: Partition, job_id: int) -> AsyncIterator[Explanation]:
    said: Any = None
    while True:
        revision = partition.history.head_revision
        found = await _explain(partition, job_id)
        content = (found.status, found.revision, found.reasons)
        if content != said:
            said = content
            yield found
        if IS_FINAL[found.status]:
            return
        await _worth_a_look(partition, job_id, found.revision, revision)


async def _worth_a_look(partition: Partition, job_id: int, seen: int, revision: int) -> None:
    """Wait until the job has changed, or for as long as its reasons may stay unlooked at.

    Not until anything has changed: a busy partition would explain a job with every commit.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_EVERY_S):
            while True:
                await partition.history.wait_beyond(revision)
                revision = partition.history.head_revision
                job = partition.world.jobs.get(job_id)
                if job is None or job.revision != seen:
                    return


async def _explain(partition: Partition, job_id: int) -> Explanation:
    found = await partition.explain(job_id)
    if found is None:
        raise no_job(job_id, partition.world.next_job)
    return found
