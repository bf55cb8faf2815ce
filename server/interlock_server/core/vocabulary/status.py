"""The 9 UiPath and 31 Redwood statuses, with the spelling, code and state of each (domain.md B2).

A status number is the number of the wire enum and is stored on disk: never reused, never changed.
Hot paths read the flat tuples, which are indexed by that number; others read the properties.
Entries 0 (no status yet) and 10 (unassigned) of the tuples belong to no status.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Lifecycle(IntEnum):
    """Which of the two tables a status, and so a job, belongs to."""

    #: UiPath Orchestrator jobs.
    UIPATH = 1
    #: Redwood RunMyJobs processes.
    REDWOOD = 2

    @property
    def text(self) -> str:
        """The name used in requests, files and commands: `uipath` or `redwood`."""
        return self.name.lower()


class State(IntEnum):
    """The coarse value every status has; its number is its rank, which does not fall (RA-2).

    The wire enum, where 0 must mean unspecified, is one higher.
    """

    #: Created, not yet admitted to waiting for a start.
    INITIAL = 0
    #: Waits for its start: a time, a queue, an event, a lock, a robot.
    PRE_RUNNING = 1
    #: Executing, or its outcome is still open.
    RUNNING = 2
    #: Ended; the status never changes again.
    FINAL = 3

    @property
    def title(self) -> str:
        """The name shown to people: Initial, Pre-running, Running or Final."""
        return self.name.capitalize().replace("_", "-")


class Status(IntEnum):
    """The fine-grained status of a job, of either lifecycle; the value is the wire enum number."""

    #: Created and not yet started by a robot.
    UIPATH_PENDING = 1
    #: A robot executes it.
    UIPATH_RUNNING = 2
    #: Asked to end at its next safe point.
    UIPATH_STOPPING = 3
    #: Ordered to end at once; the robot has not confirmed yet.
    UIPATH_TERMINATING = 4
    #: Stored at a wait, with no robot attached.
    UIPATH_SUSPENDED = 5
    #: What it waited for has come; the next fragment waits for a robot.
    UIPATH_RESUMED = 6
    #: Ended without error.
    UIPATH_SUCCESSFUL = 7
    #: Ended by an error, or could not start.
    UIPATH_FAULTED = 8
    #: Ended early, without error, because somebody asked for it.
    UIPATH_STOPPED = 9

    #: Submitted and not yet validated.
    REDWOOD_NEW = 11
    #: A step or call of a submitted chain that waits for its turn.
    REDWOOD_CHAINED = 12
    #: Switched off by a user; rests here, also across restarts of its chain.
    REDWOOD_DISABLED = 13
    #: Its start waits for a parent to end or for a restart delay.
    REDWOOD_DELAYED = 14
    #: Waits for its start time.
    REDWOOD_SCHEDULED = 15
    #: Its queue is held by hand.
    REDWOOD_QUEUE_HELD = 16
    #: Held itself: by hand, on submit, or by a policy.
    REDWOOD_HELD = 17
    #: At least one named event it waits for is not raised.
    REDWOOD_EVENT_WAIT = 18
    #: A lock it needs is taken.
    REDWOOD_LOCK_WAIT = 19
    #: Due, but limits, servers or jobs ahead of it keep it back.
    REDWOOD_QUEUED = 20
    #: Offered to a robot that has not accepted yet.
    REDWOOD_DISPATCHED = 21
    #: Accepted by a robot and not started yet.
    REDWOOD_ASSIGNED = 22
    #: Its pre-running action executes; counts as run time.
    REDWOOD_PRE_RUNNING = 23
    #: A robot executes it.
    REDWOOD_RUNNING = 24
    #: Its post-running action executes and may still change the result.
    REDWOOD_POST_RUNNING = 25
    #: Waits for other jobs; where a running chain spends its time.
    REDWOOD_WAITING = 26
    #: A kill is under way.
    REDWOOD_KILLING = 27
    #: A cancel is under way.
    REDWOOD_CANCELING = 28
    #: Waits for the reply to an operator message.
    REDWOOD_CONSOLE = 29
    #: Its runner is gone without a result, which may still be found.
    REDWOOD_UNCERTAIN = 30
    #: Ended badly; an operator must say what happens with it.
    REDWOOD_CONSOLE_RESTART = 31
    #: Ended in success.
    REDWOOD_COMPLETED = 32
    #: Ended in failure.
    REDWOOD_ERROR = 33
    #: Ended by a kill while it ran.
    REDWOOD_KILLED = 34
    #: Ended before it ran.
    REDWOOD_CANCELED = 35
    #: Passed over by its chain: a false precondition, or before the step started at.
    REDWOOD_SKIPPED = 36
    #: Was already disabled when its chain was submitted.
    REDWOOD_IGNORED = 37
    #: Its result can no longer be learned.
    REDWOOD_UNKNOWN = 38
    #: A resubmit or restart could not be prepared; a person must look.
    REDWOOD_MODIFIED = 39
    #: Has no possible start within two years.
    REDWOOD_NEVER = 40
    #: Its first time window closed before it ran.
    REDWOOD_OVERDUE = 41

    @property
    def spelling(self) -> str:
        """The vendor's spelling: `QueueHeld`, `Canceled`."""
        return STATUS_NAME[self]

    @property
    def code(self) -> str:
        """The case-sensitive Redwood code; empty for New and for UiPath."""
        return STATUS_CODE[self]

    @property
    def state(self) -> State:
        """The state this status belongs to."""
        return STATUS_STATE[self]

    @property
    def lifecycle(self) -> Lifecycle:
        """The lifecycle this status belongs to."""
        return Lifecycle(STATUS_LIFECYCLE[self])

    @property
    def is_final(self) -> bool:
        """Whether a job in this status has ended."""
        return IS_FINAL[self]


