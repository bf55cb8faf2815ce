"""Filters: one message, checked once, for lists of jobs and for watches of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.vocabulary.status import (
    IS_FINAL,
    STATUS_LIFECYCLE,
    STATUS_STATE,
    Lifecycle,
    State,
    Status,
)
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument
from interlock_server.watch.filter import ChangeFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock.v1 import filter_pb2
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World
    from interlock_server.watch.filter import LabelsOf

VALUES_MAX: Final = 500

_STATUSES: Final = frozenset(map(int, Status))
_LIFECYCLES: Final = frozenset(map(int, Lifecycle))
#: State numbers of the API are one higher, because 0 is unspecified there.
_STATES: Final = frozenset(int(state) + 1 for state in State)


class JobFilter(msgspec.Struct, frozen=True):
    """A checked filter. An empty field selects everything."""

    #: Statuses that the fields lifecycles, statuses and states leave; empty for all.
    statuses: frozenset[int] = frozenset()
    #: Whether statuses are restricted at all: an empty set may also mean that nothing can match.
    by_status: bool = False
    definitions: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    robots: frozenset[str] = frozenset()
    jobs: frozenset[int] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    open_message: bool = False
    chains: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether everything is selected."""
        return self == _EVERYTHING

    def matches(self, job: Job) -> bool:
        """Whether a job is selected, by what it is now."""
        return (
            (not self.by_status or job.status in self.statuses)
            and (not self.definitions or job.definition in self.definitions)
            and (not self.queues or job.queue in self.queues)
            and (not self.robots or job.robot in self.robots)
            and (not self.jobs or job.id in self.jobs)
            and (not self.chains or job.id in self.chains or job.top in self.chains)
            and all(job.labels.get(key) == value for key, value in self.labels)
            and (not self.open_message or job.open_message is not None)
        )

    def only_final(self) -> JobFilter:
        """The same, of final jobs."""
        final = {status for status in _STATUSES if IS_FINAL[status]}
        kept = self.statuses & final if self.by_status else final
        return msgspec.structs.replace(self, statuses=frozenset(kept), by_status=True)

    def changes(self, world: World, labels_of: LabelsOf) -> ChangeFilter:
        """The same filter for changes: it looks at the status after each."""
        return ChangeFilter(
            name_number=lambda kind, name: world.numbers(kind).get(name),
            labels_of=labels_of,
            statuses=self.statuses if not self.by_status or self.statuses else {-1},
            definitions=self.definitions,
            queues=self.queues,
            robots=self.robots,
            jobs=self.jobs,
            labels=dict(self.labels),
        )


_EVERYTHING: Final = JobFilter()


def job_filter(given: filter_pb2.Filter) -> JobFilter:
    """Check a filter."""
    if not given.ListFields():
        return _EVERYTHING  # shared: each of a thousand idle watches would keep 1.4 KB of nothing
    values = sum(len(value) for _, value in given.ListFields() if not isinstance(value, bool))
    if values > VALUES_MAX:
        raise InvalidArgument(
            "filter",
            f"expected at most {VALUES_MAX} values in all, but got {values}; "
            f"leave fields empty and select from the answer",
            ErrorReason.ERROR_REASON_FILTER_TOO_COMPLEX,
        )
    by_status = bool(given.lifecycles or given.statuses or given.states)
    return JobFilter(
        statuses=_statuses(given) if by_status else frozenset(),
        by_status=by_status,
        definitions=_names("definitions", given.definitions),
        queues=_names("queues", given.queues),
        robots=_names("robots", given.robots),
        jobs=frozenset(validate.identifier("filter.jobs", number) for number in given.jobs),
        labels=tuple(sorted(validate.labels("filter.labels", given.labels).items())),
        open_message=given.open_message,
        chains=frozenset(validate.identifier("filter.chains", number) for number in given.chains),
    )


def _names(field: str, given: Iterable[str]) -> frozenset[str]:
    return frozenset(validate.name(f"filter.{field}", text) for text in given)


def _statuses(given: filter_pb2.Filter) -> frozenset[int]:
    """The statuses that all three fields select together."""
    found = _STATUSES
    # LIFECYCLE_UNSPECIFIED means both.
    lifecycles = {
        validate.known("filter.lifecycles", each, _LIFECYCLES | {0}, "lifecycle")
        for each in given.lifecycles
    }
    if lifecycles and 0 not in lifecycles:
        found = frozenset(each for each in found if STATUS_LIFECYCLE[each] in lifecycles)
    if given.statuses:
        found &= {
            validate.known("filter.statuses", each, _STATUSES, "status") for each in given.statuses
        }
    if given.states:
        states = {
            validate.known("filter.states", each, _STATES, "state") - 1 for each in given.states
        }
        found = frozenset(each for each in found if STATUS_STATE[each] in states)
    return found
