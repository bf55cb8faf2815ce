"""From the start of a process to the first answer, after SIGKILL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.bench import HEAR_SECONDS, CaseFailed
from benchmarks.load_process import LoadProcess
from interlock import connect

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.own_server import OwnServer


async def start_after_kill(server: OwnServer, live_jobs: int) -> float:
    """Kill a server and start it; returns the seconds until it has counted all of its jobs.

    One that does not run has to have been killed before.
    """
    if server.runs:
        await server.kill()
    began = time.monotonic()
    await server.start()
    async with connect(server.address) as interlock:
        status = await interlock.server_status()
        seconds = time.monotonic() - began
    if status.live_jobs != live_jobs:
        raise CaseFailed(f"{live_jobs} jobs were acknowledged, but {status.live_jobs} came back")
    return seconds


async def bare_start(data: Path) -> tuple[float, int]:
    """Start a bare server that reads the same bytes first; returns the seconds, and how many."""
    began = time.monotonic()
    async with LoadProcess("benchmarks.bare.server", {"read": str(data)}) as bare:
        answer = await bare.hear(timeout=HEAR_SECONDS)
        return answer["at"] - began, answer["read"]
