"""Exchanges that come straight back: how fast grpc.aio is when nothing is decided or stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc

from interlock.v1 import job_outcome_pb2, job_service_pb2
from interlock.v1.robot_service_pb2 import Report, ReportBatch, ReportColumns, SessionRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Paths of what has no counterpart in the API.
ECHO: Final = "/bare.Bare/Echo"
ECHO_VALUES: Final = "/bare.Bare/EchoValues"
ECHO_REPORTS: Final = "/bare.Bare/EchoReports"
UNARY: Final = "/bare.Bare/Unary"


async def echo(
    requests: AsyncIterator[SessionRequest], _context: Any
) -> AsyncIterator[SessionRequest]:
    """Send every message back as it was parsed; Python sees none of its values."""
    async for request in requests:
        yield request


async def echo_values(
    requests: AsyncIterator[SessionRequest], _context: Any
) -> AsyncIterator[SessionRequest]:
    """Read the columns into Python values, and send a new message of them."""
    async for request in requests:
        columns = request.columns
        jobs, fences, kinds = list(columns.jobs), list(columns.fences), list(columns.kinds)
        yield SessionRequest(
            columns=ReportColumns(
                sequence=columns.sequence, jobs=jobs, fences=fences, kinds=bytes(kinds)
            )
        )


async def echo_reports(
    requests: AsyncIterator[SessionRequest], _context: Any
) -> AsyncIterator[SessionRequest]:
    """Read every report into Python values, and send new messages of them."""
    async for request in requests:
        batch = request.reports
        values = [(report.job, report.fence, report.kind) for report in batch.reports]
        reports = [Report(job=job, fence=fence, kind=kind) for job, fence, kind in values]
        yield SessionRequest(reports=ReportBatch(sequence=batch.sequence, reports=reports))


async def unary(
    request: job_service_pb2.HoldJobsRequest, _context: Any
) -> job_service_pb2.HoldJobsResponse:
    """Answer as if one job had been held."""
    return job_service_pb2.HoldJobsResponse(
        revision=1 << 20,
        outcomes=[
            job_outcome_pb2.JobOutcome(job=request.jobs[0], status=17, revision=1 << 20)  # type: ignore[arg-type]
        ],
    )


def methods() -> dict[str, Any]:
    """Return the methods by their paths."""
    hold = job_service_pb2.HoldJobsRequest
    streams = {ECHO: echo, ECHO_VALUES: echo_values, ECHO_REPORTS: echo_reports}
    return {
        path: grpc.stream_stream_rpc_method_handler(
            method,
            request_deserializer=SessionRequest.FromString,
            response_serializer=SessionRequest.SerializeToString,
        )
        for path, method in streams.items()
    } | {
        UNARY: grpc.unary_unary_rpc_method_handler(
            unary,
            request_deserializer=hold.FromString,
            response_serializer=job_service_pb2.HoldJobsResponse.SerializeToString,
        )
    }
