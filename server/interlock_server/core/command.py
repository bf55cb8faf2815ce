"""Commands: wishes of a user, a robot or the clock, as plain values. `core.decide` has the rules.

Times are milliseconds since 1970 UTC, lengths are milliseconds, 0 where there is none.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from interlock_server.core.model.definition import Definition, RestartBehavior, RuleEffect
from interlock_server.core.model.job import Fault, Job, ResumeCondition, ResumeKind, StopStrategy
from interlock_server.core.model.lock import Lock
from interlock_server.core.model.medium import Medium
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer
from interlock_server.core.model.queue import Queue
from interlock_server.core.model.schedule import Schedule
from interlock_server.core.model.window import TimeWindow
from interlock_server.core.rejection import Rejection


class Command(msgspec.Struct, frozen=True, gc=False):
    """The base of all commands."""


# -- answers ------------------------------------------------------------------------------------


class Outcome(msgspec.Struct, array_like=True):
    """What became of one job: its status and revision after the command, or why it was refused."""

    job: int
    status: int = 0
    revision: int = 0
    unchanged: bool = False
    rejection: Rejection | None = None


# -- jobs ---------------------------------------------------------------------------------------


class NewJob(msgspec.Struct, frozen=True, gc=False):
    """One job to be created; empty and 0 mean the definition's value."""

    definition: str
    parameters: str = "{}"
    queue: str = ""
    priority: int = 0
    robot: str = ""
    count: int = 1
    start_ms: int = 0
    hold: bool = False
    labels: dict[str, str] = {}
    reference: str = ""
    trigger_ms: int = 0
    stop_after_ms: int = 0
    kill_after_ms: int = 0
    window: str = ""
    parent: int = 0
    after_parent: bool = False
    start_at_step: str = ""
    server: str = ""
    #: The schedule that submits it.
    schedule: str = ""


class SubmitJobs(Command, frozen=True):
    """Create jobs. Answer: list of Outcome."""

    jobs: tuple[NewJob, ...]


class Verb(IntEnum):
    """What a person can do to a job."""

    HOLD = 1
    RELEASE = 2
    CANCEL = 3
    KILL = 4
    STOP = 5
    RESUME = 6
    RESCHEDULE = 7
    SET_PRIORITY = 8
    COMPLETE = 9
    DISABLE = 10
    ENABLE = 11


class ChangeJobs(Command, frozen=True):
    """Do something to jobs, each on its own. Answer: list of Outcome."""

    verb: Verb
    jobs: tuple[int, ...]
    #: 0 for any.
    expected_revision: int = 0
    #: RESCHEDULE: the new start, 0 for now. SET_PRIORITY: the priority.
    value: int = 0
    #: COMPLETE.
    failed: bool = False
    result: str = ""


class EditJob(Command, frozen=True):
    """Change a Redwood job that is not Queued yet. Answer: Outcome."""

    job: int
    #: Empty and 0 leave what there is.
    parameters: str = ""
    queue: str = ""
    priority: int = 0
    start_ms: int = 0
    expected_revision: int = 0


class RestartJobs(Command, frozen=True):
    """Create a new job from each final one. Answer: list of Outcome, of the new jobs."""

    jobs: tuple[int, ...]
    #: Records of jobs that have left memory, read from the archive by the caller.
    archived: dict[int, Job]
    hold: bool = False
    expected_revision: int = 0
    #: Chains: the step to start at, or the one that the chain failed at.
    start_at_step: str = ""
    from_error: bool = False


class FireConditions(Command, frozen=True):
    """A person's task or an external item is done. Answer: list of Outcome."""

    kind: ResumeKind
    key: str


class Reply(Command, frozen=True):
    """Answer an operator message. Answer: (OperatorMessage, Outcome)."""

    message: int
    reply: str


# -- catalog ------------------------------------------------------------------------------------


class PutDefinitions(Command, frozen=True):
    """Write definitions, all or none. Answer: list of Definition."""

    definitions: tuple[Definition, ...]


class DeleteDefinitions(Command, frozen=True):
    """Remove definitions, all or none. Answer: None."""

    names: tuple[str, ...]


class PutQueues(Command, frozen=True):
    """Write queues, all or none. Answer: list of Queue."""

    queues: tuple[Queue, ...]


class DeleteQueues(Command, frozen=True):
    """Remove queues, all or none. Answer: None."""

    names: tuple[str, ...]


class PutRestartDefaults(Command, frozen=True):
    """Write what follows a final status where a definition does not say. Answer: the behaviors."""

    behaviors: tuple[RestartBehavior, ...]


