"""Holding and releasing a queue.

At once in effect, slice by slice for its jobs (domain.md B4, RA-11).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock_server.core.command import HoldQueue, MoveQueueJobs, ReleaseQueue
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def missing(name: str) -> Rejection:
    """Refuse because there is no such queue."""
    return Rejection(Reason.QUEUE_NOT_FOUND, f"there is no queue {name!r}; put it first")


def hold_queue(world: World, turn: Turn, command: HoldQueue) -> Queue | Rejection:
    """Hold a queue.

    From now on nothing of it is dispatched, whatever its jobs' statuses still say.
    """
    queue = world.queues.get(command.queue)
    if queue is None:
        return missing(command.queue)
    if queue.system:
        return Rejection(
            Reason.QUEUE_IS_SYSTEM, f"queue {queue.name!r} is a system queue and cannot be held"
        )
    if queue.held:
        return Rejection(
            Reason.QUEUE_ALREADY_HELD, f"queue {queue.name!r} is held already, by {queue.held_by!r}"
        )
    author = turn.cause.author
    return _set_held(turn, queue, author, held=True, held_by=author, hold_reason=turn.cause.reason)


def release_queue(world: World, turn: Turn, command: ReleaseQueue) -> Queue | Rejection:
    """Open a held queue again."""
    queue = world.queues.get(command.queue)
    if queue is None:
        return missing(command.queue)
    if not queue.held:
        return Rejection(
            Reason.QUEUE_NOT_HELD, f"expected queue {queue.name!r} held, but it is open"
        )
    return _set_held(turn, queue, turn.cause.author, held=False, held_by="", hold_reason="")


def _set_held(turn: Turn, queue: Queue, author: str, **changes: object) -> Queue:
    changed = msgspec.structs.replace(queue, version=queue.version + 1, **changes)
    turn.put_queue(changed)
    turn.set_moving_queue(queue.name, author)
    return changed


def move_jobs(world: World, turn: Turn, command: MoveQueueJobs) -> bool:
    """Let the next slice of one queue's jobs follow.

    Queued to QueueHeld, or back (TR-041, TR-036).
    """
    name, author = next(iter(world.moving_queues.items()))
    queue = world.queues.get(name)
    held = queue is not None and queue.held
    turn.follow_up(Actor.USER, author, queue.hold_reason if queue is not None and held else "")
    trigger = Trigger.HOLD_QUEUE if held else Trigger.RELEASE_QUEUE
    jobs = _to_hold(world, name) if held else _to_release(world, name, command.jobs_max + 1)
    for count, job in enumerate(jobs):
        if count == command.jobs_max:
            return True
        turn.move(job, trigger)
    turn.set_moving_queue(name, "")
    return bool(world.moving_queues)


def _to_hold(world: World, queue: str) -> Iterable[Job]:
    return world.lanes.waiting_in(queue, Lifecycle.REDWOOD, world.jobs)


def _to_release(world: World, queue: str, jobs_max: int) -> Iterable[Job]:
    # Taken at once: to look for the first of a dict again and again costs what was deleted before.
    return [world.jobs[job_id] for job_id in islice(world.queue_held.get(queue, ()), jobs_max)]


def follow_hold(world: World, turn: Turn, job: Job) -> bool:
    """Let a job that has just become Queued follow the hold of its queue; whether there is one."""
    queue = world.queues[job.queue]
    if queue.held:
        turn.follow_up(Actor.USER, queue.held_by, queue.hold_reason)
        turn.move(job, Trigger.HOLD_QUEUE)
    return queue.held
