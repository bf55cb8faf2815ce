"""The only writer of World. Everything here is assignment of given values and upkeep of indexes.

The same functions run live (through `Turn`) and in recovery (from the journal). They decide
nothing: an
illegal change is a bug and fails an assertion, which stops the process.
"""

from __future__ import annotations

from heapq import heappush
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from interlock_server.core import holding, kin, waiting
from interlock_server.core.change import NAME_DEFINITION, NAME_QUEUE, NAME_ROBOT, Cause, Name
from interlock_server.core.fact import FactKind
from interlock_server.core.kin import is_over
from interlock_server.core.lane import waits
from interlock_server.core.lanes import Lanes, QuietLanes
from interlock_server.core.model.job import (
    NEVER_MS,
    HistoryEntry,
    packed,
    unpacked,
)
from interlock_server.core.row_effect import (
    BEGINS,
    EFFECTS,
    ENDS,
    ENTERS,
    LEAVES,
    LOSES_LOCKS,
    LOSES_ROBOT,
    SLOT,
    WAITED,
    WAITS,
)
from interlock_server.core.vocabulary.lifecycle import ROW_SOURCE, ROW_TARGET
from interlock_server.core.vocabulary.status import IS_FINAL, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock_server.core.model.definition import Definition, RestartBehavior
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.lock import Lock
    from interlock_server.core.model.named_event import NamedEvent
    from interlock_server.core.model.process_server import ProcessServer
    from interlock_server.core.model.queue import Queue
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.model.schedule import Schedule
    from interlock_server.core.model.statistic import RunTimes
    from interlock_server.core.model.window import TimeWindow
    from interlock_server.core.world import World

#: A live job's history in memory; when it is twice as long, the older half goes to disk.
HISTORY_KEPT: Final = 64

#: Report batches of a robot for which refusals are kept, in case the answer was lost.
REFUSALS_KEPT: Final = 256

#: Fields that hold an instant at which something has to happen to the job.
DEADLINE_FIELDS: Final = frozenset(
    {
        "start_ms",
        "stop_at_ms",
        "kill_at_ms",
        "uncertain_until_ms",
        "window_closes_ms",
        "delay_until_ms",
        "limit_at_ms",
        "events_again_ms",
    }
)

#: Those that a new job rarely has, and the parts that they are in.
_LATER: Final = tuple(sorted(DEADLINE_FIELDS - {"start_ms"}))
_parts_with_deadlines: Final = attrgetter("timing", "needs", "limits", "stop", "trouble")

_HOLDING: Final = holding.HOLDING
_RUNNING: Final = frozenset({Status.UIPATH_RUNNING, Status.REDWOOD_RUNNING})


def move(world: World, job: Job, row: int, cause: Cause, revision: int) -> None:
    """Change the status of a job along a row of its table."""
    source = job.status
    target = int(ROW_TARGET[row])
    assert ROW_SOURCE[row] == source, f"row {row} does not leave status {source}"
    assert revision == world.revision + 1, "revisions rise by one"
    world.revision = revision
    job.status = target
    job.revision = revision
    job.changed_ms = cause.at_ms
    job.info = cause.reason
    entries = job.entries
    if type(entries) is not list:  # packed; isinstance would make a report 3 % dearer
        entries = job.entries = unpacked(entries)
    entries.append(HistoryEntry(revision, row, cause))
    if len(entries) >= 2 * HISTORY_KEPT:
        _spill(world, job, entries)
    counts = world.status_counts
    counts[target] += 1
    if source:
        counts[source] -= 1
    effects = EFFECTS[row]
    if effects:  # between Running and Waiting there are none
        _follow_move(world, job, source, effects, cause.at_ms)


def move_all(
    world: World, jobs: Sequence[Job], row: int, cause: Cause, first_revision: int
) -> None:
    """As `move` for each of some jobs along the same row.

    Takes half the time: what depends on the row alone is looked up once.
    """
    source, target, effects = ROW_SOURCE[row], int(ROW_TARGET[row]), EFFECTS[row]
    assert first_revision == world.revision + 1, "revisions rise by one"
    at_ms, reason = cause.at_ms, cause.reason
    for revision, job in enumerate(jobs, first_revision):
        assert source == job.status, f"row {row} does not leave status {job.status}"
        job.status = target
        job.revision = revision
        job.changed_ms = at_ms
        job.info = reason
        entries = job.entries
        if type(entries) is not list:
            entries = job.entries = unpacked(entries)
        entries.append(HistoryEntry(revision, row, cause))
        if len(entries) >= 2 * HISTORY_KEPT:
            _spill(world, job, entries)
        if effects:
            _follow_move(world, job, source, effects, at_ms)
    world.revision += len(jobs)
    world.status_counts[target] += len(jobs)
    world.status_counts[source] -= len(jobs)


