"""The verbs that cause transitions, of both lifecycles.

A trigger is precise enough that a status and a trigger have at most one target. The number is
stored on disk: added to, never changed.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Trigger(IntEnum):
    """What causes a transition."""

    #: A new job is asked for.
    SUBMIT = 1
    #: A person starts the job at the robot itself.
    START_AT_ROBOT = 2
    #: A new job is made from one that has ended.
    RESTART = 3
    #: The robot reports that it executes the job.
    START = 4
    #: The robot reports that it could not start the job.
    FAIL_TO_START = 5
    #: Asked to end at its next safe point.
    STOP = 6
    #: Ordered to end at once.
    KILL = 7
    #: It ended in success.
    COMPLETE = 8
    #: It ended in failure.
    FAIL = 9
    #: It was ended early at the robot.
    CANCEL_AT_ROBOT = 10
    #: It reached a wait that lets its robot go.
    SUSPEND = 11
    #: It is certain that the kill ended it.
    CONFIRM_KILL = 12
    #: It has been terminating for too long.
    CLEAN_UP = 13
    #: What it waited for has come.
    FIRE_RESUME = 14
    #: A person ends its wait.
    RESUME = 15
    #: A stop or a kill, which are the same while no robot has the job.
    STOP_OR_KILL = 16
    #: A restart or resubmit could not be prepared.
    FAIL_RESTART = 17
    #: Found valid, with a start time.
    VALIDATE = 18
    #: Found valid, and submitted on hold.
    HOLD_ON_SUBMIT = 19
    #: Created as a step or call of its chain.
    EXPAND = 20
    #: Its call was disabled before the chain was submitted.
    IGNORE = 21
    #: Copied from a restarted chain in which it was disabled.
    COPY_DISABLED = 22
    #: Its start waits for a parent or for a restart delay.
    DEFER = 23
    #: No start is possible within two years.
    FIND_NO_START = 24
    #: Found invalid.
    FAIL_VALIDATION = 25
    #: Asked to end before it runs.
    CANCEL = 26
    #: Its parent ended, or its restart delay did.
    END_DELAY = 27
    #: Its step starts.
    START_STEP = 28
    #: Its step starts while its call is on hold.
    START_STEP_HELD = 29
    #: The precondition of its step or call is false.
    FAIL_PRECONDITION = 30
    #: The chain starts at a step after its own.
    START_AT_LATER_STEP = 31
    #: Switched off before its step starts.
    DISABLE = 32
    #: Switched on again before its step starts.
    ENABLE = 33
    #: Its start time is reached and every gate is open.
    REACH_START = 34
    #: Its start time is reached and a named event is not raised.
    AWAIT_EVENT = 35
    #: Its queue is held by hand.
    HOLD_QUEUE = 36
    #: Its time window closed before it ran; the policy is Overdue.
    CLOSE_WINDOW_OVERDUE = 37
    #: It gets another start time.
    RESCHEDULE = 38
    #: Its time window closed before it ran; the policy is Held.
    CLOSE_WINDOW_HOLD = 39
    #: Its time window closed before it ran; the policy is Canceling.
    CLOSE_WINDOW_CANCEL = 40
    #: Held by hand, or by its own action.
    HOLD = 41
    #: The last named event it waited for is raised.
    RAISE_EVENT = 42
    #: Its queue is open again.
    RELEASE_QUEUE = 43
    #: Only a lock is missing.
    AWAIT_LOCK = 44
    #: Chosen, and offered to a robot.
    DISPATCH = 45
    #: All its locks are reserved for it.
    GRANT_LOCKS = 46
    #: No longer held.
    RELEASE = 47
    #: A start within two years is possible again.
    FIND_START = 48
    #: Corrected by a person.
    RESUBMIT = 49
    #: The robot takes the offer.
    ACCEPT = 50
    #: The offer came to nothing before the job started.
    REQUEUE = 51
    #: Its pre-running action starts.
    START_PRE_RUNNING = 52
    #: It is certain that it will not run.
    CONFIRM_CANCEL = 53
    #: It ended, and its post-running action starts.
    START_POST_RUNNING = 54
    #: It begins to wait for other jobs.
    WAIT = 55
    #: An operator must reply before it goes on.
    ASK = 56
    #: It ran for too long; the limit says kill.
    REACH_LIMIT_KILL = 57
    #: It ran for too long; the limit says error.
    REACH_LIMIT_ERROR = 58
    #: Its runner is gone; a result may still be found.
    LOSE = 59
    #: Its runner is gone; no result can be found.
    LOSE_FOR_GOOD = 60
    #: It ended badly, and an operator must say what happens with it.
    REQUEST_RESTART = 61
    #: The remote system reports that it canceled it.
    CANCEL_REMOTELY = 62
    #: An outside caller reports its success.
    COMPLETE_EXTERNALLY = 63
    #: What it waited for has ended.
    STOP_WAITING = 64
    #: An operator replied; it goes on.
    REPLY = 65
    #: An operator replied; that was all it was for.
    REPLY_AND_COMPLETE = 66
    #: The reply is: continue, or restart within the chain.
    REPLY_CONTINUE = 67
    #: The reply is: no restart.
    REPLY_NO_RESTART = 68
    #: The reply is: restart, which makes a new job.
    REPLY_RESTART = 69
    #: A reply, when its provisional result is Killed.
    REPLY_KILLED = 70
    #: A reply, when its provisional result is Canceled.
    REPLY_CANCELED = 71
    #: A reply, when its provisional result is Unknown.
    REPLY_UNKNOWN = 72
    #: The robot reports that it executes the job after all.
    STILL_RUNNING = 73
    #: No result was found in time.
    TIME_OUT = 74

    @property
    def verb(self) -> str:
        """The words for people: `stop or kill`."""
        return self.name.lower().replace("_", " ")

    @property
    def text(self) -> str:
        """The word for programs: `stop_or_kill`."""
        return self.name.lower()


#: Length of a tuple that is indexed by trigger number; entry 0 is unused.
TRIGGER_NUMBERS: Final = max(Trigger) + 1
