"""The calls about jobs: submit, show, list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock import json_text
from interlock.chain import ChainNode, tree_of
from interlock.errors import InterlockError
from interlock.filter import make_filter
from interlock.gather import BYTES_MAX, ITEMS_MAX, Gatherer
from interlock.instant import to_timestamp
from interlock.job import HistoryEntry, Job, JobHandle, Outcome, handle_of, outcome_of
from interlock.new_job import make_new_job
from interlock.status import RESUME_KINDS
from interlock.v1 import job_service_pb2 as api
from interlock.v1.job_pb2 import ResumeKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from interlock.connection import Connection
    from interlock.v1.operator_message_pb2 import OperatorMessage

    # The class has a method of that name.
    Handles = list[JobHandle | InterlockError]
    Outcomes = list[Outcome]
    Entries = list[HistoryEntry]
    Messages = list[OperatorMessage]

_SCOPES: Final = {"live": 1, "final": 2, "all": 3}
_PAGE_SIZE: Final = 1_000
#: How many jobs one request may create, counts included.
_CREATED_MAX: Final = 10_000


class JobCalls:
    """Calls of JobService that create and show jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._submissions: Gatherer[JobHandle] = Gatherer(self._submit)

    async def submit(
        self,
        definition: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        queue: str | None = None,
        priority: int | None = None,
        robot: str | None = None,
        start_time: datetime | None = None,
        hold: bool = False,
        labels: Mapping[str, str] | None = None,
        reference: str = "",
        trigger_time: datetime | None = None,
        stop_after: timedelta | float | None = None,
        kill_after: timedelta | float | None = None,
        start_at_step: str = "",
        parent: int = 0,
        start_when_parent_ends: bool = False,
        window: str = "",
    ) -> JobHandle:
        """Create a job. It is durable when this returns; concurrent calls share a request.

        A handler names its own job as `parent` (`run.id`) of jobs that belong to it.
        """
        job = make_new_job(
            definition,
            parameters,
            queue=queue,
            priority=priority,
            robot=robot,
            start_time=start_time,
            hold=hold,
            labels=labels,
            reference=reference,
            trigger_time=trigger_time,
            stop_after=stop_after,
            kill_after=kill_after,
            start_at_step=start_at_step,
            parent=parent,
            start_when_parent_ends=start_when_parent_ends,
            window=window,
        )
        return await self._submissions.ask(job, size=job.ByteSize())

    async def submit_many(self, specs: Iterable[Mapping[str, Any]]) -> Handles:
        """Create jobs from the keywords of `submit`, and `count` for so many equal ones.

        A job that is refused has its refusal in its place. Raises only if nothing could be done.
        """
        answers: Handles = []
        failures = 0
        chunks = list(_chunks([make_new_job(**spec) for spec in specs]))
        for chunk in chunks:
            try:
                answers += await self._submit(chunk)
            except InterlockError as error:
                failures += 1
                if failures == len(chunks):
                    raise
                answers += [error] * len(chunk)
        return answers

    async def _submit(self, jobs: Sequence[api.NewJob]) -> Handles:
        connection = self._connection
        request = api.SubmitJobsRequest(jobs=jobs, submitted_by=connection.user)
        response = await connection.call(connection.jobs.SubmitJobs, request)
        return [handle_of(outcome) for outcome in response.outcomes]

    async def get(self, job: int) -> Job:
        """Return one job, live or archived."""
        return (await self._get(job))[0]

    async def _get(self, job: int) -> tuple[Job, int]:
        connection = self._connection
        response = await connection.call(connection.jobs.GetJob, api.GetJobRequest(job=job))
        return Job(response.job, response.executions), response.revision

    async def history(self, job: int) -> Entries:
        """Return every status change of one job, oldest first."""
        connection = self._connection
        entries: Entries = []
        token = ""
        while True:
            request = api.GetJobHistoryRequest(job=job, page_size=_PAGE_SIZE, page_token=token)
            response = await connection.call(connection.jobs.GetJobHistory, request)
            entries += [HistoryEntry(entry) for entry in response.entries]
            if not (token := response.next_page_token):
                return entries

    async def fire(self, kind: str, key: str, *, reason: str = "") -> Outcomes:
        """Tell suspended UiPath jobs that a person's task ("person") or an "item" is done."""
        connection = self._connection
        if kind not in {"person", "item"}:
            raise ValueError(f"expected the kind person or item, but got {kind!r}")
        request = api.FireResumeConditionsRequest(
            kind=ResumeKind.ValueType(RESUME_KINDS[kind]),
            key=key,
            reason=reason,
            requested_by=connection.user,
        )
        response = await connection.call(connection.jobs.FireResumeConditions, request)
        return [outcome_of(outcome) for outcome in response.outcomes]

    async def edit(
        self,
        job: int,
        *,
        parameters: Mapping[str, Any] | None = None,
        queue: str = "",
        priority: int = 0,
        start_time: datetime | None = None,
        reason: str = "",
        expected_revision: int = 0,
    ) -> Outcome:
        """Change a Redwood job that is not Queued yet; what is not given stays.

        A Modified job, whose restart could not be prepared, goes on once nothing is wrong with it.
        Priority and queue can be changed until a robot has it.
        """
        connection = self._connection
        text = "" if parameters is None else json_text.encode(dict(parameters), what="parameters")
        request = api.EditJobRequest(
            job=job,
            parameters_json=text,
            queue=queue,
            priority=priority,
            start_time=to_timestamp(start_time),
            reason=reason,
            requested_by=connection.user,
            expected_revision=expected_revision,
        )
        response = await connection.call(connection.jobs.EditJob, request)
        return outcome_of(response.outcome)

    async def reply(self, message: int, text: str) -> Outcome:
        """Answer an operator message; returns what became of the job that asked."""
        connection = self._connection
        request = api.ReplyToMessageRequest(message=message, reply=text, replied_by=connection.user)
        response = await connection.call(connection.jobs.ReplyToMessage, request)
        return outcome_of(response.outcome)

    async def messages(self, *, include_closed: bool = False) -> Messages:
        """Return the operator messages that need a reply, oldest first."""
        connection = self._connection
        messages: Messages = []
        token = ""
        while True:
            request = api.ListMessagesRequest(
                include_closed=include_closed, page_size=_PAGE_SIZE, page_token=token
            )
            response = await connection.call(connection.jobs.ListMessages, request)
            messages += response.messages
            if not (token := response.next_page_token):
                return messages

    async def chain(self, job: int) -> ChainNode:
        """Show a chain, step or call with all that is below it, live and archived."""
        shown = await self.get(job)
        jobs = [each async for each in self.list(chains=[shown.top or job], page_size=_PAGE_SIZE)]
        return tree_of(job, jobs) or ChainNode(shown)

    async def list(
        self,
        *,
        lifecycles: Iterable[str | int] = (),
        statuses: Iterable[str | int] = (),
        states: Iterable[str | int] = (),
        definitions: Iterable[str] = (),
        queues: Iterable[str] = (),
        robots: Iterable[str] = (),
        jobs: Iterable[int] = (),
        labels: Mapping[str, str] | None = None,
        open_message: bool = False,
        chains: Iterable[int] = (),
        scope: str = "all",
        page_size: int = 100,
    ) -> AsyncIterator[Job]:
        """Yield the jobs that match, newest first, without parameters and results.

        `scope` is "live", "final" or "all". Pages are fetched as they are needed.
        """
        if scope not in _SCOPES:
            raise ValueError(f"expected the scope live, final or all, but got {scope!r}")
        connection = self._connection
        selected = make_filter(
            lifecycles=lifecycles,
            statuses=statuses,
            states=states,
            definitions=definitions,
            queues=queues,
            robots=robots,
            jobs=jobs,
            labels=labels,
            open_message=open_message,
            chains=chains,
        )
        request = api.ListJobsRequest(
            filter=selected,
            scope=api.ListScope.ValueType(_SCOPES[scope]),
            page_size=page_size,
        )
        while True:
            response = await connection.call(connection.jobs.ListJobs, request)
            for job in response.jobs:
                yield Job(job)
            if not response.next_page_token:
                return
            request.page_token = response.next_page_token


def _chunks(jobs: Sequence[api.NewJob]) -> Iterator[Sequence[api.NewJob]]:
    """Cut the jobs into requests that a server accepts."""
    start, size, created = 0, 0, 0
    for index, job in enumerate(jobs):
        size, created = size + job.ByteSize(), created + (job.count or 1)
        full = size > BYTES_MAX or created > _CREATED_MAX or index - start >= ITEMS_MAX
        if full and index > start:
            yield jobs[start:index]
            start, size, created = index, job.ByteSize(), job.count or 1
    if start < len(jobs):
        yield jobs[start:]
