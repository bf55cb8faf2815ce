"""Time windows: which there are, and the starts that they allow (domain.md B3.3, B7, RA-10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from interlock_server.core import openings
from interlock_server.core.calendar import window_fault
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.openings import NEVER_HORIZON_MS
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import closing, event_gate
from interlock_server.core.rules.server import queue_is_served
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.command import DeleteWindows, PutWindows
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.window import TimeWindow
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


class Start(NamedTuple):
    """When a job may start, and when the opening that its start lies in closes; 0 for never."""

    start_ms: int
    closes_ms: int


NO_START: Final = Start(NEVER_MS, 0)


# -- finding starts -----------------------------------------------------------------------------


def place(world: World, job: Job, requested_ms: int, now_ms: int) -> Start:
    """Find the first start from `requested_ms` on that its window and its servers allow.

    `NO_START` if there is none within two years, or if nobody is to serve its queue (RA-10).
    """
    earliest_ms = max(requested_ms, now_ms)
    until_ms = now_ms + NEVER_HORIZON_MS
    if earliest_ms > until_ms or not is_served(world, job):
        return NO_START
    if not job.window:
        return Start(earliest_ms, 0)
    definition = world.definitions.get(job.definition)
    min_open_ms = definition.min_open_ms if definition else 0
    zone = zone_of(world, job)
    opening = world.openings.find(world.windows, job.window, zone, earliest_ms, min_open_ms)
    if opening is None or opening.opens_ms > until_ms:
        return NO_START
    return Start(opening.opens_ms, opening.closes_ms)


def zone_of(world: World, job: Job) -> str:
    """The zone of its window, unless that has one of its own."""
    definition = world.definitions.get(job.definition)
    return (definition.time_zone if definition else "") or "UTC"


def is_served(world: World, job: Job) -> bool:
    """Whether a start makes sense: not every server that could run it was stopped by a person."""
    definition = world.definitions.get(job.definition)
    named = job.server or (definition.server if definition else "")
    return queue_is_served(world, job.queue, named)


def end_of_opening(world: World, job: Job, at_ms: int) -> int:
    """When its window, open at an instant, closes; 0 if never. -1 if it is not open then."""
    return openings.end_of_opening(world.windows, job.window, zone_of(world, job), at_ms)


def requested_of(job: Job) -> int:
    """The start that was asked for."""
    return job.requested_ms or job.start_ms


def start_fields(job: Job, start: Start, requested_ms: int) -> dict[str, int]:
    """What a start changes in a job; nothing if it is the one that it has."""
    fields = {
        "start_ms": start.start_ms,
        "window_closes_ms": start.closes_ms,
        "requested_ms": 0 if start.start_ms == requested_ms else requested_ms,
    }
    if not job.top:  # others have the start of the job at the top of their family
        fields["top_start_ms"] = start.start_ms
    return {field: value for field, value in fields.items() if getattr(job, field) != value}


def set_start(world: World, turn: Turn, job: Job, requested_ms: int) -> bool:
    """Give a job that is New or Scheduled its start; without one it is Never (TR-009, TR-029)."""
    if _is_placed(world, job, requested_ms, turn.now_ms):
        return True
    start = place(world, job, requested_ms, turn.now_ms)
    fields = start_fields(job, start, requested_ms)
    if start != NO_START:
        if fields:
            turn.set(job, **fields)
        return True
    cause = turn.cause
    turn.follow_up(Actor.SYSTEM, "calendar")
    turn.set(job, **fields)
    turn.move(job, Trigger.FIND_NO_START, why_never(world, job, requested_ms, turn.now_ms))
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)
    return False


def _is_placed(world: World, job: Job, requested_ms: int, now_ms: int) -> bool:
    """Whether a job has the start that it would be given: so it is for most new jobs."""
    return (
        (job.timing is None or not (job.window or job.window_closes_ms or job.requested_ms))
        and now_ms <= requested_ms == job.start_ms <= now_ms + NEVER_HORIZON_MS
        and (job.top_start_ms == requested_ms or job.top > 0)
        and is_served(world, job)
    )


def set_start_while_held(world: World, turn: Turn, job: Job, requested_ms: int) -> None:
    """Give a Held job the start that it would have, so that its window can close meanwhile.

    Without one it keeps what was asked for; it is looked at again at the release.
    """
    start = place(world, job, requested_ms, turn.now_ms)
    if start == NO_START:
        start = Start(requested_ms, 0)
    if fields := start_fields(job, start, requested_ms):
        turn.set(job, **fields)


def why_never(world: World, job: Job, requested_ms: int, now_ms: int) -> str:
    """Say why there is no start."""
    if requested_ms - now_ms > NEVER_HORIZON_MS:
        return "no start within two years"
    if not is_served(world, job):
        return f"no start within two years: every server of queue {job.queue!r} is stopped"
    return f"no start within two years: time window {job.window!r} has no opening for it"


def show(at_ms: int) -> str:
    """An instant as reasons say it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- which windows there are --------------------------------------------------------------------


def missing(name: str) -> Rejection:
    """Refuse because there is no such window."""
    return Rejection(Reason.WINDOW_NOT_FOUND, f"there is no time window {name!r}; put it first")


def put_windows(world: World, turn: Turn, command: PutWindows) -> list[TimeWindow] | Rejection:
    """Create or change windows, all or none. What depends on them follows."""
    given = {window.name: window for window in command.windows}
    windows = {**world.windows, **given}
    for window in command.windows:
        if fault := window_fault(window, windows):
            return Rejection(Reason.INVALID_WINDOW, f"time window {window.name!r}: {fault}")
    answer, changed = [], set()
    for window in command.windows:
        known = world.windows.get(window.name)
        version, updated_ms = (known.version, known.updated_ms) if known else (0, 0)
        record = msgspec.structs.replace(window, version=version, updated_ms=updated_ms)
        if record != known:
            record = msgspec.structs.replace(record, version=version + 1, updated_ms=turn.now_ms)
            turn.put(record)
            changed.add(record.name)
        answer.append(record)
    if changed:
        closing.follow_windows(world, turn, changed)
        turn.review_starts(turn.cause.author)
    return answer


def delete_windows(world: World, turn: Turn, command: DeleteWindows) -> Rejection | None:
    """Remove windows that nothing refers to, all or none."""
    names = frozenset(command.names)
    for name in command.names:
        if name not in world.windows:
            return missing(name)
    for name, user in _uses(world, names):
        if name in names:
            return Rejection(
                Reason.IN_USE, f"time window {name!r} is in use by {user}; change that first"
            )
    for name in command.names:
        turn.delete(world.windows[name])
    return None


def _uses(world: World, deleted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield which window is referred to by what."""
    for window in world.windows.values():
        if window.name not in deleted:
            yield window.enabled_during, f"time window {window.name!r}"
            yield window.disabled_during, f"time window {window.name!r}"
    for definition in world.definitions.values():
        user = f"definition {definition.name!r}"
        yield definition.window, user
        yield from ((name, user) for name in event_gate.windows_of(definition))
    for queue in world.queues.values():
        yield queue.window, f"queue {queue.name!r}"
    for server in world.servers.values():
        for provider in server.providers:
            yield provider.window, f"server {server.name!r}"
    for job in world.jobs.values():
        if job.window and not job.ended_ms:
            yield job.window, f"job {job.id}"
