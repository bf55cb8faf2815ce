"""Run and SyncRun: what a handler knows about the job it executes, and what it can do with it.

Both have the same names; SyncRun is for handlers that are plain functions and so run in a thread:
what is awaited on a Run blocks there.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from interlock import ending, json_text
from interlock.media import name_of
from interlock.offered import Offered
from interlock.recorder import Recording
from interlock.suspension import make_suspension
from interlock.v1.robot_service_pb2 import Question, ReportDetail, ReportKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
    from datetime import datetime, timedelta

    from interlock.client import Interlock
    from interlock.conversation import Conversation
    from interlock.ending import Ending
    from interlock.job import Job
    from interlock.v1.job_pb2 import ResumeCondition
    from interlock.v1.robot_service_pb2 import Offer

_Answer = TypeVar("_Answer")


class RunEnded(BaseException):
    """The job was killed or taken away while its handler waited for something."""


class Attempt(Offered):
    """One attempt to execute a job: its inputs, and the ways to end it."""

    def __init__(self, offer: Offer, conversation: Conversation, interlock: Interlock) -> None:
        super().__init__(offer, interlock)
        self._conversation = conversation

    @property
    def resume_version(self) -> int:
        """0 for the first fragment, more after a suspension."""
        return self._offer.resume_version

    @cached_property
    def saved(self) -> Any:
        """What the previous fragment saved when it suspended; None if there is nothing."""
        return json_text.decode(self._offer.saved_json)

    @property
    def should_stop(self) -> bool:
        """Whether somebody asked the job to stop; look at it wherever the job could end."""
        return self._conversation.should_stop

    def result(self, *, return_code: int = 0, **values: Any) -> Ending:
        """Return this from the handler: the job ended with these values as its result."""
        return ending.completed(values or None, return_code=return_code)

    def failed(
        self, code: str, title: str = "", detail: str = "", *, return_code: int = 0
    ) -> Ending:
        """Return this from the handler: the job failed. Raising says the same."""
        return ending.failed(code, title, detail, return_code=return_code)

    def canceled(self, reason: str = "") -> Ending:
        """Return this from the handler: the job ended early on request, without an error."""
        return ending.canceled(reason)

    def record(
        self,
        path: str | Path,
        *,
        name: str = "",
        content_type: str = "",
        remove: bool = False,
    ) -> None:
        """Let a file be kept as a recording of this job, if its definition wants it.

        It is sent after the end was reported, so it has to stay; `remove` deletes it then. The
        name is that of the file unless another is given, and has no meaning as a path.
        """
        path = Path(path)
        recording = Recording(path, name or name_of(path), content_type, remove)
        self._conversation.recordings.append(recording)

    def _end_wait(self) -> None:
        if not self._conversation.interrupted:  # a killed job is not Waiting any more
            self._conversation.report(ReportKind.REPORT_KIND_WAIT_OVER)


class Run(Attempt):
    """What an `async def` handler gets. A kill cancels the handler's task."""

    async def stopping(self) -> None:
        """Return once somebody asked the job to stop."""
        await self._conversation.stopping()

    async def ask(
        self, text: str, choices: Sequence[str] = (), *, pattern: str = "", completes: bool = False
    ) -> str:
        """Ask the operators and wait for their reply (Redwood: the job is in Console).

        With `completes` the reply ends the job as Completed. A question that the server does not
        accept raises `Refused`.
        """
        return await self._conversation.ask(_question(text, choices, pattern, completes=completes))

    async def note(self, text: str, *, reply_required: bool = False) -> None:
        """Leave an operator message and go on; `reply_required` keeps it open for a reply."""
        await self._conversation.note(Question(text=text, reply_required=reply_required))

    @asynccontextmanager
    async def waiting(self, why: str = "") -> AsyncIterator[None]:
        """Show the job as Waiting (Redwood) while the block runs."""
        self._conversation.report(ReportKind.REPORT_KIND_WAITING, _reason(why))
        try:
            yield
        finally:
            self._end_wait()

    async def wait_for(self, job: int) -> Job:
        """Wait for another job, shown as Waiting (Redwood); returns it once it is over."""
        async with self.waiting(f"waits for job {job}"):
            return await self.interlock.wait(job)

    async def suspend(
        self,
        *,
        until: datetime | timedelta | None = None,
        job: int | None = None,
        person: str | None = None,
        item: str | None = None,
        conditions: Sequence[ResumeCondition] = (),
        any: bool = False,  # noqa: A002 - the word of the API
        save: Any = None,
        same_robot: bool = False,
    ) -> NoReturn:
        """Give the robot back and wait without one (UiPath). Never returns.

        When the conditions are met the handler runs again from the top, maybe on another robot,
        with `saved` being what is given as `save` here and `resume_version` above 0.
        """
        raise make_suspension(
            until=until,
            job=job,
            person=person,
            item=item,
            conditions=conditions,
            any=any,
            save=save,
            same_robot=same_robot,
        )


