"""Chains: the server executes them itself, step by step (domain.md B9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Who executes chains: the service of the server itself (domain.md B4).
SERVICE: Final = "JobChainService"


def execute(_world: World, turn: Turn, job: Job) -> None:
    """Start a chain or a step that was next in its queue: Dispatched to Waiting in one turn."""
    turn.move(job, Trigger.DISPATCH)
    turn.follow_up(Actor.ROBOT, SERVICE)
    for trigger in (Trigger.ACCEPT, Trigger.START, Trigger.WAIT):
        turn.move(job, trigger)
