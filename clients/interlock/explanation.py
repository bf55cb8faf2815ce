"""Why a job is not moving: the calls, and what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grpc.aio import AioRpcError

from interlock.errors import from_rpc
from interlock.instant import instant_of
from interlock.status import StatusName, status_name
from interlock.v1 import explain_service_pb2 as api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime

    from interlock.connection import Connection
    from interlock.job import Job


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a job."""

    #: Such as "queue_held" or "lock".
    kind: str
    sentence: str
    #: The job waits for it now; otherwise it would stop the job later.
    current: bool
    #: What it is about, by name.
    object: str
    #: Who brought it about.
    by: str
    since: datetime | None
    until: datetime | None
    jobs: tuple[int, ...]
    position: int
    #: What is behind it.
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that keeps one job at one instant."""

    job: int
    status: StatusName
    revision: int
    time: datetime | None
    #: One sentence.
    summary: str
    #: What the job waits for now first.
    reasons: tuple[Reason, ...]
    #: The message it was read from.
    raw: api.Explanation

    def walk(self) -> Iterator[tuple[int, Reason]]:
        """Yield every reason with its depth, each before those behind it."""
        waiting = [(0, reason) for reason in reversed(self.reasons)]
        while waiting:
            depth, reason = waiting.pop()
            yield depth, reason
            waiting += [(depth + 1, each) for each in reversed(reason.reasons)]


def explanation_of(raw: api.Explanation) -> Explanation:
    """Return an explanation as the server gave it."""
    return Explanation(
        job=raw.job,
        status=status_name(raw.status),
        revision=raw.revision,
        time=instant_of(raw, "time"),
        summary=raw.summary,
        reasons=tuple(_reason_of(each) for each in raw.reasons),
        raw=raw,
    )


def _reason_of(raw: api.Reason) -> Reason:
    kind = api.ReasonKind.DESCRIPTOR.values_by_number.get(raw.kind)
    return Reason(
        kind=str(raw.kind) if kind is None else kind.name.removeprefix("REASON_KIND_").lower(),
        sentence=raw.sentence,
        current=raw.current,
        object=raw.object,
        by=raw.by,
        since=instant_of(raw, "since"),
        until=instant_of(raw, "until"),
        jobs=tuple(raw.jobs),
        position=raw.position,
        reasons=tuple(_reason_of(each) for each in raw.reasons),
    )


class ExplainCalls:
    """Calls of ExplainService."""

    _connection: Connection

    async def explain(self, job: Job | int) -> Explanation:
        """Return all that keeps a job where it is, and what would keep it next."""
        connection = self._connection
        request = api.ExplainJobRequest(job=_id_of(job))
        response = await connection.call(connection.explanations.ExplainJob, request)
        return explanation_of(response.explanation)

    async def watch_explanation(self, job: Job | int) -> AsyncIterator[Explanation]:
        """Yield the explanation now and whenever it has changed, until the job is final."""
        connection = self._connection
        request = api.WatchExplanationRequest(partition=connection.partition, job=_id_of(job))
        call = connection.end_with_me(connection.explanations.WatchExplanation(request))
        try:
            async for response in call:
                yield explanation_of(response.explanation)
        except AioRpcError as failure:
            raise from_rpc(failure) from None
        finally:
            call.cancel()


def _id_of(job: Job | int) -> int:
    return job if isinstance(job, int) else job.id
