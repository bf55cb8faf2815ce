"""A server with definitions and jobs, for the tests of single processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import catalog_service_pb2
from interlock.v1 import job_service_pb2 as pb
from interlock.v1.definition_pb2 import Definition, LossPolicy
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.crash.life import Life
from tests.crash.server_process import ServerProcess
from tests.support.real_time import until_true
from tests.support.sources import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

#: Short times, so that what takes minutes in the field takes seconds here.
TIME_TO_LIVE_S: Final = 2.0
SETTINGS: Final = (
    *("--session-ttl", "2s", "--heartbeat", "500ms", "--uncertain-timeout", "2s"),
    *("--grace", "3s", "--log-level", "warning"),
)
DEFINITIONS: Final = (
    Definition(name="redwood", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
    Definition(
        name="wait", lifecycle=Lifecycle.LIFECYCLE_UIPATH, on_robot_loss=LossPolicy.LOSS_POLICY_WAIT
    ),
    Definition(
        name="fault",
        lifecycle=Lifecycle.LIFECYCLE_UIPATH,
        on_robot_loss=LossPolicy.LOSS_POLICY_FAULT,
    ),
    Definition(
        name="rerun",
        lifecycle=Lifecycle.LIFECYCLE_UIPATH,
        on_robot_loss=LossPolicy.LOSS_POLICY_RERUN,
    ),
)
SOON_S: Final = 20.0


@asynccontextmanager
async def serving(folder: Path, **server: Any) -> AsyncIterator[tuple[ServerProcess, Life]]:
    """A server with the definitions, and its first life."""
    process = ServerProcess(folder, **{"settings": SETTINGS, **server})
    try:
        await process.start()
        async with Life(process.address) as life:
            request = catalog_service_pb2.PutDefinitionsRequest(definitions=DEFINITIONS)
            await life.catalog.PutDefinitions(request)
            yield process, life
    finally:
        process.kill()


async def submit(life: Life, definition: str, count: int = 1) -> list[int]:
    """Create jobs; their ids."""
    job = pb.NewJob(definition=definition, count=count)
    answer = await life.jobs.SubmitJobs(pb.SubmitJobsRequest(jobs=[job]))
    return [outcome.job for outcome in answer.outcomes]


async def status(life: Life, job: int) -> str:
    """Status of a job, by its name in the API."""
    found = await life.jobs.GetJob(pb.GetJobRequest(job=job))
    return Status.Name(found.job.status)


async def statuses(life: Life, jobs: Iterable[int]) -> list[str]:
    return [await status(life, job) for job in jobs]


async def until_all(life: Life, jobs: Iterable[int], wanted: str) -> None:
    """Wait until all jobs have a status."""
    jobs = list(jobs)

    async def reached() -> bool:
        return set(await statuses(life, jobs)) == {wanted}

    await until_true(reached, within=SOON_S, what=f"jobs {jobs} are {wanted}")


async def path(life: Life, job: int) -> list[str]:
    """All statuses that a job has had, by name without the lifecycle."""
    answer = await life.jobs.GetJobHistory(pb.GetJobHistoryRequest(job=job))
    return [Status.Name(entry.to).split("_", 2)[2] for entry in answer.entries]


class RobotProcess:
    """A robot in a process of its own; see `plain_robot`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, address: str, name: str, count: int, *definitions: str) -> RobotProcess:
        """Start one that takes so many jobs."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.crash.plain_robot"),
                *(address, name, str(count), *definitions),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=REPOSITORY,
            )
        )

    async def says(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None, "it is a pipe"
        async with asyncio.timeout(SOON_S):
            line = await self._process.stdout.readline()
        found: dict[str, Any] = json.loads(line)
        return found

    def send(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    async def tell(self) -> None:
        """Tell it to report the end of its jobs."""
        assert self._process.stdin is not None, "it is a pipe"
        self._process.stdin.write(b"finish\n")
        await self._process.stdin.drain()

    async def gone(self) -> None:
        """End it, however it is, and wait for that."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()
