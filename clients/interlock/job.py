"""What the server says about jobs, as Python values. Each keeps the message it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlock import json_text
from interlock.errors import InterlockError, refused
from interlock.instant import instant_of
from interlock.status import LIFECYCLE_NAMES, StatusName, actor_name, status_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from interlock.v1 import job_outcome_pb2, job_pb2, job_service_pb2
    from interlock.v1.operator_message_pb2 import OperatorMessage


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it was at `revision`. Everything there is to know is in `raw`."""

    raw: job_pb2.Job
    #: All runs of the same work, this one included; only from `get`.
    all_executions: Sequence[job_service_pb2.Execution] = ()

    @property
    def id(self) -> int:
        """Id, unique in the partition."""
        return self.raw.id

    @property
    def definition(self) -> str:
        """Name of the definition it runs."""
        return self.raw.definition

    @property
    def lifecycle(self) -> str:
        """Which vocabulary it has: "uipath" or "redwood"."""
        return LIFECYCLE_NAMES.get(self.raw.lifecycle, str(self.raw.lifecycle))

    @property
    def status(self) -> StatusName:
        """Status in the vendor's spelling."""
        return status_name(self.raw.status)

    @property
    def final(self) -> bool:
        """Whether it is over."""
        return self.raw.HasField("end_time")

    @property
    def revision(self) -> int:
        """Revision of its last status change; the `expected_revision` of a verb."""
        return self.raw.revision

    @property
    def queue(self) -> str:
        """Queue it waits in or came from."""
        return self.raw.queue

    @property
    def priority(self) -> int:
        """Priority, 1 to 100, larger is sooner."""
        return self.raw.priority

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels given at submission and by the definition."""
        return self.raw.labels

    @property
    def parameters(self) -> Any:
        """Inputs; None in lists, which leave them out."""
        return json_text.decode(self.raw.parameters_json)

    @property
    def result(self) -> Any:
        """Outputs; None if there are none, and in lists."""
        return json_text.decode(self.raw.result_json)

    @property
    def return_code(self) -> int:
        """Return code reported at the end (Redwood)."""
        return self.raw.return_code

    @property
    def robot(self) -> str:
        """Robot that has it or had it last; "" before its first offer."""
        return self.raw.robot

    @property
    def fault(self) -> job_pb2.Fault | None:
        """Why it ended badly: code, title and detail; None if it did not."""
        return self.raw.fault if self.raw.HasField("fault") else None

    @property
    def media(self) -> Sequence[job_pb2.Medium]:
        """Its recordings."""
        return self.raw.media

    @property
    def run_time(self) -> timedelta | None:
        """How long it has run, without its post-running action; None before it runs (Redwood)."""
        return self.raw.run_time.ToTimedelta() if self.raw.HasField("run_time") else None

    @property
    def parent(self) -> int:
        """The job that it belongs to: a step's chain, a call's step; 0 for none (Redwood)."""
        return self.raw.parent

    @property
    def top(self) -> int:
        """The job at the top of its family; 0 if that is itself (Redwood)."""
        return self.raw.top

    @property
    def step(self) -> str:
        """The step of a chain that it is, or that its call belongs to."""
        return self.raw.step

    @property
    def call(self) -> str:
        """The call of a chain that it is."""
        return self.raw.call

    @property
    def iteration(self) -> int:
        """Which run of its step it belongs to, from 1; 0 outside a chain."""
        return self.raw.iteration

    @property
    def info(self) -> str:
        """A sentence about the latest status."""
        return self.raw.info

    @property
    def reference(self) -> str:
        """Free text given at submission."""
        return self.raw.reference

    @property
    def messages(self) -> Sequence[OperatorMessage]:
        """Its latest operator messages, oldest first."""
        return self.raw.messages

    @property
    def create_time(self) -> datetime | None:
        """When it was created."""
        return instant_of(self.raw, "create_time")

    @property
    def start_time(self) -> datetime | None:
        """When it may start at the earliest."""
        return instant_of(self.raw, "start_time")

    @property
    def run_start_time(self) -> datetime | None:
        """When a robot first started it; None before."""
        return instant_of(self.raw, "run_start_time")

    @property
    def change_time(self) -> datetime | None:
        """When its status changed last."""
        return instant_of(self.raw, "change_time")

    @property
    def end_time(self) -> datetime | None:
        """When it ended; None before."""
        return instant_of(self.raw, "end_time")

    def __str__(self) -> str:
        return f"job {self.id} ({self.definition}) {self.status}"


@dataclass(frozen=True, slots=True)
class JobHandle:
    """A job that was just created. `raw` is its outcome in the answer."""

    id: int
    status: StatusName
    revision: int
    raw: job_outcome_pb2.JobOutcome


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job that a verb named. `refusal` is set if nothing was changed."""

    job: int
    status: StatusName
    revision: int
    #: Whether it was already as asked.
    unchanged: bool
    refusal: InterlockError | None
    raw: job_outcome_pb2.JobOutcome


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One status change of a job, from its history."""

    raw: job_pb2.HistoryEntry

    @property
    def revision(self) -> int:
        """Revision of the change."""
        return self.raw.revision

    @property
    def time(self) -> datetime | None:
        """When."""
        return instant_of(self.raw, "time")

    @property
    def from_status(self) -> StatusName:
        """Status before; "" for the creation."""
        return status_name(getattr(self.raw, "from"))

    @property
    def to_status(self) -> StatusName:
        """Status after."""
        return status_name(self.raw.to)

    @property
    def trigger(self) -> str:
        """What caused it, such as "hold"."""
        return self.raw.trigger

    @property
    def transition(self) -> str:
        """Row of the lifecycle table, such as "TR-030"."""
        return self.raw.transition

    @property
    def actor(self) -> str:
        """Kind of author, such as "user"."""
        return actor_name(self.raw.actor)

    @property
    def author(self) -> str:
        """Who: a user, a robot, or a part of the server."""
        return self.raw.author

    @property
    def reason(self) -> str:
        """Reason given; "" for none."""
        return self.raw.reason

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}".lstrip()


def outcome_of(raw: job_outcome_pb2.JobOutcome) -> Outcome:
    """Return the outcome of a verb for one job."""
    refusal = refused(raw.refusal, raw) if raw.HasField("refusal") else None
    status = status_name(raw.status)
    return Outcome(raw.job, status, raw.revision, raw.unchanged, refusal, raw)


def handle_of(raw: job_outcome_pb2.JobOutcome) -> JobHandle | InterlockError:
    """Return the job that was created, or why none was."""
    if raw.HasField("refusal"):
        return refused(raw.refusal, raw)
    return JobHandle(raw.job, status_name(raw.status), raw.revision, raw)
