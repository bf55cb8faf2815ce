"""What has to hold of named events and locks, and of who waits for them (domain.md C4.7, C4.8)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from interlock_server.core.lane import order_of
from interlock_server.core.model.definition import AutoSubmit
from interlock_server.core.rules import lock as lock_rules
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_STATE, State, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.line import Lines
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


def problems(world: World) -> Iterator[str]:
    """Say what does not hold, one sentence each."""
    for job in world.jobs.values():
        for problem in _statuses(job):
            yield f"job {job.id}: {problem}"
    yield from _events(world)
    yield from _locks(world)
    yield from _submissions(world)


def _statuses(job: Job) -> Iterator[str]:
    if (job.status == Status.REDWOOD_EVENT_WAIT) != bool(job.events_missing):
        yield "it misses named events exactly while it is in EventWait"
    if job.events_again_ms and job.status != Status.REDWOOD_EVENT_WAIT:
        yield "its events are looked at again only in EventWait"
    if len({*job.events_seen, *job.events_missing}) < len(job.events_seen) + len(
        job.events_missing
    ):
        yield "each named event is waited for once (C4.8)"
    if (job.status == Status.REDWOOD_LOCK_WAIT) != bool(job.awaits_lock):
        yield "it waits for a lock exactly while it is in LockWait"
    may_hold = job.status in _MAY_HOLD or STATUS_STATE[job.status] is State.RUNNING
    if job.locks and not may_hold:
        yield f"status {job.status} holds no lock (C4.7)"


#: Statuses before it runs in which a job may have locks: reserved by a grant, and after dispatch.
_MAY_HOLD = frozenset({Status.REDWOOD_QUEUED, Status.REDWOOD_DISPATCHED, Status.REDWOOD_ASSIGNED})


def _lines(world: World, lines: Lines, expected: dict[str, set[int]], what: str) -> Iterator[str]:
    """The lines against a scan, and each place in them."""
    if expected != {name: set(members) for name, members in lines.members.items()}:
        yield f"who waits for {what} differs from a scan"
        return
    for name, members in lines.members.items():
        places = set(lines.heaps[name])
        if not places.issuperset(order_of(world.jobs[job_id]) for job_id in members):
            yield f"the line of {what} {name!r} lacks the place of a job"
        first = lines.first(name, world.jobs)
        if first is None or first.id != min(
            members, key=lambda job_id: order_of(world.jobs[job_id])
        ):
            yield f"the line of {what} {name!r} does not begin with its first job"


def _events(world: World) -> Iterator[str]:
    waiting: dict[str, set[int]] = {}
    for job in world.jobs.values():
        for event in job.events_missing:
            waiting.setdefault(event, set()).add(job.id)
    yield from _lines(world, world.event_lines, waiting, "event")
    for event in waiting:
        record = world.events.get(event)
        if record is None:
            yield f"jobs wait for event {event!r}, which is not there"
        elif record.raises and event not in world.event_lines.dirty:
            yield f"event {event!r} is raised, and jobs still wait for it"


def _locks(world: World) -> Iterator[str]:
    lines = world.lock_lines
    waiting: dict[str, set[int]] = {}
    holders: dict[str, dict[int, int]] = {}
    exclusive: dict[str, set[int]] = {}
    for job in world.jobs.values():
        if job.awaits_lock:
            waiting.setdefault(job.awaits_lock, set()).add(job.id)
        for have in job.locks:
            holders.setdefault(have.lock, {})[job.id] = have.counts
            if have.exclusive:
                exclusive.setdefault(have.lock, set()).add(job.id)
    yield from _lines(world, lines, waiting, "lock")
    if (holders, exclusive) != (lines.holders, lines.exclusive):
        yield "who holds locks differs from a scan"
    for name, held in holders.items():
        lock, taken = world.locks.get(name), sum(held.values())
        if lines.taken.get(name) != taken:
            yield f"the counts taken of lock {name!r} differ from a scan"
        if lock is None:
            yield f"lock {name!r} is held, and not there"
        elif taken > lock.counts and lock.version == 1:  # a change takes nothing away
            yield f"more is held of lock {name!r} than there is (C4.7)"
        if name in exclusive and len(held) > 1:
            yield f"lock {name!r} is held exclusively, and by others (C4.7)"
    for name in waiting:
        first = lines.first(name, world.jobs)
        if name in lines.dirty or first is None:
            continue
        if lock_rules.lacking_lock(world, first) != name:
            yield f"job {first.id} waits for lock {name!r}, which it could have"


def _submissions(world: World) -> Iterator[str]:
    expected = {
        (wait.event, definition.name)
        for definition in world.definitions.values()
        if definition.auto_submit is not AutoSubmit.NEVER
        for wait in definition.wait_events
    }
    if expected != {
        (event, name) for event in world.auto_submits for name in world.auto_submits[event]
    }:
        yield "definitions that events submit differ from a scan"
    live = Counter(job.definition for job in world.jobs.values() if not IS_FINAL[job.status])
    if live != Counter({name: count for name, count in world.live_counts.items() if count}):
        yield "counts of live jobs differ from a scan"
