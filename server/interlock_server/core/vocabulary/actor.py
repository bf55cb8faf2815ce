"""Who can cause a transition. The number is stored on disk: added to, never changed."""

from __future__ import annotations

from enum import IntEnum


class Actor(IntEnum):
    """Who caused a transition."""

    #: A person or a program that calls the API, an operator who replies included.
    USER = 1
    #: What executes the job, or a person at it; Redwood's service.
    ROBOT = 2
    #: A deadline, a delay or a time window.
    CLOCK = 3
    #: What lets due jobs through, in order.
    DISPATCHER = 4
    #: The chain that the job is a step or call of, or is.
    CHAIN = 5
    #: Code that runs before or after the job's own.
    ACTION = 6
    #: A recurrence or time trigger.
    SCHEDULE = 7
    #: A named event that was raised.
    NAMED_EVENT = 8
    #: Another job, or the job itself from within.
    JOB = 9
    #: The server, of itself.
    SYSTEM = 10