#: Stands for "no status yet": the source of a transition that creates a job.
NONE_STATUS: Final = 0

#: Length of every tuple that is indexed by status number.
STATUS_NUMBERS: Final = max(Status) + 1

# Status, vendor spelling, code, state.
_UIPATH: Final = (
    (Status.UIPATH_PENDING, "Pending", "", State.PRE_RUNNING),
    (Status.UIPATH_RUNNING, "Running", "", State.RUNNING),
    (Status.UIPATH_STOPPING, "Stopping", "", State.RUNNING),
    (Status.UIPATH_TERMINATING, "Terminating", "", State.RUNNING),
    (Status.UIPATH_SUSPENDED, "Suspended", "", State.RUNNING),
    (Status.UIPATH_RESUMED, "Resumed", "", State.RUNNING),
    (Status.UIPATH_SUCCESSFUL, "Successful", "", State.FINAL),
    (Status.UIPATH_FAULTED, "Faulted", "", State.FINAL),
    (Status.UIPATH_STOPPED, "Stopped", "", State.FINAL),
)
_REDWOOD: Final = (
    (Status.REDWOOD_NEW, "New", "", State.INITIAL),  # the only one without a code (RA-21)
    (Status.REDWOOD_CHAINED, "Chained", "P", State.INITIAL),
    (Status.REDWOOD_DISABLED, "Disabled", "J", State.INITIAL),
    (Status.REDWOOD_DELAYED, "Delayed", "D", State.INITIAL),
    (Status.REDWOOD_SCHEDULED, "Scheduled", "S", State.PRE_RUNNING),
    (Status.REDWOOD_QUEUE_HELD, "QueueHeld", "B", State.PRE_RUNNING),
    (Status.REDWOOD_HELD, "Held", "H", State.PRE_RUNNING),
    (Status.REDWOOD_EVENT_WAIT, "EventWait", "V", State.PRE_RUNNING),
    (Status.REDWOOD_LOCK_WAIT, "LockWait", "I", State.PRE_RUNNING),
    (Status.REDWOOD_QUEUED, "Queued", "Q", State.PRE_RUNNING),
    (Status.REDWOOD_DISPATCHED, "Dispatched", "q", State.PRE_RUNNING),
    (Status.REDWOOD_ASSIGNED, "Assigned", "a", State.PRE_RUNNING),
    (Status.REDWOOD_PRE_RUNNING, "PreRunning", "6", State.RUNNING),
    (Status.REDWOOD_RUNNING, "Running", "R", State.RUNNING),
    (Status.REDWOOD_POST_RUNNING, "PostRunning", "8", State.RUNNING),
    (Status.REDWOOD_WAITING, "Waiting", "W", State.RUNNING),
    (Status.REDWOOD_KILLING, "Killing", "G", State.RUNNING),
    (Status.REDWOOD_CANCELING, "Canceling", "c", State.RUNNING),
    (Status.REDWOOD_CONSOLE, "Console", "O", State.RUNNING),
    (Status.REDWOOD_UNCERTAIN, "Uncertain", "u", State.RUNNING),
    (Status.REDWOOD_CONSOLE_RESTART, "ConsoleRestart", "o", State.RUNNING),
    (Status.REDWOOD_COMPLETED, "Completed", "C", State.FINAL),
    (Status.REDWOOD_ERROR, "Error", "E", State.FINAL),
    (Status.REDWOOD_KILLED, "Killed", "K", State.FINAL),
    (Status.REDWOOD_CANCELED, "Canceled", "A", State.FINAL),
    (Status.REDWOOD_SKIPPED, "Skipped", "T", State.FINAL),
    (Status.REDWOOD_IGNORED, "Ignored", "j", State.FINAL),
    (Status.REDWOOD_UNKNOWN, "Unknown", "U", State.FINAL),
    (Status.REDWOOD_MODIFIED, "Modified", "M", State.PRE_RUNNING),
    (Status.REDWOOD_NEVER, "Never", "N", State.PRE_RUNNING),
    (Status.REDWOOD_OVERDUE, "Overdue", "F", State.PRE_RUNNING),
)

