"""Conversation: what one run says to the server and hears from it. Lives on the event loop."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from interlock.v1.robot_service_pb2 import ReportDetail, ReportKind

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Iterator

    from interlock.errors import InterlockError
    from interlock.outbox import Outbox
    from interlock.recorder import Recording
    from interlock.v1.robot_service_pb2 import Question


class Conversation:
    """One attempt of one job. Nothing is said any more once it is closed."""

    __slots__ = (
        "_answer",
        "_ask_lock",
        "_blocked",
        "_outbox",
        "_seen_replies",
        "_stop_event",
        "closed",
        "ended_by_reply",
        "fence",
        "interrupted",
        "job",
        "recordings",
        "should_stop",
    )

    def __init__(self, job: int, fence: int, outbox: Outbox) -> None:
        self.job = job
        self.fence = fence
        self.should_stop = False
        #: Whether a reply ended the job, so that there is no end left to report.
        self.ended_by_reply = False
        #: Whether nothing is said any more, because the job is not this robot's.
        self.closed = False
        #: Whether the handler is to end at once.
        self.interrupted = False
        #: Files that show the attempt.
        self.recordings: list[Recording] = []
        self._outbox = outbox
        self._answer: asyncio.Future[str] | None = None
        # Made when needed: most runs never ask, and a robot starts thousands of them a second.
        self._ask_lock: asyncio.Lock | None = None
        self._stop_event: asyncio.Event | None = None
        self._seen_replies: set[int] = set()
        #: What threads of plain functions wait for.
        self._blocked: set[concurrent.futures.Future[Any]] = set()

    def report(self, kind: int, detail: ReportDetail | None = None) -> None:
        """Say something, unless the job is not this robot's any more."""
        if not self.closed:
            self._outbox.add(self.job, self.fence, kind, detail)

    async def ask(self, question: Question) -> str:
        """Ask the operators and return their reply; one question at a time."""
        if self._ask_lock is None:
            self._ask_lock = asyncio.Lock()
        async with self._ask_lock:
            self._answer = asyncio.get_running_loop().create_future()
            try:
                self.report(ReportKind.REPORT_KIND_ASKED, ReportDetail(question=question))
                reply = await self._answer
            finally:
                self._answer = None
        self.ended_by_reply = question.completes
        return reply

    async def note(self, question: Question) -> None:
        """Leave an operator message without waiting for a reply."""
        await self._outbox.room()
        self.report(ReportKind.REPORT_KIND_NOTED, ReportDetail(question=question))

    async def stopping(self) -> None:
        """Return once somebody asked the job to stop."""
        if self._stop_event is None:
            self._stop_event = asyncio.Event()
        if not self.should_stop:
            await self._stop_event.wait()

    def hear_stop(self) -> None:
        """Somebody asked the job to stop."""
        self.should_stop = True
        if self._stop_event is not None:
            self._stop_event.set()

    def hear_reply(self, message: int, reply: str) -> None:
        """An operator replied; orders are repeated, so the same reply may be heard again."""
        if message in self._seen_replies:
            return
        self._seen_replies.add(message)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)

    def hear_refusal(self, kind: int, error: InterlockError) -> bool:
        """A report was refused. Returns whether somebody waits for it and was told."""
        asked = kind == ReportKind.REPORT_KIND_ASKED
        if asked and self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
            return True
        return False

    def interrupt(self) -> None:
        """Let the handler end at once: whatever its thread waits for is given up."""
        self.interrupted = True
        self.hear_stop()
        for future in [*self._blocked]:
            future.cancel()

    def close(self) -> None:
        """Say nothing more: the job is not this robot's any more."""
        self.closed = True
        self.interrupt()

    @contextmanager
    def blocking(self, future: concurrent.futures.Future[Any]) -> Iterator[None]:
        """Let `interrupt` cancel the future for which a thread waits meanwhile."""
        self._blocked.add(future)
        if self.interrupted:  # it came between the making of the future and now
            future.cancel()
        try:
            yield
        finally:
            self._blocked.discard(future)
