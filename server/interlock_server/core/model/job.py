"""One run of a definition, with everything that is known of it while it is live."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from interlock_server.core.change import Cause
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

    @property
    def open_message(self) -> OperatorMessage | None:
        """The newest message that needs a reply."""
        return next((message for message in reversed(self.messages) if message.is_open), None)