class PutSchedules(Command, frozen=True):
    """Write schedules, all or none. Answer: list of Schedule."""

    schedules: tuple[Schedule, ...]


class DeleteSchedules(Command, frozen=True):
    """Remove schedules, all or none. Answer: None."""

    names: tuple[str, ...]


class ScheduleVerb(IntEnum):
    """What a person can do to a schedule."""

    HOLD = 1
    RELEASE = 2
    END = 3


class ChangeSchedule(Command, frozen=True):
    """Hold, release or end a schedule. Answer: Schedule."""

    schedule: str
    verb: ScheduleVerb


class PutWindows(Command, frozen=True):
    """Write time windows, all or none. Answer: list of TimeWindow."""

    windows: tuple[TimeWindow, ...]


class DeleteWindows(Command, frozen=True):
    """Remove time windows, all or none. Answer: None."""

    names: tuple[str, ...]


class HoldQueue(Command, frozen=True):
    """Stop dispatching from a queue. Answer: Queue."""

    queue: str


class ReleaseQueue(Command, frozen=True):
    """Let a held queue go on. Answer: Queue."""

    queue: str


class PutServers(Command, frozen=True):
    """Write process servers, all or none. Answer: list of ProcessServer."""

    servers: tuple[ProcessServer, ...]


class DeleteServers(Command, frozen=True):
    """Remove process servers, all or none. Answer: None."""

    names: tuple[str, ...]


class StartServers(Command, frozen=True):
    """Let process servers take jobs again, all or none. Answer: list of ProcessServer."""

    names: tuple[str, ...]


class StopServers(Command, frozen=True):
    """Let process servers take no more jobs, all or none. Answer: list of ProcessServer."""

    names: tuple[str, ...]
    #: What becomes of the jobs that they run; NONE: they go on.
    strategy: StopStrategy = StopStrategy.NONE


class HoldProvider(Command, frozen=True):
    """Let a server take no more jobs of one queue. Answer: ProcessServer."""

    server: str
    queue: str


class ReleaseProvider(Command, frozen=True):
    """Let a server take jobs of a queue again. Answer: ProcessServer."""

    server: str
    queue: str


class MoveQueueJobs(Command, frozen=True):
    """Let the next slice of jobs follow a queue's hold or release.

    Answer: whether more are left.
    """

    jobs_max: int = 500


# -- named events and locks --------------------------------------------------------------------


class PutEvents(Command, frozen=True):
    """Write named events, all or none; their raises stay. Answer: list of NamedEvent."""

    events: tuple[NamedEvent, ...]


class DeleteEvents(Command, frozen=True):
    """Remove named events, all or none. Answer: None."""

    names: tuple[str, ...]


class RaiseEvent(Command, frozen=True):
    """Raise a named event. Answer: NamedEvent."""

    event: str
    comment: str = ""


class ClearEvent(Command, frozen=True):
    """Clear a raised event; the next raise that is pending counts then. Answer: NamedEvent."""

    event: str


class HandEvents(Command, frozen=True):
    """Hand raised events to the next jobs that wait for them. Answer: whether more is left."""

    jobs_max: int = 500


class PutLocks(Command, frozen=True):
    """Write locks, all or none. Answer: list of Lock."""

    locks: tuple[Lock, ...]


class DeleteLocks(Command, frozen=True):
    """Remove locks, all or none. Answer: None."""

    names: tuple[str, ...]


# -- robots -------------------------------------------------------------------------------------


class RunningJob(msgspec.Struct, frozen=True, gc=False):
    """A job that a robot says it has."""

    job: int
    fence: int
    started: bool = True
    #: Its end report follows.
    ended: bool = False


class Verdict(IntEnum):
    """What a robot has to do with a job that it named."""

    KEEP = 1
    STOP = 2
    KILL = 3
    FORGET = 4


class OpenSession(Command, frozen=True):
    """A robot connects. Answer: SessionOpened."""

    robot: str
    instance: str
    definitions: tuple[str, ...]
    queues: tuple[str, ...] = ()
    slots: int = 1
    running: tuple[RunningJob, ...] = ()
    host: str = ""
    actions: bool = False
    server: str = ""
    resources: tuple[str, ...] = ()


class SessionOpened(msgspec.Struct, frozen=True, gc=False):
    """The session that was opened.

    Its epoch, a verdict per named job, the newest recorded report batch.
    """

    epoch: int
    verdicts: tuple[Verdict, ...]
    last_sequence: int
    #: What of the newest batches was refused: (sequence, index, job, why).
    refused: tuple[tuple[int, int, int, Rejection], ...] = ()


class BreakSession(Command, frozen=True):
    """The stream of a session is gone; its time to live runs. Answer: None."""

    robot: str
    epoch: int


