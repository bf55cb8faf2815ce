"""A process with watchers that read columns as fast as they can and hold them to be complete."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc

from benchmarks import load_process
from benchmarks.bare.fan_out import FAN_OUT, write_recording
from benchmarks.latency import Latency
from benchmarks.loads.robot_stream import CHANNEL_OPTIONS
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest, WatchResponse

WATCH = "/interlock.v1.WatchService/Watch"


class IncompleteError(Exception):
    """A change was missing, came twice or out of order."""


class Watcher:
    """One watcher of one stream."""

    def __init__(self, call: Any, *, after: int = 0) -> None:
        self._call = call
        self._resumes = bool(after)
        self.revision = after
        #: When the newest change was seen.
        self.at = 0.0
        self.events = 0
        self.messages = 0
        self.record: list[bytes] | None = None
        #: From the server's decision, whose instant has whole milliseconds, to the arrival here.
        self.lag: Latency | None = None
        self.reached = asyncio.Condition()

    async def read(self) -> None:
        """Read to the end of the stream."""
        while True:
            data: Any = await self._call.read()
            if data is grpc.aio.EOF:
                return
            response = WatchResponse.FromString(data)
            kind = response.WhichOneof("message")
            if kind == "progress" and not self.events and not self._resumes:
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
            if self.lag is not None:
                self.lag.record(time.time() - block.time_ms / 1_000, count)
        self.messages += 1
        self.revision, self.at = revision, time.monotonic()

    async def see(self, revision: int) -> None:
        """Wait until a revision was seen."""
        async with self.reached:
            await self.reached.wait_for(lambda: self.revision >= revision)


class Watchers:
    """Several watchers of one server, each with a stream of its own."""

    def __init__(self, channel: grpc.aio.Channel, task: dict[str, Any]) -> None:
        path = FAN_OUT if task["bare"] else WATCH
        method: Any = channel.unary_stream(path, request_serializer=WatchRequest.SerializeToString)
        request = WatchRequest(form=WatchForm.WATCH_FORM_COLUMNS)
        self._calls: list[Any] = [method(request) for _ in range(task["count"])]
        self._each = [Watcher(call) for call in self._calls]
        self._reading = [asyncio.create_task(watcher.read()) for watcher in self._each]
        self._measures_lag = task.get("lag", False)
        self._measure_lag()

    def _measure_lag(self) -> Latency:
        """Return what was measured so far, and begin anew."""
        lag = self._each[0].lag or Latency()
        if self._measures_lag:
            anew = Latency()
            for watcher in self._each:
                watcher.lag = anew
        return lag

    def record(self) -> None:
        """Begin to record what one of them receives."""
        self._each[0].record = []

    def write_recording(self, path: Path) -> None:
        """Write what was recorded, and end it."""
        write_recording(path, self._each[0].record or [])
        self._each[0].record = None

    async def see(self, revision: int) -> dict[str, Any]:
        """Wait until all have seen a revision; returns what they saw so far."""
        seeing = asyncio.gather(*(watcher.see(revision) for watcher in self._each))
        failed = asyncio.gather(*self._reading)
        await asyncio.wait([seeing, failed], return_when=asyncio.FIRST_COMPLETED)
        if not seeing.done():
            failed.result()  # raises: a stream ends because it failed
        await seeing
        return {
            "at": max(watcher.at for watcher in self._each),
            "events": sum(watcher.events for watcher in self._each),
            "messages": sum(watcher.messages for watcher in self._each),
            "lag": self._measure_lag().encoded(),
        }

    async def close(self) -> None:
        """End all streams."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


async def main() -> None:
    """Watch; each line says up to where, and is answered when all have seen it.

    A line `record` begins to record what one of them receives. The task says whether it is measured
    how late changes arrive.
    """
    lines = load_process.orders()
    task = await anext(lines)
    async with grpc.aio.insecure_channel(task["address"], options=CHANNEL_OPTIONS) as channel:
        watchers = Watchers(channel, task)
        if not task["bare"]:
            await watchers.see(1)
        load_process.say(ready=True)
        async for line in lines:
            if "record" in line:
                watchers.record()
                load_process.say(recording=True)
                continue
            seen = await watchers.see(line["until"])
            if "recording" in line:
                watchers.write_recording(Path(line["recording"]))
            load_process.say(**seen)
        await watchers.close()


if __name__ == "__main__":
    load_process.run(main())
