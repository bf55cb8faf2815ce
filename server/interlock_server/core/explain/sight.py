"""From where an explanation is given: a World, an instant, and what sessions know of robots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from interlock_server.core.vocabulary.status import STATUS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World

#: Jobs that one reason names; the others are counted.
JOBS_MAX = 20


class Sight(NamedTuple):
    """What an explanation sees."""

    world: World
    now_ms: int
    #: Since when nothing was heard of a robot that should be heard; 0 if it is heard.
    silent_since_ms: Callable[[str], int]

    def named(self, jobs: Iterable[int]) -> str:
        """The first few jobs with their statuses, for a sentence."""
        found = sorted(jobs)
        shown = [self._named(job_id) for job_id in found[:3]]
        more = len(found) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    def _named(self, job_id: int) -> str:
        job = self.world.jobs.get(job_id)
        return f"job {job_id} ({STATUS_NAME[job.status]})" if job is not None else f"job {job_id}"


def first(jobs: Iterable[int]) -> tuple[int, ...]:
    """As many jobs as one reason names."""
    return tuple(sorted(jobs)[:JOBS_MAX])


def last_cause(job: Job) -> tuple[str, int, str]:
    """Who brought the job to its status, when, and why."""
    if not job.history:
        return "", job.changed_ms, job.info
    cause = job.history[-1].cause
    return cause.author, cause.at_ms, cause.reason