class LoseSession(Command, frozen=True):
    """The time to live of a session is over. Answer: None."""

    robot: str
    epoch: int


class CloseSession(Command, frozen=True):
    """The robot said goodbye. Answer: None."""

    robot: str
    epoch: int
    reason: str = ""


class DrainSession(Command, frozen=True):
    """The robot wants no new offers. Answer: None."""

    robot: str
    epoch: int


class ReportKind(IntEnum):
    """What a robot says about a job; the numbers of interlock.v1.ReportKind."""

    ACCEPTED = 1
    REFUSED = 2
    STARTED = 3
    COULD_NOT_START = 4
    COMPLETED = 5
    FAILED = 6
    CANCELED = 7
    KILLED = 8
    CANCEL_CONFIRMED = 9
    WAITING = 10
    WAIT_OVER = 11
    ASKED = 12
    NOTED = 13
    SUSPENDED = 14
    REMOTE_GONE = 15
    PRE_RUNNING_DONE = 16
    POST_RUNNING_DONE = 17


class Question(msgspec.Struct, frozen=True, gc=False):
    """An operator message as a robot sends it."""

    text: str
    pattern: str = ""
    choices: tuple[str, ...] = ()
    completes: bool = False
    reply_required: bool = False


class Suspension(msgspec.Struct, frozen=True, gc=False):
    """What a job waits for when it suspends itself."""

    conditions: tuple[ResumeCondition, ...]
    any: bool = False
    saved: str = ""
    same_robot: bool = False


class ActionOutcome(msgspec.Struct, frozen=True, gc=False):
    """What an action that a robot ran decided; without an effect the job goes on as it would."""

    effect: RuleEffect | None = None
    #: RESCHEDULE.
    delay_ms: int = 0
    #: MOVE.
    queue: str = ""


class ReportDetail(msgspec.Struct, frozen=True, gc=False):
    """What only some reports carry."""

    result: str = ""
    return_code: int = 0
    fault: Fault | None = None
    question: Question | None = None
    suspension: Suspension | None = None
    reason: str = ""
    action: ActionOutcome | None = None


NO_DETAIL = ReportDetail()


class Report(Command, frozen=True):
    """A batch of reports as columns, each decided on its own.

    Answer: list of (index, Rejection).
    """

    robot: str
    epoch: int
    sequence: int
    jobs: tuple[int, ...] | list[int]
    #: One per report, or one for all.
    fences: tuple[int, ...] | list[int]
    #: One byte per report, or one for all.
    kinds: bytes
    details: dict[int, ReportDetail]


class StartAtRobot(Command, frozen=True):
    """A person started a job at the robot. Answer: (job id, fence)."""

    robot: str
    epoch: int
    definition: str
    parameters: str = "{}"


class SetMaintenance(Command, frozen=True):
    """Start or end maintenance of a robot. Answer: Robot."""

    robot: str
    maintenance: bool
    strategy: StopStrategy = StopStrategy.NONE


class DeleteRobots(Command, frozen=True):
    """Remove robots without jobs. Answer: list of names."""

    robots: tuple[str, ...]


# -- media --------------------------------------------------------------------------------------


class KeepMedium(Command, frozen=True):
    """A robot has recorded a job, and the content is on disk. Answer: Medium."""

    medium: Medium
    #: Of the attempt that was recorded.
    fence: int
    #: The record of a job that has left memory, read from the archive by the caller.
    archived: Job | None


class DropMedia(Command, frozen=True):
    """Forget recordings of a job, which the caller has looked up. Answer: None."""

    job: int
    names: tuple[str, ...]


# -- the clock and the server -------------------------------------------------------------------


class Dispatch(Command, frozen=True):
    """Give waiting jobs to robots with free slots. Answer: whether more may be left."""

    jobs_max: int = 1000


class PassDeadlines(Command, frozen=True):
    """Do what has come due. Answer: whether more is left."""

    jobs_max: int = 500


class GrantLocks(Command, frozen=True):
    """Give locks that were given back to those who wait for them. Answer: whether more is left."""

    jobs_max: int = 500


class ReviewStarts(Command, frozen=True):
    """Find starts anew for the next slice of jobs, after the calendar or the servers changed.

    Answer: whether more is left.
    """

    jobs_max: int = 500


class CleanUpTerminating(Command, frozen=True):
    """Fault the jobs that have been Terminating for too long (TU-20). Answer: None."""


class RecoverSessions(Command, frozen=True):
    """After a restart: no stream is open, and what was running is Uncertain.

    Answer: whether more is left.
    """

    jobs_max: int = 1000
