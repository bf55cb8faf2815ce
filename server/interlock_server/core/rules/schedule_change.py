"""What people do to schedules: put, delete, hold, release and end them (domain.md B10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interlock_server.core.command import ScheduleVerb
from interlock_server.core.model.schedule import Schedule, ScheduleStatus
from interlock_server.core.recurrence import recurrence_fault
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import queue, schedule
from interlock_server.core.rules.parameter import parameter_fault
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle

if TYPE_CHECKING:
    from interlock_server.core.command import ChangeSchedule, DeleteSchedules, PutSchedules
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: What only the server writes, and a put leaves as it is.
_OWN_FIELDS: Final = (
    *("status", "status_by", "next_ms", "firings", "failures", "failing_since_ms"),
    *("recent", "version", "updated_ms", "last_ms", "held_with_jobs"),
)


def missing(name: str) -> Rejection:
    """Refuse because there is no such schedule."""
    return Rejection(Reason.SCHEDULE_NOT_FOUND, f"there is no schedule {name!r}; put it first")


def put_schedules(world: World, turn: Turn, command: PutSchedules) -> list[Schedule] | Rejection:
    """Create or change schedules, all or none. One that is over begins again when it changes."""
    for given in command.schedules:
        refusal = _refusal(world, given)
        if refusal is not None:
            return refusal
    return [_put(world, turn, given) for given in command.schedules]


def _refusal(world: World, given: Schedule) -> Rejection | None:
    definition = world.definitions.get(given.definition)
    if definition is None:
        return Rejection(
            Reason.DEFINITION_NOT_FOUND,
            f"schedule {given.name!r}: there is no definition {given.definition!r}; put it first",
        )
    if given.queue and given.queue not in world.queues:
        return queue.missing(given.queue)
    if fault := recurrence_fault(given.recurrence):
        return Rejection(Reason.INVALID_WINDOW, f"schedule {given.name!r}: {fault}")
    if fault := parameter_fault(definition, given.parameters):
        return Rejection(Reason.INVALID_PARAMETER, f"schedule {given.name!r}: {fault}")
    known = world.schedules.get(given.name)
    if known is not None and known.definition != given.definition:
        return Rejection(
            Reason.CONFLICTING_DEFINITION,
            f"schedule {given.name!r} is for {known.definition!r}, which cannot change; use "
            "another name",
        )
    if definition.lifecycle == Lifecycle.UIPATH and given.presubmit > 1:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{given.definition!r} is a UiPath definition, and presubmit is for Redwood",
        )
    ends = given.stop_after_ms or given.kill_after_ms or given.failures_max
    if definition.lifecycle == Lifecycle.REDWOOD and (ends or given.count > 1):
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{given.definition!r} is a Redwood definition, and count, stop_after, kill_after and "
            "failures_max are for UiPath",
        )
    return None


def _put(world: World, turn: Turn, given: Schedule) -> Schedule:
    known = world.schedules.get(given.name)
    if known is None:
        record = msgspec.structs.replace(given, version=1, updated_ms=turn.now_ms)
        return _go_on(world, turn, schedule.change_to(turn, record))
    kept = {field: getattr(known, field) for field in _OWN_FIELDS}
    if known == msgspec.structs.replace(given, **kept):
        return known
    kept |= {"version": known.version + 1, "updated_ms": turn.now_ms}
    if known.status not in {ScheduleStatus.ACTIVE, ScheduleStatus.HELD}:
        kept |= {"status": ScheduleStatus.ACTIVE, "status_by": "", "firings": 0}
    if known.recurrence != given.recurrence:
        kept |= {"last_ms": 0, "next_ms": 0}
        schedule.cancel_planned(world, turn, given.name, "its schedule has changed")
    record = schedule.change_to(turn, msgspec.structs.replace(given, **kept))
    return _go_on(world, turn, record)


def _go_on(world: World, turn: Turn, record: Schedule) -> Schedule:
    cause = turn.cause
    turn.follow_up(Actor.SCHEDULE, record.name)
    record = schedule.go_on(world, turn, record)
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)
    return record


def delete_schedules(world: World, turn: Turn, command: DeleteSchedules) -> Rejection | None:
    """Remove schedules, all or none; jobs that they have submitted stay."""
    for name in command.names:
        if name not in world.schedules:
            return missing(name)
    for name in command.names:
        turn.delete(world.schedules[name])
    return None


def change(world: World, turn: Turn, command: ChangeSchedule) -> Schedule | Rejection:
    """Hold, release or end a schedule. Jobs that it has submitted are not changed by it."""
    record = world.schedules.get(command.schedule)
    if record is None:
        return missing(command.schedule)
    if record.status not in {ScheduleStatus.ACTIVE, ScheduleStatus.HELD}:
        return Rejection(
            Reason.SCHEDULE_FINISHED,
            f"expected a schedule that goes on, but {record.name!r} is over "
            f"({record.status.name}); put it anew to begin again",
        )
    author = turn.cause.author
    if command.verb is ScheduleVerb.END:
        schedule.stop(world, turn, record.name, author)
        return world.schedules[record.name]
    held = command.verb is ScheduleVerb.HOLD
    if held == (record.status is ScheduleStatus.HELD):
        state = "held" if held else "active"
        return Rejection(Reason.ALREADY_SO, f"schedule {record.name!r} is {state} already")
    if held:
        return schedule.change(
            turn, record, status=ScheduleStatus.HELD, status_by=author, next_ms=0
        )
    fields = {"failures": 0, "failing_since_ms": 0, "held_with_jobs": False}
    active = schedule.change(turn, record, status=ScheduleStatus.ACTIVE, status_by=author, **fields)
    return _go_on(world, turn, active)
