"""What a job runs, and how: a UiPath process or a Redwood process definition."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from interlock_server.core.model.chain import Chain
from interlock_server.core.model.lock import LockNeed


class LossPolicy(IntEnum):
    """What happens to a running UiPath job whose robot is lost (domain.md UA-6)."""

    #: Stays Running until the robot is back; back without the job makes it Faulted.
    WAIT = 1
    #: Faulted when the time to live is over.
    FAULT = 2
    #: Executed again, in the same job, with a new fence.
    RERUN = 3


class Completion(IntEnum):
    """Who ends a Redwood job (domain.md B8)."""

    #: The robot's end report.
    DEFAULT = 1
    #: A caller of CompleteJobs, after the code has ended.
    EXTERNAL = 2
    #: The robot's end report, once all jobs that it submitted as children are final.
    EXTERNAL_WAIT_FOR_CHILDREN = 3


class OverduePolicy(IntEnum):
    """What happens to a job that did not run in its first time window (domain.md B7)."""

    #: It gets the next opening as its start.
    SCHEDULED = 1
    #: Overdue: a person has to act.
    OVERDUE = 2
    #: It is canceled.
    CANCELING = 3
    #: It is put on hold.
    HELD = 4


class AutoSubmit(IntEnum):
    """Whether a raise of a wait event submits the definition (domain.md B6, RA-18)."""

    NEVER = 1
    ALWAYS = 2
    #: Only if no job of the definition is live.
    ONLY_ONE = 3


class WaitEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A named event that a job waits for before it is queued."""

    event: str
    #: The job that takes the raise clears it, so that others need a new one.
    clears: bool = False
    #: The wait applies only while this window is open, or closed; "" always.
    window: str = ""
    while_closed: bool = False
    #: The wait applies only if this expression is true; "" always.
    condition: str = ""


