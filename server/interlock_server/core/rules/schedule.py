"""Schedules: recurring submissions, as submit frames and time triggers (domain.md A8, B10).

A schedule of a UiPath definition submits at each instant. One of a Redwood definition submits
ahead: its next job waits for its start, and is followed by another one as soon as it is over (R27).
What was missed while the server was down is made up for once: UiPath at the newest instant that was
missed, Redwood at the next instant that is still to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock_server.core.command import NewJob, SubmitJobs
from interlock_server.core.model.definition import RestartAction
from interlock_server.core.model.schedule import Firing, Schedule, ScheduleStatus
from interlock_server.core.recurrence import next_instant
from interlock_server.core.rejection import Reason
from interlock_server.core.rules import restart_behavior, submission, window
from interlock_server.core.rules.parameter import parameter_fault
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle, State, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.recurrence import Recurrence
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Firings that a schedule remembers.
RECENT_KEPT: Final = 50
_SECOND_MS: Final = 1000


def change(turn: Turn, schedule: Schedule, **fields: Any) -> Schedule:
    """Write what a schedule has become; its version counts only what people change."""
    changed = msgspec.structs.replace(schedule, **fields)
    if changed != schedule:
        turn.put(changed)
    return changed


def change_to(turn: Turn, schedule: Schedule) -> Schedule:
    """Write a schedule whole."""
    turn.put(schedule)
    return schedule


def is_redwood(world: World, schedule: Schedule) -> bool:
    """Whether it submits ahead."""
    return world.definitions[schedule.definition].lifecycle == Lifecycle.REDWOOD


def waiting_jobs(world: World, name: str) -> list[Job]:
    """Jobs that it has submitted and that have not begun."""
    jobs = [world.jobs[job_id] for job_id in world.recurring.get(name, ())]
    return [job for job in jobs if Status(job.status).state is not State.RUNNING]


# -- going on -----------------------------------------------------------------------------------


def go_on(world: World, turn: Turn, schedule: Schedule) -> Schedule:
    """Find its next instant, or submit ahead, from now on."""
    if schedule.status is not ScheduleStatus.ACTIVE:
        return schedule
    if is_redwood(world, schedule):
        return _submit_ahead(world, turn, schedule)
    following = next_instant(schedule.recurrence, max(schedule.last_ms, turn.now_ms - 1))
    return _plan(turn, schedule, following)


def _plan(turn: Turn, schedule: Schedule, following: int | None, **fields: Any) -> Schedule:
    """Let it wait for its next instant; without one it is over."""
    planned = msgspec.structs.replace(schedule, **fields)
    ending = {}
    if planned.firings_max and planned.firings >= planned.firings_max:
        ending = {"status": ScheduleStatus.FINISHED_JOB_COUNT}
    elif following is None:
        bounded = msgspec.structs.replace(planned.recurrence, end_ms=0)
        after_ms = max(planned.last_ms, turn.now_ms)
        further = next_instant(bounded, after_ms) is not None
        status = ScheduleStatus
        ending = {"status": status.FINISHED_END_DATE if further else status.FINISHED_SUBMIT_FRAME}
    return change(turn, schedule, **fields, next_ms=0 if ending else following, **ending)


def fire(world: World, turn: Turn, name: str, at_ms: int) -> None:
    """Do what the instant asks for that the schedule carries."""
    schedule = world.schedules.get(name)
    if schedule is None or schedule.next_ms != at_ms:
        return
    turn.follow_up(Actor.SCHEDULE, name)
    if schedule.status is not ScheduleStatus.ACTIVE:
        return
    if is_redwood(world, schedule):
        _submit_ahead(world, turn, change(turn, schedule, next_ms=0))
        return
    due_ms = _newest_due(schedule.recurrence, at_ms, turn.now_ms)
    firing = _submit(world, turn, schedule, due_ms, trigger_ms=due_ms, count=schedule.count)
    if due_ms != at_ms and not firing.reason:
        text = f"makes up for what was missed since {window.show(at_ms)}"
        firing = msgspec.structs.replace(firing, reason=text)
    _plan(
        turn,
        schedule,
        next_instant(schedule.recurrence, turn.now_ms),
        recent=(*schedule.recent, firing)[-RECENT_KEPT:],
        firings=schedule.firings + (firing.what == "fired"),
        last_ms=due_ms,
    )


def _newest_due(recurrence: Recurrence, first_ms: int, now_ms: int) -> int:
    """The newest instant that has come, at least the first one. Few are looked at."""
    found, back_ms = first_ms, _SECOND_MS
    while now_ms - back_ms > first_ms:
        after = next_instant(recurrence, now_ms - back_ms)
        if after is not None and after <= now_ms:
            found = after
            break
        back_ms *= 2
    while (following := next_instant(recurrence, found)) is not None and following <= now_ms:
        found = following
    return found


def _submit(world: World, turn: Turn, schedule: Schedule, at_ms: int, **fields: Any) -> Firing:
    """Submit for one instant, by all the rules of a submission; what became of it."""
    new = NewJob(
        definition=schedule.definition,
        parameters=schedule.parameters,
        queue=schedule.queue,
        priority=schedule.priority,
        robot=schedule.robot,
        labels=schedule.labels,
        stop_after_ms=schedule.stop_after_ms,
        kill_after_ms=schedule.kill_after_ms,
        schedule=schedule.name,
        **fields,
    )
    definition = world.definitions[schedule.definition]
    obstacle = parameter_fault(definition, new.parameters)
    if obstacle and definition.lifecycle == Lifecycle.REDWOOD:
        job = submission.fail_to_resubmit(world, turn, new, obstacle)
        turn.follow_up(Actor.SCHEDULE, schedule.name)
        return Firing(at_ms, "failed", (job.id,), obstacle)
    outcomes = submission.submit(world, turn, SubmitJobs((new,)))
    turn.follow_up(Actor.SCHEDULE, schedule.name)
    refusal = next((each.rejection for each in outcomes if each.rejection is not None), None)
    if refusal is None:
        return Firing(at_ms, "fired", tuple(each.job for each in outcomes))
    skipped = refusal.reason is Reason.JOB_ALREADY_PENDING
    return Firing(at_ms, "skipped" if skipped else "failed", (), refusal.sentence)


def _submit_ahead(world: World, turn: Turn, schedule: Schedule) -> Schedule:
    """Submit until as many jobs are live as may be, each for its own instant."""
    missing = schedule.presubmit - len(world.recurring.get(schedule.name, ()))
    for _ in range(missing):
        after_ms = max(schedule.last_ms, turn.now_ms - 1)
        at_ms = next_instant(schedule.recurrence, after_ms)
        spent = schedule.firings_max and schedule.firings >= schedule.firings_max
        if at_ms is None or spent:
            return _plan(turn, schedule, None)
        firing = _submit(world, turn, schedule, at_ms, start_ms=at_ms)
        schedule = change(
            turn,
            schedule,
            recent=(*schedule.recent, firing)[-RECENT_KEPT:],
            firings=schedule.firings + (firing.what == "fired"),
            last_ms=at_ms,
            # Refused, it is looked at again when the instant has come.
            next_ms=0 if firing.jobs else at_ms,
        )
        if not firing.jobs:
            return schedule
    if schedule.firings_max and schedule.firings >= schedule.firings_max:
        return _plan(turn, schedule, None)
    return schedule


# -- what its jobs do to it ---------------------------------------------------------------------


def follow(world: World, turn: Turn, job: Job) -> None:
    """Go on, or end, because one of its jobs is over."""
    schedule = world.schedules.get(job.schedule)
    if schedule is None or schedule.definition not in world.definitions:
        return
    if job.lifecycle == Lifecycle.UIPATH:
        _count_failure(turn, schedule, job)
    elif restart_behavior.of(world, job, job.status).action is RestartAction.STOP:
        stop(world, turn, schedule.name, f"job {job.id}")
    elif _is_canceled_by_hand(job) and not waiting_jobs(world, schedule.name):
        stop(world, turn, schedule.name, job.history[-1].cause.author)
    else:
        continue_after(world, turn, job)


def _is_canceled_by_hand(job: Job) -> bool:
    by_hand = bool(job.history) and job.history[-1].cause.actor == Actor.USER
    return job.status == Status.REDWOOD_CANCELED and by_hand


def continue_after(world: World, turn: Turn, job: Job) -> None:
    """Submit what follows a Redwood job of a schedule."""
    schedule = world.schedules.get(job.schedule)
    if schedule is None or schedule.status is not ScheduleStatus.ACTIVE:
        return
    cause = turn.cause
    turn.follow_up(Actor.SCHEDULE, schedule.name)
    if job.created_ms == turn.now_ms and schedule.last_ms >= turn.now_ms:
        # It was over as soon as it was there: the next one comes when its instant has.
        change(turn, schedule, next_ms=schedule.last_ms)
    else:
        _submit_ahead(world, turn, schedule)
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)


def stop(world: World, turn: Turn, name: str, by: str) -> None:
    """End a schedule, because a person or a restart behavior says so."""
    schedule = world.schedules.get(name)
    if schedule is not None and schedule.status in {ScheduleStatus.ACTIVE, ScheduleStatus.HELD}:
        change(turn, schedule, status=ScheduleStatus.FINISHED_MANUALLY, status_by=by, next_ms=0)


def _count_failure(turn: Turn, schedule: Schedule, job: Job) -> None:
    """Hold it after too many failures in a row within the grace period (A8)."""
    if job.status == Status.UIPATH_SUCCESSFUL:
        change(turn, schedule, failures=0, failing_since_ms=0)
    if job.status != Status.UIPATH_FAULTED or not schedule.failures_max:
        return
    grace_ms, since_ms = schedule.failures_grace_ms, schedule.failing_since_ms
    expired = bool(grace_ms) and turn.now_ms - since_ms > grace_ms
    failures = 1 if expired or not schedule.failures else schedule.failures + 1
    since_ms = turn.now_ms if failures == 1 else since_ms
    if failures < schedule.failures_max or schedule.status is not ScheduleStatus.ACTIVE:
        change(turn, schedule, failures=failures, failing_since_ms=since_ms)
        return
    reason = f"{failures} jobs in a row have failed, the last one is job {job.id}"
    firing = Firing(turn.now_ms, "disabled", (), reason)
    change(
        turn,
        schedule,
        failures=failures,
        failing_since_ms=since_ms,
        status=ScheduleStatus.HELD,
        status_by="failures",
        next_ms=0,
        recent=(*schedule.recent, firing)[-RECENT_KEPT:],
    )


def follow_hold(world: World, turn: Turn, job: Job) -> None:
    """Hold it with the last of its jobs that wait; go on when one of them is released (R26)."""
    schedule = world.schedules.get(job.schedule)
    if schedule is None or job.lifecycle != Lifecycle.REDWOOD:
        return
    held = all(each.status == Status.REDWOOD_HELD for each in waiting_jobs(world, schedule.name))
    if held and schedule.status is ScheduleStatus.ACTIVE:
        fields = {"status": ScheduleStatus.HELD, "held_with_jobs": True}
        change(turn, schedule, status_by=turn.cause.author, next_ms=0, **fields)
    elif not held and schedule.held_with_jobs and schedule.status is ScheduleStatus.HELD:
        fields = {"status": ScheduleStatus.ACTIVE, "held_with_jobs": False}
        go_on(world, turn, change(turn, schedule, status_by=turn.cause.author, **fields))


def cancel_planned(world: World, turn: Turn, name: str, reason: str) -> None:
    """Cancel its jobs whose start is still to come."""
    for job in waiting_jobs(world, name):
        planned = job.status in {Status.REDWOOD_SCHEDULED, Status.REDWOOD_NEVER}
        if planned and job.start_ms > turn.now_ms:
            turn.move(job, Trigger.CANCEL, reason)
