"""What people do to robots: maintenance and deletion.

And what a person starts at one (domain.md A2, A6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.command import NewJob
from interlock_server.core.model.job import Job, StopStrategy
from interlock_server.core.model.robot import Robot
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import ending, submission
from interlock_server.core.rules.parameter import with_defaults
from interlock_server.core.rules.session import attached_jobs
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import DeleteRobots, SetMaintenance, StartAtRobot
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def _missing(world: World, name: str) -> Rejection:
    known = ", ".join(sorted(world.robots)[:10]) or "none yet"
    return Rejection(Reason.ROBOT_NOT_FOUND, f"there is no robot {name!r} (known: {known})")


def set_maintenance(world: World, turn: Turn, command: SetMaintenance) -> Robot | Rejection:
    """Start or end maintenance; with a strategy the UiPath jobs that it runs are asked to end.

    What was only offered to it keeps its offer: maintenance ends nothing that waits (TU-06, TU-07).
    """
    robot = world.robots.get(command.robot)
    if robot is None:
        return _missing(world, command.robot)
    if robot.maintenance != command.maintenance:
        turn.put_robot(robot, maintenance=command.maintenance)
    if command.maintenance and command.strategy:
        trigger, end = (
            (Trigger.KILL, ending.kill)
            if command.strategy is StopStrategy.KILL
            else (Trigger.STOP, ending.stop)
        )
        for job in attached_jobs(world, robot.name):
            running = job.status in {Status.UIPATH_RUNNING, Status.UIPATH_STOPPING}
            if running and next_row(job.status, trigger):
                end(world, turn, job)
    return world.robots[robot.name]


def delete(world: World, turn: Turn, command: DeleteRobots) -> list[str] | Rejection:
    """Remove robots; all of them or none. A robot with jobs or with an open session stays."""
    for name in command.robots:
        robot = world.robots.get(name)
        if robot is None:
            return _missing(world, name)
        if robot.connected:
            return Rejection(
                Reason.IN_USE, f"robot {name!r} has an open session; let it say goodbye first"
            )
        jobs = sorted(world.robot_jobs.get(name, ()))
        if jobs:
            return Rejection(
                Reason.IN_USE,
                f"robot {name!r} still has jobs {jobs[:5]}; end them first",
                jobs=jobs[0],
            )
    for name in command.robots:
        turn.delete_robot(name)
    return list(command.robots)


def start_at_robot(world: World, turn: Turn, command: StartAtRobot) -> tuple[int, int] | Rejection:
    """Create a job that a person started at the robot; it is Running at once (TU-02)."""
    robot = world.robots.get(command.robot)
    if robot is None or robot.epoch != command.epoch or not robot.connected:
        return Rejection(
            Reason.NO_SESSION,
            f"robot {command.robot!r} has no open session {command.epoch}; send Hello first",
        )
    definition = world.definitions.get(command.definition)
    if definition is not None and definition.lifecycle != Lifecycle.UIPATH:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{definition.name!r} is no UiPath definition, and only those start at a robot",
        )
    refusal = submission.refusal(world, NewJob(command.definition, command.parameters))
    if refusal is not None:
        return refusal
    if world.foreground.get(robot.name) and world.definitions[command.definition].foreground:
        return Rejection(
            Reason.IN_USE,
            f"robot {robot.name!r} already runs a foreground job, {world.foreground[robot.name]}",
        )
    job = _create_running(world, turn, command)
    return job.id, job.fence


def _create_running(world: World, turn: Turn, command: StartAtRobot) -> Job:
    definition = world.definitions[command.definition]
    person = turn.cause.author
    turn.follow_up(Actor.ROBOT, command.robot, turn.cause.reason)
    job = Job(
        id=world.next_job,
        lifecycle=definition.lifecycle,
        definition=definition.name,
        definition_version=definition.version,
        queue=definition.queue,
        priority=definition.priority,
        created_ms=turn.now_ms,
        start_ms=turn.now_ms,
        top_start_ms=turn.now_ms,
        parameters=with_defaults(definition, command.parameters),
        labels=definition.labels,
        submitted_by=person,
        requested_robot=command.robot,
        robot=command.robot,
        fence=1,
        attended=True,
        process_server=world.robots[command.robot].server,
    )
    turn.create(job, Trigger.START_AT_ROBOT)
    turn.set(job, attached=True)
    return job
