"""Suspended UiPath jobs: what they wait for, and how they go on (domain.md A3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.command import Outcome
from interlock_server.core.model.job import ResumeKind
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.command import ChangeJobs, FireConditions, Suspension
    from interlock_server.core.model.job import Job, ResumeCondition
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def suspension_refusal(world: World, job: Job, suspension: Suspension) -> Rejection | None:
    """Say what is wrong with what a job wants to wait for; None if nothing is."""
    for condition in suspension.conditions:
        if condition.kind == ResumeKind.JOB and not 0 < int(condition.key) < world.next_job:
            return Rejection(
                Reason.INVALID_PARAMETER,
                f"job {job.id} cannot wait for job {condition.key}, which does not exist",
            )
    return None


def suspend(world: World, turn: Turn, job: Job, suspension: Suspension) -> None:
    """Suspend a Running job.

    What has happened already counts, so the job may be Resumed at once.
    """
    turn.set(
        job,
        conditions=suspension.conditions,
        resume_any=suspension.any,
        saved=suspension.saved,
        resume_on_same_robot=suspension.same_robot,
        attempt_lost=False,
    )
    turn.move(job, Trigger.SUSPEND)
    if job.status == Status.UIPATH_SUSPENDED:
        _mark(
            turn,
            job,
            lambda condition: _has_happened(world, turn, condition),
            Actor.SYSTEM,
            "resume",
        )


def resume(_world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Let a Suspended job go on, whatever it waits for."""
    if job.status != Status.UIPATH_SUSPENDED:
        return illegal(job, "resume")
    _go_on(turn, job, Trigger.RESUME)
    return True


def fire(world: World, turn: Turn, command: FireConditions) -> list[Outcome]:
    """A task or item is done: every job that waits for it hears of it."""
    fired = fire_key(world, turn, command.kind, command.key, Actor.USER, turn.cause.author)
    jobs = [world.jobs[job_id] for job_id in fired]
    return [Outcome(job.id, job.status, job.revision) for job in jobs]


def fire_key(
    world: World, turn: Turn, kind: ResumeKind, key: str, actor: Actor, author: str
) -> list[int]:
    """Fire the conditions of this kind and key; ids of the jobs that had one."""
    waiting = sorted(world.resume_by_key.get((int(kind), key), ()))
    for job_id in waiting:
        job = world.jobs[job_id]
        _mark(turn, job, lambda c: c.kind == kind and c.key == key, actor, author)
    return waiting


def fire_timers(turn: Turn, job: Job) -> None:
    """Fire the timers of a Suspended job that are due."""
    if job.status == Status.UIPATH_SUSPENDED:
        _mark(
            turn,
            job,
            lambda c: c.kind == ResumeKind.TIMER and c.at_ms <= turn.now_ms,
            Actor.CLOCK,
            "timer",
        )


def _has_happened(world: World, turn: Turn, condition: ResumeCondition) -> bool:
    if condition.kind == ResumeKind.TIMER:
        return condition.at_ms <= turn.now_ms
    if condition.kind == ResumeKind.JOB:
        job = world.jobs.get(int(condition.key))
        return job is None or bool(job.ended_ms)
    return False


def _mark(
    turn: Turn, job: Job, happened: Callable[[ResumeCondition], bool], actor: Actor, author: str
) -> None:
    """Mark what has happened; resume the job when that is enough."""
    fired = [not condition.fired and happened(condition) for condition in job.conditions]
    if not any(fired):
        return
    conditions = tuple(
        msgspec.structs.replace(condition, fired=True) if now else condition
        for condition, now in zip(job.conditions, fired, strict=True)
    )
    turn.set(job, conditions=conditions)
    enough = any if job.resume_any else all
    if enough(condition.fired for condition in conditions):
        turn.follow_up(actor, author)
        _go_on(turn, job, Trigger.FIRE_RESUME)


def _go_on(turn: Turn, job: Job, trigger: Trigger) -> None:
    turn.set(job, resume_version=job.resume_version + 1)
    turn.move(job, trigger)
