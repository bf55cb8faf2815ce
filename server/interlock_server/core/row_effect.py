"""What a change of status touches beside the status: one number of bits for each row of the tables.

`apply.move` asks it once, and most changes have one or two bits.
"""

from __future__ import annotations

from typing import Final

from interlock_server.core.holding import HOLDING
from interlock_server.core.lane import MAY_WAIT
from interlock_server.core.vocabulary.lifecycle import ROW_SOURCE, ROW_TARGET
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NUMBERS, Status

#: It may have waited for a robot, or may wait for one now.
WAITED: Final = 1
WAITS: Final = 2
#: There is something to do when it leaves the one status, or when it enters the other.
LEAVES: Final = 4
ENTERS: Final = 8
#: No robot has it any more.
LOSES_ROBOT: Final = 16
#: It gives back the locks that it has.
LOSES_LOCKS: Final = 32
#: It begins or ends to have a slot.
SLOT: Final = 64
#: Its run time begins or ends.
BEGINS: Final = 128
ENDS: Final = 256
#: Whatever else; rows without it do nothing but change the status.
CHANGES: Final = 512

#: Statuses that a job enters with the locks that it has; entering any other one gives them back
#: (domain.md B5: held until the holder is final).
_KEEPS_LOCKS: Final = frozenset(
    {
        Status.REDWOOD_DISPATCHED,
        Status.REDWOOD_ASSIGNED,
        Status.REDWOOD_PRE_RUNNING,
        Status.REDWOOD_RUNNING,
        Status.REDWOOD_POST_RUNNING,
        Status.REDWOOD_WAITING,
        Status.REDWOOD_KILLING,
        Status.REDWOOD_CANCELING,
        Status.REDWOOD_CONSOLE,
        Status.REDWOOD_UNCERTAIN,
        Status.REDWOOD_CONSOLE_RESTART,
    }
)
#: What counts as run time (domain.md C4.10): from PreRunning or Running until it leaves for its
#: end; PostRunning is no run time.
_RUN_TIME: Final = frozenset(
    {
        Status.REDWOOD_PRE_RUNNING,
        Status.REDWOOD_RUNNING,
        Status.REDWOOD_WAITING,
        Status.REDWOOD_KILLING,
        Status.REDWOOD_CONSOLE,
        Status.REDWOOD_UNCERTAIN,
    }
)
_RUNNING: Final = frozenset({Status.UIPATH_RUNNING, Status.REDWOOD_RUNNING})
#: What `apply` does something for when a job leaves it, and when it enters it.
_LEFT: Final = frozenset(
    {
        Status.UIPATH_PENDING,
        Status.UIPATH_TERMINATING,
        Status.UIPATH_SUSPENDED,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_UNCERTAIN,
        Status.REDWOOD_EVENT_WAIT,
        Status.REDWOOD_LOCK_WAIT,
        Status.REDWOOD_NEVER,
    }
)
_ENTERED: Final = frozenset(
    {
        Status.UIPATH_PENDING,
        Status.UIPATH_TERMINATING,
        Status.UIPATH_SUSPENDED,
        Status.REDWOOD_QUEUE_HELD,
        Status.REDWOOD_NEVER,
        *_RUNNING,
        *(number for number in range(STATUS_NUMBERS) if MAY_WAIT[number] or IS_FINAL[number]),
    }
)


def _of(source: int, target: int) -> int:
    if {source, target} <= {Status.REDWOOD_RUNNING, Status.REDWOOD_WAITING}:
        return 0
    bits = {
        WAITED: bool(source) and MAY_WAIT[source],
        WAITS: MAY_WAIT[target],
        LEAVES: source in _LEFT,
        ENTERS: target in _ENTERED,
        LOSES_ROBOT: target not in HOLDING,
        LOSES_LOCKS: target not in _KEEPS_LOCKS,
        SLOT: (source in HOLDING) != (target in HOLDING),
        BEGINS: target in _RUN_TIME and source not in _RUN_TIME,
        ENDS: source in _RUN_TIME and target not in _RUN_TIME,
        CHANGES: True,
    }
    return sum(bit for bit, is_set in bits.items() if is_set)


#: By row number.
EFFECTS: Final = tuple(
    _of(source, target) for source, target in zip(ROW_SOURCE, ROW_TARGET, strict=True)
)
