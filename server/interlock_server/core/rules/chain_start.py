"""Chains and steps start: the server executes them itself, and has no slots for them (B4, B9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.job import Role
from interlock_server.core.rules import chain, limit, pre_running
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def execute(world: World, turn: Turn, job: Job) -> None:
    """Start what was next in its queue: from Dispatched to Waiting in one turn."""
    turn.move(job, Trigger.DISPATCH)
    turn.follow_up(Actor.ROBOT, chain.SERVICE)
    turn.move(job, Trigger.ACCEPT)
    if job.role is Role.STEP:
        turn.move(job, Trigger.START)
        turn.move(job, Trigger.WAIT)
        chain.start_calls(world, turn, job)
        return
    definition = world.definitions[job.definition]
    if definition.pre_running:
        pre_running.begin(world, turn, job, definition)
        if job.status != Status.REDWOOD_RUNNING:
            return  # its pre-running action has turned it around
        turn.follow_up(Actor.ROBOT, chain.SERVICE)
    else:
        turn.move(job, Trigger.START)
        limit.begin(world, turn, job, definition)
        turn.follow_up(Actor.ROBOT, chain.SERVICE)
    turn.move(job, Trigger.WAIT)
    chain.go_on(world, turn, job, 0)
