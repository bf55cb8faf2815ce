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
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.command import HoldQueue, MoveQueueJobs, ReleaseQueue
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
    if held:
        waiting: Iterator[int] = (
            job_id
            for job_id in world.lanes.waiting_in(name, world.jobs)
            if world.jobs[job_id].status == Status.REDWOOD_QUEUED
        )
        trigger = Trigger.HOLD_QUEUE
    else:
        waiting = iter(tuple(islice(world.queue_held.get(name, {}), command.jobs_max + 1)))
        trigger = Trigger.RELEASE_QUEUE
    slice_ = list(islice(waiting, command.jobs_max + 1))
    turn.follow_up(Actor.USER, author, queue.hold_reason if queue is not None and held else "")
    for job_id in slice_[: command.jobs_max]:
        turn.move(world.jobs[job_id], trigger)
    if len(slice_) <= command.jobs_max:
        turn.set_moving_queue(name, "")
    return bool(world.moving_queues)
