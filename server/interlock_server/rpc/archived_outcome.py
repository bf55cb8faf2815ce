"""What the refusal of a verb says of a job that is over and has left memory.

The rules know only that it is over; its final status stands in the archive and never changes, so
it can be added to an answer that is given again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.rejection import Reason
from interlock_server.core.vocabulary.status import STATUS_NAME
from interlock_server.rpc.validate import ID_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock.v1.job_outcome_pb2 import JobOutcome
    from interlock_server.partition import Partition

_OVER: Final = Reason.ALREADY_FINAL.name


async def add_archived(partition: Partition, outcomes: Iterable[JobOutcome]) -> None:
    """Add status and revision to the outcomes of archived jobs."""
    bare = {each.job: each for each in outcomes if not each.status and each.refusal.reason == _OVER}
    if not bare:
        return
    found = await partition.archived_jobs(before_job=ID_MAX, limit=len(bare), jobs=sorted(bare))
    for job in found:
        outcome = bare[job.id]
        outcome.status = job.status  # type: ignore[assignment]  # same numbers
        outcome.revision = job.revision
        outcome.refusal.metadata["status"] = STATUS_NAME[job.status]
