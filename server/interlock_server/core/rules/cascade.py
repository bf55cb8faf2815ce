"""Ending a chain or step with all that is below it (domain.md B12, TR-114).

What runs is killed, what waits is Canceled. The chain is over when all of that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.job import Role
from interlock_server.core.rules import chain, ending, expansion, restart_reply
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import IS_FINAL, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Fault, Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def is_composed(job: Job) -> bool:
    """Whether a job has steps or calls below it."""
    return job.chain is not None or job.role is Role.STEP


def kill(world: World, turn: Turn, job: Job, reason: str = "") -> None:
    """Kill a chain or step; it stays Killing until all below it is over."""
    by = turn.cause.author
    turn.set(job, kill_by=by)
    turn.move(job, Trigger.KILL, reason)
    _end_below(world, turn, job, by, f"job {job.id} was killed by {by}")


def fail(world: World, turn: Turn, job: Job, fault: Fault) -> None:
    """Let a running chain end as Error: what is below it is ended first."""
    turn.set(job, fault=fault)
    _end_below(world, turn, job, turn.cause.author, fault.title or fault.code)


def _end_below(world: World, turn: Turn, job: Job, by: str, reason: str) -> None:
    """End each step and call below in the way that its status allows, in the chain's name."""
    killed = [job]
    for each in list(expansion.descendants(world, job)):
        if IS_FINAL[each.status] or each.status == Status.REDWOOD_DISABLED:
            continue
        chain.speak(turn, expansion.chain_of(world, each))
        if each.status == Status.REDWOOD_CONSOLE_RESTART:
            restart_reply.decline(turn, each)
        elif next_row(each.status, Trigger.KILL):
            if each.attached and each.status != Status.REDWOOD_UNCERTAIN:
                turn.set(each, kill_by=by)
            ending.order_kill(world, turn, each, Trigger.KILL, reason)
            killed.append(each)
        elif next_row(each.status, Trigger.CANCEL):
            ending.order_cancel(turn, each, reason)
    for each in reversed(killed):
        if is_composed(each):
            chain.confirm_kill(world, turn, each)