def _follow_move(world: World, job: Job, source: int, effects: int, at_ms: int) -> None:
    target = job.status
    waited = effects & WAITED and not job.attached and waits(job, source)
    # Parts are asked for before their fields, because most jobs have none: 3 us per life.
    if job.kinship is not None and job.parent:
        kin.count(world, job, source, target)
    if effects & LEAVES:
        _leave(world, job, source)
    if effects & BEGINS:
        job.run_from_ms, job.run_to_ms = at_ms, 0
    elif effects & ENDS:
        job.run_to_ms = at_ms
    if effects & LOSES_LOCKS and job.needs is not None and job.locks:
        world.lock_lines.give_back(job)
        job.locks = ()
    if effects & LOSES_ROBOT and job.attached:
        holding.detach(world, job)
    if effects & ENTERS:
        _enter(world, job, target, at_ms)
    if effects & SLOT and job.course is not None and job.chain is not None:
        holding.count_chain(world, job.queue, 1 if target in _HOLDING else -1)
    if job.timing is not None and source in _HOLDING and not IS_FINAL[target]:
        # It is back from a robot, and its window may have closed meanwhile.
        _add_deadline(world, job, "window_closes_ms")
    if waited or effects & WAITS:
        _count_waiting(world, job, job.queue if waited else "")


def _spill(world: World, job: Job, entries: list[HistoryEntry]) -> None:
    # The first part is of another length for every 128 jobs, so that those which change together
    # do not all spill together: such a round of changes took seven times as long.
    first = HISTORY_KEPT - job.id // 128 % HISTORY_KEPT
    count = HISTORY_KEPT if job.spilled_parts else first
    world.spilled.append((job.id, job.spilled_parts, entries[:count]))
    job.spilled_parts += 1
    del entries[:count]


def rest(job: Job) -> None:
    """Let the history of a job that has not changed for a while take less memory."""
    job.entries = packed(job.entries)


def _leave(world: World, job: Job, source: int) -> None:
    if source == Status.UIPATH_PENDING:
        if job.requested_robot:
            world.pending_twins.pop((job.definition, job.requested_robot), None)
    elif source == Status.REDWOOD_QUEUE_HELD:
        world.queue_held[job.queue].pop(job.id, None)
    elif source == Status.UIPATH_TERMINATING:
        job.terminating_since_ms = 0
        world.terminating.pop(job.id, None)
    elif source == Status.REDWOOD_UNCERTAIN:
        job.uncertain_until_ms = 0
    elif source == Status.UIPATH_SUSPENDED:
        waiting.forget_conditions(world, job)
    elif source == Status.REDWOOD_EVENT_WAIT:
        waiting.leave_lines(world, job, ("events_missing",))
        job.events_missing, job.events_again_ms = (), 0
    elif source == Status.REDWOOD_LOCK_WAIT:
        waiting.leave_lines(world, job, ("awaits_lock",))
        job.awaits_lock = ""
    elif source == Status.REDWOOD_NEVER:
        world.never.pop(job.id, None)


def _enter(world: World, job: Job, target: int, at_ms: int) -> None:
    """Stamp the instants that define a status (domain.md C4.6) and keep the indexes."""
    if target in _RUNNING:
        if not job.run_start_ms:
            job.run_start_ms = at_ms
        elif job.resume_version and job.lifecycle == 1:
            job.resume_ms = at_ms
    elif target not in _HOLDING:
        if waits(job):
            world.lanes.add(job, world.definitions.get(job.definition), world.jobs)
        if IS_FINAL[target]:
            job.ended_ms = at_ms
            world.live_counts[job.definition] -= 1
            if job.lineage is not None and job.schedule:
                _leave_schedule(world, job)
            world.finished.append(job.id)
            if job.id in world.families:
                world.finished += world.families[job.id]
            elif job.course is not None and job.chain is not None and job.top in world.families:
                world.finished += world.families[
                    job.top
                ]  # its own members wait for it, not the top
        elif target == Status.UIPATH_PENDING:
            if job.requested_robot:
                world.pending_twins[job.definition, job.requested_robot] = job.id
        elif target == Status.REDWOOD_QUEUE_HELD:
            world.queue_held.setdefault(job.queue, {})[job.id] = None
        elif target == Status.UIPATH_SUSPENDED:
            waiting.remember_conditions(world, job)
        elif target == Status.REDWOOD_NEVER:
            world.never[job.id] = None
    elif target == Status.UIPATH_TERMINATING:
        job.terminating_since_ms = at_ms
        world.terminating[job.id] = None


