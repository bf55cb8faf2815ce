"""Outbox: what a robot has to say and the server has not made durable yet.

Reports collect in columns while batches are under way; a batch that is not acknowledged is sent
again after a reconnect, under the same sequence number. So no report is lost and none counts twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from interlock.v1.robot_service_pb2 import ReportColumns, ReportKind, SessionRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlock.v1.robot_service_pb2 import ReportDetail

#: A batch has at most so many reports ...
REPORTS_MAX: Final = 1_000
#: ... and about so many bytes of details; a server accepts messages of 4 MiB.
DETAIL_BYTES_MAX: Final = 2 << 20
#: So many batches may be under way. The server takes what has arrived with one fsync.
WINDOW: Final = 4
#: A few reports may follow one batch at once; beside two only what is worth a message of its own.
_SMALL_BATCHES_MAX: Final = 2
_WORTH_SENDING: Final = 64
#: So many reports may wait before notes have to; ends of jobs never wait.
_ROOM: Final = 20_000

ENDS: Final = frozenset(
    {
        ReportKind.REPORT_KIND_REFUSED,
        ReportKind.REPORT_KIND_COULD_NOT_START,
        ReportKind.REPORT_KIND_COMPLETED,
        ReportKind.REPORT_KIND_FAILED,
        ReportKind.REPORT_KIND_CANCELED,
        ReportKind.REPORT_KIND_KILLED,
        ReportKind.REPORT_KIND_CANCEL_CONFIRMED,
        ReportKind.REPORT_KIND_SUSPENDED,
        ReportKind.REPORT_KIND_REMOTE_GONE,
        ReportKind.REPORT_KIND_POST_RUNNING_DONE,
    }
)


@dataclass(eq=False, slots=True)
class Batch:
    """Reports of one message, as columns."""

    sequence: int = 0
    jobs: list[int] = field(default_factory=list)
    fences: list[int] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    details: list[ReportDetail] = field(default_factory=list)
    detail_bytes: int = 0
    sent: SessionRequest | None = None

    def message(self) -> SessionRequest:
        """Return the message for the server, the same one every time."""
        if self.sent is None:
            columns = ReportColumns(
                sequence=self.sequence,
                jobs=self.jobs,
                fences=self.fences,
                kinds=bytes(self.kinds),
                details=self.details,
            )
            self.sent = SessionRequest(columns=columns)
        return self.sent


class Outbox:
    """Reports in the order in which they were made. `wake` is called when one may be sent."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self._open = Batch()
        self._full: deque[Batch] = deque()
        self._unacknowledged: deque[Batch] = deque()
        #: How many of the unacknowledged batches were sent on the present stream.
        self._under_way = 0
        self._next_sequence = 1
        self._changed = asyncio.Event()

    def add(self, job: int, fence: int, kind: int, detail: ReportDetail | None = None) -> None:
        """Take a report. It will reach the server unless this process ends first."""
        batch = self._open
        if detail is not None:
            detail.index = len(batch.jobs)
            batch.details.append(detail)
            batch.detail_bytes += detail.ByteSize()
        batch.jobs.append(job)
        batch.fences.append(fence)
        batch.kinds.append(kind)
        if len(batch.jobs) >= REPORTS_MAX or batch.detail_bytes >= DETAIL_BYTES_MAX:
            self._full.append(batch)
            self._open = Batch()
        self._wake()

    @property
    def is_empty(self) -> bool:
        """Whether everything is durable."""
        return not (self._open.jobs or self._full or self._unacknowledged)

    def next_message(self) -> SessionRequest | None:
        """Return the next batch to send, or None while nothing may or need be sent."""
        if self._under_way < len(self._unacknowledged):  # the stream is new: send again
            self._under_way += 1
            return self._unacknowledged[self._under_way - 1].message()
        if self._under_way >= WINDOW:
            return None
        if self._full:
            batch = self._full.popleft()
        elif self._open.jobs and (
            self._under_way < _SMALL_BATCHES_MAX or len(self._open.jobs) >= _WORTH_SENDING
        ):
            batch, self._open = self._open, Batch()
        else:
            return None
        batch.sequence = self._next_sequence
        self._next_sequence += 1
        self._unacknowledged.append(batch)
        self._under_way += 1
        return batch.message()

    def find(self, sequence: int) -> Batch | None:
        """Return an unacknowledged batch."""
        first = self._unacknowledged[0].sequence if self._unacknowledged else 0
        index = sequence - first
        return self._unacknowledged[index] if 0 <= index < len(self._unacknowledged) else None

    def acknowledge(self, sequence: int) -> None:
        """Forget the batches up to this one: they are durable."""
        while self._unacknowledged and self._unacknowledged[0].sequence <= sequence:
            self._unacknowledged.popleft()
            self._under_way = max(self._under_way - 1, 0)
        self._changed.set()
        self._wake()

    def start_over(self, last_sequence: int) -> bool:
        """Begin a new stream whose server has recorded batches up to `last_sequence`.

        Returns whether the sequence goes on without a gap; it does not if the server's data were
        put back to an earlier state.
        """
        self._under_way = 0
        self.acknowledge(last_sequence)
        self._under_way = 0
        first = self._unacknowledged[0].sequence if self._unacknowledged else self._next_sequence
        return first == last_sequence + 1

    def renumber(self) -> None:
        """Count from 1 again, as a new instance that the server knows nothing of."""
        for sequence, batch in enumerate(self._unacknowledged, start=1):
            batch.sequence, batch.sent = sequence, None
        self._next_sequence = len(self._unacknowledged) + 1

    def pending_ends(self) -> Iterator[tuple[int, int]]:
        """Yield job and fence of every end report that is not durable."""
        for batch in (*self._unacknowledged, *self._full, self._open):
            for job, fence, kind in zip(batch.jobs, batch.fences, batch.kinds, strict=True):
                if kind in ENDS:
                    yield job, fence

    async def told(self, job: int, fence: int) -> None:
        """Return once the end report of an attempt is durable."""
        while (job, fence) in self.pending_ends():
            self._changed.clear()
            await self._changed.wait()

    async def drained(self) -> None:
        """Return once everything is durable."""
        while not self.is_empty:
            self._changed.clear()
            await self._changed.wait()

    async def room(self) -> None:
        """Return once there is room for a report that can wait."""
        while len(self._full) * REPORTS_MAX >= _ROOM:
            self._changed.clear()
            await self._changed.wait()
