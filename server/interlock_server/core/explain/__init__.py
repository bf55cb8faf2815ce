"""Why a job is not moving: every reason at once (promise P8).

The same predicates that decide about jobs are asked here; nothing is decided a second time. Each
file knows the reasons of one part of a job's life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.explain import ending, family, placing, running, starting
from interlock_server.core.explain.reason import Explanation, Reason, ReasonKind
from interlock_server.core.explain.sight import Sight
from interlock_server.core.vocabulary.status import IS_FINAL, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.model.job import Job

    Explain = Callable[[Sight, Job], list[Reason]]

__all__ = ["Explanation", "Reason", "ReasonKind", "Sight", "explain"]


def explain(sight: Sight, job: Job) -> Explanation:
    """All that keeps a job now, and what would keep it next. Reads World, and changes nothing."""
    of_status = ending.of_final if IS_FINAL[job.status] else _REASONS[job.status]
    reasons = of_status(sight, job)
    reasons.sort(key=lambda reason: not reason.current)
    return Explanation(job.id, job.status, job.revision, sight.now_ms, tuple(reasons))


S = Status
_REASONS: Final[dict[int, Explain]] = {
    S.UIPATH_PENDING: placing.of_waiting,
    S.UIPATH_RUNNING: running.of_running,
    S.UIPATH_STOPPING: running.of_ordered,
    S.UIPATH_TERMINATING: running.of_ordered,
    S.UIPATH_SUSPENDED: running.of_suspended,
    S.UIPATH_RESUMED: placing.of_waiting,
    S.REDWOOD_NEW: starting.of_new,
    S.REDWOOD_CHAINED: family.of_chained,
    S.REDWOOD_DISABLED: family.of_disabled,
    S.REDWOOD_DELAYED: starting.of_delayed,
    S.REDWOOD_SCHEDULED: starting.of_scheduled,
    S.REDWOOD_QUEUE_HELD: placing.of_waiting,
    S.REDWOOD_HELD: starting.of_held,
    S.REDWOOD_EVENT_WAIT: starting.of_event_wait,
    S.REDWOOD_LOCK_WAIT: placing.of_waiting,
    S.REDWOOD_QUEUED: placing.of_waiting,
    S.REDWOOD_DISPATCHED: running.of_offered,
    S.REDWOOD_ASSIGNED: running.of_offered,
    S.REDWOOD_PRE_RUNNING: running.of_running,
    S.REDWOOD_RUNNING: running.of_running,
    S.REDWOOD_POST_RUNNING: running.of_running,
    S.REDWOOD_WAITING: family.of_waiting,
    S.REDWOOD_KILLING: running.of_ordered,
    S.REDWOOD_CANCELING: running.of_ordered,
    S.REDWOOD_CONSOLE: ending.of_console,
    S.REDWOOD_UNCERTAIN: running.of_uncertain,
    S.REDWOOD_CONSOLE_RESTART: ending.of_console,
    S.REDWOOD_MODIFIED: starting.of_modified,
    S.REDWOOD_NEVER: starting.of_never,
    S.REDWOOD_OVERDUE: starting.of_overdue,
}
