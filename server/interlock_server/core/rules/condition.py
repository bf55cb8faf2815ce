"""What an expression about a job reads, and what it gives (core/vocabulary/variable.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from interlock_server.core import expression
from interlock_server.core.calendar import is_open
from interlock_server.core.expression import Gives, compile_expression
from interlock_server.core.vocabulary.status import STATUS_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock_server.core.expression import Compiled
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def is_true(
    world: World, turn: Turn, job: Job, text: str, place: Mapping[str, str], **more: Any
) -> bool:
    """Whether a condition about a job holds now; `more` is what only its place has.

    Raises:
        ExpressionFault: it cannot be evaluated for this job.
    """
    compiled = compile_expression(text, variables=place, gives=Gives.CONDITION)
    return expression.is_true(compiled, {**_values(world, turn, job, compiled), **more})


def seconds(world: World, turn: Turn, job: Job, text: str, place: Mapping[str, str]) -> float:
    """A time span for a job, in seconds.

    Raises:
        ExpressionFault: it cannot be evaluated for this job.
    """
    compiled = compile_expression(text, variables=place, gives=Gives.NUMBER)
    return expression.seconds(compiled, _values(world, turn, job, compiled))


def _values(world: World, turn: Turn, job: Job, compiled: Compiled) -> dict[str, Any]:
    definition = world.definitions.get(job.definition)
    zone = (definition.time_zone if definition is not None else "") or "UTC"
    windows = compiled.reads.get("windows") or ()
    return {
        "job": {
            "id": job.id,
            "definition": job.definition,
            "queue": job.queue,
            "priority": job.priority,
            "parameters": msgspec.json.decode(job.parameters),
            "labels": job.labels,
            "status": STATUS_NAME[job.status],
            "start_time": job.start_ms,
            "submitted_by": job.submitted_by,
            "return_code": job.return_code if job.ended_ms or job.provisional else None,
            "restarts": len(job.executions),
        },
        "now": turn.now_ms,
        "windows": {name: is_open(world.windows, name, turn.now_ms, zone) for name in windows},
    }
