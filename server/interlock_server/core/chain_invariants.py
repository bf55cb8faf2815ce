"""What has to hold of chains, their steps and calls (domain.md C4.11, C4.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.kin import is_over
from interlock_server.core.model.job import Role
from interlock_server.core.vocabulary.status import IS_FINAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World

_AT_WORK = frozenset({Status.REDWOOD_WAITING, Status.REDWOOD_CONSOLE, Status.REDWOOD_KILLING})


def problems(world: World) -> Iterator[str]:
    """Say what does not hold, one sentence each."""
    for job in world.jobs.values():
        if job.chain is not None or job.role is Role.STEP:
            for problem in _composed(world, job):
                yield f"job {job.id}: {problem}"
        if job.role is Role.STEP:
            for problem in _step(world, job):
                yield f"job {job.id}: {problem}"


def _composed(world: World, job: Job) -> Iterator[str]:
    parts = _parts(world, job)
    if IS_FINAL[job.status] and not all(is_over(part.status) for part in parts):
        yield "it is final, and a step or call of it is not (C4.11)"
    if job.status in _AT_WORK and all(is_over(part.status) for part in parts):
        yield "it waits for its steps or calls, and all are over (C4.11)"
    if job.chain is None:
        return
    active = [
        part for part in parts if part.status != Status.REDWOOD_CHAINED and not is_over(part.status)
    ]
    if len(active) > 1:
        yield "two of its steps are active at a time"
    asks = any(part.status == Status.REDWOOD_CONSOLE_RESTART for part in active)
    if (job.status == Status.REDWOOD_CONSOLE) != asks:
        yield "it is Console exactly while a step of it is ConsoleRestart (RA-3)"


def _parts(world: World, job: Job) -> list[Job]:
    children = (world.jobs[child] for child in world.children.get(job.id, ()))
    return [child for child in children if child.role is not Role.PLAIN]


def _step(world: World, step: Job) -> Iterator[str]:
    chain = world.jobs.get(step.parent)
    if chain is None or chain.chain is None:
        if not IS_FINAL[step.status]:
            yield "it is a step, and its chain is gone"
        return
    own = next((each for each in chain.chain.steps if each.name == step.step), None)
    if own is not None and own.restarts_max and step.starts >= own.restarts_max:
        yield "its step was restarted more often than it may be (C4.12)"
    if step.iteration != len(step.executions) + 1:
        yield "it is not the run of its step that it says"
