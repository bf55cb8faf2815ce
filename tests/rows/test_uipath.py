"""The 26 rows of a UiPath job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.command import ReportKind
from tests.support.core_driver import UIPATH
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


async def test_a_job_is_created_started_and_ends_well(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(UIPATH)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)

    await expect_rows(live, job, "TU-01", by="user")
    await expect_rows(live, job, "TU-04", "TU-08", by="robot")
