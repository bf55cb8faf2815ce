"""What people do to steps and calls of a live chain: off, on, hold, release, kill (B9, B12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.model.job import Role
from interlock_server.core.rejection import Reason, Rejection, illegal
from interlock_server.core.rules import cascade, ending, expansion, hold
from interlock_server.core.rules.parameter import parameter_fault
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import ChangeJobs
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


# -- off and on ---------------------------------------------------------------------------------


def disable(world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Switch a call off before its step starts; it stays off when the chain is restarted."""
    if job.role is not Role.CALL:
        return _no_call(job, "disable")
    if job.status == Status.REDWOOD_DISABLED:
        return False
    if job.status != Status.REDWOOD_CHAINED:
        return illegal(job, "disable")
    root = expansion.root_of(world, job)
    path = expansion.path_of(world, job)
    if path not in root.disabled:
        turn.set(root, disabled=(*root.disabled, path))
    turn.move(job, Trigger.DISABLE)
    return True


def enable(world: World, turn: Turn, job: Job, _command: ChangeJobs) -> bool | Rejection:
    """Switch a call on again; it waits for its step like the others."""
    if job.role is not Role.CALL:
        return _no_call(job, "enable")
    if job.status == Status.REDWOOD_CHAINED:
        return False
    if job.status != Status.REDWOOD_DISABLED:
        return illegal(job, "enable")
    step = world.jobs[job.parent]
    if step.run_start_ms or IS_FINAL[step.status]:
        return illegal(job, "enable")
    fault = parameter_fault(world.definitions[job.definition], job.parameters)
    if fault:
        return Rejection(Reason.INVALID_PARAMETER, f"job {job.id} cannot be enabled: {fault}")
    root = expansion.root_of(world, job)
    path = expansion.path_of(world, job)
    turn.set(root, disabled=tuple(each for each in root.disabled if each != path))
    turn.move(job, Trigger.ENABLE)
    if job.chain is not None and job.id not in world.children:
        expansion.settle(turn, expansion.expand(world, turn, job))
    return True


def _no_call(job: Job, verb: str) -> Rejection:
    refusal = illegal(job, verb)
    if IS_FINAL[job.status]:
        return refusal
    return Rejection(
        refusal.reason,
        f"expected to {verb} a call of a chain, but job {job.id}, {STATUS_NAME[job.status]}, is"
        f" none; {verb} the calls of a step one by one",
        **refusal.metadata,
    )


# -- hold and release ---------------------------------------------------------------------------


def hold_job(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Hold a job. One that waits for its step only becomes Held when that starts (RA-25)."""
    if job.status == Status.REDWOOD_CHAINED:
        return _hold_when_due(turn, job, held=True)
    return hold.hold(world, turn, job, command)


def release_job(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Release a job; of a running step, the calls of it that are Held."""
    if job.status == Status.REDWOOD_CHAINED:
        return _hold_when_due(turn, job, held=False)
    if job.role is not Role.STEP or job.status != Status.REDWOOD_WAITING:
        return hold.release(world, turn, job, command)
    calls = [world.jobs[call_id] for call_id in world.children.get(job.id, ())]
    held = [call for call in calls if call.status == Status.REDWOOD_HELD]
    person = turn.cause
    for call in held:
        hold.release(world, turn, call, command)
        turn.follow_up(Actor(person.actor), person.author, person.reason)
    return True if held else illegal(job, "release")


def _hold_when_due(turn: Turn, job: Job, *, held: bool) -> bool:
    if job.hold_when_due == held:
        return False
    turn.set(job, hold_when_due=held)
    return True


# -- kill ---------------------------------------------------------------------------------------


def kill(world: World, turn: Turn, job: Job, command: ChangeJobs) -> bool | Rejection:
    """Kill a job; a chain or step with all that is below it."""
    if not cascade.is_composed(job) or not next_row(job.status, Trigger.KILL):
        return ending.kill(world, turn, job, command)
    cascade.kill(world, turn, job)
    return True
