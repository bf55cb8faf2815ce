"""The 138 transitions of a Redwood process, as data; each row can be read aloud (domain.md C2).

From, trigger, to, how well it is documented, who can cause it. Grouped by the status left, so the
ids are not in order. Which of several triggers applies is for the rules; the table only says what
is legal.
"""

from __future__ import annotations

from typing import Final

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import LIFECYCLE_STATUSES, NONE_STATUS, Lifecycle
from interlock_server.core.vocabulary.transition import DOCUMENTED, IN_PART, INFERRED, Row, row
from interlock_server.core.vocabulary.trigger import Trigger

# Short names, so that a row fits a line.
A = Actor
T = Trigger

# In the order of their numbers; a test proves every row.
(
    NEW,
    CHAINED,
    DISABLED,
    DELAYED,
    SCHEDULED,
    QUEUE_HELD,
    HELD,
    EVENT_WAIT,
    LOCK_WAIT,
    QUEUED,
    DISPATCHED,
    ASSIGNED,
    PRE_RUNNING,
    RUNNING,
    POST_RUNNING,
    WAITING,
    KILLING,
    CANCELING,
    CONSOLE,
    UNCERTAIN,
    CONSOLE_RESTART,
    COMPLETED,
    ERROR,
    KILLED,
    CANCELED,
    SKIPPED,
    IGNORED,
    UNKNOWN,
    MODIFIED,
    NEVER,
    OVERDUE,
) = LIFECYCLE_STATUSES[Lifecycle.REDWOOD]