class SyncRun(Attempt):
    """What a handler that is a plain function gets; its methods block the handler's thread.

    A thread cannot be killed. After a kill the next call that waits ends the handler; a handler
    that never waits should look at `should_stop`, which a kill sets too.
    """

    def __init__(
        self,
        offer: Offer,
        conversation: Conversation,
        interlock: Interlock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(offer, conversation, interlock)
        self._loop = loop
        self._run = Run(offer, conversation, interlock)

    def block(self, awaitable: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Run a coroutine on the robot's event loop and return its answer.

        For calls of `interlock`, as in `run.block(run.interlock.submit("Child"))`.
        """
        future = asyncio.run_coroutine_threadsafe(awaitable, self._loop)
        try:
            with self._conversation.blocking(future):
                return future.result()
        except concurrent.futures.CancelledError:
            raise RunEnded("the job was ended") from None

    def stopping(self) -> None:
        """Return once somebody asked the job to stop."""
        self.block(self._run.stopping())

    def ask(
        self, text: str, choices: Sequence[str] = (), *, pattern: str = "", completes: bool = False
    ) -> str:
        """Ask the operators and wait for their reply, as `Run.ask` does."""
        return self.block(self._run.ask(text, choices, pattern=pattern, completes=completes))

    def note(self, text: str, *, reply_required: bool = False) -> None:
        """Leave an operator message and go on, as `Run.note` does."""
        self.block(self._run.note(text, reply_required=reply_required))

    @contextmanager
    def waiting(self, why: str = "") -> Iterator[None]:
        """Show the job as Waiting (Redwood) while the block runs."""
        report = self._conversation.report
        self._loop.call_soon_threadsafe(report, ReportKind.REPORT_KIND_WAITING, _reason(why))
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._end_wait)

    def wait_for(self, job: int) -> Job:
        """Wait for another job, as `Run.wait_for` does."""
        return self.block(self._run.wait_for(job))

    def suspend(
        self,
        *,
        until: datetime | timedelta | None = None,
        job: int | None = None,
        person: str | None = None,
        item: str | None = None,
        conditions: Sequence[ResumeCondition] = (),
        any: bool = False,  # noqa: A002 - the word of the API
        save: Any = None,
        same_robot: bool = False,
    ) -> NoReturn:
        """Give the robot back and wait without one, as `Run.suspend` does. Never returns."""
        raise make_suspension(
            until=until,
            job=job,
            person=person,
            item=item,
            conditions=conditions,
            any=any,
            save=save,
            same_robot=same_robot,
        )


def _question(text: str, choices: Sequence[str], pattern: str, *, completes: bool) -> Question:
    return Question(text=text, choices=choices, pattern=pattern, completes=completes)


def _reason(why: str) -> ReportDetail | None:
    return ReportDetail(reason=why) if why else None
