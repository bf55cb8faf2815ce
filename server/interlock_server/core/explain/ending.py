"""Reasons of jobs that wait for an operator's reply, and of those that are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.vocabulary.status import STATUS_NAME

if TYPE_CHECKING:
    from interlock_server.core.explain.sight import Sight
    from interlock_server.core.model.job import Job


def messages(job: Job) -> list[Reason]:
    """The operator messages of a job that need a reply."""
    return [
        Reason(
            kind=ReasonKind.MESSAGE,
            sentence=f"operator message {message.id} needs a reply: {message.text}",
            object=str(message.id),
            since_ms=message.created_ms,
            jobs=(message.job,),
        )
        for message in job.messages
        if message.is_open
    ]


def of_console(sight: Sight, job: Job) -> list[Reason]:
    """It waits for a reply; a chain for the one to its step."""
    found = messages(job)
    below = [*sight.world.children.get(job.id, ())]
    while below:
        member = sight.world.jobs[below.pop(0)]
        found += messages(member)
        below += sight.world.children.get(member.id, ())
    return found


def of_final(_sight: Sight, job: Job) -> list[Reason]:
    """It is over; somebody may still have to reply."""
    why = f": {job.info}" if job.info else ""
    over = Reason(
        kind=ReasonKind.FINAL,
        sentence=f"it is over, {STATUS_NAME[job.status]}{why}",
        since_ms=job.ended_ms,
    )
    return [over, *messages(job)]