def begin_replay(world: World) -> None:
    """Get ready for what was recorded; the lanes are not kept until it has been replayed."""
    world.lanes = QuietLanes()


def end_replay(world: World) -> None:
    """Make the lanes, and forget what replay leaves behind for the journal and for watches."""
    world.lanes = Lanes()
    world.lanes.fill(world.jobs, world.definitions)
    for robot in world.robots.values():
        holding.seat(world, robot)
    world.spilled.clear()
    world.finished.clear()
    world.pending_names.clear()  # watchers get all names when they start


def create_job(world: World, job: Job) -> None:
    """Take a new job in; its first status comes with the `move` that follows."""
    assert job.id == world.next_job, "job ids rise by one"
    world.next_job = job.id + 1
    take_in(world, job)


def _leave_schedule(world: World, job: Job) -> None:
    live = world.recurring[job.schedule]
    del live[job.id]
    if not live:
        del world.recurring[job.schedule]


def take_in(world: World, job: Job) -> None:
    """Put a whole record into World, new or from a snapshot, and index what it holds."""
    world.jobs[job.id] = job
    if job.kinship is not None or job.lineage is not None:
        kin.join(world, job)
    waiting.count_live(world, job)
    if job.lineage is not None and job.schedule and not IS_FINAL[job.status]:
        world.recurring.setdefault(job.schedule, {})[job.id] = None
    if job.start_ms > job.created_ms:
        _add_deadline(world, job, "start_ms")
    if any(_parts_with_deadlines(job)):  # to try each field costs a microsecond per job
        for field in _LATER:
            _add_deadline(world, job, field)
    for message in job.messages:
        waiting.take_message_number(world, message)
        if message.is_open:
            world.open_messages[message.id] = job.id
    if job.status:
        _restore(world, job)


def _restore(world: World, job: Job) -> None:
    """Rebuild the indexes of a job that comes from a snapshot."""
    world.status_counts[job.status] += 1
    if job.kinship is not None and job.parent:
        kin.count(world, job, 0, job.status)
    if job.attached:
        holding.attach(world, job)
    if job.course is not None and holding.runs_chain(job):
        holding.count_chain(world, job.queue, 1)
    _count_waiting(world, job, "")
    if waits(job):
        world.lanes.add(job, world.definitions.get(job.definition), world.jobs)
    if job.status == Status.UIPATH_PENDING and job.requested_robot:
        world.pending_twins[job.definition, job.requested_robot] = job.id
    elif job.status == Status.REDWOOD_QUEUE_HELD:
        world.queue_held.setdefault(job.queue, {})[job.id] = None
    elif job.status == Status.UIPATH_SUSPENDED:
        waiting.remember_conditions(world, job)
    elif job.status == Status.UIPATH_TERMINATING:
        world.terminating[job.id] = None
    elif job.status == Status.REDWOOD_NEVER:
        world.never[job.id] = None
    elif job.status == Status.REDWOOD_LOCK_WAIT:
        waiting.stand_for_lock(world, job)
    elif IS_FINAL[job.status]:
        world.finished.append(job.id)
    if job.needs is not None:
        world.lock_lines.hold(job)
        for event in job.events_missing:
            waiting.stand_for_event(world, job, event)


