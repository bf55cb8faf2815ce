"""Reasons of jobs that a robot has, or had, and of those that suspended themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.explain.sight import Sight, last_cause
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import ResumeKind
from interlock_server.core.vocabulary.status import STATUS_NAME, Status

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job, ResumeCondition


def _silence(sight: Sight, job: Job) -> tuple[Reason, ...]:
    """The robot that has the job was not heard of."""
    if not job.attached:
        return ()
    robot = sight.world.robots.get(job.robot)
    since_ms = sight.silent_since_ms(job.robot)
    if robot is None or robot.lost:
        sentence = f"robot {job.robot} was given up"
    elif not robot.connected:
        sentence = f"robot {job.robot} is not connected"
    elif since_ms:
        sentence = f"robot {job.robot} is unresponsive"
    else:
        return ()
    return (
        Reason(
            kind=ReasonKind.UNRESPONSIVE, sentence=sentence, object=job.robot, since_ms=since_ms
        ),
    )


def of_offered(sight: Sight, job: Job) -> list[Reason]:
    """It was handed out, and the robot has not begun."""
    what = "accept" if job.status == Status.REDWOOD_DISPATCHED else "start"
    return [
        Reason(
            kind=ReasonKind.CONFIRMATION,
            sentence=f"robot {job.robot} has not said yet that it will {what} it",
            object=job.robot,
            since_ms=job.changed_ms,
            reasons=_silence(sight, job),
        )
    ]


def of_ordered(sight: Sight, job: Job) -> list[Reason]:
    """It was ordered to end, and the robot has to confirm."""
    by, since_ms, why = last_cause(job)
    order = STATUS_NAME[job.status].lower()
    until_ms = 0
    if job.status == Status.UIPATH_TERMINATING:
        until_ms = job.terminating_since_ms + sight.world.settings.terminating_timeout_ms
    return [
        Reason(
            kind=ReasonKind.CONFIRMATION,
            sentence=f"{order}: robot {job.robot} has to confirm" + (f" ({why})" if why else ""),
            object=job.robot,
            by=by,
            since_ms=since_ms,
            until_ms=until_ms,
            reasons=_silence(sight, job),
        )
    ]


def of_running(sight: Sight, job: Job) -> list[Reason]:
    """It runs; or waits for an outside result, or to be executed again."""
    world = sight.world
    definition = world.definitions.get(job.definition)
    if job.code_ended and definition and definition.completion is Completion.EXTERNAL:
        return [
            Reason(
                kind=ReasonKind.RESULT,
                sentence="its code has ended; a caller from outside has to name its result",
                since_ms=job.changed_ms,
            )
        ]
    if job.attempt_lost and not job.attached:
        from interlock_server.core.explain import placing  # noqa: PLC0415 - they ask each other

        return placing.of_waiting(sight, job)
    reasons = [
        Reason(
            kind=ReasonKind.RUNNING,
            sentence=f"it is {STATUS_NAME[job.status]} on robot {job.robot}",
            object=job.robot,
            since_ms=job.run_from_ms or job.run_start_ms or job.changed_ms,
            until_ms=job.limit_at_ms,
            reasons=_silence(sight, job),
        )
    ]
    message = job.open_message
    if message is not None and message.blocking:
        reasons.append(
            Reason(
                kind=ReasonKind.MESSAGE,
                sentence=f"operator message {message.id} needs a reply: {message.text}",
                object=str(message.id),
                since_ms=message.created_ms,
            )
        )
    return reasons


def of_uncertain(sight: Sight, job: Job) -> list[Reason]:
    """Nobody knows what became of it."""
    return [
        Reason(
            kind=ReasonKind.LOST,
            sentence=f"{job.info or 'its robot was lost'}; its end may still be reported, "
            "otherwise it becomes Unknown",
            object=job.robot,
            since_ms=job.changed_ms,
            until_ms=job.uncertain_until_ms,
            reasons=_silence(sight, job),
        )
    ]


def of_suspended(sight: Sight, job: Job) -> list[Reason]:
    """It waits for what it named when it suspended itself."""
    mode = "any" if job.resume_any else "all"
    return [
        Reason(
            kind=ReasonKind.CONDITION,
            sentence=_condition(sight, condition)
            + (f" ({mode} of {len(job.conditions)})" if len(job.conditions) > 1 else ""),
            object=condition.key,
            since_ms=job.changed_ms,
            until_ms=condition.at_ms,
            jobs=(int(condition.key),) if condition.kind == ResumeKind.JOB else (),
        )
        for condition in job.conditions
        if not condition.fired
    ]


def _condition(sight: Sight, condition: ResumeCondition) -> str:
    match condition.kind:
        case ResumeKind.JOB:
            return f"it waits for {sight.named([int(condition.key)])}"
        case ResumeKind.TIMER:
            return "it waits for an instant"
        case ResumeKind.PERSON:
            return f"it waits until a person is done with {condition.key!r}"
    return f"it waits for item {condition.key!r}"
