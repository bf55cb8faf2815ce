"""The labels of the jobs that changes are about, also of those that are over and archived.

A job leaves memory in the commit that ends it, and a watch by label has to see that change too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.rpc.validate import ID_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock_server.partition import Partition
    from interlock_server.watch.filter import ChangeFilter
    from interlock_server.watch.published import Published

#: Archived jobs read at once, and how many stay known.
SLICE: Final = 500
KEPT_MAX: Final = 50_000


class LabelBook:
    """Labels by job, for the filters of one partition. Shared by its watches."""

    def __init__(self, partition: Partition) -> None:
        """Start with the jobs in memory alone."""
        self._partition = partition
        self._archived: dict[int, Mapping[str, str]] = {}

    def labels_of(self, job_id: int) -> Mapping[str, str] | None:
        """Labels of a job; None if it is over and `read_for` was not told of it."""
        job = self._partition.world.jobs.get(job_id)
        return self._archived.get(job_id) if job is None else job.labels

    async def read_for(self, commits: Iterable[Published], selected: ChangeFilter) -> None:
        """Get to know the jobs whose labels decide what a filter selects of these commits.

        They are known until the caller next awaits something.
        """
        while unknown := self._unknown(commits, selected):
            if len(self._archived) > KEPT_MAX:
                self._archived.clear()
            for start in range(0, len(unknown), SLICE):
                await self._read(unknown[start : start + SLICE])

    def _unknown(self, commits: Iterable[Published], selected: ChangeFilter) -> list[int]:
        if not selected.has_labels:
            return []
        live, archived = self._partition.world.jobs, self._archived
        return sorted(
            {
                job
                for published in commits
                for job in selected.jobs_before_labels(published)
                if job not in live and job not in archived
            }
        )

    async def _read(self, jobs: list[int]) -> None:
        found = await self._partition.archived_jobs(before_job=ID_MAX, limit=len(jobs), jobs=jobs)
        self._archived.update((job, {}) for job in jobs)
        self._archived.update((job.id, job.labels) for job in found)
