"""Explanations: records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import explain_service_pb2 as pb

if TYPE_CHECKING:
    from interlock_server.core.explain import Explanation, Reason


def explanation(found: Explanation) -> pb.Explanation:
    """All that keeps a job."""
    message = pb.Explanation(
        job=found.job,
        status=found.status,  # type: ignore[arg-type]  # same numbers
        revision=found.revision,
        summary=found.summary,
        reasons=[_reason(each) for each in found.reasons],
    )
    message.time.FromMilliseconds(found.at_ms)
    return message


def _reason(found: Reason) -> pb.Reason:
    message: Any = pb.Reason(
        kind=int(found.kind),  # type: ignore[arg-type]  # same numbers
        sentence=found.sentence,
        current=found.current,
        object=found.object,
        by=found.by,
        jobs=found.jobs,
        position=found.position,
        reasons=[_reason(each) for each in found.reasons],
    )
    if found.since_ms:
        message.since.FromMilliseconds(found.since_ms)
    if found.until_ms:
        message.until.FromMilliseconds(found.until_ms)
    return message  # type: ignore[no-any-return]
