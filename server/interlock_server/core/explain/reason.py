"""One thing that keeps a job, and all that keeps it."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class ReasonKind(IntEnum):
    """What kind of thing; the numbers of interlock.v1.ReasonKind. A test compares the two."""

    START_TIME = 1
    WINDOW = 2
    NO_START = 3
    OVERDUE = 4
    HELD = 5
    DELAY = 6
    EVENT = 7
    QUEUE_HELD = 8
    QUEUE_FULL = 9
    LOCK = 10
    ORDER = 11
    NO_ROBOT = 12
    ROBOT = 13
    SERVER = 14
    STEP = 15
    DISABLED = 16
    CHILDREN = 17
    MESSAGE = 18
    CONFIRMATION = 19
    UNRESPONSIVE = 20
    RUNNING = 21
    LOST = 22
    CONDITION = 23
    MODIFIED = 24
    RESULT = 25
    FINAL = 26


class Reason(msgspec.Struct, kw_only=True):
    """One thing that keeps a job. Instants are milliseconds since 1970, 0 where not known."""

    kind: ReasonKind
    sentence: str
    #: The job waits for it now; otherwise it would stop the job later.
    current: bool = True
    #: What it is about, by name; "" if it is about the job itself.
    object: str = ""
    #: Who brought it about.
    by: str = ""
    since_ms: int = 0
    until_ms: int = 0
    jobs: tuple[int, ...] = ()
    #: How many come before it.
    position: int = 0
    #: What is behind it.
    reasons: tuple[Reason, ...] = ()


class Explanation(msgspec.Struct):
    """All that keeps one job at one instant."""

    job: int
    status: int
    revision: int
    at_ms: int
    reasons: tuple[Reason, ...]

    @property
    def summary(self) -> str:
        """What the job waits for now, in one sentence."""
        now = [reason.sentence for reason in self.reasons if reason.current]
        return "; ".join(now) or "nothing keeps it: it goes on with the next turn"
