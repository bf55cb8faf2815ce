"""Recordings of unattended jobs: which are kept (domain.md A11), and forgetting them.

They never touch a status: a final job stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import Recording
from interlock_server.core.rejection import Reason, Rejection, deleted
from interlock_server.core.vocabulary.status import STATUS_NAME, Status

if TYPE_CHECKING:
    from interlock_server.core.command import DropMedia, KeepMedium
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.medium import Medium
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

_FAILED: Final = frozenset({Status.UIPATH_FAULTED, Status.REDWOOD_ERROR})


def keep(world: World, turn: Turn, command: KeepMedium) -> Medium | Rejection:
    """Write what is known of a recording."""
    medium = command.medium
    refused = refusal(world, medium, command.fence, command.archived)
    if refused is not None:
        return refused
    turn.keep_medium(medium)
    return medium


def drop(_world: World, turn: Turn, command: DropMedia) -> None:
    """Forget recordings."""
    for name in command.names:
        turn.drop_medium(command.job, name)


def refusal(world: World, medium: Medium, fence: int, archived: Job | None) -> Rejection | None:
    """Why a recording may not be kept; None if it may."""
    job = world.jobs.get(medium.job) or archived
    if job is None:
        return deleted(world, medium.job)
    if job.robot != medium.robot:
        return Rejection(
            Reason.NOT_ASSIGNED,
            f"expected the robot that had job {job.id} last, but {medium.robot!r} is not",
        )
    if job.fence != fence:
        return Rejection(
            Reason.STALE_FENCE,
            f"expected a recording of attempt {job.fence} of job {job.id}, but it is of {fence}",
        )
    why = _not_wanted(world, job)
    if why:
        return Rejection(
            Reason.RECORDING_REFUSED,
            f"expected a job that is recorded, but {why}",
            status=STATUS_NAME[job.status],
        )
    return None


def _not_wanted(world: World, job: Job) -> str:
    definition = world.definitions.get(job.definition)
    if job.attended:
        return f"job {job.id} is attended, and only unattended jobs are recorded"
    if definition is None:
        return f"definition {job.definition!r} is gone"
    match definition.recording:
        case Recording.ALL:
            return ""
        case Recording.FAILED:
            if job.status in _FAILED or job.provisional in _FAILED:
                return ""
            status = STATUS_NAME[job.status]
            return f"job {job.id} is {status}, and {definition.name} records failed jobs only"
        case _:
            return f"recording of {definition.name} is off"
