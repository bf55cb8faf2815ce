"""What a filter selects, decided by the client alone: the other side of the server's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock.v1 import job_service_pb2 as pb
from interlock.v1 import lifecycle_service_pb2 as lifecycles
from interlock.v1.status_pb2 import Lifecycle, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock.v1.event_pb2 import Event
    from interlock.v1.filter_pb2 import Filter
    from tests.support.api_methods import Stubs


class Knowledge:
    """What a client has to know beside the events: labels of jobs and states of statuses."""

    def __init__(self, labels: Mapping[int, Mapping[str, str]], states: Mapping[int, int]) -> None:
        """By job and by status."""
        self._labels = labels
        self._states = states

    def is_final(self, status: int) -> bool:
        """Whether nothing follows a status."""
        return self._states[status] == State.STATE_FINAL

    def selects(self, given: Filter, event: Event) -> bool:
        """Whether a filter selects an event."""
        wanted = set(given.lifecycles)
        labels = self._labels[event.job]
        return (
            (not wanted or Lifecycle.LIFECYCLE_UNSPECIFIED in wanted or event.lifecycle in wanted)
            and (not given.statuses or event.to in given.statuses)
            and (not given.states or self._states[event.to] in given.states)
            and (not given.definitions or event.definition in given.definitions)
            and (not given.queues or event.queue in given.queues)
            and (not given.robots or event.robot in given.robots)
            and (not given.jobs or event.job in given.jobs)
            and all(labels.get(key) == value for key, value in given.labels.items())
        )


async def learn(stubs: Stubs) -> Knowledge:
    """Ask the server what a client may know."""
    labels: dict[int, Mapping[str, str]] = {}
    request = pb.ListJobsRequest(page_size=1_000)
    while True:
        answer = await stubs.jobs.ListJobs(request)
        labels |= {job.id: dict(job.labels) for job in answer.jobs}
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    states: dict[int, int] = {}
    for name in ("uipath", "redwood"):
        asked = lifecycles.DescribeLifecycleRequest(name=name)
        table = await stubs.lifecycles.DescribeLifecycle(asked)
        states |= {each.status: each.state for each in table.statuses}
    return Knowledge(labels, states)
