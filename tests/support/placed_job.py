"""A World with one job in any status, for tests that walk over all statuses.

Not every status can be reached by a command yet; placing a job is how a restart would find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock_server.core import apply
from interlock_server.core import command as c
from interlock_server.core.change import Cause
from interlock_server.core.model.job import (
    NEVER_MS,
    HistoryEntry,
    Job,
    ResumeCondition,
    ResumeKind,
    StopStrategy,
)
from interlock_server.core.model.lock import Lock, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.operator_message import OperatorMessage
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import Lifecycle, State, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver

if TYPE_CHECKING:
    from interlock_server.core.model.definition import Completion

S = Status
ROBOT: Final = "robot-1"
#: What the placed job misses in EventWait and LockWait; somebody else has the lock.
EVENT: Final = "FILE_ARRIVED"
LOCK: Final = "ledger"

#: Statuses in which the placed job is with the robot: executing, or offered to it.
ATTACHED: Final = frozenset(
    {
        S.UIPATH_PENDING,
        S.UIPATH_RUNNING,
        S.UIPATH_STOPPING,
        S.UIPATH_TERMINATING,
        S.UIPATH_RESUMED,
        S.REDWOOD_DISPATCHED,
        S.REDWOOD_ASSIGNED,
        S.REDWOOD_PRE_RUNNING,
        S.REDWOOD_RUNNING,
        S.REDWOOD_POST_RUNNING,
        S.REDWOOD_WAITING,
        S.REDWOOD_KILLING,
        S.REDWOOD_CANCELING,
        S.REDWOOD_CONSOLE,
        S.REDWOOD_UNCERTAIN,
    }
)


def placed(status: Status, *, completion: Completion | None = None) -> tuple[CoreDriver, Job]:
    """A World with a connected robot and one job in this status."""
    core = CoreDriver().with_both(**({"completion": completion} if completion else {}))
    core.connect(ROBOT)
    if status is S.REDWOOD_EVENT_WAIT:
        apply.put_event(core.world, NamedEvent(EVENT))
    elif status is S.REDWOOD_LOCK_WAIT:  # nobody can have it, without a job that does
        apply.put_lock(core.world, Lock(LOCK))
        known = core.world.definitions[REDWOOD]
        needing = msgspec.structs.replace(known, locks=(LockNeed(LOCK),))
        core.accepted(c.PutDefinitions((needing,)))
        apply.put_lock(core.world, Lock(LOCK, counts=0))
    now_ms, job_id = core.now_ms, core.world.next_job
    lifecycle = status.lifecycle
    core.world.revision += 1
    entering = next(row for row in ROWS if row is not None and row.target == status)
    job = Job(
        id=job_id,
        lifecycle=lifecycle,
        definition=UIPATH if lifecycle is Lifecycle.UIPATH else REDWOOD,
        definition_version=1,
        queue="default",
        priority=50,
        created_ms=now_ms,
        start_ms=NEVER_MS if status is S.REDWOOD_NEVER else now_ms,
        top_start_ms=now_ms,
        status=int(status),
        revision=core.world.revision,
        changed_ms=now_ms,
        robot=ROBOT if status in ATTACHED or status.state is State.RUNNING else "",
        attached=status in ATTACHED,
        fence=1 if status in ATTACHED else 0,
        entries=[HistoryEntry(core.world.revision, entering.number, Cause(now_ms))],
    )
    for name, value in _fields(status, now_ms, job_id).items():
        setattr(job, name, value)
    core.world.next_job += 1
    apply.take_in(core.world, job)
    core.world.finished.clear()
    return core, job


def _fields(status: Status, now_ms: int, job_id: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if status.state is State.RUNNING and status is not S.REDWOOD_CANCELING:
        fields["run_start_ms"] = now_ms
    if status.is_final:
        fields["ended_ms"] = now_ms
    match status:
        case S.UIPATH_STOPPING:
            fields["stop_strategy"] = StopStrategy.SOFT_STOP
        case S.UIPATH_TERMINATING:
            fields |= {"stop_strategy": StopStrategy.KILL, "terminating_since_ms": now_ms}
        case S.UIPATH_SUSPENDED:
            fields["conditions"] = (ResumeCondition(ResumeKind.ITEM, "item-1"),)
        case S.REDWOOD_UNCERTAIN:
            fields["uncertain_until_ms"] = now_ms + 600_000
        case S.REDWOOD_EVENT_WAIT:
            fields["events_missing"] = (EVENT,)
        case S.REDWOOD_LOCK_WAIT:
            fields["awaits_lock"] = LOCK
        case S.REDWOOD_OVERDUE:
            fields["window_closes_ms"] = now_ms
        case S.REDWOOD_DELAYED:
            fields |= {"delay_until_ms": now_ms + 600_000, "delay_reason": "restart"}
        case S.REDWOOD_POST_RUNNING:
            fields["provisional"] = int(S.REDWOOD_COMPLETED)
        case S.REDWOOD_CONSOLE_RESTART:
            fields |= {
                "provisional": int(S.REDWOOD_ERROR),
                "messages": (
                    OperatorMessage(
                        id=1,
                        job=job_id,
                        text="Choose restart option",
                        created_ms=now_ms,
                        choices=tuple(Choice),
                        blocking=True,
                        restart=True,
                    ),
                ),
            }
        case S.REDWOOD_CONSOLE:
            fields["messages"] = (
                OperatorMessage(id=1, job=job_id, text="go on?", created_ms=now_ms, blocking=True),
            )
    return fields
