"""Upkeep of what jobs wait for, as they change: named events, locks, resumes, replies.

Part of `apply`, which alone calls it.
"""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import AutoSubmit
from interlock_server.core.model.job import ResumeKind
from interlock_server.core.vocabulary.status import IS_FINAL

if TYPE_CHECKING:
    from collections.abc import Container

    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.operator_message import OperatorMessage
    from interlock_server.core.world import World

#: A change of these changes the place of a job in its lines.
_ORDER_FIELDS: Final = ("priority", "start_ms", "top_start_ms")


def leave_lines(world: World, job: Job, fields: Container[str]) -> None:
    """Let a job leave the lines that these fields put it in, before they change."""
    if job.awaits_lock and "awaits_lock" in fields:
        world.lock_lines.leave(job.awaits_lock, job)
        world.lock_lines.touch(job.awaits_lock)
    if "events_missing" in fields:
        for event in job.events_missing:
            world.event_lines.leave(event, job)


def find_places(world: World, job: Job, fields: Container[str]) -> None:
    """Let a job stand in its lines where it belongs now that these fields have changed."""
    moves = any(field in fields for field in _ORDER_FIELDS)
    if job.awaits_lock and (moves or "awaits_lock" in fields):
        stand_for_lock(world, job)
    if moves or "events_missing" in fields:
        for event in job.events_missing:
            stand_for_event(world, job, event)


def stand_for_event(world: World, job: Job, event: str) -> None:
    """Let a job stand in the line of an event."""
    world.event_lines.stand(event, job)
    record = world.events.get(event)
    if record is not None and record.raises:
        world.event_lines.touch(event)


def stand_for_lock(world: World, job: Job) -> None:
    """Let a job stand in the line of the lock that it waits for."""
    world.lock_lines.stand(job.awaits_lock, job)
    world.lock_lines.touch(job.awaits_lock)


def count_live(world: World, job: Job) -> None:
    """Count a job that is not final."""
    if not IS_FINAL[job.status]:
        world.live_counts[job.definition] = world.live_counts.get(job.definition, 0) + 1


def submitting_events(definition: Definition) -> tuple[str, ...]:
    """The named events whose raises submit a definition."""
    if definition.auto_submit is AutoSubmit.NEVER:
        return ()
    return tuple(dict.fromkeys(wait.event for wait in definition.wait_events))


def know_definition(world: World, definition: Definition) -> None:
    """Remember which events submit a definition."""
    for event in submitting_events(definition):
        world.auto_submits.setdefault(event, {})[definition.name] = None


def forget_definition(world: World, name: str) -> None:
    """Forget which events submit a definition, before it changes or goes."""
    known = world.definitions.get(name)
    for event in submitting_events(known) if known is not None else ():
        submits = world.auto_submits[event]
        del submits[name]
        if not submits:
            del world.auto_submits[event]


def remember_conditions(world: World, job: Job) -> None:
    """Let a Suspended job be found by what it waits for."""
    for condition in job.conditions:
        if condition.fired:
            continue
        if condition.kind == ResumeKind.TIMER:
            heappush(world.deadlines, (condition.at_ms, job.id, "conditions"))
        else:
            key = (int(condition.kind), condition.key)
            world.resume_by_key.setdefault(key, set()).add(job.id)


def forget_conditions(world: World, job: Job) -> None:
    """Let a job not be found by what it waited for any more."""
    for condition in job.conditions:
        jobs = world.resume_by_key.get((int(condition.kind), condition.key))
        if jobs is not None:
            jobs.discard(job.id)
            if not jobs:
                del world.resume_by_key[int(condition.kind), condition.key]


def take_message_number(world: World, message: OperatorMessage) -> None:
    """Keep the numbers of messages rising."""
    world.next_message = max(world.next_message, message.id + 1)


def index_messages(world: World, job: Job, before: tuple[OperatorMessage, ...]) -> None:
    """Follow the messages of a job that need a reply, now that they are others."""
    kept = {message.id for message in job.messages}
    for message in before:
        if message.id not in kept:
            world.open_messages.pop(message.id, None)
    for message in job.messages:
        take_message_number(world, message)
        if message.is_open:
            world.open_messages[message.id] = job.id
        else:
            world.open_messages.pop(message.id, None)
    if IS_FINAL[job.status] and job.open_message is None:
        world.finished.append(job.id)
