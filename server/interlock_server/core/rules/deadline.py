"""What happens when an instant is reached that a job carries (promise P11.

The instant itself is stored).
"""

from __future__ import annotations

from heapq import heappop
from typing import TYPE_CHECKING

from interlock_server.core.model.job import Fault, Job
from interlock_server.core.rules import (
    admission,
    alarm,
    ending,
    event_gate,
    family,
    limit,
    overdue,
    resume,
)
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import CleanUpTerminating, PassDeadlines
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def pass_deadlines(world: World, turn: Turn, command: PassDeadlines) -> bool:
    """Do what is due now, up to a number of jobs; whether more is due."""
    deadlines = world.deadlines
    for _ in range(command.jobs_max):
        if not deadlines or deadlines[0][0] > turn.now_ms:
            admission.admit(world, turn)
            return alarm.pass_alarms(world, turn)
        at_ms, job_id, field = heappop(deadlines)
        job = world.jobs.get(job_id)
        if job is None or job.ended_ms:
            continue
        turn.follow_up(Actor.CLOCK, "deadline")
        if field == "conditions":
            resume.fire_timers(turn, job)
        elif getattr(job, field) == at_ms:
            _pass(world, turn, job, field)
    admission.admit(world, turn)
    return True


def _pass(world: World, turn: Turn, job: Job, field: str) -> None:
    if field == "start_ms":
        turn.bring_to_gates(job)
    elif field == "limit_at_ms":
        limit.reach(world, turn, job)
    elif field == "delay_until_ms":
        family.end_delay(world, turn, job)
    elif field == "events_again_ms":
        event_gate.look_again(world, turn, job)
    elif field == "window_closes_ms":
        overdue.close(world, turn, job)
    elif field == "stop_at_ms":
        _scheduled_stop(world, turn, job)
    elif field == "kill_at_ms":
        turn.follow_up(Actor.SCHEDULE, "scheduled ending")
        if next_row(job.status, Trigger.KILL) or next_row(job.status, Trigger.STOP_OR_KILL):
            ending.kill(world, turn, job)
    elif field == "uncertain_until_ms" and job.status == Status.REDWOOD_UNCERTAIN:
        if job.attached:  # should it come back with the job, nobody needs that any more
            turn.tell(job, EffectKind.FORGET)
        turn.move(job, Trigger.TIME_OUT, "no end report came in time")


def _scheduled_stop(world: World, turn: Turn, job: Job) -> None:
    """Stop at the planned instant, and start the kill counter there: the two add up (UA-11)."""
    if job.lifecycle != Lifecycle.UIPATH:
        return
    turn.follow_up(Actor.SCHEDULE, "scheduled ending")
    if next_row(job.status, Trigger.STOP) or next_row(job.status, Trigger.STOP_OR_KILL):
        ending.stop(world, turn, job)
    if job.kill_after_ms and not job.kill_at_ms and not job.ended_ms:
        turn.set(job, kill_at_ms=job.stop_at_ms + job.kill_after_ms)


def clean_up_terminating(world: World, turn: Turn, _command: CleanUpTerminating) -> None:
    """Fault the jobs that have been Terminating for the whole timeout (TU-20, UA-4)."""
    timeout_ms = world.settings.terminating_timeout_ms
    hours = timeout_ms // 3_600_000
    for job_id in list(world.terminating):
        job = world.jobs[job_id]
        if turn.now_ms - job.terminating_since_ms >= timeout_ms:
            text = f"no confirmation of the kill within {hours} hours; cleaned up"
            turn.set(job, fault=Fault("TERMINATING_TIMEOUT", text))
            turn.move(job, Trigger.CLEAN_UP, text)
