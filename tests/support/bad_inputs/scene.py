"""A server with something of everything: what bad inputs are about.

Jobs in many statuses, robots with sessions, open and closed operator messages, a compacted
partition. Nothing in it moves by itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import (
    admin_service_pb2,
    chain_pb2,
    definition_pb2,
    job_pb2,
    lock_pb2,
    named_event_pb2,
    process_server_pb2,
    queue_pb2,
    schedule_pb2,
    window_pb2,
)
from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import job_switch_pb2 as switches
from interlock.v1 import lock_service_pb2 as locks
from interlock.v1 import media_service_pb2 as media
from interlock.v1 import named_event_service_pb2 as events
from interlock.v1 import process_server_service_pb2 as servers
from interlock.v1 import robot_service_pb2 as robots
from interlock.v1 import schedule_service_pb2 as schedules
from interlock.v1 import window_service_pb2 as windows
from interlock.v1.definition_pb2 import CompletionStrategy
from interlock.v1.status_pb2 import Lifecycle
from tests.support.api_methods import Stubs
from tests.support.raw_robot import RawRobot

if TYPE_CHECKING:
    import grpc

R: Final = robots.ReportKind
FAR: Final = Timestamp(seconds=4_000_000_000)
USED_REQUEST_ID: Final = "used-by-another-request"
COMPACTED: Final = "compacted"

_UIPATH: Final = Lifecycle.LIFECYCLE_UIPATH
_REDWOOD: Final = Lifecycle.LIFECYCLE_REDWOOD
DEFINITIONS: Final = (
    definition_pb2.Definition(name="invoice", lifecycle=_UIPATH),
    definition_pb2.Definition(name="desk", lifecycle=_UIPATH, foreground=True),
    definition_pb2.Definition(
        name="typed",
        lifecycle=_UIPATH,
        parameters=[
            definition_pb2.Parameter(name="month", type="string", required=True),
            definition_pb2.Parameter(name="pages", type="integer"),
        ],
    ),
    definition_pb2.Definition(name="report", lifecycle=_REDWOOD),
    definition_pb2.Definition(
        name="outside",
        lifecycle=_REDWOOD,
        completion=CompletionStrategy.COMPLETION_STRATEGY_EXTERNAL,
    ),
    definition_pb2.Definition(
        name="filmed", lifecycle=_UIPATH, recording=definition_pb2.Recording.RECORDING_ALL
    ),
    definition_pb2.Definition(name="filed", lifecycle=_REDWOOD, queue="files"),
    definition_pb2.Definition(
        name="nightly",
        lifecycle=_REDWOOD,
        queue="finance",
        chain=chain_pb2.Chain(
            steps=[
                chain_pb2.Step(
                    name="load",
                    calls=[
                        chain_pb2.Call(name="on", definition="report", queue="finance"),
                        chain_pb2.Call(name="off", definition="report", queue="finance"),
                    ],
                )
            ]
        ),
    ),
    definition_pb2.Definition(
        name="waits",
        lifecycle=_REDWOOD,
        wait_events=[definition_pb2.WaitEvent(event="AWAITED")],
        locks=[definition_pb2.LockNeed(lock="needed")],
    ),
)
QUEUES: Final = ("served", "finance", "robots", "second", "closed", "files", "empty")


class Scene:
    """Builds itself on an empty server; the ids of what is there are its attributes."""

    def __init__(self, channel: grpc.Channel) -> None:
        """Build everything; the robots stay connected until `close`."""
        self.channel = channel
        self.stubs = Stubs(channel)
        self._robots: list[RawRobot] = []
        self._put_catalog()
        self._submit_waiting()
        self._run_some()
        self._end_some()
        self._submit_chain()
        self._compact_another()
        # `state` replays what comes after the newest snapshot, and is asked for after every input.
        self.stubs.admin.Compact(admin_service_pb2.CompactRequest())
        self._keep_tokens()

    def close(self) -> None:
        """Break the sessions."""
        for robot in self._robots:
            robot.cancel()

    # -- what bad inputs need -------------------------------------------------------------------

    def state(self) -> tuple[str, int, list[str]]:
        """Everything that a refused request may not change: a digest, revision and partitions."""
        *_, last = self.stubs.admin.Verify(admin_service_pb2.VerifyRequest())
        assert last.done
        assert not last.problems, list(last.problems)
        partitions = self.stubs.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest())
        return last.digest, last.revision, list(partitions.names)

    def jobs_now(self) -> tuple[int, list[bytes]]:
        """The revision and every job: what a bad word in a session may not change."""
        answer = self.stubs.jobs.ListJobs(jobs.ListJobsRequest(page_size=1_000))
        for job in answer.jobs:
            job.ClearField("run_time")  # it grows while they run
        return answer.revision, [job.SerializeToString(deterministic=True) for job in answer.jobs]

    def revision(self) -> int:
        """The newest revision."""
        answer = self.stubs.admin.GetStatus(admin_service_pb2.GetStatusRequest())
        return int(answer.revision)

    def submit(self, definition: str, **fields: Any) -> int:
        """Submit a job; its id."""
        new = jobs.NewJob(**{"definition": definition, "queue": "robots", **fields})
        answer = self.stubs.jobs.SubmitJobs(jobs.SubmitJobsRequest(jobs=[new]))
        return int(answer.outcomes[0].job)

    def job(self, job: int) -> job_pb2.Job:
        """A job as it is now."""
        found: job_pb2.Job = self.stubs.jobs.GetJob(jobs.GetJobRequest(job=job)).job
        return found

    def connect(self, name: str, *definitions: str, **fields: Any) -> RawRobot:
        """Open a session that lasts as long as the scene."""
        robot = RawRobot(self.channel, name, lasts_s=None)  # as long as the scene, however slow
        self._robots.append(robot)
        return robot.hello(*definitions, **fields)

    # -- how it is built ------------------------------------------------------------------------

    def _put_catalog(self) -> None:
        queues = [queue_pb2.Queue(name=name) for name in QUEUES]
        self.stubs.catalog.PutQueues(catalog.PutQueuesRequest(queues=queues))
        self._put_events()
        self.stubs.catalog.PutDefinitions(
            catalog.PutDefinitionsRequest(definitions=DEFINITIONS, request_id=USED_REQUEST_ID)
        )
        self.stubs.catalog.HoldQueue(catalog.HoldQueueRequest(queue="closed"))
        self._put_servers()
        self._put_windows()

    def _put_windows(self) -> None:
        put = [window_pb2.TimeWindow(name=name) for name in ("empty", "closing")]
        self.stubs.windows.PutWindows(windows.PutWindowsRequest(windows=put))
        closing = queue_pb2.Queue(name="nights", window="closing")
        self.stubs.catalog.PutQueues(catalog.PutQueuesRequest(queues=[closing]))
        yearly = schedule_pb2.Recurrence(cron="0 0 1 1 *")
        stub = self.stubs.schedules
        stub.PutSchedules(
            schedules.PutSchedulesRequest(
                schedules=[
                    schedule_pb2.Schedule(name=name, definition="invoice", recurrence=yearly)
                    for name in ("active", "held", "over")
                ]
            )
        )
        stub.HoldSchedule(schedules.HoldScheduleRequest(schedule="held"))
        stub.EndSchedule(schedules.EndScheduleRequest(schedule="over"))

    def _put_events(self) -> None:
        named = [
            named_event_pb2.NamedEvent(name=name) for name in ("AWAITED", "RAISED", "FULL", "EMPTY")
        ]
        stub = self.stubs.named_events
        stub.PutEvents(events.PutEventsRequest(events=named))
        full = events.RaiseEventRequest(event="FULL")
        for raised in [stub.RaiseEvent.future(full) for _ in range(1_000)]:
            raised.result()
        stub.RaiseEvent(events.RaiseEventRequest(event="RAISED"))
        put = [lock_pb2.Lock(name=name) for name in ("needed", "empty")]
        self.stubs.locks.PutLocks(locks.PutLocksRequest(locks=put))

    def _put_servers(self) -> None:
        stub = self.stubs.servers
        provided = [process_server_pb2.QueueProvider(queue=name) for name in ("served", "closed")]
        stub.PutServers(
            servers.PutServersRequest(
                servers=[
                    process_server_pb2.ProcessServer(name="started", providers=provided),
                    process_server_pb2.ProcessServer(name="stopped"),
                    process_server_pb2.ProcessServer(name="empty"),
                ]
            )
        )
        stub.StopServers(servers.StopServersRequest(names=["stopped"]))
        stub.HoldProvider(servers.HoldProviderRequest(server="started", queue="closed"))

    def _submit_waiting(self) -> None:
        self.held = self.submit("report", queue="finance", hold=True)
        self.scheduled = self.submit("report", queue="finance", start_time=FAR)
        self.queued = self.submit("report", queue="finance")
        self.pending = self.submit("invoice", queue="finance")
        #: Pending and bound to robot-1, so that no second one like it may be.
        self.twin = self.submit("invoice", queue="finance", robot="robot-1")

    def _run_some(self) -> None:
        self.fenced_twice = self.submit("report", queue="second")
        refuser = RawRobot(self.channel, "robot-3").hello("report", queues=["second"])
        refuser.offered()
        refuser.report(R.REPORT_KIND_REFUSED, self.fenced_twice)
        refuser.say(goodbye=robots.Goodbye())
        refuser.end()
        refuser.listen()

        first = self.robot = self.connect(
            "robot-1",
            *("report", "invoice", "outside", "desk", "filmed"),
            queues=["robots", "second"],
            slots=20,
        )
        assert first.offered() == {self.fenced_twice: 2}
        self.running = self._run("report")
        self.running_uipath = self._run("invoice")
        self.running_desk = self._run("desk")
        self.outside = self._run("outside")
        self._film()
        self.suspended = self._run("invoice")
        condition = job_pb2.ResumeCondition(kind=job_pb2.RESUME_KIND_PERSON, key="task-1")
        first.report(
            R.REPORT_KIND_SUSPENDED,
            self.suspended,
            suspension=robots.Suspension(conditions=[condition]),
        )
        self.asking = self._run("report")
        self._ask(robots.Question(text="Which month?", pattern="[0-9]{4}-[0-9]{2}"))
        self.open_message = self._newest_message()
        self.noting = self._run("report")
        self._note(robots.Question(text="Post?", choices=["yes", "no"], reply_required=True))
        self.choice_message = self._newest_message()
        self._note(robots.Question(text="Done?", reply_required=True))
        self.closed_message = self._newest_message()
        self.stubs.jobs.ReplyToMessage(
            jobs.ReplyToMessageRequest(message=self.closed_message, reply="yes")
        )
        second = self.connect("robot-2", "filed", queues=["files"])
        self.foreign = self.submit("filed", queue="files")
        second.offered()
        second.report(R.REPORT_KIND_STARTED, self.foreign)

    def _film(self) -> None:
        self.filmed = self._run("filmed")
        medium = media.NewMedium(
            job=self.filmed,
            robot="robot-1",
            fence=1,
            name="screen",
            size_bytes=5,
            digest=hashlib.sha256(b"movie").hexdigest(),
        )
        said = media.UploadMediumRequest(medium=medium), media.UploadMediumRequest(data=b"movie")
        self.stubs.media.UploadMedium(iter(said))

    def _run(self, definition: str) -> int:
        job = self.submit(definition)
        fences = self.robot.offered()
        assert fences == {job: 1}
        self.robot.report(R.REPORT_KIND_STARTED, job)
        return job

    def _ask(self, question: robots.Question) -> None:
        self.robot.report(R.REPORT_KIND_ASKED, self.asking, question=question)

    def _note(self, question: robots.Question) -> None:
        self.robot.report(R.REPORT_KIND_NOTED, self.noting, question=question)

    def _newest_message(self) -> int:
        answer = self.stubs.jobs.ListMessages(jobs.ListMessagesRequest())
        return max(int(message.id) for message in answer.messages)

    def _end_some(self) -> None:
        self.final = self.submit("report", queue="finance", hold=True)
        self.stubs.jobs.CancelJobs(jobs.CancelJobsRequest(jobs=[self.final]))
        self.final_uipath = self.submit("invoice", queue="finance")
        self.stubs.jobs.StopJobs(jobs.StopJobsRequest(jobs=[self.final_uipath]))

    def _submit_chain(self) -> None:
        self.chain = self.submit("nightly", queue="finance", hold=True)
        self.step, self.chained, self.disabled = range(self.chain + 1, self.chain + 4)
        self.stubs.jobs.DisableJobs(switches.DisableJobsRequest(jobs=[self.disabled]))

    def _compact_another(self) -> None:
        admin = self.stubs.admin
        admin.CreatePartition(admin_service_pb2.CreatePartitionRequest(name=COMPACTED))
        definitions = [DEFINITIONS[3]]
        self.stubs.catalog.PutDefinitions(
            catalog.PutDefinitionsRequest(partition=COMPACTED, definitions=definitions)
        )
        for _ in range(3):
            new = jobs.NewJob(definition="report", hold=True)
            self.stubs.jobs.SubmitJobs(jobs.SubmitJobsRequest(partition=COMPACTED, jobs=[new]))
        compacted = admin.Compact(
            admin_service_pb2.CompactRequest(partition=COMPACTED, keep_revisions=1)
        )
        assert compacted.oldest_revision > 0

    def _keep_tokens(self) -> None:
        #: A token that this server gave, for another list.
        answer = self.stubs.catalog.ListQueues(catalog.ListQueuesRequest(page_size=1))
        self.queues_token = answer.next_page_token
        assert self.queues_token
