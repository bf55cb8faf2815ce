"""What clients were answered, compared with what the history of a partition says.

An answer is consistent if every change in it stands in the history as the answer says, and
revisions keep the order of time: what was answered before something was asked has a lower one.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from interlock.v1.event_pb2 import Event


#: Verbs that may change a job without changing its status.
QUIET_VERBS = frozenset({"SetJobPriority", "RescheduleJobs"})


@dataclass
class Call:
    """One request that changes something, and what came of it."""

    verb: str
    request_id: str
    asked_ns: int
    answered_ns: int = 0
    revision: int = 0
    #: (job, status, revision) of what was changed.
    changed: list[tuple[int, int, int]] = field(default_factory=list)
    #: Jobs whose change was refused, or that were already as asked.
    unchanged: list[int] = field(default_factory=list)
    #: Reason of the refusal of the whole call.
    refused: str = ""

    async def run(
        self,
        method: Callable[..., Awaitable[Any]],
        request: Any,
        reason_of: Callable[[Exception], str],
    ) -> Call:
        """Send the request and keep the answer."""
        self.asked_ns = time.monotonic_ns()
        try:
            answer = await method(request)
        except Exception as error:  # noqa: BLE001  `reason_of` raises what is no refusal
            self.refused = reason_of(error)
            return self
        finally:
            self.answered_ns = time.monotonic_ns()
        self.revision = answer.revision
        for outcome in answer.outcomes:
            if outcome.HasField("refusal") or outcome.unchanged:
                self.unchanged.append(outcome.job)
            else:
                self.changed.append((outcome.job, outcome.status, outcome.revision))
        return self


def contradictions(calls: Sequence[Call], events: Sequence[Event]) -> list[str]:
    """Sentences about every answer that the history does not bear out."""
    return [*_gaps(events), *_not_in_history(calls, events), *_out_of_time(calls)]


def _gaps(events: Iterable[Event]) -> list[str]:
    return [
        f"revision {after.revision} follows {before.revision}"
        for before, after in pairwise(events)
        if after.revision != before.revision + 1
    ]


def _not_in_history(calls: Iterable[Call], events: Iterable[Event]) -> list[str]:
    by_revision = {event.revision: event for event in events}
    caused: dict[str, set[int]] = defaultdict(set)
    for event in by_revision.values():
        caused[event.request_id].add(event.job)
    broken = []
    for call in calls:
        for job, status, revision in call.changed:
            found = by_revision.get(revision)
            told = f"{call.verb} was told that job {job} became {status} at {revision}"
            if found is None or (found.job, found.to) != (job, status):
                broken.append(f"{told}, but the history says {found}")
            if revision > call.revision:
                broken.append(f"{told}, which is after the answer's own revision {call.revision}")
        if not call.request_id:
            continue
        expected = set() if call.refused else {job for job, *_ in call.changed}
        moved = caused[call.request_id]
        if moved - expected or (call.verb not in QUIET_VERBS and moved != expected):
            broken.append(f"{call.verb} changed {sorted(moved)}, but was told {sorted(expected)}")
    return broken


def _out_of_time(calls: Iterable[Call]) -> list[str]:
    """No later revision was answered before an earlier one was asked for."""
    loud = (call for call in calls if call.changed and call.verb not in QUIET_VERBS)
    answered = sorted(loud, key=_last_changed)
    broken = []
    earliest = None
    for call in reversed(answered):
        if earliest is not None and earliest.answered_ns < call.asked_ns:
            broken.append(
                f"revision {_last_changed(earliest)} was answered before "
                f"{_last_changed(call)} was asked for"
            )
        if earliest is None or call.answered_ns < earliest.answered_ns:
            earliest = call
    return broken


def _last_changed(call: Call) -> int:
    return max(revision for _, _, revision in call.changed)
