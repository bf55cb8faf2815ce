"""A restart is a new job made from a final one, which stays as it is (domain.md A4, B10, UA-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from interlock_server.core.command import Outcome, Question
from interlock_server.core.model.definition import STARTS_MAX, RestartAction, RestartBehavior
from interlock_server.core.model.job import Job, Role
from interlock_server.core.model.job_part import Course, Kinship, Lineage, Timing, said
from interlock_server.core.rejection import Reason, Rejection, deleted
from interlock_server.core.rules import (
    expansion,
    operator_message,
    restart_behavior,
    restart_question,
    submission,
)
from interlock_server.core.rules.parameter import parameter_fault
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import RestartJobs
    from interlock_server.core.model.chain import Chain
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


class _Plan(NamedTuple):
    """How a new job differs from the one it is made from."""

    #: Automatic restarts that led to it.
    starts: int = 0
    delay_ms: int = 0
    #: The recurrence that it belongs to.
    schedule: str = ""
    #: Chain: the step that it starts at; "" for the first.
    first_step: str = ""
    #: Chain: what it consists of, if not of what its definition says now.
    chain: Chain | None = None


def restart(world: World, turn: Turn, command: RestartJobs) -> list[Outcome]:
    """Make a new job from each final one; the others are refused, each on its own."""
    person = turn.cause
    decided: list[Job | Rejection] = []
    created: list[submission.Created] = []
    for job_id in command.jobs:
        made = _restart(world, turn, job_id, command)
        decided.append(made)
        if isinstance(made, Job):
            if not _is_modified(world, made):
                created.append(submission.Created(made, hold=command.hold))
            turn.follow_up(Actor(person.actor), person.author, person.reason)
    submission.begin(world, turn, created)
    return [submission.outcome_of(one) for one in decided]


def _is_modified(world: World, job: Job) -> bool:
    return job.lifecycle == Lifecycle.REDWOOD and bool(obstacle_of(world, job))


def _restart(world: World, turn: Turn, job_id: int, command: RestartJobs) -> Job | Rejection:
    original = world.jobs.get(job_id) or command.archived.get(job_id)
    if original is None:
        return deleted(world, job_id)
    if not IS_FINAL[original.status]:
        return Rejection(
            Reason.NOT_FINAL,
            f"expected to restart job {job_id}, but it is {STATUS_NAME[original.status]}; only a "
            "final job can be restarted",
            status=STATUS_NAME[original.status],
        )
    if command.expected_revision and command.expected_revision != original.revision:
        return Rejection(
            Reason.REVISION_MISMATCH,
            f"job {job_id} is at revision {original.revision}, not {command.expected_revision}",
            revision=original.revision,
        )
    obstacle = obstacle_of(world, original)
    if original.lifecycle == Lifecycle.UIPATH:
        if obstacle:
            return Rejection(Reason.DEFINITION_NOT_FOUND, obstacle)
        if command.hold:
            return Rejection(
                Reason.WRONG_LIFECYCLE, f"job {job_id} is a UiPath job, and hold is for Redwood"
            )
        refusal = submission.twin_refusal(world, original.definition, original.requested_robot)
        if refusal is not None:
            return refusal
    refusal = _chain_refusal(world, original, command)
    if refusal is not None:
        return refusal
    first_step = command.start_at_step or (failed_step(original) if command.from_error else "")
    return _create(world, turn, original, obstacle, _Plan(original.starts, first_step=first_step))


def _chain_refusal(world: World, original: Job, command: RestartJobs) -> Rejection | None:
    """Refuse what a chain cannot do again; None if there is nothing to refuse."""
    if original.role is Role.STEP:
        return Rejection(
            Reason.ILLEGAL_TRANSITION,
            f"job {original.id} is a step of chain {original.parent}; restart the chain at step"
            f" {original.step!r}",
            status=STATUS_NAME[original.status],
        )
    definition = world.definitions.get(original.definition)
    if definition is None:
        return None
    if command.from_error and definition.chain is None:
        return Rejection(
            Reason.INVALID_FIELD, f"job {original.id} is no chain, and has no step that failed"
        )
    return expansion.start_refusal(definition, command.start_at_step) or expansion.size_refusal(
        world, definition, 1
    )


def failed_step(original: Job) -> str:
    """The step that a chain ended at; "" if it came to none."""
    if original.chain is None or not 0 <= original.at_step < len(original.chain.steps):
        return ""
    return original.chain.steps[original.at_step].name


def obstacle_of(world: World, original: Job) -> str:
    """Why the original cannot be prepared again; "" if it can."""
    definition = world.definitions.get(original.definition)
    if definition is None or definition.lifecycle != original.lifecycle:
        return f"definition {original.definition!r} is gone"
    if original.queue not in world.queues:
        return f"queue {original.queue!r} is gone"
    if original.server and original.server not in world.servers:
        return f"process server {original.server!r} is gone"
    if original.window_asked and original.window not in world.windows:
        return f"time window {original.window!r} is gone"
    return parameter_fault(definition, original.parameters)


def _kinship_of(original: Job) -> Kinship | None:
    """Where a job stands that takes the place of another one; a call takes it over whole."""
    kinship = original.kinship
    if kinship is None or kinship.role is Role.CALL:
        return kinship and msgspec.structs.replace(kinship, hold_when_due=False)
    return Kinship(kinship.parent, kinship.top)


def _timing_of(original: Job, definition: Definition | None, plan: _Plan, now_ms: int) -> Timing:
    return Timing(
        window=_window_of(original, definition),
        window_asked=original.window_asked,
        delay_until_ms=now_ms + plan.delay_ms if plan.delay_ms else 0,
        delay_reason="restart" if plan.delay_ms else "",
    )


def _window_of(original: Job, definition: Definition | None) -> str:
    """The window that was asked for, or the one of its definition as it is now."""
    if original.window_asked or definition is None:
        return original.window
    return definition.window


def _create(world: World, turn: Turn, original: Job, obstacle: str, plan: _Plan) -> Job:
    definition = world.definitions.get(original.definition)
    now_ms = turn.now_ms
    lives = _stays(world, original)
    chain = plan.chain or (definition.chain if definition is not None else None)
    job = Job(
        id=world.next_job,
        lifecycle=original.lifecycle,
        definition=original.definition,
        definition_version=definition.version if definition else original.definition_version,
        queue=original.queue,
        priority=original.priority,
        created_ms=now_ms,
        start_ms=now_ms,
        top_start_ms=original.top_start_ms if lives else now_ms,
        parameters=original.parameters,
        labels=original.labels,
        reference=original.reference,
        submitted_by=turn.cause.author,
        requested_robot="" if original.attended else original.requested_robot,
        server=original.server,
        kinship=_kinship_of(original) if lives else None,
        course=said(Course(chain, disabled=() if lives else original.disabled)),
        lineage=Lineage(
            original.id,
            plan.starts,
            (*original.executions, original.id)[-EXECUTIONS_KEPT:],
            plan.schedule,
        ),
        timing=said(_timing_of(original, definition, plan, now_ms)),
    )
    if obstacle:  # the failed attempt is recorded as the new job (TR-002)
        turn.follow_up(Actor.SYSTEM, "restart")
        turn.create(job, Trigger.FAIL_RESTART, obstacle)
        return job
    uipath = original.lifecycle == Lifecycle.UIPATH
    turn.create(job, Trigger.RESTART if uipath else Trigger.SUBMIT, f"restart of job {original.id}")
    if chain is not None:
        steps = [step.name for step in chain.steps]
        first = steps.index(plan.first_step) if plan.first_step in steps else 0
        expansion.settle(turn, expansion.expand(world, turn, job, first))
    return job


def _stays(world: World, original: Job) -> bool:
    """Whether a restart stands where the original stood: below a live parent.

    That of a call only while its step runs; its chain has gone on otherwise.
    """
    parent = world.jobs.get(original.parent)
    if parent is None or parent.ended_ms or original.role is Role.STEP:
        return False
    return original.role is Role.PLAIN or parent.status == Status.REDWOOD_WAITING


#: Earlier runs that a job knows of.
EXECUTIONS_KEPT: Final = 100


# -- what follows an end by itself --------------------------------------------------------------


def follow(world: World, turn: Turn, job: Job, definition: Definition | None) -> None:
    """Do what the restart behavior of its final status says (domain.md B10)."""
    if job.provisional or job.status not in restart_behavior.STATUSES:
        return  # an operator has decided
    if job.role is not Role.PLAIN and not _stays(world, job):
        return  # its chain decides
    behavior = restart_behavior.of(world, job, job.status)
    if behavior.message:
        leave_message(world, turn, job)
    if behavior.action is RestartAction.REQUEST_RESTART:
        restart_question.ask(world, turn, job, job.status, restart_question.FINAL)
    elif behavior.action in _NEW_JOB:
        starts_max = definition.starts_max if definition is not None else STARTS_MAX
        if job.starts >= starts_max:
            text = f"{job.definition} is not restarted: it was, {job.starts} times"
            operator_message.note(world, turn, job, Question(text, reply_required=True))
            return
        _restart_by_itself(world, turn, job, behavior)


_NEW_JOB: Final = {
    RestartAction.RESTART,
    RestartAction.RESTART_FROM_ERROR,
    RestartAction.RESTART_NO_RESUBMIT,
}


def _restart_by_itself(world: World, turn: Turn, job: Job, behavior: RestartBehavior) -> None:
    resubmits = behavior.action is not RestartAction.RESTART_NO_RESUBMIT
    turn.follow_up(Actor.JOB, f"job {job.id}")
    from_error = behavior.action is RestartAction.RESTART_FROM_ERROR
    plan = _Plan(
        job.starts + 1,
        behavior.delay_ms,
        job.schedule if resubmits else "",
        failed_step(job) if from_error else "",
    )
    _begin(world, turn, job, plan, hold=False)


def again(world: World, turn: Turn, original: Job, *, hold: bool) -> None:
    """Make a new job from a final one because an operator says so."""
    _begin(world, turn, original, _Plan(original.starts), hold=hold)


def chain_again(
    world: World,
    turn: Turn,
    original: Job,
    *,
    starts: int,
    delay_ms: int = 0,
    latest: bool = True,
    hold: bool = False,
) -> None:
    """Make a new chain from one that has ended: of its latest definition, or as it was then."""
    plan = _Plan(
        starts, delay_ms, schedule=original.schedule, chain=None if latest else original.chain
    )
    _begin(world, turn, original, plan, hold=hold)


def _begin(world: World, turn: Turn, original: Job, plan: _Plan, *, hold: bool) -> None:
    obstacle = obstacle_of(world, original)
    job = _create(world, turn, original, obstacle, plan)
    if not obstacle:
        submission.begin(world, turn, [submission.Created(job, hold=hold)])


def leave_message(world: World, turn: Turn, job: Job) -> None:
    """Leave an open message about an end: the job is in the list of manual interventions (S19)."""
    text = f"{job.definition} ended as {STATUS_NAME[job.status]}"
    if job.info:
        text += f": {job.info}"
    operator_message.note(world, turn, job, Question(text, reply_required=True))
