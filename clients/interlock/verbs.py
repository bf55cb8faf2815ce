"""The verbs on jobs: one typed call for each, for one job or for many.

One job: returns its outcome, raises if it is refused; concurrent calls share a request. Several:
each is decided on its own and refusals stand in the outcomes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, overload

from interlock import json_text
from interlock.errors import Overloaded, Refused, Unavailable
from interlock.gather import ITEMS_MAX, Gatherer
from interlock.instant import to_timestamp
from interlock.job import Outcome, outcome_of
from interlock.v1 import job_outcome_pb2, job_switch_pb2
from interlock.v1 import job_service_pb2 as api

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from datetime import datetime

    from interlock.connection import Connection

_UNSET = object()


class Verb:
    """A verb of the API, ready to be called."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        # The requests stand beside each other in two files; both are of JobService.
        module = api if hasattr(api, f"{name}Request") else job_switch_pb2
        self._request = getattr(module, f"{name}Request")
        #: One gatherer for calls that are equal but for their jobs; dropped when idle.
        self._gatherers: dict[Hashable, Gatherer[Outcome]] = {}

    @overload
    async def __call__(
        self, ids: int, *, reason: str = "", expected_revision: int | None = None
    ) -> Outcome: ...
    @overload
    async def __call__(
        self, ids: Sequence[int], *, reason: str = "", expected_revision: int | None = None
    ) -> list[Outcome]: ...
    async def __call__(
        self,
        ids: int | Sequence[int],
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome | list[Outcome]:
        """Ask for it; with `expected_revision` only if the job has not changed since."""
        return await self.act(ids, reason=reason, expected_revision=expected_revision)

    async def act(
        self,
        ids: int | Sequence[int],
        *,
        reason: str,
        expected_revision: int | None,
        **fields: Any,
    ) -> Outcome | list[Outcome]:
        """Ask for it, with further fields of the request."""
        fields = {"reason": reason, "requested_by": self._connection.user, **fields}
        if not isinstance(ids, int):
            return await self._act_on_many(list(ids), fields, expected_revision)
        if expected_revision is None:
            return await self._act_gathered(ids, fields)
        fields["expected_revision"] = expected_revision
        return _accepted((await self._send(fields, [ids]))[0])

    async def _act_on_many(
        self, ids: list[int], fields: dict[str, Any], expected_revision: int | None
    ) -> list[Outcome]:
        if expected_revision is not None:
            raise ValueError(
                f"expected one job with expected_revision, but got a list of {len(ids)}"
            )
        if len(ids) == 1:
            return [await self._act_on_only_one(ids[0], fields)]
        outcomes: list[Outcome] = []
        for start in range(0, len(ids), ITEMS_MAX):
            outcomes += await self._send(fields, ids[start : start + ITEMS_MAX])
        return outcomes

    async def _act_on_only_one(self, job: int, fields: dict[str, Any]) -> Outcome:
        # The server answers for one job with an error; a list of one is a list all the same.
        try:
            return (await self._send(fields, [job]))[0]
        except (Overloaded, Unavailable):
            raise
        except Refused as error:
            refusal = job_outcome_pb2.Refusal(
                reason=error.reason, message=error.message, metadata=error.metadata
            )
            return outcome_of(job_outcome_pb2.JobOutcome(job=job, refusal=refusal))

    async def _act_gathered(self, job: int, fields: dict[str, Any]) -> Outcome:
        key = tuple(sorted((name, str(value)) for name, value in fields.items()))
        gatherer = self._gatherers.get(key)
        if gatherer is None:
            gatherer = self._gatherers[key] = Gatherer(
                partial(self._send, fields), when_idle=partial(self._gatherers.pop, key, None)
            )
        return _accepted(await gatherer.ask(job, key=job))

    async def _send(self, fields: dict[str, Any], jobs: Sequence[int]) -> list[Outcome]:
        request = self._request(jobs=jobs, **fields)
        method = getattr(self._connection.jobs, self._name)
        response = await self._connection.call(method, request)
        return [outcome_of(outcome) for outcome in response.outcomes]


class VerbCalls:
    """Calls of JobService that change jobs."""

    def __init__(self, connection: Connection) -> None:
        self._verbs: dict[str, Verb] = {}
        self._verb_connection = connection

    def _verb(self, name: str) -> Verb:
        verb = self._verbs.get(name)
        if verb is None:
            verb = self._verbs[name] = Verb(self._verb_connection, name)
        return verb

    @property
    def hold(self) -> Verb:
        """Put waiting Redwood jobs on hold."""
        return self._verb("HoldJobs")

    @property
    def release(self) -> Verb:
        """Let held Redwood jobs go on to Scheduled."""
        return self._verb("ReleaseJobs")

    @property
    def cancel(self) -> Verb:
        """End Redwood jobs that have not begun."""
        return self._verb("CancelJobs")

    @property
    def kill(self) -> Verb:
        """End running jobs at once; a UiPath job that no robot has ends at once."""
        return self._verb("KillJobs")

    @property
    def stop(self) -> Verb:
        """Ask UiPath jobs to end when their code allows."""
        return self._verb("StopJobs")

    @property
    def resume(self) -> Verb:
        """Let suspended UiPath jobs go on whatever they wait for."""
        return self._verb("ResumeJobs")

    @property
    def disable(self) -> Verb:
        """Switch calls of live chains off; they count as done, also when the chain is restarted."""
        return self._verb("DisableJobs")

    @property
    def enable(self) -> Verb:
        """Switch calls of live chains on again, before their steps start."""
        return self._verb("EnableJobs")

    @overload
    async def restart(
        self,
        ids: int,
        *,
        hold: bool = False,
        from_error: bool = False,
        start_at_step: str = "",
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome: ...
    @overload
    async def restart(
        self,
        ids: Sequence[int],
        *,
        hold: bool = False,
        from_error: bool = False,
        start_at_step: str = "",
        reason: str = "",
        expected_revision: int | None = None,
    ) -> list[Outcome]: ...
    async def restart(
        self,
        ids: int | Sequence[int],
        *,
        hold: bool = False,
        from_error: bool = False,
        start_at_step: str = "",
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome | list[Outcome]:
        """Create a new job from each final one; the outcomes name the new jobs.

        A chain starts at its first step, at the one it failed at (`from_error`), or at the one
        named by `start_at_step`.
        """
        return await self._verb("RestartJobs").act(
            ids,
            reason=reason,
            expected_revision=expected_revision,
            hold=hold,
            from_error=from_error,
            start_at_step=start_at_step,
        )

    @overload
    async def reschedule(
        self,
        ids: int,
        start_time: datetime | None = None,
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome: ...
    @overload
    async def reschedule(
        self,
        ids: Sequence[int],
        start_time: datetime | None = None,
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> list[Outcome]: ...
    async def reschedule(
        self,
        ids: int | Sequence[int],
        start_time: datetime | None = None,
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome | list[Outcome]:
        """Give waiting Redwood jobs another start time; None means now."""
        return await self._verb("RescheduleJobs").act(
            ids,
            reason=reason,
            expected_revision=expected_revision,
            start_time=to_timestamp(start_time),
        )

    @overload
    async def set_priority(
        self, ids: int, priority: int, *, reason: str = "", expected_revision: int | None = None
    ) -> Outcome: ...
    @overload
    async def set_priority(
        self,
        ids: Sequence[int],
        priority: int,
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> list[Outcome]: ...
    async def set_priority(
        self,
        ids: int | Sequence[int],
        priority: int,
        *,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome | list[Outcome]:
        """Change the priority, 1 to 100, of jobs that no robot has."""
        return await self._verb("SetJobPriority").act(
            ids, reason=reason, expected_revision=expected_revision, priority=priority
        )

    @overload
    async def complete(
        self,
        ids: int,
        *,
        failed: bool = False,
        result: Any = ...,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome: ...
    @overload
    async def complete(
        self,
        ids: Sequence[int],
        *,
        failed: bool = False,
        result: Any = ...,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> list[Outcome]: ...
    async def complete(
        self,
        ids: int | Sequence[int],
        *,
        failed: bool = False,
        result: Any = _UNSET,
        reason: str = "",
        expected_revision: int | None = None,
    ) -> Outcome | list[Outcome]:
        """End Redwood jobs whose definition has the external completion strategy."""
        return await self._verb("CompleteJobs").act(
            ids,
            reason=reason,
            expected_revision=expected_revision,
            failed=failed,
            result_json="" if result is _UNSET else json_text.encode(result, what="the result"),
        )


def _accepted(outcome: Outcome) -> Outcome:
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome
