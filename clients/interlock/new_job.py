"""What `submit` takes, as the message of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock import json_text
from interlock.instant import to_duration, to_timestamp
from interlock.v1.job_service_pb2 import NewJob

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta


def make_new_job(
    definition: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    queue: str | None = None,
    priority: int | None = None,
    robot: str | None = None,
    count: int | None = None,
    start_time: datetime | None = None,
    hold: bool = False,
    labels: Mapping[str, str] | None = None,
    reference: str | None = "",
    trigger_time: datetime | None = None,
    stop_after: timedelta | float | None = None,
    kill_after: timedelta | float | None = None,
    start_at_step: str | None = "",
    parent: int | None = 0,
    start_when_parent_ends: bool = False,
    window: str | None = "",
) -> NewJob:
    """Return the job to be created. What is not given, the definition decides."""
    return NewJob(
        definition=definition,
        parameters_json=json_text.encode(dict(parameters), what="parameters") if parameters else "",
        queue=queue or "",
        priority=priority or 0,
        robot=robot or "",
        count=count or 0,
        start_time=to_timestamp(start_time),
        hold=hold,
        labels=labels or {},
        reference=reference or "",
        trigger_time=to_timestamp(trigger_time),
        stop_after=to_duration(stop_after),
        kill_after=to_duration(kill_after),
        start_at_step=start_at_step or "",
        parent=parent or 0,
        start_when_parent_ends=start_when_parent_ends,
        window=window or "",
    )
