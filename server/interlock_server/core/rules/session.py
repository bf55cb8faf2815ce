"""Sessions of robots.

Opening with reconciliation, breaking, losing, saying goodbye (domain.md A6, B4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.command import RunningJob, SessionOpened, Verdict
from interlock_server.core.model.job import Job
from interlock_server.core.model.robot import Robot
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import limit, loss, pre_running
from interlock_server.core.rules.loss import Loss
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import (
        BreakSession,
        CloseSession,
        DrainSession,
        LoseSession,
        OpenSession,
        RecoverSessions,
    )
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

S = Status

_VERDICTS = {
    S.UIPATH_STOPPING: Verdict.STOP,
    S.UIPATH_TERMINATING: Verdict.KILL,
    S.REDWOOD_KILLING: Verdict.KILL,
    S.REDWOOD_CANCELING: Verdict.KILL,
}


def open_session(world: World, turn: Turn, command: OpenSession) -> SessionOpened:
    """Begin a new epoch for a robot and settle, job by job, what it has and what it has not."""
    known = world.robots.get(command.robot)
    same = known is not None and known.instance == command.instance
    turn.put_robot(
        known or Robot(command.robot),
        epoch=world.next_epoch,
        instance=command.instance,
        definitions=command.definitions,
        queues=command.queues,
        slots=command.slots,
        host=command.host,
        actions=command.actions,
        server=command.server,
        resources=command.resources,
        connected=False,  # no offers before everything below is settled
        lost=False,
        draining=False,
        last_sequence=known.last_sequence if known is not None and same else 0,
        refused=known.refused if known is not None and same else {},
    )
    named = {(running.job, running.fence): running for running in command.running}
    kept: set[tuple[int, int]] = set()
    for job in attached_jobs(world, command.robot):
        running = named.get((job.id, job.fence))
        if running is not None:
            kept.add((job.id, job.fence))
            _reconcile(world, turn, job, running, command.robot)
        else:
            loss.lose(world, turn, job, Loss.GONE, command.robot)
    verdicts = tuple(
        _VERDICTS.get(Status(world.jobs[running.job].status), Verdict.KEEP)
        if (running.job, running.fence) in kept
        else Verdict.FORGET
        for running in command.running
    )
    robot = world.robots[command.robot]
    turn.put_robot(robot, connected=True)
    refused = tuple(
        (sequence, index, job_id, Rejection(Reason(reason), sentence, **metadata))
        for sequence, batch in robot.refused.items()
        for index, job_id, reason, sentence, metadata in batch
    )
    return SessionOpened(robot.epoch, verdicts, robot.last_sequence, refused)


def attached_jobs(world: World, robot: str) -> list[Job]:
    """The jobs that a robot has, oldest first."""
    return [world.jobs[job_id] for job_id in sorted(world.robot_jobs.get(robot, ()))]


def _reconcile(world: World, turn: Turn, job: Job, running: RunningJob, robot: str) -> None:
    """The robot still has the job: catch up with what it did while nobody heard it."""
    # Only a job that waits for the order to start is Uncertain without having started.
    if running.ended or not (running.started or job.status == S.REDWOOD_UNCERTAIN):
        return  # its own report follows
    if job.status == S.REDWOOD_UNCERTAIN:
        loss.found_running(world, turn, job, robot)
        return
    if job.definition in world.special and pre_running.too_early(world, turn, job):
        return
    if job.status == S.REDWOOD_DISPATCHED:
        loss.move_as_allowed(turn, job, Trigger.ACCEPT, robot, "")
    if job.attempt_lost:
        turn.set(job, attempt_lost=False)
    elif next_row(job.status, Trigger.START):
        loss.move_as_allowed(turn, job, Trigger.START, robot, "")
        if job.definition in world.special:
            limit.begin(world, turn, job, world.definitions[job.definition])


def _current(world: World, name: str, epoch: int) -> Robot | Rejection:
    robot = world.robots.get(name)
    if robot is None:
        return Rejection(Reason.NO_SESSION, f"robot {name!r} has no session; send Hello first")
    if robot.epoch != epoch:
        return Rejection(
            Reason.SESSION_SUPERSEDED,
            f"session {epoch} of robot {name!r} was replaced by session {robot.epoch}",
        )
    return robot


def break_session(world: World, turn: Turn, command: BreakSession) -> Rejection | None:
    """The stream is gone. No status changes: that alone says nothing about the jobs (RA-15)."""
    robot = _current(world, command.robot, command.epoch)
    if isinstance(robot, Rejection):
        return robot
    if robot.connected:
        turn.put_robot(robot, connected=False)
    return None


def lose_session(world: World, turn: Turn, command: LoseSession) -> Rejection | None:
    """Nothing was heard for the whole time to live: the loss policies apply."""
    return _end_session(world, turn, command, Loss.SILENT)


def close_session(world: World, turn: Turn, command: CloseSession) -> Rejection | None:
    """The robot said goodbye. What it still had is lost for good."""
    return _end_session(world, turn, command, Loss.GOODBYE)


def _end_session(
    world: World, turn: Turn, command: LoseSession | CloseSession, how: Loss
) -> Rejection | None:
    robot = _current(world, command.robot, command.epoch)
    if isinstance(robot, Rejection):
        return robot
    if robot.lost:
        return None
    turn.put_robot(robot, connected=False, lost=True)
    for job in attached_jobs(world, robot.name):
        loss.lose(world, turn, job, how, robot.name)
    return None


def drain_session(world: World, turn: Turn, command: DrainSession) -> Rejection | None:
    """The robot takes no new offers; what it has goes on."""
    robot = _current(world, command.robot, command.epoch)
    if isinstance(robot, Rejection):
        return robot
    turn.put_robot(robot, draining=True)
    return None


def recover_sessions(world: World, turn: Turn, command: RecoverSessions) -> bool:
    """After a restart what executed is Uncertain until its robot says more (TR-098, TR-117).

    Jobs in Console keep their status (RA-16), and UiPath jobs stay Running until the robot reports
    (UA-6).
    """
    left = command.jobs_max
    for robot in list(world.robots.values()):
        for job in attached_jobs(world, robot.name):
            if job.status not in {S.REDWOOD_RUNNING, S.REDWOOD_WAITING}:
                continue
            if not left:
                return True
            left -= 1
            _make_uncertain(world, turn, job)
        if robot.connected:
            turn.put_robot(robot, connected=False)
    return False


def _make_uncertain(world: World, turn: Turn, job: Job) -> None:
    own_ms = world.definitions[job.definition].uncertain_timeout_ms
    until_ms = turn.now_ms + (own_ms or world.settings.uncertain_timeout_ms)
    turn.set(job, uncertain_until_ms=until_ms)
    if turn.cause.actor != Actor.SYSTEM:
        turn.follow_up(Actor.SYSTEM, "recovery")
    turn.move(job, Trigger.LOSE, "the server restarted while it ran")
