"""What expressions about a job read (vocabulary/variable.py), put together for what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from interlock_server.core import calendar
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME

if TYPE_CHECKING:
    from interlock_server.core.expression import Compiled
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


def zone_of(world: World, job: Job) -> str:
    """The zone of windows that have none of their own."""
    definition = world.definitions.get(job.definition)
    return (definition.time_zone if definition is not None else "") or "UTC"


def job_values(world: World, job: Job, compiled: Compiled, now_ms: int) -> dict[str, Any]:
    """The values that an expression about a job reads now."""
    reads = compiled.reads
    about: dict[str, Any] = {
        "id": job.id,
        "definition": job.definition,
        "queue": job.queue,
        "priority": job.priority,
        "labels": job.labels,
        "status": STATUS_NAME[job.status],
        "start_time": job.start_ms,
        "submitted_by": job.submitted_by,
        # A post-running action reads it while the result is still provisional.
        "return_code": job.return_code if IS_FINAL[job.status] or job.provisional else None,
        "restarts": len(job.executions),
    }
    if "job.parameters" in reads:
        about["parameters"] = msgspec.json.decode(job.parameters)
    values: dict[str, Any] = {"job": about, "now": now_ms}
    if "windows" in reads:
        zone = zone_of(world, job)
        values["windows"] = {
            name: calendar.is_open(world.windows, name, now_ms, zone)
            for name in reads["windows"] or ()
        }
    return values
