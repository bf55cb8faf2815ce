"""WatchService: checks what is asked for and opens a watch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import watch_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.watch_service_pb2_grpc import WatchServiceServicer
from interlock_server.core.compacted import Compacted
from interlock_server.rpc import validate
from interlock_server.rpc.convert_filter import JobFilter, job_filter
from interlock_server.rpc.errors import InvalidArgument, Refused
from interlock_server.rpc.label_book import LabelBook
from interlock_server.rpc.name_book import NameBook
from interlock_server.rpc.partition_lookup import find_partition
from interlock_server.rpc.watch_stream import Watched, WatchStream

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from interlock_server.partition import Partition
    from interlock_server.partitions import Partitions

    Context = ServicerContext[Any, Any]

PROGRESS_MS: Final = 10_000
PROGRESS_MS_MIN: Final = 100
#: How long a watcher may leave a message unread.
STALL_S: Final = 30.0
LOOK_EVERY_S: Final = 1.0

_FORMS: Final = tuple(pb.WatchForm.values())


class WatchService(WatchServiceServicer):
    """Streams status changes."""

    def __init__(
        self, partitions: Partitions, *, watches_max: int, stall_s: float = STALL_S
    ) -> None:
        """Serve these partitions, to so many watchers."""
        self._partitions = partitions
        self._watches_max = watches_max
        self._stall_s = stall_s
        self._open: set[WatchStream] = set()
        self._books: dict[str, tuple[NameBook, LabelBook]] = {}

    async def Watch(self, request: pb.WatchRequest, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """Stream changes. Messages are bytes and are written through the context."""
        partition = find_partition(self._partitions, request.partition)
        watched = self._watched(partition, request)
        start = _start(partition, request)
        if len(self._open) >= self._watches_max:
            raise Refused(
                ErrorReason.ERROR_REASON_TOO_MANY_WATCHES,
                f"expected at most {self._watches_max} open watches; close some",
                retry_after_ms=5_000,
            )
        stream = WatchStream(context, watched)
        self._open.add(stream)
        partition.watchers += 1
        try:
            await stream.run(start)
        finally:
            partition.watchers -= 1
            self._open.discard(stream)

    def _watched(self, partition: Partition, request: pb.WatchRequest) -> Watched:
        selected = job_filter(request.filter)
        if selected.open_message:
            raise InvalidArgument("filter.open_message", "expected it unset: changes have none")
        if selected.chains:
            raise InvalidArgument(
                "filter.chains", "expected it empty: changes do not say it; name the jobs instead"
            )
        form = validate.choice("form", request.form, _FORMS, "watch form")
        interval_ms = PROGRESS_MS
        if request.HasField("progress_interval"):
            interval_ms = validate.duration_ms(
                "progress_interval", request.progress_interval, low_ms=PROGRESS_MS_MIN
            )
        names, labels = self._books_of(partition)
        return Watched(
            partition=partition,
            jobs=selected,
            changes=None
            if selected == JobFilter()
            else selected.changes(partition.world, labels.labels_of),
            columns=form == pb.WatchForm.WATCH_FORM_COLUMNS,
            names=names,
            labels=labels,
            progress_s=interval_ms / 1000,
        )

    def _books_of(self, partition: Partition) -> tuple[NameBook, LabelBook]:
        books = self._books.get(partition.name)
        if books is None:
            books = NameBook(partition.world), LabelBook(partition)
            self._books[partition.name] = books
        return books

    async def watch_stalls(self) -> None:
        """End the watches whose reader has stopped, until cancelled."""
        never = asyncio.Event()
        while True:
            try:
                async with asyncio.timeout(min(LOOK_EVERY_S, self._stall_s)):
                    await never.wait()
            except TimeoutError:
                self.end_stalled(asyncio.get_running_loop().time())

    def end_stalled(self, now_s: float) -> None:
        """End the watches that have had a message unread for too long."""
        for stream in list(self._open):
            if stream.writing_since and now_s - stream.writing_since > self._stall_s:
                stream.end_as_stalled()


def _start(partition: Partition, request: pb.WatchRequest) -> int | None:
    """The revision to begin after; None to begin with a snapshot."""
    if not request.HasField("from_revision"):
        if request.history_id:
            raise InvalidArgument("history_id", "expected it with the from_revision it belongs to")
        return None if request.snapshot else partition.history.head_revision
    if request.snapshot:
        raise InvalidArgument("snapshot", "expected it without from_revision: it has its own")
    start = validate.bounded("from_revision", request.from_revision)
    _check_history(partition.journal.history_id, request.history_id)
    oldest = partition.journal.oldest_revision()
    if start < oldest:
        raise Compacted(oldest)
    return start


def _check_history(own: str, given: str) -> None:
    """Refuse a revision of another history, whose number means something else here."""
    if given not in {"", own}:
        raise Refused(
            ErrorReason.ERROR_REASON_HISTORY_CHANGED,
            f"expected a revision of history {own}, but got one of {given[:64]!r}: the partition "
            "was replaced, as by a backup that was restored; begin again with a snapshot",
            metadata={"history_id": own},
        )
