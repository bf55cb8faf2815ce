"""A recurring submission: a submit frame, or a time trigger (domain.md B10, A8)."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from interlock_server.core.model.recurrence import Recurrence


class ScheduleStatus(IntEnum):
    """Where a recurrence stands; a code space of its own beside the one of jobs (B10)."""

    #: A.
    ACTIVE = 1
    #: H.
    HELD = 2
    #: C: it has submitted as often as it may.
    FINISHED_JOB_COUNT = 3
    #: D: its end date has come.
    FINISHED_END_DATE = 4
    #: M: a person, or a restart behavior, ended it.
    FINISHED_MANUALLY = 5
    #: S: its recurrence has no further instant.
    FINISHED_SUBMIT_FRAME = 6


class Firing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What became of one instant of a recurrence."""

    at_ms: int
    #: "fired", "skipped", "failed" or "disabled".
    what: str
    jobs: tuple[int, ...] = ()
    reason: str = ""


class Schedule(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a schedule."""

    name: str
    definition: str
    recurrence: Recurrence
    description: str = ""
    parameters: str = "{}"
    queue: str = ""
    priority: int = 0
    robot: str = ""
    labels: dict[str, str] = {}
    #: Jobs of one firing (UiPath: dynamic allocation of so many).
    count: int = 1
    #: UiPath: a scheduled ending, counted from the firing.
    stop_after_ms: int = 0
    kill_after_ms: int = 0
    #: Firings in all; 0 for no limit.
    firings_max: int = 0
    #: Jobs that wait ahead of their time, 1 to 5,000 (Redwood).
    presubmit: int = 1
    #: Held after so many consecutive failures of its jobs within the grace period; 0 for never.
    failures_max: int = 0
    failures_grace_ms: int = 0

    status: ScheduleStatus = ScheduleStatus.ACTIVE
    status_by: str = ""
    #: The next instant at which it submits, 0 for none.
    next_ms: int = 0
    firings: int = 0
    #: Consecutive failures, and since when.
    failures: int = 0
    failing_since_ms: int = 0
    #: The newest firings, oldest first.
    recent: tuple[Firing, ...] = ()
    version: int = 0
    updated_ms: int = 0
    #: The newest instant that it has submitted for.
    last_ms: int = 0
    #: It is held because all of its jobs that wait were.
    held_with_jobs: bool = False
