"""JobService: what people do with jobs and operator messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from interlock.v1 import job_service_pb2 as pb
from interlock.v1 import job_switch_pb2 as switch_pb
from interlock.v1.job_service_pb2_grpc import JobServiceServicer
from interlock_server.core.command import RestartJobs, Verb
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.rpc import convert_job, convert_message, page, validate
from interlock_server.rpc.archived_outcome import add_archived
from interlock_server.rpc.errors import InvalidArgument, no_job
from interlock_server.rpc.job_list import list_jobs, list_messages, live_children
from interlock_server.rpc.once import submit_once
from interlock_server.rpc.partition_lookup import find_job, find_partition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grpc.aio import ServicerContext

    from interlock_server.core.command import Command, Outcome
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.operator_message import OperatorMessage
    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

#: The responses of all verbs have the fields revision and outcomes.
Verbed = TypeVar(
    "Verbed",
    pb.HoldJobsResponse,
    pb.ReleaseJobsResponse,
    pb.CancelJobsResponse,
    pb.KillJobsResponse,
    pb.StopJobsResponse,
    pb.ResumeJobsResponse,
    pb.RestartJobsResponse,
    pb.RescheduleJobsResponse,
    pb.SetJobPriorityResponse,
    pb.CompleteJobsResponse,
    switch_pb.DisableJobsResponse,
    switch_pb.EnableJobsResponse,
    pb.FireResumeConditionsResponse,
    pb.SubmitJobsResponse,
)


class JobService(JobServiceServicer):
    """Creates, shows and changes jobs. Every answer is durable before it is sent."""

    def __init__(self, partitions: Partitions) -> None:
        """Serve these partitions."""
        self._partitions = partitions

    def _partition(self, request: Any) -> Partition:
        return find_partition(self._partitions, request.partition)

    # -- create and show ------------------------------------------------------------------------

    async def SubmitJobs(  # noqa: N802
        self, request: pb.SubmitJobsRequest, _context: Context
    ) -> pb.SubmitJobsResponse:
        """Create jobs."""
        command = convert_job.submit_jobs(request)
        author = validate.author("submitted_by", request.submitted_by)
        response = await self._outcomes(command, request, pb.SubmitJobsResponse, author)
        convert_job.raise_single_refusal(response.outcomes, len(request.jobs))
        return response

    async def GetJob(self, request: pb.GetJobRequest, _context: Context) -> pb.GetJobResponse:  # noqa: N802
        """Show one job, live or archived."""
        job_id = validate.identifier("job", request.job)
        partition = self._partition(request)
        revision = (
            partition.history.head_revision
        )  # before the look: a watch from it misses nothing
        children = live_children(partition.world, job_id)
        found = await find_job(partition, job_id)
        unresponsive = partition.sessions.is_unresponsive(found.robot)
        media = await partition.media.of_jobs([job_id])
        executions = await partition.executions(found)
        return pb.GetJobResponse(
            job=convert_job.job(
                found,
                unresponsive=unresponsive,
                whole=True,
                children=children,
                media=media,
                now_ms=partition.now_ms(),
            ),
            revision=revision,
            executions=[convert_job.execution(each) for each in executions],
        )

    async def ListJobs(self, request: pb.ListJobsRequest, _context: Context) -> pb.ListJobsResponse:  # noqa: N802
        """Show jobs, newest first."""
        return await list_jobs(self._partition(request), request)

    async def GetJobHistory(  # noqa: N802
        self, request: pb.GetJobHistoryRequest, _context: Context
    ) -> pb.GetJobHistoryResponse:
        """Show every status change of one job, oldest first."""
        job_id = validate.identifier("job", request.job)
        size = page.size_of(request.page_size, page.SIZE_MAX)
        digest = page.digest_of(request)
        after = page.position(request, digest, int) or 0
        partition = self._partition(request)
        entries = await partition.job_history(job_id)
        if entries is None:
            raise no_job(job_id, partition.world.next_job)
        rest = [entry for entry in entries if entry.revision > after]
        more = len(rest) > size
        return pb.GetJobHistoryResponse(
            entries=[convert_job.history_entry(entry) for entry in rest[:size]],
            next_page_token=page.token(digest, rest[size - 1].revision) if more else "",
        )

    # -- verbs ----------------------------------------------------------------------------------

    async def HoldJobs(self, request: pb.HoldJobsRequest, _context: Context) -> pb.HoldJobsResponse:  # noqa: N802
        """Put waiting Redwood jobs on hold."""
        return await self._change(request, Verb.HOLD, pb.HoldJobsResponse)

    async def ReleaseJobs(  # noqa: N802
        self, request: pb.ReleaseJobsRequest, _context: Context
    ) -> pb.ReleaseJobsResponse:
        """Let held Redwood jobs go on."""
        return await self._change(request, Verb.RELEASE, pb.ReleaseJobsResponse)

    async def CancelJobs(  # noqa: N802
        self, request: pb.CancelJobsRequest, _context: Context
    ) -> pb.CancelJobsResponse:
        """End Redwood jobs that have not begun."""
        return await self._change(request, Verb.CANCEL, pb.CancelJobsResponse)

    async def KillJobs(self, request: pb.KillJobsRequest, _context: Context) -> pb.KillJobsResponse:  # noqa: N802
        """End running jobs at once."""
        return await self._change(request, Verb.KILL, pb.KillJobsResponse)

    async def StopJobs(self, request: pb.StopJobsRequest, _context: Context) -> pb.StopJobsResponse:  # noqa: N802
        """Ask UiPath jobs to end when their code allows."""
        return await self._change(request, Verb.STOP, pb.StopJobsResponse)

    async def ResumeJobs(  # noqa: N802
        self, request: pb.ResumeJobsRequest, _context: Context
    ) -> pb.ResumeJobsResponse:
        """Let suspended UiPath jobs go on."""
        return await self._change(request, Verb.RESUME, pb.ResumeJobsResponse)

    async def RescheduleJobs(  # noqa: N802
        self, request: pb.RescheduleJobsRequest, _context: Context
    ) -> pb.RescheduleJobsResponse:
        """Give waiting Redwood jobs another start time."""
        start_ms = validate.optional_timestamp_ms(request, "start_time")
        return await self._change(
            request, Verb.RESCHEDULE, pb.RescheduleJobsResponse, value=start_ms
        )

    async def SetJobPriority(  # noqa: N802
        self, request: pb.SetJobPriorityRequest, _context: Context
    ) -> pb.SetJobPriorityResponse:
        """Change the priority of jobs that no robot has."""
        priority = validate.number("priority", request.priority, 1, validate.PRIORITY_MAX)
        return await self._change(
            request, Verb.SET_PRIORITY, pb.SetJobPriorityResponse, value=priority
        )

    async def EditJob(  # noqa: N802
        self, request: pb.EditJobRequest, _context: Context
    ) -> pb.EditJobResponse:
        """Change a Redwood job that is not Queued yet, or correct a Modified one."""
        command = convert_job.edit_job(request)
        partition = self._partition(request)

        def build(found: Outcome) -> pb.EditJobResponse:
            return pb.EditJobResponse(
                revision=partition.world.revision, outcome=convert_job.outcome(found)
            )

        return await submit_once(
            partition,
            command,
            request,
            build,
            pb.EditJobResponse,
            actor=Actor.USER,
            author=validate.author("requested_by", request.requested_by),
            reason=validate.reason(request.reason),
        )

    async def CompleteJobs(  # noqa: N802
        self, request: pb.CompleteJobsRequest, _context: Context
    ) -> pb.CompleteJobsResponse:
        """End Redwood jobs whose definition has the external completion strategy."""
        result = validate.json_value("result_json", request.result_json)
        return await self._change(
            request, Verb.COMPLETE, pb.CompleteJobsResponse, failed=request.failed, result=result
        )

    async def DisableJobs(  # noqa: N802
        self, request: switch_pb.DisableJobsRequest, _context: Context
    ) -> switch_pb.DisableJobsResponse:
        """Switch calls of live chains off."""
        return await self._change(request, Verb.DISABLE, switch_pb.DisableJobsResponse)

    async def EnableJobs(  # noqa: N802
        self, request: switch_pb.EnableJobsRequest, _context: Context
    ) -> switch_pb.EnableJobsResponse:
        """Switch calls of live chains on again."""
        return await self._change(request, Verb.ENABLE, switch_pb.EnableJobsResponse)

    async def RestartJobs(  # noqa: N802
        self, request: pb.RestartJobsRequest, _context: Context
    ) -> pb.RestartJobsResponse:
        """Create a new job from each final one."""
        jobs = validate.identifiers("jobs", request.jobs)
        expected = convert_job.expected_revision(request)
        archived = await _archived(self._partition(request), jobs)
        start_at_step = validate.optional_name("start_at_step", request.start_at_step)
        if start_at_step and request.from_error:
            raise InvalidArgument("start_at_step", "expected it empty together with from_error")
        command = RestartJobs(
            jobs, archived, request.hold, expected, start_at_step, request.from_error
        )
        return await self._verb(request, command, pb.RestartJobsResponse)

    async def FireResumeConditions(  # noqa: N802
        self, request: pb.FireResumeConditionsRequest, _context: Context
    ) -> pb.FireResumeConditionsResponse:
        """Tell suspended UiPath jobs that a task or item is done."""
        command = convert_job.fire_conditions(request)
        author = validate.author("requested_by", request.requested_by)
        return await self._outcomes(command, request, pb.FireResumeConditionsResponse, author)

    async def _change(
        self, request: Any, verb: Verb, response: type[Verbed], **what: Any
    ) -> Verbed:
        command = convert_job.change_jobs(request, verb, **what)
        return await self._verb(request, command, response)

    async def _verb(self, request: Any, command: Command, response: type[Verbed]) -> Verbed:
        """Do something to jobs; the refusal of the only one is the call's."""
        author = validate.author("requested_by", request.requested_by)
        done = await self._outcomes(command, request, response, author)
        await add_archived(self._partition(request), done.outcomes)
        convert_job.raise_single_refusal(done.outcomes, len(request.jobs))
        return done

    async def _outcomes(
        self, command: Command, request: Any, response: type[Verbed], author: str
    ) -> Verbed:
        """Submit a command whose answer is a list of outcomes."""
        partition = self._partition(request)
        reason = validate.reason(getattr(request, "reason", ""))

        def build(found: Sequence[Outcome]) -> Verbed:
            return response(revision=partition.world.revision, outcomes=convert_job.outcomes(found))

        return await submit_once(
            partition,
            command,
            request,
            build,
            response,
            actor=Actor.USER,
            author=author,
            reason=reason,
        )

    # -- operator messages ----------------------------------------------------------------------

    async def ReplyToMessage(  # noqa: N802
        self, request: pb.ReplyToMessageRequest, _context: Context
    ) -> pb.ReplyToMessageResponse:
        """Answer an operator message."""
        command = convert_message.reply(request)
        partition = self._partition(request)

        def build(answer: tuple[OperatorMessage, Outcome]) -> pb.ReplyToMessageResponse:
            message, outcome = answer
            return pb.ReplyToMessageResponse(
                revision=partition.world.revision,
                message=convert_message.operator_message(message),
                outcome=convert_job.outcome(outcome),
            )

        return await submit_once(
            partition,
            command,
            request,
            build,
            pb.ReplyToMessageResponse,
            actor=Actor.USER,
            author=validate.author("replied_by", request.replied_by),
        )

    async def ListMessages(  # noqa: N802
        self, request: pb.ListMessagesRequest, _context: Context
    ) -> pb.ListMessagesResponse:
        """Show operator messages, oldest first."""
        return await list_messages(self._partition(request), request)


async def _archived(partition: Partition, jobs: Sequence[int]) -> dict[int, Job]:
    """Records of those jobs that have left memory."""
    gone = [job_id for job_id in jobs if job_id not in partition.world.jobs]
    found = [await partition.job(job_id) for job_id in gone]
    return {job.id: job for job in found if job is not None}