def set_job(world: World, job: Job, fields: dict[str, Any]) -> None:
    """Assign fields other than the status."""
    if fields.keys().isdisjoint(_INDEXED_FIELDS):
        for field, value in fields.items():
            setattr(job, field, value)
        return
    was_attached, waited_in = job.attached, job.queue if waits(job) else ""
    moved = was_attached and not fields.keys().isdisjoint(_HOLDER_FIELDS)
    rarely = not fields.keys().isdisjoint(_RARE_FIELDS)
    suspended = rarely and "conditions" in fields and job.status == Status.UIPATH_SUSPENDED
    if suspended:
        waiting.forget_conditions(world, job)
    if moved:
        holding.detach(world, job)
        job.attached = True  # unless a field says otherwise
    is_chain = (job.course is not None and job.chain is not None) or "chain" in fields
    chain_in = job.queue if is_chain and holding.runs_chain(job) else ""
    before = job.messages
    if rarely:
        if "locks" in fields:
            world.lock_lines.give_back(job)
        waiting.leave_lines(world, job, fields)
    for field, value in fields.items():
        setattr(job, field, value)
        if field in DEADLINE_FIELDS:
            _add_deadline(world, job, field)
        elif field == "messages":
            waiting.index_messages(world, job, before)
    if rarely and "locks" in fields:
        world.lock_lines.hold(job)
    if job.needs is not None and (job.awaits_lock or job.events_missing):
        waiting.find_places(world, job, fields)
    if suspended:
        waiting.remember_conditions(world, job)
    if chain_in:
        holding.count_chain(world, chain_in, -1)
    if is_chain and holding.runs_chain(job):
        holding.count_chain(world, job.queue, 1)
    if job.attached:
        if moved or not was_attached:
            holding.attach(world, job)
    elif waits(job) and not (waited_in and fields.keys().isdisjoint(_ORDER_FIELDS)):
        world.lanes.add(job, world.definitions.get(job.definition), world.jobs)
    _count_waiting(world, job, waited_in)


#: Where a job is counted while a robot has it.
_HOLDER_FIELDS: Final = frozenset({"attached", "robot", "queue", "process_server"})
_ORDER_FIELDS: Final = frozenset(
    {
        "priority",
        "start_ms",
        "top_start_ms",
        "queue",
        "attached",
        "attempt_lost",
        "requested_robot",
        "server",
    }
)
_RARE_FIELDS: Final = frozenset({"locks", "awaits_lock", "events_missing", "conditions"})
#: Whatever any index is made of.
_INDEXED_FIELDS: Final = (
    DEADLINE_FIELDS
    | _HOLDER_FIELDS
    | _ORDER_FIELDS
    | _RARE_FIELDS
    | {"messages", "chain", "resume_on_same_robot"}
)


def _count_waiting(world: World, job: Job, waited_in: str) -> None:
    waits_in = job.queue if not job.attached and waits(job) else ""
    if waits_in != waited_in:
        counts = world.queue_waiting
        if waited_in:
            counts[waited_in] -= 1
        if waits_in:
            counts[waits_in] = counts.get(waits_in, 0) + 1


def forget_job(world: World, job_id: int) -> None:
    """Let a job that is over leave memory."""
    job = world.jobs.pop(job_id)
    assert is_over(job.status), f"job {job_id} is not over"
    world.status_counts[job.status] -= 1
    if not IS_FINAL[job.status]:
        world.live_counts[job.definition] -= 1
    kin.leave(world, job)


def put_definition(world: World, definition: Definition) -> None:
    """Write one version of a definition."""
    waiting.forget_definition(world, definition.name)
    world.definitions[definition.name] = definition
    waiting.know_definition(world, definition)
    for index, has in (
        (world.raisers, definition.event_raises),
        (world.special, definition.is_special),
        (world.changers, definition.on_change),
    ):
        if has:
            index[definition.name] = None
        else:
            index.pop(definition.name, None)
    world.lanes.follow_definition(definition, world.jobs)
    if definition.name not in world.definition_numbers:
        world.add_name(Name(NAME_DEFINITION, world.next_number, definition.name))


def delete_definition(world: World, name: str) -> None:
    """Remove a definition; its number stays taken."""
    waiting.forget_definition(world, name)
    del world.definitions[name]
    for index in (world.raisers, world.special, world.changers):
        index.pop(name, None)


def put_queue(world: World, queue: Queue) -> None:
    """Write one version of a queue."""
    world.queues[queue.name] = queue
    _add_alarm(world, queue.changes_ms, "queue", queue.name)
    if queue.name not in world.queue_numbers:
        world.add_name(Name(NAME_QUEUE, world.next_number, queue.name))
    holding.look_behind_queue(world, queue.name)


def delete_queue(world: World, name: str) -> None:
    """Remove a queue; its number stays taken."""
    del world.queues[name]


def put_window(world: World, window: TimeWindow) -> None:
    """Write one version of a time window."""
    world.windows[window.name] = window
    world.openings.forget()