#: The name that newer releases give a status (RA-24); understood, never printed.
STATUS_ALIASES: Final = {int(Status.REDWOOD_CHAINED): ("Workflowed",)}
_ALIASES: Final = {
    alias.lower(): Status(status) for status, aliases in STATUS_ALIASES.items() for alias in aliases
}

#: The statuses of each lifecycle, in the order of their numbers.
LIFECYCLE_STATUSES: Final[dict[Lifecycle, tuple[Status, ...]]] = {
    Lifecycle.UIPATH: tuple(status for status, *_ in _UIPATH),
    Lifecycle.REDWOOD: tuple(status for status, *_ in _REDWOOD),
}

_SPELLINGS: Final = {int(status): spelling for status, spelling, _, _ in (*_UIPATH, *_REDWOOD)}
_CODES: Final = {int(status): code for status, _, code, _ in (*_UIPATH, *_REDWOOD)}
_STATES: Final = {int(status): state for status, _, _, state in (*_UIPATH, *_REDWOOD)}
_LIFECYCLES: Final = {
    int(status): lifecycle
    for lifecycle, statuses in LIFECYCLE_STATUSES.items()
    for status in statuses
}

#: Vendor spelling by status number; the lifecycles share some ("Running"). "" where none.
STATUS_NAME: Final = tuple(_SPELLINGS.get(number, "") for number in range(STATUS_NUMBERS))
#: Redwood code by status number, case-sensitive; "" for New, for UiPath and where none.
STATUS_CODE: Final = tuple(_CODES.get(number, "") for number in range(STATUS_NUMBERS))
#: State by status number; where there is no status it is INITIAL, the lowest rank.
STATUS_STATE: Final = tuple(_STATES.get(number, State.INITIAL) for number in range(STATUS_NUMBERS))
#: Number of the Lifecycle by status number; 0 where there is no status.
STATUS_LIFECYCLE: Final[tuple[int, ...]] = tuple(
    _LIFECYCLES.get(number, 0) for number in range(STATUS_NUMBERS)
)
#: Whether a job in this status has ended, by status number.
IS_FINAL: Final = tuple(state is State.FINAL for state in STATUS_STATE)


def parse_status(text: str, lifecycle: Lifecycle) -> Status:
    """The status of this lifecycle that `text` means.

    Names and aliases are understood in any case; codes only exactly, because `Q` is Queued and
    `q` is Dispatched. Raises ValueError, with a sentence for the user that lists what is allowed.
    """
    if not text:  # New has no code, so an empty text means nothing, not New
        raise ValueError(_expected(text, lifecycle))
    for status in LIFECYCLE_STATUSES[lifecycle]:
        if text == STATUS_CODE[status] or text.lower() == STATUS_NAME[status].lower():
            return status
    alias = _ALIASES.get(text.lower())
    if alias is None or alias.lifecycle is not lifecycle:
        raise ValueError(_expected(text, lifecycle))
    return alias


def _expected(text: str, lifecycle: Lifecycle) -> str:
    statuses = LIFECYCLE_STATUSES[lifecycle]
    names = ", ".join(STATUS_NAME[status] for status in statuses)
    codes = ", ".join(STATUS_CODE[status] for status in statuses if STATUS_CODE[status])
    either = f" or a code, in exactly this case ({codes})" if codes else ""
    return f"expected the name of a {lifecycle.text} status ({names}){either}, but got {text!r}"
