"""A lock that jobs need before they may run (domain.md B5).

Who holds one is no field: it is derived from the statuses of jobs.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class LockKind(IntEnum):
    """How many may hold a lock at once."""

    #: One.
    SIMPLE = 1
    #: As many as its counts allow.
    COUNTED = 2
    #: Counted, and a need may be for all of it.
    SHARED_EXCLUSIVE = 3


class Lock(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a lock."""

    name: str
    description: str = ""
    kind: LockKind = LockKind.SIMPLE
    #: Counts that may be held at once; 1 for a simple lock.
    counts: int = 1
    version: int = 0
    updated_ms: int = 0


class LockNeed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a definition needs of a lock."""

    lock: str
    counts: int = 1
    #: All of its counts, however many that are (shared/exclusive locks only).
    exclusive: bool = False


class HeldLock(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a job has of a lock."""

    lock: str
    counts: int
    #: Nobody else may have any of it, whatever becomes of its counts meanwhile.
    exclusive: bool = False
