"""Reasons of jobs that have not come to their queue: start time, windows, events, holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.explain import placing
from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.explain.sight import Sight, last_cause
from interlock_server.core.rules import event_gate, restart

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job


def of_new(_sight: Sight, _job: Job) -> list[Reason]:
    """It passes on with the turn that made it."""
    return []


def of_delayed(sight: Sight, job: Job) -> list[Reason]:
    """Its parent is not final, or a restart delay is running."""
    parent = sight.world.jobs.get(job.parent)
    jobs: tuple[int, ...] = ()
    if job.delay_reason == "parent" and parent is not None:
        sentence, jobs = f"it starts when {sight.named([parent.id])} has ended", (parent.id,)
    else:
        sentence = "its restart delay is running"
    return [
        Reason(
            kind=ReasonKind.DELAY,
            sentence=sentence,
            since_ms=job.changed_ms,
            until_ms=job.delay_until_ms,
            jobs=jobs,
        ),
        *ahead(sight, job),
    ]


def of_scheduled(sight: Sight, job: Job) -> list[Reason]:
    """Its start time has not come."""
    if job.start_ms <= sight.now_ms:
        return ahead(sight, job)
    if job.window:
        reason = Reason(
            kind=ReasonKind.WINDOW,
            sentence=f"its start lies in the next opening of time window {job.window!r}",
            object=job.window,
            since_ms=job.changed_ms,
            until_ms=job.start_ms,
        )
    else:
        reason = Reason(
            kind=ReasonKind.START_TIME,
            sentence="its start time has not come",
            since_ms=job.changed_ms,
            until_ms=job.start_ms,
        )
    return [reason, *ahead(sight, job)]


def of_held(sight: Sight, job: Job) -> list[Reason]:
    """Somebody or something put it on hold."""
    by, since_ms, why = last_cause(job)
    return [
        Reason(
            kind=ReasonKind.HELD,
            sentence="it is on hold" + (f": {why}" if why else ""),
            by=by,
            since_ms=since_ms,
            until_ms=0,
        ),
        *ahead(sight, job),
    ]


def of_event_wait(sight: Sight, job: Job) -> list[Reason]:
    """Named events that it waits for are not raised."""
    return [*_missing(sight, job, job.events_missing, current=True), *_placing(sight, job)]


def _missing(sight: Sight, job: Job, events: tuple[str, ...], *, current: bool) -> list[Reason]:
    found = []
    for name in events:
        event = sight.world.events.get(name)
        raised = event is not None and event.is_raised
        found.append(
            Reason(
                kind=ReasonKind.EVENT,
                sentence=f"event {name!r} is raised, and others take it first"
                if raised
                else f"event {name!r} is not raised",
                current=current,
                object=name,
                since_ms=job.changed_ms if current else 0,
                until_ms=job.events_again_ms if current else 0,
            )
        )
    return found


def of_never(sight: Sight, job: Job) -> list[Reason]:
    """No start is possible within two years."""
    sentence = job.info or "no start is possible within two years"
    if job.window:
        sentence += f" (time window {job.window!r})"
    return [
        Reason(
            kind=ReasonKind.NO_START,
            sentence=f"{sentence}; it is looked at again when the calendar or the servers change",
            object=job.window,
            since_ms=job.changed_ms,
        ),
        *ahead(sight, job),
    ]


def of_overdue(sight: Sight, job: Job) -> list[Reason]:
    """Its first window closed before it ran."""
    return [
        Reason(
            kind=ReasonKind.OVERDUE,
            sentence=(job.info or "its time window closed before it ran")
            + "; a person has to reschedule, hold or cancel it",
            object=job.window,
            since_ms=job.changed_ms,
        ),
        *ahead(sight, job),
    ]


def of_modified(sight: Sight, job: Job) -> list[Reason]:
    """A restart could not be prepared; somebody has to correct it."""
    obstacle = restart.obstacle_of(sight.world, job)
    sentence = (
        f"{obstacle}; correct that, then reschedule or cancel it"
        if obstacle
        else f"what was wrong is corrected ({job.info}); reschedule or cancel it"
    )
    return [Reason(kind=ReasonKind.MODIFIED, sentence=sentence, since_ms=job.changed_ms)]


def ahead(sight: Sight, job: Job) -> list[Reason]:
    """What would stop it next, as everything is now."""
    missing = event_gate.misses(sight.world, job, sight.now_ms)
    return [*_missing(sight, job, missing, current=False), *_placing(sight, job)]


def _placing(sight: Sight, job: Job) -> list[Reason]:
    reasons = placing.of_waiting(sight, job)
    for reason in reasons:
        reason.current = False
    # Who is before it depends on when it comes.
    return [reason for reason in reasons if reason.kind is not ReasonKind.ORDER]
