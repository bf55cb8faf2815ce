"""What a job waits for when it suspends itself, and the signal that ends its handler."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from interlock import json_text
from interlock.instant import to_timestamp
from interlock.v1.job_pb2 import ResumeCondition, ResumeKind
from interlock.v1.robot_service_pb2 import ReportDetail, Suspension

if TYPE_CHECKING:
    from collections.abc import Sequence


class Suspended(BaseException):
    """The handler ends here; the next fragment of the job runs it again from the top."""

    def __init__(self, detail: ReportDetail) -> None:
        super().__init__("suspended")
        self.detail = detail


def make_suspension(
    *,
    until: datetime | timedelta | None = None,
    job: int | None = None,
    person: str | None = None,
    item: str | None = None,
    conditions: Sequence[ResumeCondition] = (),
    any: bool = False,  # noqa: A002 - the word of the API
    save: Any = None,
    same_robot: bool = False,
) -> Suspended:
    """Return the signal to raise. What is given are conditions, all of them or any."""
    wanted = [*conditions]
    if until is not None:
        instant = datetime.now(UTC) + until if isinstance(until, timedelta) else until
        timer = ResumeCondition(kind=ResumeKind.RESUME_KIND_TIMER, time=to_timestamp(instant))
        wanted.append(timer)
    if job is not None:
        wanted.append(ResumeCondition(kind=ResumeKind.RESUME_KIND_JOB, key=str(job)))
    if person is not None:
        wanted.append(ResumeCondition(kind=ResumeKind.RESUME_KIND_PERSON, key=person))
    if item is not None:
        wanted.append(ResumeCondition(kind=ResumeKind.RESUME_KIND_ITEM, key=item))
    if not wanted:
        raise ValueError(
            "expected something to wait for (until, job, person, item or conditions), got nothing"
        )
    suspension = Suspension(
        conditions=wanted,
        any=any,
        saved_json="" if save is None else json_text.encode(save, what="saved data"),
        same_robot=same_robot,
    )
    return Suspended(ReportDetail(suspension=suspension))
