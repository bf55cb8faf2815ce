"""All live objects of one partition at one revision, with their indexes.

Rules read it; only `core.apply` writes it. Indexes are derived from the records (promise P9):
`invariants.check`
compares each with a full scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core import gate
from interlock_server.core.change import NAME_DEFINITION, NAME_QUEUE, NAME_ROBOT, Name
from interlock_server.core.lanes import Lanes
from interlock_server.core.line import Lines
from interlock_server.core.lock_line import LockLines
from interlock_server.core.model.queue import DEFAULT_QUEUE, SYSTEM_QUEUE, Queue
from interlock_server.core.openings import Openings
from interlock_server.core.vocabulary.status import STATUS_NUMBERS

if TYPE_CHECKING:
    from interlock_server.core.gate import Closed, GateKey
    from interlock_server.core.model.definition import Definition, RestartBehavior
    from interlock_server.core.model.job import HistoryEntry, Job
    from interlock_server.core.model.lock import Lock
    from interlock_server.core.model.named_event import NamedEvent
    from interlock_server.core.model.process_server import ProcessServer, QueueProvider
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.model.schedule import Schedule
    from interlock_server.core.model.statistic import RunTimes
    from interlock_server.core.model.window import TimeWindow


class Settings(msgspec.Struct, frozen=True):
    """What rules take from the configuration. Replay does not depend on it: events carry values."""

    #: How long a job may stay Uncertain (domain.md RA-23; the length is ours).
    uncertain_timeout_ms: int = 600_000
    #: How long a job may stay Terminating before a clean-up faults it (domain.md C5).
    terminating_timeout_ms: int = 1440 * 60_000
    #: What follows a final status where neither definition nor partition say (R24).
    restart_behaviors: tuple[RestartBehavior, ...] = ()


DEFAULT_SETTINGS = Settings()


class World:
    """The live objects and what is derived from them."""

    __slots__ = (
        "alarms",
        "auto_submits",
        "changers",
        "children",
        "deadlines",
        "definition_numbers",
        "definitions",
        "event_lines",
        "events",
        "families",
        "finished",
        "foreground",
        "jobs",
        "lanes",
        "live_counts",
        "lock_lines",
        "locks",
        "moving_queues",
        "names",
        "never",
        "next_epoch",
        "next_job",
        "next_message",
        "next_number",
        "open_messages",
        "openings",
        "pending_names",
        "pending_twins",
        "provider_load",
        "providers",
        "queue_chains",
        "queue_held",
        "queue_load",
        "queue_numbers",
        "queue_waiting",
        "queues",
        "raisers",
        "recurring",
        "restart_defaults",
        "restarts",
        "resume_by_key",
        "review_left",
        "reviewing_starts",
        "revision",
        "robot_jobs",
        "robot_numbers",
        "robots",
        "run_times",
        "schedules",
        "server_load",
        "servers",
        "settings",
        "special",
        "spilled",
        "status_counts",
        "steps",
        "terminating",
        "unfinished",
        "windows",
    )

    def __init__(self, settings: Settings = DEFAULT_SETTINGS) -> None:
        """Make a World at revision 0 that has the built-in queues and nothing else."""
        self.settings = settings
        self.revision = 0
        self.next_job = 1
        self.next_epoch = 1
        self.next_message = 1
        self.next_number = 1

        self.jobs: dict[int, Job] = {}
        self.definitions: dict[str, Definition] = {}
        self.queues: dict[str, Queue] = {}
        self.robots: dict[str, Robot] = {}
        self.windows: dict[str, TimeWindow] = {}
        self.events: dict[str, NamedEvent] = {}
        self.locks: dict[str, Lock] = {}
        self.servers: dict[str, ProcessServer] = {}
        self.schedules: dict[str, Schedule] = {}
        self.run_times: dict[str, RunTimes] = {}
        #: What follows a final status where a definition does not say (domain.md B10, R24).
        self.restart_defaults: tuple[RestartBehavior, ...] = ()
        self.names: list[Name] = []
        #: New names that no block has carried yet; watchers get all others when they start.
        self.pending_names: list[Name] = []

        #: Numbers of names in the columns.
        self.definition_numbers: dict[str, int] = {}
        self.queue_numbers: dict[str, int] = {}
        self.robot_numbers: dict[str, int] = {"": 0}

        self.lanes = Lanes()
        self.status_counts = [0] * STATUS_NUMBERS
        #: Jobs that a robot has, by robot.
        self.robot_jobs: dict[str, set[int]] = {}
        #: Robots that run a foreground job, and which.
        self.foreground: dict[str, int] = {}
        #: How many jobs of a queue are with robots.
        self.queue_load: dict[str, int] = {}
        #: How many chains of a queue the server executes.
        self.queue_chains: dict[str, int] = {}
        #: How many jobs are with robots of a server, and how many of those are of a queue.
        self.server_load: dict[str, int] = {}
        self.provider_load: dict[tuple[str, str], int] = {}
        #: Who serves a queue, by queue and server.
        self.providers: dict[str, dict[str, QueueProvider]] = {}
        #: How many jobs of a queue wait for a robot, those in QueueHeld not counted.
        self.queue_waiting: dict[str, int] = {}
        #: Jobs in QueueHeld, by queue, oldest first.
        self.queue_held: dict[str, dict[int, None]] = {}
        #: Queues whose jobs still have to follow a hold or a release, one slice at a time, and who
        #: did that.
        self.moving_queues: dict[str, str] = {}
        #: The Pending UiPath job of a definition that is bound to a robot (domain.md UA-7).
        self.pending_twins: dict[tuple[str, str], int] = {}
        #: Suspended jobs by what they wait for: (kind, key).
        self.resume_by_key: dict[tuple[int, str], set[int]] = {}
        #: Jobs in Terminating.
        self.terminating: dict[int, None] = {}
        #: Operator messages that need a reply, and their jobs, oldest first.
        self.open_messages: dict[int, int] = {}
        #: (instant, job, name of the field that holds it), checked against the job when due.
        self.deadlines: list[tuple[int, int, str]] = []
        #: Instants of the catalog: (instant, kind, name), checked against the record when due.
        self.alarms: list[tuple[int, str, str]] = []
        #: Jobs in EventWait by each named event that they still miss.
        self.event_lines = Lines()
        #: Definitions that a raise of a named event submits.
        self.auto_submits: dict[str, dict[str, None]] = {}
        #: How many jobs of a definition are not final.
        self.live_counts: dict[str, int] = {}
        #: Who holds locks and who waits for them.
        self.lock_lines = LockLines()
        #: Live members of each family of jobs, without the one at its top.
        self.families: dict[int, dict[int, None]] = {}
        #: Jobs by their parent, oldest first: steps of a chain, calls of a step, child jobs. Final
        #: ones are among them until they leave memory.
        self.children: dict[int, dict[int, None]] = {}
        #: How many of them are not over, by parent: neither final nor Disabled (RA-6).
        self.unfinished: dict[int, int] = {}
        #: The newest job of each step: (chain, name of the step).
        self.steps: dict[tuple[int, str], int] = {}
        #: Live jobs by the run of the same work that they came after.
        self.restarts: dict[int, dict[int, None]] = {}
        #: Definitions whose jobs have an on-change action.
        self.changers: dict[str, None] = {}
        #: Definitions whose jobs begin or end with more than a change of status: an action, a
        #: restart behavior, a runtime limit.
        self.special: dict[str, None] = {}
        #: Jobs in Never.
        self.never: dict[int, None] = {}
        #: Definitions whose jobs raise or clear named events by their statuses.
        self.raisers: dict[str, None] = {}
        #: The calendar or the servers have changed, and starts still have to be found anew: whose
        #: change that was, "" when all is done. `review_left` is the rest of the present pass.
        self.reviewing_starts = ""
        self.review_left: list[int] = []
        #: Jobs that are not final, by the schedule that has submitted them.
        self.recurring: dict[str, dict[int, None]] = {}
        #: Openings of the windows that jobs asked for lately.
        self.openings = Openings()
        #: Final jobs that may leave memory; drained once per group.
        self.finished: list[int] = []
        #: Old history of jobs that change very often; drained once per group: (job, part, entries).
        self.spilled: list[tuple[int, int, list[HistoryEntry]]] = []

        for queue in (Queue(DEFAULT_QUEUE), Queue(SYSTEM_QUEUE, system=True)):
            self.queues[queue.name] = queue
            self.add_name(Name(NAME_QUEUE, self.next_number, queue.name))

    def add_name(self, name: Name) -> None:
        """Remember the number of a name."""
        self.names.append(name)
        self.pending_names.append(name)
        self.numbers(name.kind)[name.name] = name.number
        self.next_number = name.number + 1

    def numbers(self, kind: int) -> dict[str, int]:
        """Numbers by name, for one kind of name."""
        if kind == NAME_DEFINITION:
            return self.definition_numbers
        if kind == NAME_QUEUE:
            return self.queue_numbers
        assert kind == NAME_ROBOT, "there are three kinds of names"
        return self.robot_numbers

    def next_due_ms(self) -> int:
        """The first instant at which a job or the catalog asks for something; 0 for none."""
        firsts = [heap[0][0] for heap in (self.deadlines, self.alarms) if heap]
        return min(firsts, default=0)

    def free_slots(self, robot: Robot) -> int:
        """How many more jobs a robot can take now."""
        if not robot.connected or robot.draining or robot.maintenance:
            return 0
        return robot.slots - len(self.robot_jobs.get(robot.name, ()))

    def queue_is_open(self, name: str) -> bool:
        """Whether a queue may give a job: not held, its window open, under its execution size."""
        return self.queue_gate(name) is None

    def queue_gate(self, name: str) -> Closed | None:
        """What keeps a queue from giving a job."""
        queue, load = self.queues[name], 0
        if queue.execution_size:
            load = self.queue_load.get(name, 0)
            if queue.counts_chains:
                load += self.queue_chains.get(name, 0)
        return gate.of_queue(queue, load)

    def server_gate(self, name: str) -> Closed | None:
        """What keeps a server from taking a job."""
        return gate.of_server(self.servers.get(name), self.server_load.get(name, 0))

    def provider_gate(self, server: str, queue: str, priority: int) -> Closed | None:
        """What keeps a server from taking a job of this priority from a queue."""
        provider = self.providers.get(queue, {}).get(server)
        return gate.of_provider(provider, self.provider_load.get((server, queue), 0), priority)

    def gate_before(self, server: str, queue: str, priority: int) -> GateKey | None:
        """The gate that keeps a job in its queue; "" for robots without a server, and chains."""
        if self.queue_gate(queue) is not None:
            return "", queue
        if server and self.provider_gate(server, queue, priority) is not None:
            return server, queue
        return None
