"""One run of a definition, with everything that is known of it while it is live."""

from __future__ import annotations

from operator import attrgetter
from typing import Final, TypeVar, cast

import msgspec

from interlock_server.core.change import Cause
from interlock_server.core.model.chain import Chain
from interlock_server.core.model.job_part import (
    Course,
    Fault,
    Kinship,
    Limits,
    Lineage,
    Needs,
    Part,
    ResumeCondition,
    ResumeKind,
    Role,
    Stop,
    StopStrategy,
    Suspension,
    Timing,
    Trouble,
)
from interlock_server.core.model.lock import HeldLock
from interlock_server.core.model.operator_message import OperatorMessage

__all__ = [
    "NEVER_MS",
    "PARTS",
    "Fault",
    "HistoryEntry",
    "Job",
    "ResumeCondition",
    "ResumeKind",
    "Role",
    "StopStrategy",
]

T = TypeVar("T")

#: Redwood's start time of a job in Never: 2999-12-31T00:00:00Z (domain.md C5).
NEVER_MS: Final = 32_503_593_600_000

#: The parts by the fields of Job that they stand in, saying nothing.
PARTS: Final[dict[str, Part]] = {
    "kinship": Kinship(),
    "course": Course(),
    "lineage": Lineage(),
    "timing": Timing(),
    "needs": Needs(),
    "limits": Limits(),
    "suspension": Suspension(),
    "stop": Stop(),
    "trouble": Trouble(),
}


class HistoryEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One status change of a job: its revision, its row of the table, and who, when and why."""

    revision: int
    row: int
    cause: Cause


_ENCODER: Final = msgspec.msgpack.Encoder()
_ENTRIES: Final = msgspec.msgpack.Decoder(list[HistoryEntry])


def packed(entries: list[HistoryEntry] | bytes) -> bytes:
    """A history that takes a third of the memory, and no time when its job is read from disk."""
    return entries if isinstance(entries, bytes) else _ENCODER.encode(entries)


def unpacked(entries: list[HistoryEntry] | bytes) -> list[HistoryEntry]:
    """A history that can be read, and added to."""
    return _ENTRIES.decode(entries) if isinstance(entries, bytes) else entries


_NO_CHAIN: Final[Chain | None] = None
_NO_FAULT: Final[Fault | None] = None
_NO_NAMES: Final[tuple[str, ...]] = ()
_NO_NUMBERS: Final[tuple[int, ...]] = ()
_NO_LOCKS: Final[tuple[HeldLock, ...]] = ()
_NO_CONDITIONS: Final[tuple[ResumeCondition, ...]] = ()


def _in(part: str, field: str, default: T) -> T:
    """A field of a part, which is read and written as if it were one of the job.

    To ask whether there is the part at all costs a sixth of reading a field through it.
    """
    of, get, empty = attrgetter(part), attrgetter(field), PARTS[part]

    def read(job: Job) -> T:
        found = of(job)
        return default if found is None else cast("T", get(found))

    def write(job: Job, value: T) -> None:
        changed = msgspec.structs.replace(of(job) or empty, **{field: value})
        setattr(job, part, None if changed == empty else changed)

    return cast("T", property(read, write))


class Job(msgspec.Struct, array_like=True, gc=False, tag="2"):
    """A live job. Times are milliseconds since 1970 UTC, 0 where there is none.

    A million of them have to fit into memory: what most do not have stands in parts.
    """

    id: int
    lifecycle: int
    definition: str
    definition_version: int
    queue: str
    priority: int
    created_ms: int
    #: Earliest start; NEVER_MS while Never.
    start_ms: int
    #: Start of the top-level parent, the second key of the dispatch order (domain.md B1).
    top_start_ms: int
    status: int = 0
    #: Revision and time of the last status change.
    revision: int = 0
    changed_ms: int = 0
    parameters: str = "{}"
    labels: dict[str, str] = {}
    reference: str = ""
    submitted_by: str = ""
    #: Only this robot may take it; empty for any.
    requested_robot: str = ""
    #: The only server that may run it; "" for any.
    server: str = ""
    #: The robot that has it or had it last, and the process server of that; "" for none.
    robot: str = ""
    process_server: str = ""
    #: The robot has it now and gives it a slot.
    attached: bool = False
    #: A person started it at the robot.
    attended: bool = False
    #: Number of the current attempt; a report with another one is refused.
    fence: int = 0
    run_start_ms: int = 0
    #: First entry into PreRunning or Running, and the leaving for its end (C4.10).
    run_from_ms: int = 0
    run_to_ms: int = 0
    ended_ms: int = 0
    result: str = ""
    return_code: int = 0
    info: str = ""
    messages: tuple[OperatorMessage, ...] = ()
    #: Parts of the history that were written to disk because it is very long.
    spilled_parts: int = 0
    #: Its status changes, oldest first, without those that were spilled; packed while it rests.
    entries: list[HistoryEntry] | bytes = []
    kinship: Kinship | None = None
    course: Course | None = None
    lineage: Lineage | None = None
    timing: Timing | None = None
    needs: Needs | None = None
    limits: Limits | None = None
    suspension: Suspension | None = None
    stop: Stop | None = None
    trouble: Trouble | None = None

    # Fields of the parts.
    parent = _in("kinship", "parent", 0)
    top = _in("kinship", "top", 0)
    role = _in("kinship", "role", Role.PLAIN)
    step = _in("kinship", "step", "")
    call = _in("kinship", "call", "")
    iteration = _in("kinship", "iteration", 0)
    place = _in("kinship", "place", 0)
    hold_when_due = _in("kinship", "hold_when_due", default=False)
    chain = _in("course", "chain", _NO_CHAIN)
    at_step = _in("course", "at_step", -1)
    disabled = _in("course", "disabled", cast("tuple[tuple[str, ...], ...]", ()))
    restarted_from = _in("lineage", "restarted_from", 0)
    starts = _in("lineage", "starts", 0)
    executions = _in("lineage", "executions", _NO_NUMBERS)
    schedule = _in("lineage", "schedule", "")
    window = _in("timing", "window", "")
    window_asked = _in("timing", "window_asked", default=False)
    window_closes_ms = _in("timing", "window_closes_ms", 0)
    requested_ms = _in("timing", "requested_ms", 0)
    delay_until_ms = _in("timing", "delay_until_ms", 0)
    delay_reason = _in("timing", "delay_reason", "")
    events_seen = _in("needs", "events_seen", _NO_NAMES)
    events_missing = _in("needs", "events_missing", _NO_NAMES)
    events_again_ms = _in("needs", "events_again_ms", 0)
    awaits_lock = _in("needs", "awaits_lock", "")
    locks = _in("needs", "locks", _NO_LOCKS)
    limit_at_ms = _in("limits", "limit_at_ms", 0)
    limits_missed = _in("limits", "limits_missed", _NO_NUMBERS)
    limits_ms = _in("limits", "limits_ms", _NO_NUMBERS)
    conditions = _in("suspension", "conditions", _NO_CONDITIONS)
    resume_any = _in("suspension", "resume_any", default=False)
    resume_version = _in("suspension", "resume_version", 0)
    resume_on_same_robot = _in("suspension", "resume_on_same_robot", default=False)
    resume_ms = _in("suspension", "resume_ms", 0)
    saved = _in("suspension", "saved", "")
    stop_strategy = _in("stop", "stop_strategy", StopStrategy.NONE)
    stop_at_ms = _in("stop", "stop_at_ms", 0)
    kill_at_ms = _in("stop", "kill_at_ms", 0)
    kill_after_ms = _in("stop", "kill_after_ms", 0)
    terminating_since_ms = _in("stop", "terminating_since_ms", 0)
    kill_by = _in("stop", "kill_by", "")
    fault = _in("trouble", "fault", _NO_FAULT)
    uncertain_until_ms = _in("trouble", "uncertain_until_ms", 0)
    attempt_lost = _in("trouble", "attempt_lost", default=False)
    code_ended = _in("trouble", "code_ended", default=False)
    pending_status = _in("trouble", "pending_status", 0)
    provisional = _in("trouble", "provisional", 0)

    @property
    def history(self) -> list[HistoryEntry]:
        """Its status changes to read, oldest first, without those that were spilled."""
        return unpacked(self.entries)

    @property
    def original(self) -> int:
        """The run of the same work that this one came after; 0 for none."""
        lineage = self.lineage
        if lineage is None:
            return 0
        return lineage.executions[-1] if lineage.executions else lineage.restarted_from

    @property
    def open_message(self) -> OperatorMessage | None:
        """The newest message that needs a reply."""
        return next((message for message in reversed(self.messages) if message.is_open), None)
