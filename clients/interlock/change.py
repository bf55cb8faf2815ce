"""Change: one status change of one job, as a watch yields it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from interlock.status import LIFECYCLE_NAMES, StatusName, actor_name, status_name

if TYPE_CHECKING:
    from interlock.v1.event_pb2 import Event


class Change(msgspec.Struct, frozen=True, gc=False):
    """One status change. `str(change)` reads `Pending → Running`."""

    # A Struct and not a dataclass: a watcher makes hundreds of thousands of them a second.

    #: Revision of the change; each change of a partition has one more than the one before.
    revision: int
    #: Job that changed.
    job: int
    #: "uipath" or "redwood".
    lifecycle: str
    #: Status before; "" for the creation.
    from_status: StatusName
    #: Status after.
    to_status: StatusName
    #: What caused it, such as "hold".
    trigger: str
    #: Row of the lifecycle table, such as "TR-030".
    transition: str
    #: When, in UTC.
    time: datetime
    #: Kind of author: user, robot, clock, dispatcher, chain, action, schedule, ...
    actor: str
    #: Who: a user, a robot, or a part of the server.
    author: str
    #: Reason given; "" for none.
    reason: str
    #: The request that caused it; "" if it was none.
    request_id: str
    #: Definition of the job.
    definition: str
    #: Queue of the job.
    queue: str
    #: Robot that has the job or had it last; "" before its first offer.
    robot: str

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}".lstrip()

    @property
    def final(self) -> bool:
        """Whether the job is over with it."""
        return self.to_status.final


def change_of(event: Event) -> Change:
    """Return the change that an event of the API tells."""
    return Change(
        event.revision,
        event.job,
        LIFECYCLE_NAMES.get(event.lifecycle, str(event.lifecycle)),
        status_name(getattr(event, "from")),
        status_name(event.to),
        event.trigger,
        event.transition,
        event.time.ToDatetime(tzinfo=UTC),
        actor_name(event.actor),
        event.author,
        event.reason,
        event.request_id,
        event.definition,
        event.queue,
        event.robot,
    )
