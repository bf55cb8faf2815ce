"""Parts of a job's record that most jobs do not have.

A part says nothing by default; a job without it has None in its place. Copies of a record share its
parts, so a part is never changed: another one takes its place.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

import msgspec

from interlock_server.core.model.chain import Chain
from interlock_server.core.model.lock import HeldLock


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


class Part(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What all parts are; each has a default for everything, and gets new fields at its end."""


P = TypeVar("P", bound=Part)


def said(part: P) -> P | None:
    """A part, unless it says nothing."""
    return None if part == type(part)() else part


class Kinship(Part, frozen=True):
    """Whose child, step or call it is."""

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
    #: Its place among the steps of its chain, or among the calls of its step, from 0.
    place: int = 0
    #: Becomes Held when its step starts (RA-25).
    hold_when_due: bool = False


class Course(Part, frozen=True):
    """What a chain does, and how far it is."""

    #: The definition as it was when the chain started.
    chain: Chain | None = None
    #: The place of the step that it is at, or ended at; -1 before the first.
    at_step: int = -1
    #: Chain that no other one calls: calls below it that users switched off, each by the names of
    #: the steps and calls that lead to it. They stay off when it is restarted (RA-7).
    disabled: tuple[tuple[str, ...], ...] = ()


class Lineage(Part, frozen=True):
    """Which earlier run or schedule it comes from."""

    restarted_from: int = 0
    #: Automatic restarts that led to it.
    starts: int = 0
    #: Earlier runs of the same work, oldest first.
    executions: tuple[int, ...] = ()
    #: The recurrence that submitted it.
    schedule: str = ""


class Timing(Part, frozen=True):
    """What restricts its start, beside the earliest one."""

    #: The time window; "" for none.
    window: str = ""
    #: Its window was asked for when it was submitted, and does not follow its definition.
    window_asked: bool = False
    #: When the opening that its start lies in closes; 0 for never.
    window_closes_ms: int = 0
    #: The start that was asked for, if its window or its servers made it another one; 0 for
    #: `start_ms`.
    requested_ms: int = 0
    delay_until_ms: int = 0
    #: Why it is Delayed: "parent" or "restart" (RA-8).
    delay_reason: str = ""


class Needs(Part, frozen=True):
    """The named events and locks that it has and waits for."""

    #: Named events that it has waited for; each is waited for once (domain.md B3.4).
    events_seen: tuple[str, ...] = ()
    #: Named events that it still waits for; empty in every status but EventWait.
    events_missing: tuple[str, ...] = ()
    #: EventWait: when its windows or conditions are looked at again.
    events_again_ms: int = 0
    #: The lock in whose line it stands; "" in every status but LockWait.
    awaits_lock: str = ""
    #: What it has of its locks; empty in every status that holds none.
    locks: tuple[HeldLock, ...] = ()


class Limits(Part, frozen=True):
    """Its runtime limits."""

    #: When the next one is missed.
    limit_at_ms: int = 0
    #: Those of its definition that were missed, by index.
    limits_missed: tuple[int, ...] = ()
    #: Length of each one of its definition, found when it began to run; 0 for none.
    limits_ms: tuple[int, ...] = ()


class Suspension(Part, frozen=True):
    """What a UiPath job that suspended itself waits for, and what it said before."""

    conditions: tuple[ResumeCondition, ...] = ()
    resume_any: bool = False
    resume_version: int = 0
    resume_on_same_robot: bool = False
    resume_ms: int = 0
    saved: str = ""


class Stop(Part, frozen=True):
    """The end that somebody ordered."""

    stop_strategy: StopStrategy = StopStrategy.NONE
    stop_at_ms: int = 0
    kill_at_ms: int = 0
    #: Length of the kill counter that starts when the stop is issued (domain.md UA-11).
    kill_after_ms: int = 0
    terminating_since_ms: int = 0
    #: Who ordered a kill that its robot has not confirmed (Redwood).
    kill_by: str = ""


class Trouble(Part, frozen=True):
    """What does not go straight from its start to its end."""

    fault: Fault | None = None
    uncertain_until_ms: int = 0
    #: The executor of a Running UiPath job is gone and it waits to be executed again (policy
    #: rerun).
    attempt_lost: bool = False
    #: The code has ended; an external caller has to name the result (completion strategy external).
    code_ended: bool = False
    #: The status before PreRunning's, which pre-running actions are told (RA-13).
    pending_status: int = 0
    #: The final status that it will have unless an action or an operator says otherwise.
    provisional: int = 0
