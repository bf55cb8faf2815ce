from __future__ import annotations

import pytest

from benchmarks.bare import echo
from interlock.v1.robot_service_pb2 import Report, ReportBatch, ReportColumns, SessionRequest

COLUMNS = SessionRequest(
    columns=ReportColumns(sequence=7, jobs=[1, 300, 70_000], fences=[1], kinds=b"\x0a")
)
REPORTS = SessionRequest(
    reports=ReportBatch(sequence=7, reports=[Report(job=300, fence=2, kind=11)])  # type: ignore[arg-type]
)


async def sent(*messages):
    for message in messages:
        yield message


@pytest.mark.parametrize(
    ("method", "message"),
    [(echo.echo, COLUMNS), (echo.echo_values, COLUMNS), (echo.echo_reports, REPORTS)],
)
async def test_what_comes_back_is_what_was_sent(method, message):
    assert [answer async for answer in method(sent(message, message), None)] == [message, message]
