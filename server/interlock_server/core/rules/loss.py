"""A robot no longer has a job.

What becomes of it, by status and by how sure that is (domain.md RA-15, UA-6).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import LossPolicy
from interlock_server.core.model.job import Fault
from interlock_server.core.rules import limit, result
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS, next_row
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

S = Status
T = Trigger


class Loss(Enum):
    """How a job was lost."""

    #: Nothing was heard for the whole time to live; it may still run.
    SILENT = "its robot was not heard of for the whole time to live"
    #: The robot is back and does not have it: the executor is gone for certain.
    GONE = "its robot is back without it"
    #: The robot said goodbye while it had it: no end report can come.
    GOODBYE = "its robot said goodbye while it had it"


_WAITING_FOR_START: Final = {S.REDWOOD_DISPATCHED: T.REQUEUE, S.REDWOOD_ASSIGNED: T.REQUEUE}
_REDWOOD: Final[dict[Loss, dict[Status, Trigger]]] = {
    Loss.SILENT: {
        **_WAITING_FOR_START,
        S.REDWOOD_CANCELING: T.CONFIRM_CANCEL,
        S.REDWOOD_PRE_RUNNING: T.FAIL,
        S.REDWOOD_RUNNING: T.LOSE,
        S.REDWOOD_WAITING: T.LOSE,
        S.REDWOOD_KILLING: T.LOSE,
        S.REDWOOD_CONSOLE: T.LOSE_FOR_GOOD,
        S.REDWOOD_POST_RUNNING: T.LOSE_FOR_GOOD,
    },
    Loss.GONE: {
        **_WAITING_FOR_START,
        S.REDWOOD_CANCELING: T.CONFIRM_CANCEL,
        S.REDWOOD_PRE_RUNNING: T.FAIL,
        S.REDWOOD_RUNNING: T.FAIL,
        S.REDWOOD_WAITING: T.LOSE_FOR_GOOD,
        S.REDWOOD_KILLING: T.CONFIRM_KILL,
        S.REDWOOD_CONSOLE: T.LOSE_FOR_GOOD,
        S.REDWOOD_POST_RUNNING: T.FAIL,
        S.REDWOOD_UNCERTAIN: T.FAIL,
    },
    Loss.GOODBYE: {
        **_WAITING_FOR_START,
        S.REDWOOD_CANCELING: T.CONFIRM_CANCEL,
        S.REDWOOD_PRE_RUNNING: T.FAIL,
        S.REDWOOD_RUNNING: T.LOSE_FOR_GOOD,
        S.REDWOOD_WAITING: T.LOSE_FOR_GOOD,
        S.REDWOOD_KILLING: T.CONFIRM_KILL,
        S.REDWOOD_CONSOLE: T.LOSE_FOR_GOOD,
        S.REDWOOD_POST_RUNNING: T.LOSE_FOR_GOOD,
        S.REDWOOD_UNCERTAIN: T.FAIL,
    },
}


def lose(world: World, turn: Turn, job: Job, loss: Loss, author: str) -> None:
    """Do what the loss means for one job that the robot had."""
    if job.lifecycle == Lifecycle.UIPATH:
        _lose_uipath(world, turn, job, loss, author)
        return
    trigger = _REDWOOD[loss].get(Status(job.status))
    if trigger is None:
        return  # Uncertain already, and still only silence
    if trigger is T.LOSE:
        timeout_ms = (
            world.definitions[job.definition].uncertain_timeout_ms
            or world.settings.uncertain_timeout_ms
        )
        turn.set(job, uncertain_until_ms=turn.now_ms + timeout_ms)
    elif trigger is T.FAIL:
        turn.set(job, fault=Fault("ROBOT_LOST", loss.value))
    end_as_allowed(world, turn, job, trigger, author, loss.value)


def found_running(world: World, turn: Turn, job: Job, robot: str) -> None:
    """The robot of an Uncertain job says that it still runs. A kill that it never got counts."""
    move_as_allowed(turn, job, T.STILL_RUNNING, robot, "")
    if job.kill_by:
        turn.follow_up(Actor.USER, job.kill_by)
        turn.tell(job, EffectKind.KILL)
        turn.move(job, T.KILL, "ordered before its robot was lost")
        turn.follow_up(Actor.ROBOT, robot)
    elif job.limits_missed:
        limit.enforce(world, turn, job)
        turn.follow_up(Actor.ROBOT, robot)


def move_as_allowed(turn: Turn, job: Job, trigger: Trigger, robot: str, reason: str) -> None:
    """Move in the robot's name where the table lets it, otherwise in the server's."""
    speak_as_allowed(turn, job, trigger, robot)
    turn.move(job, trigger, reason)


def speak_as_allowed(turn: Turn, job: Job, trigger: Trigger, robot: str) -> None:
    """Speak for the robot where the table lets it cause this, otherwise for the server."""
    row = ROWS[next_row(job.status, trigger)]
    assert row is not None, f"no row for {job.status} and {trigger!r}"
    actor, author = (
        (Actor.ROBOT, robot) if Actor.ROBOT in row.actors else (Actor.SYSTEM, "sessions")
    )
    if (turn.cause.actor, turn.cause.author) != (actor, author):
        turn.follow_up(actor, author)


def end_as_allowed(
    world: World, turn: Turn, job: Job, trigger: Trigger, robot: str, reason: str
) -> None:
    """As `move_as_allowed`, for a move that may end the job."""
    speak_as_allowed(turn, job, trigger, robot)
    result.end(world, turn, job, trigger, reason)


def _lose_uipath(world: World, turn: Turn, job: Job, loss: Loss, author: str) -> None:
    """UA-6.

    A job without an executor is offered again, faulted or executed again, never by silence alone
    unless asked.
    """
    policy = world.definitions[job.definition].on_robot_loss
    waiting = job.status in {S.UIPATH_PENDING, S.UIPATH_RESUMED}
    if waiting:
        turn.set(job, attached=False)
    elif job.status == S.UIPATH_TERMINATING:
        if loss is not Loss.SILENT:
            move_as_allowed(turn, job, T.CONFIRM_KILL, author, loss.value)
    elif loss is Loss.SILENT and policy is LossPolicy.WAIT:
        return
    elif policy is LossPolicy.RERUN and job.status == S.UIPATH_RUNNING:
        turn.set(job, attached=False, attempt_lost=True, info=loss.value)
    else:
        turn.set(job, fault=Fault("ROBOT_LOST", loss.value))
        move_as_allowed(turn, job, T.FAIL, author, loss.value)
