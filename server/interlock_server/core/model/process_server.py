"""A process server: robots that are started and stopped as one, and the queues they serve (B4)."""

from __future__ import annotations

from typing import Final

import msgspec

#: Jobs that a server runs at once unless it says otherwise (domain.md C5).
EXECUTION_SIZE: Final = 100


class QueueProvider(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a server gives to one queue."""

    queue: str
    #: Jobs of the queue that it may have at once; 0 for no limit of its own.
    execution_size: int = 0
    #: Only jobs of at least this priority; 0 for all.
    hold_level: int = 0
    #: It gives nothing to the queue while a person holds it.
    held: bool = False
    held_by: str = ""
    #: Gives only while this time window is open; "" for always.
    window: str = ""
    #: The window is closed now; written by the clock.
    closed: bool = False
    hold_reason: str = ""


class ProcessServer(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a server."""

    name: str
    description: str = ""
    providers: tuple[QueueProvider, ...] = ()
    #: What it offers to definitions that need it.
    resources: tuple[str, ...] = ()
    #: Jobs that it may have at once.
    execution_size: int = EXECUTION_SIZE
    #: A person shut it down; jobs that run go on.
    stopped: bool = False
    stopped_by: str = ""
    #: When a window of its providers opens or closes next; 0 for never.
    changes_ms: int = 0
    version: int = 0
    updated_ms: int = 0
    stop_reason: str = ""
