"""Reasons of steps and calls that wait for their turn, and of jobs that wait for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.explain.sight import Sight, first, last_cause
from interlock_server.core.model.job import Role
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job


def of_chained(sight: Sight, job: Job) -> list[Reason]:
    """Its step, or the chain, has not come so far."""
    world = sight.world
    reasons = []
    above = world.jobs.get(job.parent)
    if above is not None:
        if job.role is Role.CALL:
            sentence = f"its step {job.step!r} is {STATUS_NAME[above.status]}"
        else:
            sentence = f"chain {above.id} is {STATUS_NAME[above.status]} at an earlier step"
        reasons.append(
            Reason(
                kind=ReasonKind.STEP,
                sentence=sentence,
                object=job.step,
                since_ms=above.changed_ms,
                jobs=(above.id,),
                reasons=_behind(sight, above),
            )
        )
    if job.hold_when_due:
        reasons.append(
            Reason(
                kind=ReasonKind.HELD,
                sentence="it becomes Held when its turn comes",
                current=False,
            )
        )
    return reasons


def _behind(sight: Sight, job: Job) -> tuple[Reason, ...]:
    from interlock_server.core.explain import explain  # noqa: PLC0415 - a tree asks itself

    return explain(sight, job).reasons


def of_disabled(_sight: Sight, job: Job) -> list[Reason]:
    """A person switched it off."""
    by, since_ms, why = last_cause(job)
    return [
        Reason(
            kind=ReasonKind.DISABLED,
            sentence="it is disabled, and counts as done when its turn comes"
            + (f" ({why})" if why else ""),
            by=by,
            since_ms=since_ms,
        )
    ]


def of_waiting(sight: Sight, job: Job) -> list[Reason]:
    """It waits for its steps, its calls or its children."""
    below = live_children(sight, job)
    if not below:
        return [
            Reason(
                kind=ReasonKind.CHILDREN,
                sentence=f"its robot {job.robot} says that it waits for another job",
                object=job.robot,
                since_ms=job.changed_ms,
            )
        ]
    moving = [each for each in below if each.status != Status.REDWOOD_CHAINED]
    return [
        Reason(
            kind=ReasonKind.CHILDREN,
            sentence=f"it waits for {sight.named(each.id for each in below)}",
            since_ms=job.changed_ms,
            jobs=first(each.id for each in below),
            reasons=tuple(_of_child(sight, each) for each in moving[:5]),
        )
    ]


def live_children(sight: Sight, job: Job) -> list[Job]:
    """The jobs right below one that are not final."""
    jobs = sight.world.jobs
    family = sight.world.families.get(job.top or job.id, ())
    found = (jobs[member] for member in family if member in jobs)
    return [
        each
        for each in found
        if each.parent == job.id
        and not IS_FINAL[each.status]
        and each.status != Status.REDWOOD_DISABLED
    ]


def _of_child(sight: Sight, job: Job) -> Reason:
    what = f"{job.role.name.lower()} {job.call or job.step}" if job.role else job.definition
    return Reason(
        kind=ReasonKind.CHILDREN,
        sentence=f"job {job.id} ({what}) is {STATUS_NAME[job.status]}",
        since_ms=job.changed_ms,
        jobs=(job.id,),
        reasons=_behind(sight, job),
    )
