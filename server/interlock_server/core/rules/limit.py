"""Runtime limits: how long a job may and has to run, and what missing one does (R29, RA-17).

The length of each limit is found when the job enters PreRunning or Running, and the instant at
which the next maximum is missed is stored with the job. A minimum is looked at when it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.command import Question
from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.definition import LimitBasis, LimitEffect, LimitKind
from interlock_server.core.model.job import Fault
from interlock_server.core.model.statistic import RunTimes
from interlock_server.core.rules import (
    cascade,
    condition,
    ending,
    named_event,
    operator_message,
    result,
)
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import RUNTIME_LIMIT

if TYPE_CHECKING:
    from interlock_server.core.model.definition import Definition, RuntimeLimit
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

AUTHOR: Final = "runtime limit"
#: Share of the newest run time in the moving average: one part of so many, once there are as many.
NEWEST_OF: Final = 8


def begin(world: World, turn: Turn, job: Job, definition: Definition) -> None:
    """Find the limits of a job that begins to run."""
    if not definition.runtime_limits:
        return
    lengths = tuple(_length(world, turn, job, limit) for limit in definition.runtime_limits)
    turn.set(job, limits_ms=lengths, limits_missed=())
    _plan(turn, job, definition)


def _length(world: World, turn: Turn, job: Job, limit: RuntimeLimit) -> int:
    """Milliseconds; 0 where the limit does not apply, such as an estimate that nobody has yet."""
    known = world.run_times.get(job.definition)
    estimate_ms = known.average_ms if known is not None else 0
    match limit.basis:
        case LimitBasis.FIXED:
            return limit.duration_ms
        case LimitBasis.ESTIMATE_OFFSET:
            return max(1, estimate_ms + limit.duration_ms) if estimate_ms else 0
        case LimitBasis.ESTIMATE_PERCENT:
            return max(1, estimate_ms * limit.percent // 100) if estimate_ms else 0
    try:
        return round(condition.seconds(world, turn, job, limit.expression, RUNTIME_LIMIT) * 1000)
    except ExpressionFault as fault:
        operator_message.note(
            world, turn, job, Question(f"a runtime limit does not apply: {fault}")
        )
        return 0


def _plan(turn: Turn, job: Job, definition: Definition) -> None:
    """Store when the next maximum is missed."""
    ends = [
        job.run_from_ms + job.limits_ms[index]
        for index, limit in _limits(job, definition)
        if limit.kind is LimitKind.MAXIMUM
    ]
    turn.set(job, limit_at_ms=min(ends, default=0))


def _limits(job: Job, definition: Definition) -> list[tuple[int, RuntimeLimit]]:
    """The limits that apply and are not missed yet."""
    return [
        (index, limit)
        for index, limit in enumerate(definition.runtime_limits[: len(job.limits_ms)])
        if job.limits_ms[index] and index not in job.limits_missed
    ]


def reach(world: World, turn: Turn, job: Job) -> None:
    """The instant is there at which a job has run for too long."""
    definition = world.definitions.get(job.definition)
    if definition is None or job.status not in _RUNS:
        return
    due = [
        (index, limit)
        for index, limit in _limits(job, definition)
        if limit.kind is LimitKind.MAXIMUM and job.run_from_ms + job.limits_ms[index] <= turn.now_ms
    ]
    _miss(turn, job, due)
    _plan(turn, job, definition)
    for _, limit in due:
        _raise(world, turn, job, limit, "ran for too long")
    turn.follow_up(Actor.CLOCK, AUTHOR)
    enforce(world, turn, job)


def _miss(turn: Turn, job: Job, missed: list[tuple[int, RuntimeLimit]]) -> None:
    if missed:
        turn.set(job, limits_missed=(*job.limits_missed, *(index for index, _ in missed)))


def _raise(world: World, turn: Turn, job: Job, limit: RuntimeLimit, what: str) -> None:
    if not limit.event:
        return
    turn.follow_up(Actor.JOB, f"job {job.id}")
    named_event.raise_event(world, turn, limit.event, f"job {job.id} {what}")


def enforce(world: World, turn: Turn, job: Job) -> None:
    """End a job that has run for too long, where it can be ended.

    One that is Uncertain is ended when its robot says that it still runs; one in Console that is to
    become Error, when it was replied to.
    """
    effects = _effects_missed(world, job)
    if not effects:
        return
    if turn.cause.actor != Actor.CLOCK:
        turn.follow_up(Actor.CLOCK, AUTHOR)
    if LimitEffect.ERROR in effects:
        _make_error(world, turn, job)
    elif cascade.is_composed(job):
        if job.status in _KILLS:
            cascade.kill(world, turn, job, "ran for too long")
    elif job.status in _KILLS:
        trigger = _KILLS[Status(job.status)]
        ending.order_kill(world, turn, job, trigger, "ran for too long")


_KILLS: Final = {
    Status.REDWOOD_PRE_RUNNING: Trigger.KILL,
    Status.REDWOOD_RUNNING: Trigger.REACH_LIMIT_KILL,
    Status.REDWOOD_WAITING: Trigger.KILL,
    Status.REDWOOD_CONSOLE: Trigger.KILL,
}


def _effects_missed(world: World, job: Job) -> set[LimitEffect]:
    if not job.limits_missed:
        return set()
    definition = world.definitions.get(job.definition)
    limits = definition.runtime_limits if definition is not None else ()
    return {
        limits[index].effect
        for index in job.limits_missed
        if index < len(limits) and limits[index].kind is LimitKind.MAXIMUM
    } - {LimitEffect.NONE}


def _make_error(world: World, turn: Turn, job: Job) -> None:
    text = "ran for too long"
    if cascade.is_composed(job) and job.status in {Status.REDWOOD_WAITING, Status.REDWOOD_CONSOLE}:
        cascade.fail(world, turn, job, Fault("RUNTIME_LIMIT", text))
        return
    if job.status == Status.REDWOOD_WAITING:
        turn.follow_up(Actor.SYSTEM, AUTHOR)
        turn.move(job, Trigger.STOP_WAITING, text)
        turn.follow_up(Actor.CLOCK, AUTHOR)
    if job.status not in {Status.REDWOOD_RUNNING, Status.REDWOOD_PRE_RUNNING}:
        return
    turn.set(job, fault=Fault("RUNTIME_LIMIT", text))
    if job.attached:
        turn.tell(job, EffectKind.FORGET)
    if job.status == Status.REDWOOD_PRE_RUNNING:
        turn.follow_up(Actor.SYSTEM, AUTHOR)
        turn.move(job, Trigger.FAIL, text)
    else:
        result.end(world, turn, job, Trigger.REACH_LIMIT_ERROR, text)


def close(world: World, turn: Turn, job: Job, definition: Definition) -> None:
    """Look at the minima of a job that is over, and learn from it how long such jobs take."""
    if not definition.runtime_limits or not job.run_from_ms or not job.run_to_ms:
        return
    run_ms = job.run_to_ms - job.run_from_ms
    missed = [
        (index, limit)
        for index, limit in _limits(job, definition)
        if limit.kind is LimitKind.MINIMUM and run_ms < job.limits_ms[index]
    ]
    _miss(turn, job, missed)
    for _, limit in missed:
        _raise(world, turn, job, limit, "ended too early")
    if job.status == Status.REDWOOD_COMPLETED and any(
        limit.basis in _ESTIMATES for limit in definition.runtime_limits
    ):
        _learn(world, turn, job.definition, run_ms)


_ESTIMATES: Final = frozenset({LimitBasis.ESTIMATE_OFFSET, LimitBasis.ESTIMATE_PERCENT})


def _learn(world: World, turn: Turn, definition: str, run_ms: int) -> None:
    known = world.run_times.get(definition) or RunTimes(definition)
    count = known.count + 1
    average_ms = known.average_ms + (run_ms - known.average_ms) // min(count, NEWEST_OF)
    turn.put(RunTimes(definition, count, max(1, average_ms)))


#: Where a maximum is noticed.
_RUNS: Final = frozenset(
    {
        Status.REDWOOD_PRE_RUNNING,
        Status.REDWOOD_RUNNING,
        Status.REDWOOD_WAITING,
        Status.REDWOOD_CONSOLE,
        Status.REDWOOD_UNCERTAIN,
        Status.REDWOOD_KILLING,
    }
)
