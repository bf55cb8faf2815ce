"""Watch: the changes of jobs as they become durable, without gaps, across any number of reconnects.

It knows the revision up to which it has everything, and takes up every new stream there. Nothing is
lost or handed out twice, whoever ended the stream before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from grpc import StatusCode, aio

from interlock.change import Change, change_of
from interlock.columns import ColumnReader, UnknownRowError
from interlock.errors import ConnectionClosed, Indeterminate, InterlockError, Unavailable, from_rpc
from interlock.job import Job
from interlock.retry import Backoff
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest, WatchResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from interlock.connection import Connection
    from interlock.v1.event_pb2 import ChangeColumns
    from interlock.v1.filter_pb2 import Filter

_BROKEN: Final = frozenset(
    {
        StatusCode.UNAVAILABLE.name,
        StatusCode.UNKNOWN.name,
        StatusCode.CANCELLED.name,
        StatusCode.DEADLINE_EXCEEDED.name,
        StatusCode.INTERNAL.name,  # grpc's own word for a stream that was cut off
        "GOING_AWAY",
        "DRAINING",
        "SLOW_CONSUMER",
        "OVERLOADED",
    }
)


class Watch:
    """An async iterator of changes and an async context manager that ends the call."""

    def __init__(
        self,
        connection: Connection,
        selected: Filter,
        *,
        from_revision: int | None,
        history_id: str,
        snapshot: bool,
        columns: bool,
    ) -> None:
        if snapshot and from_revision is not None:
            raise ValueError(
                "expected either snapshot=True or from_revision: a snapshot says its revision"
            )
        if history_id and from_revision is None:
            raise ValueError("expected history_id with the from_revision that it belongs to")
        self._connection = connection
        self._filter = selected
        self._columns = columns
        #: What was received up to; None until the server has said where the watch starts.
        self._received = from_revision
        self._delivered = from_revision or 0
        self._history_id = history_id
        self._wants_snapshot = snapshot
        self._snapshot: list[Job] = []
        self._changes: deque[Change] = deque()
        self._call: aio.UnaryStreamCall[WatchRequest, WatchResponse] | None = None
        self._reader = ColumnReader({})
        self._backoff = Backoff()
        self._resumes = 0
        self._was_served = False
        self._is_reading = False
        self._closed = False

    @property
    def revision(self) -> int:
        """The last revision up to which every matching change was handed out.

        Give it to `from_revision` of another watch to go on there: nothing is lost. It moves at
        the end of a batch, so that changes made together are never torn apart.
        """
        return self._delivered

    @property
    def history_id(self) -> str:
        """The history that `revision` belongs to; empty until the server has said it.

        Keep it with the revision and give both to another watch. It never changes: if the
        partition gets another history, this watch ends with HistoryChanged.
        """
        return self._history_id

    @property
    def resumes(self) -> int:
        """How often the stream broke and was taken up again."""
        return self._resumes

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        # A call that is only dropped would stay open on the server; the loop may be gone by now.
        with suppress(Exception):
            self._drop_call()

    async def close(self) -> None:
        """End the watch. May be called again."""
        self._closed = True
        self._drop_call()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while not self._changes:
            if self._closed:
                raise StopAsyncIteration
            try:
                self._changes.extend(await self._next_changes())
            except ConnectionClosed:
                if self._closed:
                    raise StopAsyncIteration from None
                raise
        change = self._changes.popleft()
        if not self._changes:
            self._delivered = self._received or 0
        return change

    async def batches(self) -> AsyncIterator[list[Change]]:
        """Yield the changes in lists, as they arrive. The fast way to read very many."""
        while not self._closed:
            changes = [*self._changes] or await self._next_changes()
            self._changes.clear()
            self._delivered = self._received or 0
            if changes:
                yield changes

    async def start(self) -> int:
        """Wait until the watch has started; returns the revision after which it shows changes.

        What is done after this returns, the watch shows.
        """
        while self._received is None and not self._closed:
            self._changes.extend(await self._next_changes())
        return self._delivered

    async def snapshot(self) -> list[Job]:
        """Return the live jobs that matched when the watch started, without their parameters.

        The changes that follow are those after it. Only for a watch with `snapshot=True`.
        """
        while self._wants_snapshot and not self._closed:
            self._changes.extend(await self._next_changes())
        return self._snapshot

    async def _next_changes(self) -> list[Change]:
        """Return what the next message brings; an empty list if it brings no changes."""
        if self._is_reading:
            raise RuntimeError("expected one reader of a watch at a time, but got a second one")
        self._is_reading = True
        try:
            response = await self._read()
        finally:
            self._is_reading = False
        match response.WhichOneof("message"):
            case "columns":
                changes = await self._read_columns(response.columns)
            case "events":
                changes = [change_of(event) for event in response.events.events]
            case "names":
                self._reader.learn(response.names.names)
                return []
            case "progress":
                self._received = response.progress.revision
                self._history_id = response.progress.history_id or self._history_id
                if not self._changes:
                    self._delivered = self._received
                return []
            case "snapshot":
                self._read_snapshot(response)
                return []
            case _:  # of a server that is newer than this program
                return []
        if changes:
            self._received = changes[-1].revision
        return changes

    def _read_snapshot(self, response: WatchResponse) -> None:
        part = response.snapshot
        self._snapshot += [Job(job) for job in part.jobs]
        if part.last:
            self._wants_snapshot = False
            self._received = self._delivered = part.revision
            self._history_id = part.history_id

    async def _read_columns(self, columns: ChangeColumns) -> list[Change]:
        try:
            return self._reader.read(columns)
        except UnknownRowError:
            # The server was replaced by a newer one since the tables were fetched.
            self._reader.use_rows(await self._connection.lifecycle_rows(anew=True))
            return self._reader.read(columns)

    async def _read(self) -> WatchResponse:
        """Return the next message, from a new stream if need be."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._connection.timeout
        while True:
            if self._closed or self._connection.closed:
                raise ConnectionClosed("expected an open watch, but it was closed")
            try:
                response = await self._read_once()
            except aio.AioRpcError as failure:
                error = from_rpc(failure)
                self._check_worth_resuming(error, late=loop.time() > deadline, cause=failure)
                delay = self._backoff.next_delay(error.retry_after)
            else:
                if response is not None:
                    self._was_served = True
                    self._backoff.reset()
                    return response
                delay = self._backoff.next_delay()
            self._drop_call()
            await asyncio.sleep(delay)

    async def _read_once(self) -> WatchResponse | None:
        if self._call is None:
            self._call = await self._open_call()
        try:
            response: Any = await self._call.read()
        except asyncio.CancelledError:
            # grpc ends a call whose reader was cancelled. If the reader was not, somebody else
            # ended the call, and the stream is taken up again.
            self._drop_call()
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None
        return None if response is aio.EOF else response

    async def _open_call(self) -> aio.UnaryStreamCall[WatchRequest, WatchResponse]:
        connection = self._connection
        if self._columns:
            self._reader = ColumnReader(await connection.lifecycle_rows())
        if self._was_served:
            self._resumes += 1
        if self._wants_snapshot:
            self._snapshot.clear()  # half a snapshot is none
        form = WatchForm.WATCH_FORM_COLUMNS if self._columns else WatchForm.WATCH_FORM_EVENTS
        request = WatchRequest(
            partition=connection.partition,
            from_revision=self._received,
            history_id=self._history_id,
            filter=self._filter,
            snapshot=self._wants_snapshot,
            form=form,
        )
        return connection.end_with_me(connection.watches.Watch(request))

    def _check_worth_resuming(
        self, error: InterlockError, *, late: bool, cause: aio.AioRpcError
    ) -> None:
        if error.reason not in _BROKEN:
            raise error from cause
        if late and not self._was_served:
            if isinstance(error, Indeterminate):
                raise Unavailable(error.message, reason=error.reason) from cause
            raise error from cause

    def _drop_call(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
