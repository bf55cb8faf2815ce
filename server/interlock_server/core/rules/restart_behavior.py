"""Which restart behavior counts for a final status (domain.md B10, R24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.model.definition import RestartAction, RestartBehavior
from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World

#: Final statuses that a behavior can be about.
STATUSES: Final = (
    Status.REDWOOD_COMPLETED,
    Status.REDWOOD_ERROR,
    Status.REDWOOD_KILLED,
    Status.REDWOOD_CANCELED,
    Status.REDWOOD_UNKNOWN,
)
_BUILT_IN: Final = {
    int(status): RestartBehavior(int(status), RestartAction.CONTINUE) for status in STATUSES
}


def is_said(world: World) -> bool:
    """Whether partition or server say anything about ends."""
    return bool(world.restart_defaults or world.settings.restart_behaviors)


def of(world: World, job: Job, status: int) -> RestartBehavior:
    """The behavior of the definition, else of the partition, else of the server, else continue."""
    definition = world.definitions.get(job.definition)
    own = definition.restart_behaviors if definition is not None else ()
    return (
        _about(own, status)
        or _about(world.restart_defaults, status)
        or _about(world.settings.restart_behaviors, status)
        or _BUILT_IN.get(int(status))
        or RestartBehavior(int(status), RestartAction.CONTINUE)
    )


def _about(behaviors: Iterable[RestartBehavior], status: int) -> RestartBehavior | None:
    return next((behavior for behavior in behaviors if behavior.status == status), None)
