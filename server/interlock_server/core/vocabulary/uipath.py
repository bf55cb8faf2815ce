"""The 26 transitions of a UiPath job, as data; each row can be read aloud (domain.md C1).

From, trigger, to, how well it is documented, who can cause it. A robot speaks only about jobs it
owns, with the fence it was given; the rules see to that, the table only says what is legal.
"""

from __future__ import annotations

from typing import Final

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import LIFECYCLE_STATUSES, NONE_STATUS, Lifecycle
from interlock_server.core.vocabulary.transition import DOCUMENTED, INFERRED, Row, row
from interlock_server.core.vocabulary.trigger import Trigger

# Short names, so that a row fits a line.
A = Actor
T = Trigger

# In the order of their numbers; a test proves every row.
(
    PENDING,
    RUNNING,
    STOPPING,
    TERMINATING,
    SUSPENDED,
    RESUMED,
    SUCCESSFUL,
    FAULTED,
    STOPPED,
) = LIFECYCLE_STATUSES[Lifecycle.UIPATH]

UIPATH: Final[tuple[Row, ...]] = (
    # Created. A restart is a new job; the one restarted stays final (UA-5).
    row("TU-01", NONE_STATUS, T.SUBMIT, PENDING, DOCUMENTED, A.USER, A.SCHEDULE, A.JOB),
    row("TU-02", NONE_STATUS, T.START_AT_ROBOT, RUNNING, INFERRED, A.ROBOT),
    row("TU-03", NONE_STATUS, T.RESTART, PENDING, DOCUMENTED, A.USER),
    # Pending: no executor exists, so a stop and a kill end it at once (UA-9).
    row("TU-04", PENDING, T.START, RUNNING, DOCUMENTED, A.ROBOT),
    # TU-05: before the robot reported Running; after that it is TU-09 (UA-12).
    row("TU-05", PENDING, T.FAIL_TO_START, FAULTED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TU-06", PENDING, T.STOP, STOPPED, INFERRED, A.USER, A.SCHEDULE),
    row("TU-07", PENDING, T.KILL, STOPPED, INFERRED, A.USER, A.SCHEDULE),
    # Running. An end by a kill that nobody ordered is a failure (UA-2).
    row("TU-08", RUNNING, T.COMPLETE, SUCCESSFUL, DOCUMENTED, A.ROBOT),
    row("TU-09", RUNNING, T.FAIL, FAULTED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    row("TU-10", RUNNING, T.CANCEL_AT_ROBOT, STOPPED, DOCUMENTED, A.ROBOT),
    row("TU-11", RUNNING, T.SUSPEND, SUSPENDED, DOCUMENTED, A.ROBOT),
    row("TU-12", RUNNING, T.STOP, STOPPING, DOCUMENTED, A.USER, A.SCHEDULE),
    row("TU-13", RUNNING, T.KILL, TERMINATING, DOCUMENTED, A.USER, A.SCHEDULE),
    # Stopping: a stop is polite, so a clean return is a success and not Stopped (UA-1).
    row("TU-14", STOPPING, T.COMPLETE, SUCCESSFUL, DOCUMENTED, A.ROBOT),
    row("TU-15", STOPPING, T.CANCEL_AT_ROBOT, STOPPED, INFERRED, A.ROBOT, A.SYSTEM),
    row("TU-16", STOPPING, T.FAIL, FAULTED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    # TU-17: also by the kill timer of a schedule, which began when the stop was ordered.
    row("TU-17", STOPPING, T.KILL, TERMINATING, DOCUMENTED, A.USER, A.SCHEDULE),
    # TU-18: the wait is taken as the safe point that the stop asked for; its resume is discarded.
    row("TU-18", STOPPING, T.SUSPEND, STOPPED, INFERRED, A.ROBOT),
    # Terminating: whatever end the robot reports is recorded as Stopped (UA-2).
    row("TU-19", TERMINATING, T.CONFIRM_KILL, STOPPED, DOCUMENTED, A.ROBOT, A.SYSTEM),
    # TU-20: a day at least, counted from the order to terminate (UA-4).
    row("TU-20", TERMINATING, T.CLEAN_UP, FAULTED, DOCUMENTED, A.CLOCK),
    # Suspended: no robot to wait for, so a stop and a kill are the same.
    row("TU-21", SUSPENDED, T.FIRE_RESUME, RESUMED, DOCUMENTED, A.SYSTEM, A.CLOCK, A.JOB, A.USER),
    row("TU-22", SUSPENDED, T.RESUME, RESUMED, DOCUMENTED, A.USER),
    row("TU-23", SUSPENDED, T.STOP_OR_KILL, STOPPED, INFERRED, A.USER, A.SCHEDULE),
    # Resumed: never straight back to Suspended; a new wait goes through Running (UA-10).
    row("TU-24", RESUMED, T.START, RUNNING, DOCUMENTED, A.ROBOT),
    row("TU-25", RESUMED, T.FAIL_TO_START, FAULTED, INFERRED, A.ROBOT, A.SYSTEM),
    row("TU-26", RESUMED, T.STOP_OR_KILL, STOPPED, INFERRED, A.USER, A.SCHEDULE),
)
