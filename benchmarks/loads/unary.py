"""A process of callers: each holds and releases a job of its own, one transition in each call."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import grpc

from benchmarks import load_process
from benchmarks.bare.echo import UNARY
from benchmarks.loads.robot_stream import CHANNEL_OPTIONS
from interlock.v1 import job_service_pb2 as api
from interlock.v1.job_service_pb2_grpc import JobServiceStub


async def _call_until(until: float, job: int, hold: Any, release: Any) -> int:
    """Hold and release a job, with a request id in each call as the SDK gives it."""
    calls = 0
    while time.monotonic() < until:
        await hold(api.HoldJobsRequest(jobs=[job], request_id=secrets.token_hex(16)))
        await release(api.ReleaseJobsRequest(jobs=[job], request_id=secrets.token_hex(16)))
        calls += 2
    return calls


async def main() -> None:
    """Call for as long as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        if task["bare"]:
            hold: Any = channel.unary_unary(
                UNARY,
                request_serializer=api.HoldJobsRequest.SerializeToString,
                response_deserializer=api.HoldJobsResponse.FromString,
            )
            # The two requests and the two responses have the same fields.
            release: Any = channel.unary_unary(
                UNARY,
                request_serializer=api.ReleaseJobsRequest.SerializeToString,
                response_deserializer=api.ReleaseJobsResponse.FromString,
            )
        else:
            stub: Any = JobServiceStub(channel)
            hold, release = stub.HoldJobs, stub.ReleaseJobs
        load_process.say(ready=True)
        async for line in lines:
            began, used = time.monotonic(), time.process_time()
            until = began + line["seconds"]
            calls = await asyncio.gather(
                *(_call_until(until, job, hold, release) for job in task["jobs"])
            )
            load_process.say(
                calls=sum(calls),
                began=began,
                ended=time.monotonic(),
                cpu_s=time.process_time() - used,
            )


if __name__ == "__main__":
    load_process.run(main())
