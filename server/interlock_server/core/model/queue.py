"""Where jobs wait for a robot (domain.md B4)."""

from __future__ import annotations

from typing import Final

import msgspec

#: The queue that every partition has.
DEFAULT_QUEUE: Final = "default"
#: The built-in queue that cannot be held (domain.md B3.5).
SYSTEM_QUEUE: Final = "System"


class Queue(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a queue. Its load is no field: it is derived from the statuses of its jobs."""

    name: str
    description: str = ""
    #: Jobs that may be with robots at once; 0 for no limit.
    execution_size: int = 0
    system: bool = False
    held: bool = False
    held_by: str = ""
    hold_reason: str = ""
    version: int = 1
    #: Gives nothing while this time window is closed; "" for always open.
    window: str = ""
    #: The window is closed now; written by the clock.
    closed: bool = False
    #: Chains that wait for their steps count for the execution size.
    counts_chains: bool = False
    #: When the window opens or closes next; 0 for never.
    changes_ms: int = 0
