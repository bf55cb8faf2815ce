"""The record of a job as the first release wrote it: one flat array, in which nothing may move.

What is written since then begins with the number of its layout, as a text.
"""

from __future__ import annotations

from typing import Final

import msgspec

from interlock_server.core.model.job import (
    Fault,
    HistoryEntry,
    Job,
    ResumeCondition,
    StopStrategy,
)
from interlock_server.core.model.operator_message import OperatorMessage


class FirstLayout(msgspec.Struct, array_like=True, gc=False):
    """What the fields mean is said where they are now: in Job and its parts."""

    id: int
    lifecycle: int
    definition: str
    definition_version: int
    queue: str
    priority: int
    created_ms: int
    start_ms: int
    top_start_ms: int
    status: int = 0
    revision: int = 0
    changed_ms: int = 0
    parameters: str = "{}"
    labels: dict[str, str] = {}
    reference: str = ""
    submitted_by: str = ""
    requested_robot: str = ""
    robot: str = ""
    attached: bool = False
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
    attempt_lost: bool = False
    code_ended: bool = False
    spilled_parts: int = 0
    entries: list[HistoryEntry] = []
    kill_by: str = ""


_REQUIRED: Final = FirstLayout.__struct_fields__[: -len(FirstLayout.__struct_defaults__)]
_LATER: Final = FirstLayout.__struct_fields__[len(_REQUIRED) :]


def is_encoded(payload: bytes) -> bool:
    """Whether these are the bytes of such a record: they do not begin with a layout."""
    return payload[:1] != b"\xdc" or payload[3:4] != b"\xa1"


def job_of(record: FirstLayout) -> Job:
    """The job that such a record says."""
    job = Job(*(getattr(record, name) for name in _REQUIRED))
    for name in _LATER:
        setattr(job, name, getattr(record, name))
    return job
