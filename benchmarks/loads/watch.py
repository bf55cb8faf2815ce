"""A process with watchers that read columns as fast as they can and hold them to be complete."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc

from benchmarks import load_process
from benchmarks.bare.fan_out import FAN_OUT, write_recording
from benchmarks.loads.robot_stream import CHANNEL_OPTIONS
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest, WatchResponse

WATCH = "/interlock.v1.WatchService/Watch"


class IncompleteError(Exception):
    """A change was missing, came twice or out of order."""


class Watcher:
    """One watcher of one stream."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.revision = 0
        #: When the newest change was seen.
        self.at = 0.0
        self.events = 0
        self.messages = 0
        self.record: list[bytes] | None = None
        self.reached = asyncio.Condition()

    async def read(self) -> None:
        """Read to the end of the stream."""
        while True:
            data: Any = await self._call.read()
            if data is grpc.aio.EOF:
                return
            response = WatchResponse.FromString(data)
            kind = response.WhichOneof("message")
            if kind == "progress" and not self.events:
                self.revision = response.progress.revision
            elif kind == "columns":
                self._take(response)
                if self.record is not None:
                    self.record.append(data)
            async with self.reached:
                self.reached.notify_all()

    def _take(self, response: WatchResponse) -> None:
        revision = self.revision
        for block in response.columns.blocks:
            if revision and block.first_revision != revision + 1:
                raise IncompleteError(f"revision {block.first_revision} came after {revision}")
            count = len(block.jobs)
            revision = block.first_revision + count - 1
            self.events += count
        self.messages += 1
        self.revision, self.at = revision, time.monotonic()

    async def see(self, revision: int) -> None:
        """Wait until a revision was seen."""
        async with self.reached:
            await self.reached.wait_for(lambda: self.revision >= revision)


async def main() -> None:
    """Watch; each line says up to where, and is answered when all have seen it."""
    lines = load_process.orders()
    task = await anext(lines)
    path, request = WATCH, WatchRequest(form=WatchForm.WATCH_FORM_COLUMNS)
    if task["bare"]:
        path = FAN_OUT
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        method: Any = channel.unary_stream(path, request_serializer=WatchRequest.SerializeToString)
        calls: list[Any] = [method(request) for _ in range(task["count"])]
        watchers = [Watcher(call) for call in calls]
        reading = [asyncio.create_task(watcher.read()) for watcher in watchers]
        if not task["bare"]:
            await asyncio.gather(*(watcher.see(1) for watcher in watchers))
        load_process.say(ready=True)
        async for line in lines:
            if line.get("record"):
                watchers[0].record = []
                load_process.say(recording=True)
                continue
            seeing = asyncio.gather(*(watcher.see(line["until"]) for watcher in watchers))
            failed = asyncio.gather(*reading)
            await asyncio.wait([seeing, failed], return_when=asyncio.FIRST_COMPLETED)
            if not seeing.done():
                failed.result()
            await seeing
            if (record := watchers[0].record) is not None and "recording" in line:
                write_recording(Path(line["recording"]), record)
                watchers[0].record = None
            load_process.say(
                at=max(watcher.at for watcher in watchers),
                events=sum(watcher.events for watcher in watchers),
                messages=sum(watcher.messages for watcher in watchers),
            )
        for call in calls:
            call.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


if __name__ == "__main__":
    load_process.run(main())
