"""What recovery needs and a watcher has no business with.

After-images of records, in their place between the changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec


class FactKind(IntEnum):
    """What a fact writes. Numbers are stored on disk: added to, never changed."""

    #: value: a whole Job, before its first status.
    CREATE_JOB = 1
    #: key: job id, value: fields by name.
    SET_JOB = 2
    #: key: job id.
    FORGET_JOB = 3
    #: value: a whole Definition.
    PUT_DEFINITION = 4
    #: key: name.
    DELETE_DEFINITION = 5
    #: value: a whole Queue.
    PUT_QUEUE = 6
    #: key: name.
    DELETE_QUEUE = 7
    #: key: name, value: whose hold or release its jobs have to follow, "" when they have.
    MOVE_QUEUE = 8
    #: value: a whole Robot.
    PUT_ROBOT = 9
    #: key: name, value: sequence and what was refused.
    SET_SEQUENCE = 10
    #: key: name, value: epoch that may not be used again.
    DELETE_ROBOT = 11
    #: value: a whole TimeWindow.
    PUT_WINDOW = 12
    #: key: name.
    DELETE_WINDOW = 13
    #: value: a whole NamedEvent.
    PUT_EVENT = 14
    #: key: name.
    DELETE_EVENT = 15
    #: value: a whole Lock.
    PUT_LOCK = 16
    #: key: name.
    DELETE_LOCK = 17
    #: value: a whole ProcessServer.
    PUT_SERVER = 18
    #: key: name.
    DELETE_SERVER = 19
    #: value: a whole Schedule.
    PUT_SCHEDULE = 20
    #: key: name.
    DELETE_SCHEDULE = 21
    #: value: a whole RunTimes.
    PUT_RUN_TIMES = 22
    #: value: restart behaviors of the partition.
    PUT_RESTART_DEFAULTS = 23
    #: key: 0, value: whether jobs still have to follow a change of the calendar or the servers.
    REVIEW_STARTS = 24
    #: key: definition.
    DELETE_RUN_TIMES = 25


class Fact(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One after-image. It comes after the change with revision `after`, before the next one."""

    after: int
    kind: int
    key: int | str
    value: Any
