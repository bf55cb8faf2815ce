"""A process of watchers that read the same changes from the past, as fast as they are sent.

All open their streams at once and read to the end of it; again and again, if they are few.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from benchmarks import load_process
from benchmarks.bare.fan_out import REPLAY, write_recording
from benchmarks.loads.robot_stream import CHANNEL_OPTIONS
from benchmarks.loads.watch import WATCH, Watcher
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest

if TYPE_CHECKING:
    from collections.abc import Callable


async def _read(call: Any, line: dict[str, Any], *, record: bool) -> Watcher:
    """Read everything that was asked for, and end the stream."""
    watcher = Watcher(call, after=line["after"])
    if record:
        watcher.record = []
    reading = asyncio.create_task(watcher.read())
    seeing = asyncio.create_task(watcher.see(line["until"]))
    await asyncio.wait({reading, seeing}, return_when=asyncio.FIRST_COMPLETED)
    if reading.done():
        reading.result()  # raises if it failed; a bare stream ends by itself
    await seeing
    call.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return watcher


async def _all(method: Callable[..., Any], line: dict[str, Any], count: int) -> int:
    request = WatchRequest(form=WatchForm.WATCH_FORM_COLUMNS, from_revision=line["after"])
    recording = line.get("recording")
    watchers = await asyncio.gather(
        *(_read(method(request), line, record=bool(recording)) for _ in range(count))
    )
    if recording:
        write_recording(Path(recording), watchers[0].record or [])
    return sum(watcher.events for watcher in watchers)


async def main() -> None:
    """Catch up as often as each line says; answers with counts and times."""
    lines = load_process.orders()
    task = await anext(lines)
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        await channel.channel_ready()
        method: Any = channel.unary_stream(
            REPLAY if task["bare"] else WATCH,
            request_serializer=WatchRequest.SerializeToString,
        )
        load_process.say(ready=True)
        async for line in lines:
            began = time.monotonic()
            events = 0
            for _ in range(line["times"]):
                events += await _all(method, line, task["count"])
            load_process.say(events=events, began=began, ended=time.monotonic())


if __name__ == "__main__":
    load_process.run(main())