class EventRaise(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A named event that jobs of the definition raise or clear by reaching a status."""

    event: str
    clears: bool = False
    #: Numbers of statuses; reaching one of them does it.
    statuses: tuple[int, ...] = ()
    #: Only with one of these return codes, as in a return code map; "" for any.
    return_codes: str = ""
    comment: str = ""


class RuleEffect(IntEnum):
    """What a rule of an action does with its job (domain.md B8)."""

    #: Held.
    HOLD = 1
    #: Canceled (before it runs).
    CANCEL = 2
    #: Error.
    FAIL = 3
    #: Gets another start, `delay_ms` from now.
    RESCHEDULE = 4
    #: Goes to another queue.
    MOVE = 5
    #: Completed (after it ran).
    COMPLETE = 6
    #: Raises a named event; the job goes on.
    RAISE_EVENT = 7


class Rule(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One rule of an action: its effect, if the expression is true. The first such rule counts."""

    when: str
    effect: RuleEffect
    #: RESCHEDULE.
    delay_ms: int = 0
    #: MOVE: the queue. RAISE_EVENT: the event.
    target: str = ""
    reason: str = ""


class LimitKind(IntEnum):
    """Which way a run time misses a limit."""

    MINIMUM = 1
    MAXIMUM = 2


class LimitBasis(IntEnum):
    """How a limit is found when the job starts (R29)."""

    #: `duration_ms`.
    FIXED = 1
    #: The estimate and `duration_ms`.
    ESTIMATE_OFFSET = 2
    #: The estimate times `percent` / 100.
    ESTIMATE_PERCENT = 3
    #: Seconds, by an expression.
    EXPRESSION = 4


class LimitEffect(IntEnum):
    """What missing a maximum does to the job, beside raising an event (RA-17)."""

    NONE = 1
    KILL = 2
    ERROR = 3


class RuntimeLimit(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A limit on how long a job runs."""

    kind: LimitKind
    basis: LimitBasis = LimitBasis.FIXED
    duration_ms: int = 0
    percent: int = 0
    expression: str = ""
    #: Raised when it is missed; "" for none.
    event: str = ""
    effect: LimitEffect = LimitEffect.NONE


class RestartAction(IntEnum):
    """What follows a final status (domain.md B10)."""

    #: Its recurrence goes on.
    CONTINUE = 1
    #: Its recurrence ends.
    STOP = 2
    #: An operator decides.
    REQUEST_RESTART = 3
    #: A new job; its recurrence goes on.
    RESTART = 4
    #: A new job from the step that failed.
    RESTART_FROM_ERROR = 5
    #: A new job that belongs to no recurrence.
    RESTART_NO_RESUBMIT = 6


class RestartBehavior(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What follows one final status."""

    #: Number of a final status: Completed, Error, Killed, Canceled or Unknown.
    status: int
    action: RestartAction
    delay_ms: int = 0
    #: An operator message is left in any case.
    message: bool = False


class Recording(IntEnum):
    """Which unattended jobs are recorded (domain.md A11)."""

    OFF = 1
    FAILED = 2
    ALL = 3


class Keep(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How long final jobs stay in the archive (domain.md B13); fields that are 0 do not limit."""

    #: The newest so many of the definition.
    count: int = 0
    #: Those that ended less than so long ago.
    age_ms: int = 0
    #: Only jobs of these statuses are ever deleted; empty for all.
    statuses: tuple[int, ...] = ()
    #: Calls of a chain follow this rule, and not their chain.
    force: bool = False


#: Automatic restarts of one job unless its definition says otherwise (domain.md C5).
STARTS_MAX: Final = 100


class Parameter(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One input: a JSON type (empty for any), whether it is needed, and a default as JSON text."""

    name: str
    type: str = ""
    required: bool = False
    default_json: str = ""


class Definition(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a definition; a change makes a new record with the next version."""

    name: str
    lifecycle: int
    description: str = ""
    queue: str = "default"
    priority: int = 50
    parameters: tuple[Parameter, ...] = ()
    foreground: bool = False
    on_robot_loss: LossPolicy = LossPolicy.WAIT
    return_code_map: str = ""
    completion: Completion = Completion.DEFAULT
    hold_on_submit: bool = False
    #: 0 means the server's setting.
    uncertain_timeout_ms: int = 0
    message_on_failure: bool = False
    labels: dict[str, str] = {}
    version: int = 0
    updated_ms: int = 0
    #: Restrict to this time window; "" for none.
    window: str = ""
    #: How much of an opening has to be left for a start in it.
    min_open_ms: int = 0
    overdue: OverduePolicy = OverduePolicy.SCHEDULED
    #: Raised when a job is overdue, whatever the policy; "" for none.
    overdue_event: str = ""
    #: Of its windows that have none; "" means UTC.
    time_zone: str = ""
    wait_events: tuple[WaitEvent, ...] = ()
    auto_submit: AutoSubmit = AutoSubmit.NEVER
    event_raises: tuple[EventRaise, ...] = ()
    locks: tuple[LockNeed, ...] = ()
    #: What a server has to offer.
    resources: tuple[str, ...] = ()
    #: The only server that may run it; "" for any.
    server: str = ""
    #: On hold if this expression is true when it is submitted.
    hold_when: str = ""
    on_change: tuple[Rule, ...] = ()
    pre_running: tuple[Rule, ...] = ()
    post_running: tuple[Rule, ...] = ()
    #: The robot has code of its own for the action.
    pre_running_code: bool = False
    post_running_code: bool = False
    runtime_limits: tuple[RuntimeLimit, ...] = ()
    restart_behaviors: tuple[RestartBehavior, ...] = ()
    #: Automatic restarts, the first run not counted (RA-19).
    starts_max: int = STARTS_MAX
    recording: Recording = Recording.OFF
    keep: Keep | None = None
    chain: Chain | None = None

    @property
    def acts_before(self) -> bool:
        """Whether its jobs have a pre-running action."""
        return bool(self.pre_running) or self.pre_running_code

    @property
    def acts_after(self) -> bool:
        """Whether its jobs have a post-running action."""
        return bool(self.post_running) or self.post_running_code

    @property
    def is_special(self) -> bool:
        """Whether its jobs begin or end with more than a change of status."""
        return (
            self.acts_before
            or self.acts_after
            or bool(self.restart_behaviors)
            or bool(self.runtime_limits)
        )
