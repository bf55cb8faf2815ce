"""Creating jobs.

What is refused, what a job starts with, and its first statuses (domain.md A5, B3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.command import Outcome
from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.job import Fault, Job
from interlock_server.core.model.job_part import Course, Kinship, Lineage, Stop, Timing
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import (
    admission,
    condition,
    expansion,
    family,
    on_change,
    server,
    window,
)
from interlock_server.core.rules.parameter import parameter_fault, with_defaults
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import HOLD_ON_SUBMIT

if TYPE_CHECKING:
    from interlock_server.core.command import NewJob, SubmitJobs
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Characters of the inputs of a UiPath job (domain.md C5).
UIPATH_PARAMETERS_MAX: Final = 10_000


class Created(NamedTuple):
    """A job that was just created, what is wrong with it, and whether it starts on hold."""

    job: Job
    fault: str = ""
    hold: bool = False


def submit(world: World, turn: Turn, command: SubmitJobs) -> list[Outcome]:
    """Create every job that can be created; the others are refused, each on its own."""
    decided: list[Job | Rejection] = []
    created: list[Created] = []
    members: list[expansion.Member] = []
    for new in command.jobs:
        rejection = refusal(world, new) or _room_refusal(
            len(members) and len(members) + len(created), new
        )
        if rejection is not None:
            decided.append(rejection)
            continue
        definition = world.definitions[new.definition]
        fault = parameter_fault(definition, new.parameters)
        for _ in range(new.count):
            job = _create(world, turn, new)
            created.append(Created(job, fault, new.hold or definition.hold_on_submit))
            decided.append(job)
            if definition.chain is not None:
                first = max(0, expansion.step_place(definition, new.start_at_step))
                members += expansion.expand(world, turn, job, first)
    expansion.settle(turn, members)
    begin(world, turn, created)
    return [outcome_of(one) for one in decided]


def outcome_of(decided: Job | Rejection) -> Outcome:
    """What a caller hears of a job that was created, or was not."""
    if isinstance(decided, Rejection):
        return Outcome(0, rejection=decided)
    return Outcome(decided.id, decided.status, decided.revision)


def begin(world: World, turn: Turn, created: list[Created]) -> None:
    """Validate new Redwood jobs and let them pass the gates. UiPath jobs are Pending already."""
    new = [one for one in created if one.job.lifecycle == Lifecycle.REDWOOD]
    if not new:
        return
    turn.follow_up(Actor.SYSTEM, "validation")
    for job, fault, hold in new:
        code = "INVALID_PARAMETER"
        if job.definition in world.changers and not fault:
            code = "ACTION_FAILED"
            fault, held = on_change.at_new(world, turn, job)  # noqa: PLW2901  what it adds
            hold = hold or held  # noqa: PLW2901
        if job.ended_ms:
            continue
        if not fault and not hold and world.definitions[job.definition].hold_when:
            code = "HOLD_FAILED"
            fault, hold = _hold_when(world, turn, job)  # noqa: PLW2901  what it says
        if fault:
            turn.set(job, fault=Fault(code, fault))
            turn.move(job, Trigger.FAIL_VALIDATION, fault)
        elif hold:
            window.set_start_while_held(world, turn, job, job.start_ms)
            turn.move(job, Trigger.HOLD_ON_SUBMIT)
        elif job.timing is not None and job.delay_reason:
            turn.move(job, Trigger.DEFER, family.why_delayed(job))
        elif window.set_start(world, turn, job, job.start_ms):
            turn.move(job, Trigger.VALIDATE)
    admission.advance(world, turn, *(one.job for one in new))


def _hold_when(world: World, turn: Turn, job: Job) -> tuple[str, bool]:
    """What is wrong with the condition under which it starts on hold, and whether that is true."""
    hold_when = world.definitions[job.definition].hold_when
    try:
        return "", condition.is_true(world, turn, job, hold_when, HOLD_ON_SUBMIT)
    except ExpressionFault as fault:
        return str(fault), False


def refusal(world: World, new: NewJob) -> Rejection | None:
    """Say why a job cannot be created; None if it can."""
    definition = world.definitions.get(new.definition)
    if definition is None:
        known = ", ".join(sorted(world.definitions)[:10]) or "none yet"
        return Rejection(
            Reason.DEFINITION_NOT_FOUND,
            f"there is no definition {new.definition!r} (known: {known}); put it first",
        )
    if new.queue and new.queue not in world.queues:
        return Rejection(Reason.QUEUE_NOT_FOUND, f"there is no queue {new.queue!r}; put it first")
    if new.window and new.window not in world.windows:
        return window.missing(new.window)
    if definition.lifecycle == Lifecycle.UIPATH:
        return _uipath_refusal(world, new, definition)
    if new.server and new.server not in world.servers:
        return server.missing(world, new.server)
    rejection = expansion.start_refusal(definition, new.start_at_step)
    if rejection is None:
        rejection = expansion.size_refusal(world, definition, new.count)
    if rejection is not None:
        return rejection
    if new.stop_after_ms or new.kill_after_ms or new.trigger_ms:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{new.definition!r} is a Redwood definition, and stop_after, kill_after and "
            "trigger_time"
            " are for UiPath",
        )
    return family.refusal(world, new)


def _room_refusal(made: int, new: NewJob) -> Rejection | None:
    """Refuse what comes after the chains of one request have made enough jobs."""
    if made < expansion.JOBS_MAX:
        return None
    return Rejection(
        Reason.TOO_LARGE,
        f"the chains before {new.definition!r} in this request make {made:,} jobs already;"
        " submit it on its own",
    )


def _uipath_refusal(world: World, new: NewJob, definition: Definition) -> Rejection | None:
    redwood = (
        *(new.hold, new.start_ms, new.window, new.parent, new.after_parent),
        *(new.start_at_step, new.server),
    )
    if any(redwood):
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{new.definition!r} is a UiPath definition, and hold, start_time, window, parent, "
            "start_when_parent_ends, start_at_step and server are for Redwood",
        )
    if len(new.parameters) > UIPATH_PARAMETERS_MAX:
        return Rejection(
            Reason.INVALID_PARAMETER,
            f"expected at most {UIPATH_PARAMETERS_MAX:,} characters of parameters for a UiPath job,"
            f" but got {len(new.parameters):,}",
        )
    fault = parameter_fault(definition, new.parameters)
    if fault:
        return Rejection(Reason.INVALID_PARAMETER, fault)
    return twin_refusal(world, new.definition, new.robot)


def twin_refusal(world: World, definition: str, robot: str) -> Rejection | None:
    """The duplicate rule.

    One Pending job per definition and requested robot (domain.md A5, UA-7).
    """
    twin = world.pending_twins.get((definition, robot)) if robot else None
    if twin is None:
        return None
    return Rejection(
        Reason.JOB_ALREADY_PENDING,
        f"robot {robot!r} already has a pending job of {definition!r}, job {twin};"
        " wait until it runs, or submit for any robot",
        job=twin,
    )


def _create(world: World, turn: Turn, new: NewJob, obstacle: str = "") -> Job:
    definition = world.definitions[new.definition]
    now_ms = turn.now_ms
    start_ms = max(new.start_ms, now_ms)
    parent = world.jobs.get(new.parent)
    window = new.window or definition.window
    job = Job(
        id=world.next_job,
        lifecycle=definition.lifecycle,
        definition=definition.name,
        definition_version=definition.version,
        queue=new.queue or definition.queue,
        priority=new.priority or definition.priority,
        created_ms=now_ms,
        start_ms=start_ms,
        top_start_ms=parent.top_start_ms if parent is not None else start_ms,
        parameters=with_defaults(definition, new.parameters),
        labels={**definition.labels, **new.labels} if new.labels else definition.labels,
        reference=new.reference,
        submitted_by=turn.cause.author,
        requested_robot=new.robot,
        server=new.server,
        kinship=Kinship(parent.id, parent.top or parent.id) if parent is not None else None,
        course=Course(definition.chain) if definition.chain is not None else None,
        lineage=Lineage(schedule=new.schedule) if new.schedule else None,
        timing=_timing(new, window) if window or new.after_parent else None,
        stop=_stop(new, now_ms) if new.stop_after_ms or new.kill_after_ms else None,
    )
    if obstacle:
        turn.follow_up(Actor.SYSTEM, "schedule")
        turn.create(job, Trigger.FAIL_RESTART, obstacle)
    else:
        turn.create(job, Trigger.SUBMIT)
    return job


def _timing(new: NewJob, window: str) -> Timing:
    reason = "parent" if new.after_parent else ""
    return Timing(window, window_asked=bool(new.window), delay_reason=reason)


def _stop(new: NewJob, now_ms: int) -> Stop:
    trigger_ms = new.trigger_ms or now_ms
    if new.stop_after_ms:
        return Stop(stop_at_ms=trigger_ms + new.stop_after_ms, kill_after_ms=new.kill_after_ms)
    kill_at_ms = trigger_ms + new.kill_after_ms
    return Stop(kill_at_ms=kill_at_ms, kill_after_ms=new.kill_after_ms)


def fail_to_resubmit(world: World, turn: Turn, new: NewJob, obstacle: str) -> Job:
    """Record that a schedule could not submit: as the job that it should have been (TR-002)."""
    return _create(world, turn, new, obstacle)
