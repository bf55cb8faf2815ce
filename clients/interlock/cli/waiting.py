"""Why a job that waits for a robot is not started: its queue, and the robots that could run it.

Derived from what the server says about queues and robots at this moment; the most common answers
to the operator's most common question. It does not know the job's place in the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interlock.cli.status_text import status_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlock import Interlock
    from interlock.v1.job_pb2 import Job
    from interlock.v1.queue_pb2 import Queue
    from interlock.v1.robot_pb2 import Robot

#: Statuses in which a job waits for a robot.
WAITING: Final = frozenset({"Pending", "Resumed", "Queued", "QueueHeld"})
#: RobotState: connected, with a free slot or without one.
_AVAILABLE: Final = 1
_BUSY: Final = 2
#: How many robots are named; the others are counted.
_NAMES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The queues and robots at one moment."""

    queues: Sequence[Queue]
    robots: Sequence[Robot]

    def reasons(self, job: Job) -> Iterable[str]:
        """Yield what keeps the job from starting, as far as queues and robots tell."""
        if status_name(job.status) not in WAITING:
            return
        queue = next((each for each in self.queues if each.name == job.queue), None)
        if queue is not None and queue.held:
            told = f": {queue.hold_reason}" if queue.hold_reason else ""
            yield f"queue {queue.name} is held by {queue.held_by or 'user'}{told}"
        if queue is not None and 0 < queue.execution_size <= queue.load:
            yield f"queue {queue.name} is full ({queue.load} of {queue.execution_size})"
        if told := self._robots_say(job):
            yield told

    def _robots_say(self, job: Job) -> str:
        bound = job.requested_robot or (job.robot if job.resume_on_same_robot else "")
        if bound and all(robot.name != bound for robot in self.robots):
            return f"it is bound to robot {bound}, which has never connected"
        able = [robot for robot in self.robots if _can_run(robot, job, bound)]
        if not able:
            who = f"robot {bound}, to which it is bound, does not run" if bound else "no robot runs"
            return f"{who} {job.definition} in queue {job.queue}"
        connected = [robot for robot in able if robot.state in {_AVAILABLE, _BUSY}]
        if not connected:
            return f"not connected: {_names(able)}"
        serving = [robot for robot in connected if not robot.maintenance]
        if not serving:
            return f"in maintenance: {_names(connected)}"
        if all(robot.state == _BUSY for robot in serving):
            return f"busy: {_names(serving)}"
        return ""


def _can_run(robot: Robot, job: Job, bound: str) -> bool:
    return (
        (not bound or robot.name == bound)
        and job.definition in robot.definitions
        and (not robot.queues or job.queue in robot.queues)
    )


def _names(robots: Sequence[Robot]) -> str:
    named = ", ".join(robot.name for robot in robots[:_NAMES_MAX])
    more = len(robots) - _NAMES_MAX
    return f"{named} and {more} more" if more > 0 else named


async def look_around(interlock: Interlock, jobs: Iterable[Job]) -> Surroundings:
    """Return the queues and robots, if one of the jobs waits for a robot."""
    if not any(status_name(job.status) in WAITING for job in jobs):
        return Surroundings((), ())
    return Surroundings(await interlock.list_queues(), await interlock.robots())
