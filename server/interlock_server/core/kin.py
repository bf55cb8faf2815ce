"""Who belongs to whom: families, parents and children, restarts, and the newest jobs of steps.

Called by `core.apply` only; everything here is derived from the jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.job import Role
from interlock_server.core.vocabulary.status import IS_FINAL, Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


def is_over(status: int) -> bool:
    """Whether a parent waits for it no more: final or Disabled (RA-6); 0 is before the first."""
    return not status or IS_FINAL[status] or status == Status.REDWOOD_DISABLED


def join(world: World, job: Job) -> None:
    """Let a job that is taken in stand with its family."""
    if job.top:
        world.families.setdefault(job.top, {})[job.id] = None
    if job.original:
        world.restarts.setdefault(job.original, {})[job.id] = None
    if job.parent:
        world.children.setdefault(job.parent, {})[job.id] = None
        if job.role == Role.STEP:
            key = (job.parent, job.step)
            world.steps[key] = max(job.id, world.steps.get(key, 0))


def count(world: World, job: Job, source: int, target: int) -> None:
    """Count a child that begins or is over."""
    over = is_over(target)
    if over == is_over(source):
        return
    left = world.unfinished.get(job.parent, 0) + (-1 if over else 1)
    if left:
        world.unfinished[job.parent] = left
    else:
        del world.unfinished[job.parent]


def leave(world: World, job: Job) -> None:
    """Take a job that leaves memory out of its family."""
    if job.lineage is not None:
        _remove(world.restarts, job.original, job.id)
    if job.kinship is None:
        return
    _remove(world.families, job.top, job.id)
    _remove(world.children, job.parent, job.id)
    if job.role == Role.STEP and world.steps.get((job.parent, job.step)) == job.id:
        del world.steps[job.parent, job.step]


def _remove(index: dict[int, dict[int, None]], key: int, job_id: int) -> None:
    members = index.get(key)
    if members is not None:
        members.pop(job_id, None)
        if not members:
            del index[key]


def may_leave(world: World, job: Job) -> bool:
    """Whether a job may leave memory: it and its chain are over, and nobody is asked about it.

    A Disabled call leaves with its chain.
    """
    if not is_over(job.status) or job.open_message is not None:
        return False
    if job.kinship is None:
        return True
    top = world.jobs.get(job.top)
    return (top is None or IS_FINAL[top.status]) and (
        job.role == Role.PLAIN or not _lives_above(world, job)
    )


def _lives_above(world: World, job: Job) -> bool:
    """Whether a chain or step that the job belongs to is not over: it may outlive the top."""
    above: Job | None = job
    while above is not None and above.role != Role.PLAIN:
        above = world.jobs.get(above.parent)
        if above is not None and not is_over(above.status):
            return True
    return False
