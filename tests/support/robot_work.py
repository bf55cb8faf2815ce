"""What tests of robots share: kinds of reports, offers, and a robot at work."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from interlock.v1.robot_service_pb2 import Offer, ReportKind
from interlock.v1.status_pb2 import Lifecycle
from tests.support.fake_server import DEFINITION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlock import Robot

UIPATH, REDWOOD = Lifecycle.LIFECYCLE_UIPATH, Lifecycle.LIFECYCLE_REDWOOD
ACCEPTED = ReportKind.REPORT_KIND_ACCEPTED
REFUSED = ReportKind.REPORT_KIND_REFUSED
STARTED = ReportKind.REPORT_KIND_STARTED
COMPLETED = ReportKind.REPORT_KIND_COMPLETED
FAILED = ReportKind.REPORT_KIND_FAILED
CANCELED = ReportKind.REPORT_KIND_CANCELED
KILLED = ReportKind.REPORT_KIND_KILLED
CANCEL_CONFIRMED = ReportKind.REPORT_KIND_CANCEL_CONFIRMED
ASKED = ReportKind.REPORT_KIND_ASKED
NOTED = ReportKind.REPORT_KIND_NOTED
SUSPENDED = ReportKind.REPORT_KIND_SUSPENDED
WAITING = ReportKind.REPORT_KIND_WAITING
WAIT_OVER = ReportKind.REPORT_KIND_WAIT_OVER


def offer(
    job: int,
    *,
    fence: int = 1,
    lifecycle: Lifecycle.ValueType = REDWOOD,
    parameters: str = "{}",
    **fields: Any,
) -> Offer:
    """Return an offer of a job of the definition that every test has."""
    return Offer(
        job=job,
        fence=fence,
        definition=DEFINITION,
        lifecycle=lifecycle,
        parameters_json=parameters,
        **fields,
    )


@asynccontextmanager
async def working(robot: Robot) -> AsyncIterator[asyncio.Task[None]]:
    """Let a robot run while the block runs, then end it at once."""
    running = asyncio.create_task(robot.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
