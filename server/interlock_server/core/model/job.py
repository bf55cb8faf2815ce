"""One run of a definition, with everything that is known of it while it is live."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from interlock_server.core.change import Cause
from interlock_server.core.model.chain import Chain
from interlock_server.core.model.lock import HeldLock
from interlock_server.core.model.operator_message import OperatorMessage

#: Redwood's start time of a job in Never: 2999-12-31T00:00:00Z (domain.md C5).
NEVER_MS: Final = 32_503_593_600_000


class StopStrategy(IntEnum):
    """How the end of a UiPath job was asked for."""

    NONE = 0
    SOFT_STOP = 1
    KILL = 2


class ResumeKind(IntEnum):
    """What a suspended job waits for (domain.md A3)."""

    JOB = 1
    TIMER = 2
    PERSON = 3
    ITEM = 4


class ResumeCondition(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One thing a suspended job waits for: a job or item by `key`, or an instant."""

    kind: ResumeKind
    key: str = ""
    at_ms: int = 0
    fired: bool = False


class Role(IntEnum):
    """What a job is in a chain (domain.md B9)."""

    #: It belongs to none; the chain itself is such a job, unless it is a call of another one.
    PLAIN = 0
    STEP = 1
    CALL = 2


class Fault(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Why a job ended badly: stable code, one line, everything known."""

    code: str
    title: str = ""
    detail: str = ""


class HistoryEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One status change of a job: its revision, its row of the table, and who, when and why."""

    revision: int
    row: int
    cause: Cause


class Job(msgspec.Struct, array_like=True, gc=False):
    """A live job. Times are milliseconds since 1970 UTC, 0 where there is none."""

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
    #: The robot that has it or had it last.
    robot: str = ""
    #: The robot has it now and gives it a slot.
    attached: bool = False
    #: Number of the current attempt; a report with another one is refused.
    fence: int = 0
    run_start_ms: int = 0
    resume_ms: int = 0
    ended_ms: int = 0
    result: str = ""
    return_code: int = 0
    fault: Fault | None = None
    info: str = ""
    restarted_from: int = 0
    stop_strategy: StopStrategy = StopStrategy.NONE
    stop_at_ms: int = 0
    kill_at_ms: int = 0
    #: Length of the kill counter that starts when the stop is issued (domain.md UA-11).
    kill_after_ms: int = 0
    terminating_since_ms: int = 0
    conditions: tuple[ResumeCondition, ...] = ()
    resume_any: bool = False
    resume_version: int = 0
    resume_on_same_robot: bool = False
    saved: str = ""
    uncertain_until_ms: int = 0
    messages: tuple[OperatorMessage, ...] = ()
    attended: bool = False
    #: The executor of a Running UiPath job is gone and it waits to be executed again (policy
    #: rerun).
    attempt_lost: bool = False
    #: The code has ended; an external caller has to name the result (completion strategy external).
    code_ended: bool = False
    #: Parts of the history that were written to disk because it is very long.
    spilled_parts: int = 0
    history: list[HistoryEntry] = []
    #: Who ordered a kill that its robot has not confirmed (Redwood).
    kill_by: str = ""
    #: Restricts its start; "" for none.
    window: str = ""
    #: When the opening that its start lies in closes; 0 for never.
    window_closes_ms: int = 0
    #: Named events that it has waited for; each is waited for once (domain.md B3.4).
    events_seen: tuple[str, ...] = ()
    #: Named events that it still waits for; empty in every status but EventWait.
    events_missing: tuple[str, ...] = ()
    #: The lock in whose line it stands; "" in every status but LockWait.
    awaits_lock: str = ""
    #: What it has of its locks; empty in every status that holds none.
    locks: tuple[HeldLock, ...] = ()
    #: The only server that may run it; "" for any.
    server: str = ""
    #: The job that submitted it, or whose step or call it is; 0 for none.
    parent: int = 0
    #: The job at the top of its family; 0 if that is itself.
    top: int = 0
    #: The role that it has in its chain.
    role: Role = Role.PLAIN
    #: Its step, or the step that its call belongs to, and its call.
    step: str = ""
    call: str = ""
    #: Run of its step within the chain, from 1.
    iteration: int = 0
    #: Chain: the definition as it was when the chain started.
    chain: Chain | None = None
    #: Becomes Held when its step starts (RA-25).
    hold_when_due: bool = False
    delay_until_ms: int = 0
    #: Why it is Delayed: "parent" or "restart" (RA-8).
    delay_reason: str = ""
    #: The final status that it will have unless an action or an operator says otherwise.
    provisional: int = 0
    #: Automatic restarts that led to it.
    starts: int = 0
    #: Earlier runs of the same work, oldest first.
    executions: tuple[int, ...] = ()
    #: The recurrence that submitted it.
    schedule: str = ""
    #: When its next runtime limit is missed.
    limit_at_ms: int = 0
    #: Runtime limits of its definition that were missed, by index.
    limits_missed: tuple[int, ...] = ()
    #: First entry into PreRunning or Running, and the leaving for its end (C4.10).
    run_from_ms: int = 0
    run_to_ms: int = 0
    #: The status before PreRunning's, which pre-running actions are told (RA-13).
    pending_status: int = 0
    #: Its place among the steps of its chain, or among the calls of its step, from 0.
    place: int = 0
    #: Chain: the place of the step that it is at, or ended at; -1 before the first.
    at_step: int = -1
    #: Chain that no other one calls: calls below it that users switched off, each by the names of
    #: the steps and calls that lead to it. They stay off when it is restarted (RA-7).
    disabled: tuple[tuple[str, ...], ...] = ()
    #: The process server whose robot has it or had it last; "" for none.
    process_server: str = ""
    #: Length of each runtime limit of its definition, found when it began to run; 0 for none.
    limits_ms: tuple[int, ...] = ()

    #: EventWait: when its windows or conditions are looked at again.
    events_again_ms: int = 0
    #: The start that was asked for, if its window or its servers made it another one; 0 for
    #: `start_ms`.
    requested_ms: int = 0
    #: Its window was asked for when it was submitted, and does not follow its definition.
    window_asked: bool = False

    @property
    def original(self) -> int:
        """The run of the same work that this one came after; 0 for none."""
        return self.executions[-1] if self.executions else self.restarted_from

    @property
    def open_message(self) -> OperatorMessage | None:
        """The newest message that needs a reply."""
        return next((message for message in reversed(self.messages) if message.is_open), None)
