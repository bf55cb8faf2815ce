"""What an expression about a job reads, and what it gives (core/vocabulary/variable.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock_server.core import expression
from interlock_server.core.expression import Gives, compile_expression
from interlock_server.core.rules.job_values import job_values

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return expression.is_true(compiled, {**job_values(world, job, compiled, turn.now_ms), **more})


def seconds(world: World, turn: Turn, job: Job, text: str, place: Mapping[str, str]) -> float:
    """A time span for a job, in seconds.

    Raises:
        ExpressionFault: it cannot be evaluated for this job.
    """
    compiled = compile_expression(text, variables=place, gives=Gives.NUMBER)
    return expression.seconds(compiled, job_values(world, job, compiled, turn.now_ms))