REDWOOD: Final[tuple[Row, ...]] = (
    # Created. A restart is a new job; the one restarted stays final.
    row("TR-001", NONE_STATUS, T.SUBMIT, NEW, DOCUMENTED, A.USER, A.SCHEDULE, A.NAMED_EVENT, A.JOB),
    # TR-002: the new instance says that it could not be prepared; the original stays final.
    row("TR-002", NONE_STATUS, T.FAIL_RESTART, MODIFIED, IN_PART, A.SYSTEM),
    # New: normally for a moment only, then validation sends it on.
    row("TR-003", NEW, T.VALIDATE, SCHEDULED, INFERRED, A.SYSTEM),
    row("TR-004", NEW, T.HOLD_ON_SUBMIT, HELD, DOCUMENTED, A.SYSTEM),
    row("TR-005", NEW, T.EXPAND, CHAINED, DOCUMENTED, A.SYSTEM),
    row("TR-006", NEW, T.IGNORE, IGNORED, DOCUMENTED, A.CHAIN),
    row("TR-007", NEW, T.COPY_DISABLED, DISABLED, IN_PART, A.CHAIN),
    row("TR-008", NEW, T.DEFER, DELAYED, IN_PART, A.SYSTEM),
    row("TR-009", NEW, T.FIND_NO_START, NEVER, DOCUMENTED, A.SYSTEM),
    row("TR-010", NEW, T.FAIL_VALIDATION, ERROR, IN_PART, A.SYSTEM),
    row("TR-011", NEW, T.CANCEL, CANCELED, INFERRED, A.USER, A.ACTION, A.CHAIN),
    # Delayed: for a parent or for a restart delay (RA-8).
    row("TR-012", DELAYED, T.END_DELAY, SCHEDULED, IN_PART, A.CLOCK, A.JOB),
    row("TR-013", DELAYED, T.CANCEL, CANCELED, INFERRED, A.USER, A.ACTION, A.CHAIN),
    # Chained: a hold here only sets a flag; the job is Held when its step starts (RA-25).
    row("TR-014", CHAINED, T.START_STEP, SCHEDULED, DOCUMENTED, A.CHAIN),
    row("TR-015", CHAINED, T.START_STEP_HELD, HELD, DOCUMENTED, A.CHAIN),
    row("TR-016", CHAINED, T.FAIL_PRECONDITION, SKIPPED, DOCUMENTED, A.CHAIN),
    row("TR-017", CHAINED, T.START_AT_LATER_STEP, SKIPPED, DOCUMENTED, A.CHAIN),
    row("TR-018", CHAINED, T.DISABLE, DISABLED, DOCUMENTED, A.USER),
    row("TR-019", CHAINED, T.CANCEL, CANCELED, INFERRED, A.USER, A.CHAIN),
    # Disabled: rests here; when its step is reached it counts as done (RA-6).
    row("TR-020", DISABLED, T.ENABLE, CHAINED, INFERRED, A.USER),
    row("TR-021", DISABLED, T.CANCEL, CANCELED, INFERRED, A.USER, A.CHAIN),
    # Scheduled: once the start time is reached, the gates are passed in their order.
    row("TR-022", SCHEDULED, T.REACH_START, QUEUED, DOCUMENTED, A.DISPATCHER),
    row("TR-023", SCHEDULED, T.AWAIT_EVENT, EVENT_WAIT, DOCUMENTED, A.DISPATCHER),
    row("TR-024", SCHEDULED, T.HOLD_QUEUE, QUEUE_HELD, IN_PART, A.DISPATCHER),
    row("TR-025", SCHEDULED, T.CLOSE_WINDOW_OVERDUE, OVERDUE, DOCUMENTED, A.CLOCK),
    # TR-026: the policy Scheduled: from the status to itself, with a new start time.
    row("TR-026", SCHEDULED, T.RESCHEDULE, SCHEDULED, DOCUMENTED, A.CLOCK),
    row("TR-027", SCHEDULED, T.CLOSE_WINDOW_HOLD, HELD, DOCUMENTED, A.CLOCK),
    # TR-028: the policy is called Canceling; the server confirms it itself (RA-12).
    row("TR-028", SCHEDULED, T.CLOSE_WINDOW_CANCEL, CANCELING, DOCUMENTED, A.CLOCK),
    row("TR-029", SCHEDULED, T.FIND_NO_START, NEVER, DOCUMENTED, A.SYSTEM),
    row("TR-030", SCHEDULED, T.HOLD, HELD, DOCUMENTED, A.USER, A.ACTION),
    row("TR-031", SCHEDULED, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.ACTION, A.CHAIN),
    # EventWait. A closed window does here what it does to any job that waits.
    row("TR-032", EVENT_WAIT, T.RAISE_EVENT, QUEUED, DOCUMENTED, A.NAMED_EVENT, A.USER, A.JOB),
    row("TR-033", EVENT_WAIT, T.HOLD, HELD, DOCUMENTED, A.USER, A.ACTION),
    row("TR-034", EVENT_WAIT, T.CLOSE_WINDOW_OVERDUE, OVERDUE, INFERRED, A.CLOCK),
    row("TR-035", EVENT_WAIT, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.ACTION, A.CHAIN),
    row("TR-053", EVENT_WAIT, T.RESCHEDULE, SCHEDULED, IN_PART, A.USER, A.ACTION, A.CLOCK),
    row("TR-054", EVENT_WAIT, T.CLOSE_WINDOW_CANCEL, CANCELING, IN_PART, A.CLOCK),
    row("TR-055", EVENT_WAIT, T.CLOSE_WINDOW_HOLD, HELD, IN_PART, A.CLOCK),
    # QueueHeld: only by hand; a limit that is reached leaves jobs Queued (RA-11).
    row("TR-036", QUEUE_HELD, T.RELEASE_QUEUE, QUEUED, DOCUMENTED, A.USER),
    row("TR-037", QUEUE_HELD, T.HOLD, HELD, INFERRED, A.USER, A.ACTION),
    row("TR-038", QUEUE_HELD, T.CLOSE_WINDOW_OVERDUE, OVERDUE, INFERRED, A.CLOCK),
    row("TR-039", QUEUE_HELD, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.ACTION, A.CHAIN),
    row("TR-056", QUEUE_HELD, T.RESCHEDULE, SCHEDULED, IN_PART, A.USER, A.ACTION, A.CLOCK),
    row("TR-057", QUEUE_HELD, T.CLOSE_WINDOW_CANCEL, CANCELING, IN_PART, A.CLOCK),
    row("TR-058", QUEUE_HELD, T.CLOSE_WINDOW_HOLD, HELD, IN_PART, A.CLOCK),
    # Queued.
    row("TR-040", QUEUED, T.AWAIT_LOCK, LOCK_WAIT, DOCUMENTED, A.DISPATCHER),
    row("TR-041", QUEUED, T.HOLD_QUEUE, QUEUE_HELD, DOCUMENTED, A.USER),
    # TR-042: locks, slot and resources are reserved in the same turn.
    row("TR-042", QUEUED, T.DISPATCH, DISPATCHED, DOCUMENTED, A.DISPATCHER),
    row("TR-043", QUEUED, T.HOLD, HELD, DOCUMENTED, A.USER, A.ACTION),
    row("TR-044", QUEUED, T.CLOSE_WINDOW_OVERDUE, OVERDUE, DOCUMENTED, A.CLOCK),
    row("TR-045", QUEUED, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.ACTION, A.CHAIN),
    row("TR-059", QUEUED, T.RESCHEDULE, SCHEDULED, IN_PART, A.USER, A.ACTION, A.CLOCK),
    row("TR-060", QUEUED, T.CLOSE_WINDOW_CANCEL, CANCELING, IN_PART, A.CLOCK),
    row("TR-061", QUEUED, T.CLOSE_WINDOW_HOLD, HELD, IN_PART, A.CLOCK),
    # LockWait: back to Queued with its locks reserved, never straight on (RA-14).
    row("TR-046", LOCK_WAIT, T.GRANT_LOCKS, QUEUED, DOCUMENTED, A.DISPATCHER),
    row("TR-047", LOCK_WAIT, T.HOLD, HELD, INFERRED, A.USER),
    row("TR-048", LOCK_WAIT, T.CLOSE_WINDOW_OVERDUE, OVERDUE, INFERRED, A.CLOCK),
    row("TR-049", LOCK_WAIT, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.CHAIN),
    row("TR-062", LOCK_WAIT, T.RESCHEDULE, SCHEDULED, IN_PART, A.USER, A.CLOCK),
    row("TR-063", LOCK_WAIT, T.CLOSE_WINDOW_CANCEL, CANCELING, IN_PART, A.CLOCK),
    row("TR-064", LOCK_WAIT, T.CLOSE_WINDOW_HOLD, HELD, IN_PART, A.CLOCK),
    # Held: a window that closes under the policies Held and Scheduled changes nothing.
    # TR-050: the gates run again at once if the start time is past.
    row("TR-050", HELD, T.RELEASE, SCHEDULED, IN_PART, A.USER),
    row("TR-051", HELD, T.CLOSE_WINDOW_OVERDUE, OVERDUE, INFERRED, A.CLOCK),
    row("TR-052", HELD, T.CANCEL, CANCELED, DOCUMENTED, A.USER, A.ACTION, A.CHAIN),
    row("TR-065", HELD, T.CLOSE_WINDOW_CANCEL, CANCELING, IN_PART, A.CLOCK),
    # Overdue: waits for a person.
    row("TR-066", OVERDUE, T.RESCHEDULE, SCHEDULED, DOCUMENTED, A.USER),
    row("TR-067", OVERDUE, T.HOLD, HELD, INFERRED, A.USER, A.ACTION),
    row("TR-068", OVERDUE, T.CANCEL, CANCELED, INFERRED, A.USER, A.ACTION, A.CHAIN),
    # Never: start time far away, until a start within two years is found.
    row("TR-069", NEVER, T.FIND_START, SCHEDULED, INFERRED, A.USER, A.SYSTEM),
    row("TR-070", NEVER, T.HOLD, HELD, INFERRED, A.USER, A.ACTION),
    row("TR-071", NEVER, T.CANCEL, CANCELED, INFERRED, A.USER, A.ACTION, A.CHAIN),
    # Modified: waits for a person.
    row("TR-072", MODIFIED, T.RESUBMIT, SCHEDULED, IN_PART, A.USER),
    row("TR-073", MODIFIED, T.CANCEL, CANCELED, INFERRED, A.USER, A.CHAIN),
    # Dispatched: offered. From here the robot must honour a cancel.
    row("TR-074", DISPATCHED, T.ACCEPT, ASSIGNED, DOCUMENTED, A.ROBOT),
    # TR-075: refused, or the session was lost before it accepted: nothing has started.
    row("TR-075", DISPATCHED, T.REQUEUE, QUEUED, INFERRED, A.ROBOT, A.SYSTEM),
    row("TR-076", DISPATCHED, T.CANCEL, CANCELING, DOCUMENTED, A.USER, A.CHAIN),
    row("TR-077", DISPATCHED, T.FAIL_TO_START, ERROR, INFERRED, A.ROBOT),
    # Assigned: accepted, not started.
    # TR-078: only if there is a pre-running action; TR-079 if not.
    row("TR-078", ASSIGNED, T.START_PRE_RUNNING, PRE_RUNNING, IN_PART, A.SYSTEM),
    row("TR-079", ASSIGNED, T.START, RUNNING, DOCUMENTED, A.ROBOT),
    # TR-080: only once the session is fenced: it could otherwise still start.
    row("TR-080", ASSIGNED, T.REQUEUE, QUEUED, INFERRED, A.SYSTEM),
    row("TR-081", ASSIGNED, T.CANCEL, CANCELING, DOCUMENTED, A.USER, A.CHAIN),
    row("TR-082", ASSIGNED, T.FAIL_TO_START, ERROR, INFERRED, A.ROBOT),
    # Canceling.
    row("TR-083", CANCELING, T.CONFIRM_CANCEL, CANCELED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    # PreRunning: already counts as run time, so it can be killed as well as canceled.
    row("TR-084", PRE_RUNNING, T.START, RUNNING, DOCUMENTED, A.SYSTEM),
    # TR-085, TR-086: the only two ways back in rank, ordered by the action itself (RA-2).
    row("TR-085", PRE_RUNNING, T.HOLD, HELD, DOCUMENTED, A.ACTION),
    row("TR-086", PRE_RUNNING, T.RESCHEDULE, SCHEDULED, DOCUMENTED, A.ACTION),
    row("TR-087", PRE_RUNNING, T.CANCEL, CANCELED, DOCUMENTED, A.ACTION, A.USER),
    row("TR-088", PRE_RUNNING, T.FAIL, ERROR, DOCUMENTED, A.SYSTEM),
    row("TR-089", PRE_RUNNING, T.KILL, KILLING, INFERRED, A.USER, A.CLOCK, A.CHAIN),
    # Running. Without a post-running action an end is final at once; with one, and with a
    # request to restart, the provisional result is remembered.
    row("TR-090", RUNNING, T.COMPLETE, COMPLETED, DOCUMENTED, A.ROBOT),
    # TR-091: a user fails it only by completing it from outside.
    row("TR-091", RUNNING, T.FAIL, ERROR, DOCUMENTED, A.ROBOT, A.USER, A.SYSTEM),
    row("TR-092", RUNNING, T.START_POST_RUNNING, POST_RUNNING, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TR-093", RUNNING, T.WAIT, WAITING, DOCUMENTED, A.ROBOT, A.JOB),
    row("TR-094", RUNNING, T.ASK, CONSOLE, DOCUMENTED, A.ROBOT, A.JOB),
    row("TR-095", RUNNING, T.KILL, KILLING, DOCUMENTED, A.USER, A.CHAIN),
    # TR-096, TR-097: each runtime limit says which of the two it does (RA-17).
    row("TR-096", RUNNING, T.REACH_LIMIT_KILL, KILLING, DOCUMENTED, A.CLOCK),
    row("TR-097", RUNNING, T.REACH_LIMIT_ERROR, ERROR, DOCUMENTED, A.CLOCK),
    row("TR-098", RUNNING, T.LOSE, UNCERTAIN, DOCUMENTED, A.SYSTEM),
    row("TR-099", RUNNING, T.LOSE_FOR_GOOD, UNKNOWN, DOCUMENTED, A.SYSTEM),
    row("TR-100", RUNNING, T.REQUEST_RESTART, CONSOLE_RESTART, IN_PART, A.SYSTEM),
    # TR-101: only a remote system cancels what runs; users cannot (RA-5).
    row("TR-101", RUNNING, T.CANCEL_REMOTELY, CANCELED, IN_PART, A.ROBOT),
    row("TR-102", RUNNING, T.COMPLETE_EXTERNALLY, COMPLETED, DOCUMENTED, A.USER),
    # PostRunning: the action keeps or changes the provisional result; too late for a kill.
    row("TR-103", POST_RUNNING, T.COMPLETE, COMPLETED, DOCUMENTED, A.ACTION),
    row("TR-104", POST_RUNNING, T.FAIL, ERROR, DOCUMENTED, A.ACTION, A.SYSTEM),
    row("TR-105", POST_RUNNING, T.CONFIRM_KILL, KILLED, DOCUMENTED, A.SYSTEM),
    row("TR-106", POST_RUNNING, T.LOSE_FOR_GOOD, UNKNOWN, DOCUMENTED, A.SYSTEM),
    row("TR-107", POST_RUNNING, T.CANCEL_REMOTELY, CANCELED, DOCUMENTED, A.SYSTEM),
    row("TR-108", POST_RUNNING, T.REQUEST_RESTART, CONSOLE_RESTART, INFERRED, A.SYSTEM),
    # Waiting: a chain for its steps, a step for its calls, a job for a child.
    row("TR-109", WAITING, T.STOP_WAITING, RUNNING, IN_PART, A.ROBOT, A.SYSTEM),
    row("TR-110", WAITING, T.COMPLETE, COMPLETED, DOCUMENTED, A.CHAIN),
    row("TR-111", WAITING, T.FAIL, ERROR, DOCUMENTED, A.CHAIN),
    row("TR-112", WAITING, T.ASK, CONSOLE, DOCUMENTED, A.CHAIN),
    row("TR-113", WAITING, T.REQUEST_RESTART, CONSOLE_RESTART, IN_PART, A.CHAIN),
    row("TR-114", WAITING, T.KILL, KILLING, IN_PART, A.USER, A.CLOCK, A.CHAIN),
    row("TR-115", WAITING, T.LOSE_FOR_GOOD, UNKNOWN, DOCUMENTED, A.SYSTEM),
    row("TR-116", WAITING, T.START_POST_RUNNING, POST_RUNNING, INFERRED, A.SYSTEM),
    row("TR-117", WAITING, T.LOSE, UNCERTAIN, INFERRED, A.SYSTEM),
    # Console: the job itself, or the chain whose step asked for a restart (RA-3).
    row("TR-118", CONSOLE, T.REPLY, RUNNING, DOCUMENTED, A.USER),
    row("TR-119", CONSOLE, T.REPLY_AND_COMPLETE, COMPLETED, INFERRED, A.USER),
    row("TR-120", CONSOLE, T.REPLY_CONTINUE, WAITING, IN_PART, A.USER),
    row("TR-121", CONSOLE, T.REPLY_NO_RESTART, ERROR, DOCUMENTED, A.USER, A.CHAIN),
    row("TR-122", CONSOLE, T.KILL, KILLING, DOCUMENTED, A.USER, A.CLOCK, A.CHAIN),
    row("TR-123", CONSOLE, T.LOSE_FOR_GOOD, UNKNOWN, DOCUMENTED, A.SYSTEM),
    # ConsoleRestart: the reply decides which provisional result becomes the final one.
    # TR-124: the new instance is a job of its own; this one ends as it would have.
    row("TR-124", CONSOLE_RESTART, T.REPLY_RESTART, ERROR, IN_PART, A.USER),
    row("TR-125", CONSOLE_RESTART, T.REPLY_NO_RESTART, ERROR, INFERRED, A.USER, A.CHAIN),
    row("TR-126", CONSOLE_RESTART, T.REPLY_CONTINUE, COMPLETED, IN_PART, A.USER),
    row("TR-127", CONSOLE_RESTART, T.REPLY_KILLED, KILLED, INFERRED, A.USER, A.CHAIN),
    row("TR-128", CONSOLE_RESTART, T.REPLY_CANCELED, CANCELED, INFERRED, A.USER, A.CHAIN),
    row("TR-129", CONSOLE_RESTART, T.REPLY_UNKNOWN, UNKNOWN, INFERRED, A.USER, A.CHAIN),
    # Killing.
    row("TR-130", KILLING, T.CONFIRM_KILL, KILLED, DOCUMENTED, A.ROBOT),
    row("TR-131", KILLING, T.START_POST_RUNNING, POST_RUNNING, DOCUMENTED, A.ROBOT),
    row("TR-132", KILLING, T.LOSE, UNCERTAIN, INFERRED, A.SYSTEM),
    # Uncertain: the end may still be found; nothing is assumed before the timeout (RA-15).
    row("TR-133", UNCERTAIN, T.COMPLETE, COMPLETED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TR-134", UNCERTAIN, T.FAIL, ERROR, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TR-135", UNCERTAIN, T.CONFIRM_KILL, KILLED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TR-136", UNCERTAIN, T.STILL_RUNNING, RUNNING, INFERRED, A.ROBOT),
    row("TR-137", UNCERTAIN, T.TIME_OUT, UNKNOWN, DOCUMENTED, A.CLOCK),
    # TR-138: at once, because no robot is there to confirm.
    row("TR-138", UNCERTAIN, T.KILL, KILLED, INFERRED, A.USER, A.CHAIN),
)
