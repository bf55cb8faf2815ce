"""Recorder: sends what handlers recorded, once the server knows how the job ended.

Whether it is kept is decided there: a definition may record failed jobs only.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from interlock.errors import InterlockError
from interlock.media import remove

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from interlock.client import Interlock
    from interlock.outbox import Outbox

_LOG: Final = logging.getLogger("interlock.robot")
#: So many recordings are sent at once.
_UPLOADS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that shows an attempt of a job."""

    path: Path
    name: str
    content_type: str
    #: Whether the file is deleted when it is not needed any more.
    remove: bool


class Recorder:
    """The recordings of one robot."""

    def __init__(self, interlock: Interlock, outbox: Outbox, robot: str) -> None:
        self._interlock = interlock
        self._outbox = outbox
        self._robot = robot
        self._room = asyncio.Semaphore(_UPLOADS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, job: int, fence: int, recordings: Sequence[Recording]) -> None:
        """Send recordings of a job whose end was just reported."""
        if recordings:
            task = asyncio.create_task(
                self._send(job, fence, recordings), name=f"interlock-recording-{job}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, job: int, fence: int, recordings: Sequence[Recording]) -> None:
        await self._outbox.told(job, fence)
        for recording in recordings:
            async with self._room:
                await self._send_one(job, fence, recording)
            if recording.remove:
                await asyncio.to_thread(remove, recording.path)

    async def _send_one(self, job: int, fence: int, recording: Recording) -> None:
        try:
            await self._interlock.media.upload(
                recording.path,
                job=job,
                robot=self._robot,
                fence=fence,
                name=recording.name,
                content_type=recording.content_type,
            )
        except InterlockError as error:
            wanted = error.reason != "RECORDING_REFUSED"
            level = logging.WARNING if wanted else logging.DEBUG
            _LOG.log(level, "recording %s of job %d is not kept: %s", recording.path, job, error)
        except OSError as error:
            _LOG.warning("recording %s of job %d cannot be read: %s", recording.path, job, error)

    async def done(self) -> None:
        """Return once everything was sent or given up."""
        while self._tasks:
            await asyncio.wait({*self._tasks})

    async def abandon(self) -> None:
        """Send nothing more."""
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
