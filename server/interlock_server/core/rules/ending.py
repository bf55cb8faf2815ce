"""Cancel, kill and stop.

Which of them a status allows, and who has to confirm (domain.md A2, B12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import StopStrategy
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import restart_reply, result
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import ChangeJobs
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def cancel(_world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """End a Redwood job that has not begun; a robot that has it confirms."""
    if job.status == Status.REDWOOD_CANCELING:
        return False
    if job.status == Status.REDWOOD_CONSOLE_RESTART:
        restart_reply.decline(turn, job)
        return True
    if not next_row(job.status, Trigger.CANCEL):
        return illegal(job, "cancel")
    order_cancel(turn, job)
    return True


def order_cancel(turn: Turn, job: Job, reason: str = "") -> None:
    """Cancel a Redwood job in the name of who speaks; a robot that has it confirms."""
    with_robot = job.attached and job.status != Status.REDWOOD_PRE_RUNNING
    if job.attached:
        turn.tell(job, EffectKind.CANCEL if with_robot else EffectKind.FORGET)
    turn.move(job, Trigger.CANCEL, reason)


def kill(
    world: World, turn: Turn, job: Job, _command: ChangeJobs | None = None
) -> bool | Rejection:
    """End a job at once. A robot that executes it has to confirm; without one it is over now."""
    if job.lifecycle == Lifecycle.UIPATH:
        return _kill_uipath(turn, job)
    if job.status == Status.REDWOOD_KILLING:
        return False
    if job.status == Status.REDWOOD_CONSOLE_RESTART:
        restart_reply.decline(turn, job)
        return True
    if not next_row(job.status, Trigger.KILL):
        return illegal(job, "kill")
    if job.attached and job.status != Status.REDWOOD_UNCERTAIN:
        turn.set(job, kill_by=turn.cause.author)
    order_kill(world, turn, job, Trigger.KILL)
    return True


def order_kill(world: World, turn: Turn, job: Job, trigger: Trigger, reason: str = "") -> None:
    """Kill a Redwood job in the name of who speaks; a robot that executes it has to confirm."""
    if job.attached and job.status != Status.REDWOOD_UNCERTAIN:
        turn.tell(job, EffectKind.KILL)
    turn.move(job, trigger, reason)
    if job.code_ended and job.status == Status.REDWOOD_KILLING:  # nobody else can confirm it
        turn.follow_up(Actor.ROBOT, job.robot)
        result.end(world, turn, job, Trigger.CONFIRM_KILL, "its code had ended before")


def stop(
    _world: World, turn: Turn, job: Job, _command: ChangeJobs | None = None
) -> bool | Rejection:
    """Ask a UiPath job to end when its code allows; without an executor it is over now."""
    if job.status == Status.UIPATH_STOPPING:
        return False
    if _end_without_executor(turn, job, Trigger.STOP, StopStrategy.SOFT_STOP):
        return True
    if not next_row(job.status, Trigger.STOP):
        return illegal(job, "stop")
    turn.set(job, stop_strategy=StopStrategy.SOFT_STOP)
    if job.attached:
        turn.tell(job, EffectKind.FORGET if job.attempt_lost else EffectKind.STOP)
    turn.move(job, Trigger.STOP)
    if job.attempt_lost:  # the robot said that the executor is gone, so nobody else can confirm
        turn.follow_up(Actor.SYSTEM, "sessions")
        turn.move(job, Trigger.CANCEL_AT_ROBOT, "its executor was lost before")
    return True


def _kill_uipath(turn: Turn, job: Job) -> bool | Rejection:
    if job.status == Status.UIPATH_TERMINATING:
        return False
    if _end_without_executor(turn, job, Trigger.KILL, StopStrategy.KILL):
        return True
    if not next_row(job.status, Trigger.KILL):
        return illegal(job, "kill")
    turn.set(job, stop_strategy=StopStrategy.KILL)
    if job.attached:
        turn.tell(job, EffectKind.FORGET if job.attempt_lost else EffectKind.KILL)
    turn.move(job, Trigger.KILL)
    if job.attempt_lost:
        turn.follow_up(Actor.SYSTEM, "sessions")
        turn.move(job, Trigger.CONFIRM_KILL, "its executor was lost before")
    return True


def _end_without_executor(turn: Turn, job: Job, trigger: Trigger, strategy: StopStrategy) -> bool:
    """Pending, Suspended and Resumed jobs have no executor: there is nothing to wait for (UA-9)."""
    if job.status not in {Status.UIPATH_PENDING, Status.UIPATH_SUSPENDED, Status.UIPATH_RESUMED}:
        return False
    if job.attached:
        turn.tell(job, EffectKind.FORGET)
    turn.set(job, stop_strategy=strategy)
    pending = job.status == Status.UIPATH_PENDING
    turn.move(job, trigger if pending else Trigger.STOP_OR_KILL)
    return True


def complete(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Name the result from outside.

    Only while Running, and only where the definition says so (TR-102, B8).
    """
    definition = world.definitions.get(job.definition)  # a Modified job's may be gone
    if definition is None or definition.completion is not Completion.EXTERNAL:
        return Rejection(
            Reason.NOT_EXTERNAL,
            f"definition {job.definition!r} is not completed from outside; its robot ends job "
            f"{job.id}",
        )
    if job.status != Status.REDWOOD_RUNNING:
        return illegal(job, "complete")
    if command.result:
        turn.set(job, result=command.result)
    if job.attached:  # its code still runs, and nobody needs it any more
        turn.tell(job, EffectKind.FORGET)
    trigger = Trigger.FAIL if command.failed else Trigger.COMPLETE_EXTERNALLY
    result.end(world, turn, job, trigger)
    return True