def put_event(world: World, event: NamedEvent) -> None:
    """Write one version of a named event, with its raises."""
    world.events[event.name] = event
    if event.raises:
        world.event_lines.touch(event.name)
    else:
        world.event_lines.dirty.pop(event.name, None)


def put_lock(world: World, lock: Lock) -> None:
    """Write one version of a lock."""
    world.locks[lock.name] = lock
    world.lock_lines.touch(lock.name)


def put_server(world: World, server: ProcessServer) -> None:
    """Write one version of a process server; its robots may be able to take other jobs now."""
    holding.put_server(world, server)
    _add_alarm(world, server.changes_ms, "server", server.name)


def put_schedule(world: World, schedule: Schedule) -> None:
    """Write one version of a schedule."""
    world.schedules[schedule.name] = schedule
    _add_alarm(world, schedule.next_ms, "schedule", schedule.name)


def put_run_times(world: World, run_times: RunTimes) -> None:
    """Write how long jobs of a definition take."""
    world.run_times[run_times.definition] = run_times


def put_restart_defaults(world: World, behaviors: tuple[RestartBehavior, ...]) -> None:
    """Write what follows a final status where a definition does not say."""
    world.restart_defaults = tuple(behaviors)


def delete_record(world: World, kind: int, name: str) -> None:
    """Remove an object of the catalog that has no number, by the kind of the fact that says so."""
    match kind:
        case FactKind.DELETE_WINDOW:
            del world.windows[name]
            world.openings.forget()
        case FactKind.DELETE_EVENT:
            del world.events[name]
        case FactKind.DELETE_LOCK:
            del world.locks[name]
        case FactKind.DELETE_SERVER:
            holding.delete_server(world, name)
        case FactKind.DELETE_SCHEDULE:
            del world.schedules[name]
        case _:
            assert kind == FactKind.DELETE_RUN_TIMES, "there are six kinds of such objects"
            world.run_times.pop(name, None)


def review_starts(world: World, author: str) -> None:
    """Remember that starts have to be found anew, because of whose change; "" when they were."""
    world.reviewing_starts = author
    world.review_left.clear()


def _add_alarm(world: World, at_ms: int, kind: str, name: str) -> None:
    if at_ms:
        heappush(world.alarms, (at_ms, kind, name))


def set_moving_queue(world: World, name: str, author: str) -> None:
    """Remember whose hold or release of a queue its jobs still have to follow.

    "" when they have.
    """
    if author:
        world.moving_queues[name] = author
    else:
        world.moving_queues.pop(name, None)


def put_robot(world: World, robot: Robot) -> None:
    """Write a robot's record whole."""
    before = world.robots.get(robot.name)
    if before is not None and _ability(before) != _ability(robot):
        world.lanes.resign(robot.name)
    world.robots[robot.name] = robot
    world.next_epoch = max(world.next_epoch, robot.epoch + 1)
    if robot.name not in world.robot_numbers:
        world.add_name(Name(NAME_ROBOT, world.next_number, robot.name))
    holding.seat(world, robot)


def _ability(robot: Robot) -> tuple[object, ...]:
    return robot.definitions, robot.queues, robot.server, robot.resources


def set_sequence(world: World, name: str, sequence: int, refused: list[Any]) -> None:
    """Remember the newest report batch of a robot, and what of it was refused."""
    robot = world.robots[name]
    robot.last_sequence = sequence
    if refused:
        robot.refused[sequence] = refused
        for old in [kept for kept in robot.refused if kept <= sequence - REFUSALS_KEPT]:
            del robot.refused[old]


def delete_robot(world: World, name: str) -> None:
    """Remove a robot.

    In recovery it may have jobs: the snapshot shows what a later robot of that name has.
    """
    del world.robots[name]
    world.lanes.resign(name)
    if not world.robot_jobs.get(name):
        world.robot_jobs.pop(name, None)


def set_next_epoch(world: World, epoch: int) -> None:
    """Keep epochs rising although the robot that had the newest one was deleted."""
    world.next_epoch = max(world.next_epoch, epoch)


# -- what comes due -----------------------------------------------------------------------------


def _add_deadline(world: World, job: Job, field: str) -> None:
    at_ms = getattr(job, field)
    if field == "start_ms" and (at_ms <= job.created_ms or at_ms == NEVER_MS):
        return  # it has come already, or never will
    if at_ms:
        heappush(world.deadlines, (at_ms, job.id, field))
