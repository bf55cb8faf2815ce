"""Watches read by hand: what a stream sends, kept in the form that the promises are checked in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.duration_pb2 import Duration

from interlock.v1 import event_pb2
from interlock.v1 import watch_service_pb2 as pb
from tests.support.watch_promises import Changes, Ended, Progress, Record

if TYPE_CHECKING:
    from tests.support.api_methods import Stubs

#: The shortest interval that is allowed.
QUICK_PROGRESS = Duration(nanos=100_000_000)


@dataclass
class Collected:
    """One watcher over all its streams. `until` reads until it is complete up to a revision."""

    stubs: Stubs
    request: pb.WatchRequest
    events: list[event_pb2.Event] = field(default_factory=list)
    #: Messages with columns and with the names in them.
    columns: list[pb.WatchResponse] = field(default_factory=list)
    snapshot: list[Any] = field(default_factory=list)
    _record: Record | None = None
    call: Any = None
    #: Up to here everything was received.
    revision: int = 0

    @property
    def record(self) -> Record:
        """What came, in the form that the promises are checked in."""
        assert self._record is not None, "the first message says where the watch starts"
        return self._record

    def open(self) -> Self:
        """Open a stream; after the first one, from where the last one was."""
        request = pb.WatchRequest()
        request.CopyFrom(self.request)
        if not request.HasField("progress_interval"):
            request.progress_interval.CopyFrom(QUICK_PROGRESS)
        if self._record is not None:
            request.snapshot = False
            request.from_revision = self.revision
            self._record.messages.append(Ended(self.revision))
        self.call = self.stubs.watches.Watch(request)
        return self

    async def next(self) -> str | None:
        """Take the next message; its kind, None at the end of the stream."""
        message = await self.call.read()
        if message is grpc.aio.EOF:
            return None
        kind: str = message.WhichOneof("message")
        match kind:
            case "progress":
                self._start(message.progress.revision)
                self._take(Progress(message.progress.revision))
                self.revision = message.progress.revision
            case "events":
                self.events += message.events.events
                self._changes([event.revision for event in message.events.events])
            case "columns":
                self.columns.append(message)
                self._changes(
                    [
                        block.first_revision + index
                        for block in message.columns.blocks
                        for index in range(len(block.jobs))
                    ]
                )
            case "names":
                self.columns.append(message)
            case "snapshot":
                self.snapshot += message.snapshot.jobs
                self._start(message.snapshot.revision)
                self.revision = message.snapshot.revision
        return kind

    def _start(self, revision: int) -> None:
        if self._record is None:
            asked = self.request.HasField("from_revision")
            self._record = Record(self.request.from_revision if asked else revision)

    def _take(self, message: Changes | Progress) -> None:
        self.record.messages.append(message)

    def _changes(self, revisions: list[int]) -> None:
        self._take(Changes(tuple(revisions)))
        self.revision = revisions[-1]

    async def until(self, revision: int) -> Self:
        """Read until everything up to a revision was sent."""
        while self.revision < revision:
            assert await self.next() is not None, "the stream ended early"
        return self

    async def to_end(self) -> None:
        """Read until the server ends the stream; raises what it ended with."""
        while await self.next() is not None:
            pass

    async def close(self) -> None:
        """End the stream."""
        if self.call is not None:
            self.call.cancel()
            self.call = None


async def collect(stubs: Stubs, through: int, **request: Any) -> Collected:
    """Watch once, through a revision, and say what came."""
    collected = Collected(stubs, pb.WatchRequest(**request)).open()
    try:
        return await collected.until(through)
    finally:
        await collected.close()
