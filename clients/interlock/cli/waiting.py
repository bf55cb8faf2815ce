"""Why jobs that wait are not started, in a sentence each: the summaries of their explanations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from interlock.cli.status_text import status_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock import Interlock
    from interlock.v1.job_pb2 import Job

#: Statuses in which a job waits for something that the job itself does not say.
WAITING: Final = frozenset(
    {
        *("Pending", "Resumed", "Queued", "QueueHeld", "EventWait", "LockWait", "Chained"),
        *("Never", "Overdue", "Modified", "Waiting"),
    }
)
#: So many jobs of a list are explained; `interlock explain` does it for any.
EXPLAINED_MAX: Final = 50


async def summaries(interlock: Interlock, jobs: Iterable[Job]) -> Mapping[int, str]:
    """Return what the first jobs that wait wait for."""
    waiting = [job.id for job in jobs if status_name(job.status) in WAITING][:EXPLAINED_MAX]
    found = await asyncio.gather(*(interlock.explain(job_id) for job_id in waiting))
    return {each.job: each.summary for each in found}
