"""The gates from New to Queued, in their order (domain.md B3).

Gates that later parts add (named events, windows) stand between the start time and the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.lane import order_of
from interlock_server.core.rules import event_gate
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def admit(world: World, turn: Turn) -> None:
    """Run the gates of all jobs that this turn has brought to them.

    Together, so that what the dispatcher does to many jobs is one block of changes and not one for
    each.
    """
    advance(world, turn, *turn.take_from_gates())


def advance(world: World, turn: Turn, *jobs: Job) -> None:
    """Let Scheduled jobs pass the gates that are open now; the others wait where they are."""
    ready = [
        job
        for job in jobs
        if job.status == Status.REDWOOD_SCHEDULED
        and job.start_ms <= turn.now_ms
        # When both came due while nobody looked, it is overdue, and never was in time.
        and (job.timing is None or not 0 < job.window_closes_ms <= turn.now_ms)
    ]
    if not ready:
        return
    if world.events:  # a raise goes to the first in the dispatch order
        ready.sort(key=order_of)
    turn.follow_up(Actor.DISPATCHER, "dispatcher")
    for job in ready:
        if event_gate.await_missing(world, turn, job):
            continue
        held = world.queues[job.queue].held
        turn.move(job, Trigger.HOLD_QUEUE if held else Trigger.REACH_START)
