"""What has to hold of a World at any time (domain.md C4).

For tests, the simulation and `interlock verify`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from interlock_server.core import chain_invariants, dispatch_invariants, line_invariants
from interlock_server.core.holding import holds_slot
from interlock_server.core.kin import is_over
from interlock_server.core.lane import order_of, waits
from interlock_server.core.model.job import NEVER_MS, ResumeKind, Role, StopStrategy
from interlock_server.core.vocabulary.lifecycle import ROW_SOURCE, ROW_TARGET
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NUMBERS, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


def check(world: World) -> None:
    """Raise AssertionError with everything that does not hold."""
    found = list(problems(world))
    assert not found, "; ".join(found[:10])


def problems(world: World) -> Iterator[str]:
    """Say what does not hold, one sentence each."""
    for job in world.jobs.values():
        for problem in (
            *_times(job),
            *_history(job),
            *_holding(world, job),
            *_results(world, job),
        ):
            yield f"job {job.id}: {problem}"
    yield from _indexes(world)
    yield from _limits(world)
    yield from line_invariants.problems(world)
    yield from _restarts(world)
    yield from chain_invariants.problems(world)


def _restarts(world: World) -> Iterator[str]:
    found: dict[int, set[int]] = {}
    for job in world.jobs.values():
        if job.original:
            found.setdefault(job.original, set()).add(job.id)
    if found != {original: set(jobs) for original, jobs in world.restarts.items()}:
        yield "the index of restarts is what the jobs say"


def _times(job: Job) -> Iterator[str]:
    status = job.status
    if bool(job.ended_ms) != IS_FINAL[status]:
        yield "end time is set exactly while it is final (C4.6)"
    if job.run_start_ms and status == Status.UIPATH_PENDING:
        yield "a Pending job has no run start (C4.6)"
    if (status == Status.UIPATH_TERMINATING) != bool(job.terminating_since_ms):
        yield "terminating_since is set exactly while it is Terminating (C4.6)"
    if status == Status.UIPATH_STOPPING and job.stop_strategy != StopStrategy.SOFT_STOP:
        yield "Stopping means a soft stop (C4.6)"
    never = job.start_ms == NEVER_MS
    if status == Status.REDWOOD_NEVER and not never:
        yield "Never means a start in 2999 (C4.9)"
    if never and status != Status.REDWOOD_NEVER and not IS_FINAL[status]:
        yield "a start in 2999 means Never (C4.9)"
    if status == Status.REDWOOD_OVERDUE and not 0 < job.window_closes_ms <= job.changed_ms:
        yield "Overdue only after its window has closed (C4.9)"
    if status == Status.REDWOOD_UNCERTAIN and not job.uncertain_until_ms:
        yield "an Uncertain job has a deadline (P8)"


def _history(job: Job) -> Iterator[str]:
    before, revision = None, 0
    for entry in job.history:
        if before is not None and ROW_SOURCE[entry.row] != before:
            yield f"row {entry.row} does not follow status {before}"
        if entry.revision <= revision:
            yield "revisions of its history rise"
        before, revision = ROW_TARGET[entry.row], entry.revision
    if job.history and (before != job.status or revision != job.revision):
        yield "its history ends in its status"


def _holding(world: World, job: Job) -> Iterator[str]:
    if job.attached and not job.robot:
        yield "a robot has it, but none is named"
    if job.attached and not job.fence:
        yield "a robot has it without a fence"
    if job.attached and not holds_slot(job) and not _is_offered(job):
        yield f"status {job.status} holds no robot (C4.5)"
    if job.attached and job.id not in world.robot_jobs.get(job.robot, ()):
        yield "its robot does not know of it"


def _results(world: World, job: Job) -> Iterator[str]:
    status = job.status
    if status in _HAS_RESULT and not job.provisional:
        yield "its provisional result is not known"
    if job.provisional and status not in _HAS_RESULT and not IS_FINAL[status]:
        yield "a provisional result means PostRunning or ConsoleRestart"
    if status == Status.REDWOOD_CONSOLE_RESTART and not any(
        message.restart and message.is_open for message in job.messages
    ):
        yield "ConsoleRestart waits for a reply to an open question"
    if status == Status.REDWOOD_DELAYED:
        parent = world.jobs.get(job.parent)
        if job.delay_reason == "parent" and (parent is None or parent.ended_ms):
            yield "it is Delayed for a parent that is over"
        if job.delay_reason != "parent" and not job.delay_until_ms:
            yield "it is Delayed for nothing (RA-8)"


_HAS_RESULT = frozenset({Status.REDWOOD_POST_RUNNING, Status.REDWOOD_CONSOLE_RESTART})


def _is_offered(job: Job) -> bool:
    return job.status in {Status.UIPATH_PENDING, Status.UIPATH_RESUMED}


def _indexes(world: World) -> Iterator[str]:
    """Each index against a full scan (P9)."""
    jobs = world.jobs.values()
    counts = Counter(job.status for job in jobs)
    if [counts[number] for number in range(STATUS_NUMBERS)] != world.status_counts:
        yield "status counts differ from a scan"
    load = Counter(job.queue for job in jobs if job.attached)
    if load != Counter({name: count for name, count in world.queue_load.items() if count}):
        yield "queue loads differ from a scan"
    waiting_in = Counter(job.queue for job in jobs if waits(job))
    if waiting_in != Counter({name: count for name, count in world.queue_waiting.items() if count}):
        yield "counts of waiting jobs differ from a scan"
    robots: dict[str, set[int]] = {}
    for job in jobs:
        if job.attached:
            robots.setdefault(job.robot, set()).add(job.id)
    if robots != {name: held for name, held in world.robot_jobs.items() if held}:
        yield "jobs of robots differ from a scan"
    held = {job.id for job in jobs if job.status == Status.REDWOOD_QUEUE_HELD}
    if held != {job_id for ids in world.queue_held.values() for job_id in ids}:
        yield "jobs in QueueHeld differ from a scan"
    recurring: dict[str, set[int]] = {}
    for job in jobs:
        if job.schedule and not IS_FINAL[job.status]:
            recurring.setdefault(job.schedule, set()).add(job.id)
    if recurring != {name: set(live) for name, live in world.recurring.items()}:
        yield "jobs of schedules differ from a scan"
    messages = {m.id: m.job for job in jobs for m in job.messages if m.is_open}
    if messages != world.open_messages:
        yield "open messages differ from a scan"
    waiting = {order_of(job) for job in jobs if waits(job)}
    laned = {
        order
        for lane in world.lanes.by_key.values()
        for order in lane.heap
        if order[3] in world.jobs and lane.holds(world.jobs[order[3]])
    }
    if not waiting <= laned:
        yield "a waiting job stands in no lane"
    yield from _kin(world)
    yield from dispatch_invariants.problems(world)
    if {job.id for job in jobs if job.status == Status.UIPATH_TERMINATING} != set(
        world.terminating
    ):
        yield "jobs in Terminating differ from a scan"
    definitions = world.definitions.values()
    if {each.name for each in definitions if each.is_special} != set(world.special):
        yield "definitions with actions, behaviors or limits differ from a scan"
    if {each.name for each in definitions if each.on_change} != set(world.changers):
        yield "definitions with on-change actions differ from a scan"
    yield from _resumes(world)
    yield from _deadlines(world)
    yield from _twins(world)


def _kin(world: World) -> Iterator[str]:
    """Families, children and the newest jobs of steps."""
    families: dict[int, set[int]] = {}
    children: dict[int, set[int]] = {}
    unfinished: Counter[int] = Counter()
    steps: dict[tuple[int, str], int] = {}
    for job in world.jobs.values():
        if job.top:
            families.setdefault(job.top, set()).add(job.id)
        if job.parent:
            children.setdefault(job.parent, set()).add(job.id)
            if not is_over(job.status):
                unfinished[job.parent] += 1
        if job.role == Role.STEP:
            steps[job.parent, job.step] = max(job.id, steps.get((job.parent, job.step), 0))
    if families != {top: set(members) for top, members in world.families.items()}:
        yield "families differ from a scan"
    if children != {parent: set(members) for parent, members in world.children.items()}:
        yield "children differ from a scan"
    if unfinished != world.unfinished:
        yield "counts of unfinished children differ from a scan"
    if steps != world.steps:
        yield "the newest jobs of steps differ from a scan"


def _resumes(world: World) -> Iterator[str]:
    waiting: dict[tuple[int, str], set[int]] = {}
    for job in world.jobs.values():
        if job.status == Status.UIPATH_SUSPENDED:
            for condition in job.conditions:
                if condition.kind != ResumeKind.TIMER and not condition.fired:
                    waiting.setdefault((int(condition.kind), condition.key), set()).add(job.id)
    if waiting != world.resume_by_key:
        yield "what suspended jobs wait for differs from a scan"


def _deadlines(world: World) -> Iterator[str]:
    """What only the clock can end is among the deadlines (P8)."""
    known = set(world.deadlines)
    for job in world.jobs.values():
        due: list[tuple[int, int, str]] = []
        if job.status == Status.REDWOOD_SCHEDULED and job.start_ms > job.created_ms:
            due.append((job.start_ms, job.id, "start_ms"))
        elif job.status == Status.REDWOOD_DELAYED and job.delay_until_ms:
            due.append((job.delay_until_ms, job.id, "delay_until_ms"))
        elif job.status == Status.REDWOOD_EVENT_WAIT and job.events_again_ms:
            due.append((job.events_again_ms, job.id, "events_again_ms"))
        elif job.status == Status.REDWOOD_RUNNING and job.limit_at_ms:
            due.append((job.limit_at_ms, job.id, "limit_at_ms"))
        elif job.status == Status.REDWOOD_UNCERTAIN:
            due.append((job.uncertain_until_ms, job.id, "uncertain_until_ms"))
        elif job.status == Status.UIPATH_SUSPENDED:
            due += [
                (condition.at_ms, job.id, "conditions")
                for condition in job.conditions
                if condition.kind == ResumeKind.TIMER and not condition.fired
            ]
        if not known.issuperset(due):
            yield f"job {job.id}: waits for the clock, but is not among the deadlines"


def _twins(world: World) -> Iterator[str]:
    twins = Counter(
        (job.definition, job.requested_robot)
        for job in world.jobs.values()
        if job.status == Status.UIPATH_PENDING and job.requested_robot
    )
    if any(count > 1 for count in twins.values()):
        yield "two Pending jobs of one definition for one robot (C4.5)"
    if set(twins) != set(world.pending_twins):
        yield "pending twins differ from a scan"


def _limits(world: World) -> Iterator[str]:
    for robot in world.robots.values():
        taken = [world.jobs[job_id] for job_id in world.robot_jobs.get(robot.name, ())]
        foreground = [
            job
            for job in taken
            if (d := world.definitions.get(job.definition)) and d.foreground and holds_slot(job)
        ]
        if len(foreground) > 1:
            yield f"robot {robot.name} runs two foreground jobs (C4.5)"
