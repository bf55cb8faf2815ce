"""A process that reports in batches: as fast as it may, with several in flight, or at a given rate.

At a rate every batch has an instant at which it is to be sent, whatever became of those before it,
and its latency counts from that instant: a server that stalls delays all that should have been
sent meanwhile, and that is what is measured.

`echo` names an echo of the bare server that the same reports are sent to; without, it is a server
of ours.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import grpc

from benchmarks import load_process
from benchmarks.bare.echo import ECHO, ECHO_REPORTS, ECHO_VALUES
from benchmarks.loads.robot_stream import CHANNEL_OPTIONS, RobotStream, open_streams
from benchmarks.loads.schedule import Schedule
from interlock.v1.robot_service_pb2 import SessionRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Each echo's path, and the form of the reports that it knows.
ECHOES: Final = {
    "object": (ECHO, "columns"),
    "values": (ECHO_VALUES, "columns"),
    "reports": (ECHO_REPORTS, "reports"),
}


def _open_echo(channel: grpc.aio.Channel, task: dict[str, Any]) -> list[RobotStream]:
    path, form = ECHOES[task["echo"]]
    streams = []
    for _ in range(task["streams"]):
        call: Any = channel.stream_stream(
            path,
            request_serializer=SessionRequest.SerializeToString,
            response_deserializer=SessionRequest.FromString,
        )()
        stream = RobotStream(call, batch=task["batch"], form=form)
        stream.prepare(range(1, task["jobs"] // task["streams"] + 1))
        streams.append(stream)
    return streams


async def _report(stream: RobotStream, window: int, until: float) -> int:
    """Report until an instant; returns how many reports were acknowledged, all of them."""
    reports = 0
    while time.monotonic() < until:
        await stream.in_flight_below(window)
        reports += await stream.send()
    await stream.in_flight_below(1)
    return reports


async def unless_one_ends(work: asyncio.Task[Any], readers: Sequence[asyncio.Task[None]]) -> Any:
    """Return what a task does; raises what a reader raised if one ends before."""
    await asyncio.wait([work, *readers], return_when=asyncio.FIRST_COMPLETED)
    for reader in readers:
        if reader.done():
            reader.result()
    return await work


async def _all(streams: list[RobotStream], window: int, until: float) -> int:
    return sum(await asyncio.gather(*(_report(stream, window, until) for stream in streams)))


async def main() -> None:
    """Report for as long as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        if "echo" in task:
            streams = _open_echo(channel, task)
        else:
            streams = await open_streams(channel, task)
        load_process.say(ready=True)
        readers = [asyncio.create_task(stream.read()) for stream in streams]
        async for line in lines:
            schedule = Schedule(streams, line["rate"]) if "rate" in line else None
            began, used = time.monotonic(), time.process_time()
            until = began + line["seconds"]
            work = asyncio.create_task(
                schedule.run(began, until) if schedule else _all(streams, task["window"], until)
            )
            reports = await unless_one_ends(work, readers)
            load_process.say(
                reports=reports,
                began=began,
                ended=time.monotonic(),
                cpu_s=time.process_time() - used,
                revision=max(stream.revision for stream in streams),
                latency=schedule.latency.encoded() if schedule else "",
            )
        for stream in streams:
            stream.call.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


if __name__ == "__main__":
    load_process.run(main())
