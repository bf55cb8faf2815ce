"""Load on a Prefect server: flow runs go from Pending through Running to Completed.

Its own client tells the server each state, as its engine does; no flow is executed. A run is
created as Pending, so a life is three calls.
"""

from __future__ import annotations

import asyncio
import os
import time
from importlib.metadata import version
from typing import Any, Final

from benchmarks import load_process
from benchmarks.peers.rounds import serve

#: More wait for each other in the database, and a life takes seconds.
CALLERS: Final = (1, 2)


class NotAccepted(Exception):  # noqa: N818 - says what is
    """The server did not accept a state that every run is entitled to."""


class PrefectLoad:
    """Callers that share one client of the server."""

    def __init__(self, client: Any, states: Any, completed: Any) -> None:
        self._client = client
        self._states = states
        self._completed = completed
        self._callers = 1
        self._deployment: Any = None

    async def deploy(self) -> None:
        """Make what the runs are runs of."""
        flow = await self._client.create_flow_from_name("nothing")
        self._deployment = await self._client.create_deployment(flow_id=flow, name="nothing")

    async def prepare(self, at_once: int) -> None:
        """Call from so many tasks."""
        self._callers = at_once

    async def run(self, seconds: float) -> int:
        """Lead runs to their end; returns how many got there."""
        until = time.monotonic() + seconds
        return sum(await asyncio.gather(*(self._lead(until) for _ in range(self._callers))))

    async def _lead(self, until: float) -> int:
        states, lives = self._states, 0
        while time.monotonic() < until:
            run = await self._client.create_flow_run_from_deployment(
                self._deployment, state=states.Pending()
            )
            for state in (states.Running(), states.Completed()):
                answer = await self._client.set_flow_run_state(run.id, state)
                if answer.status.value != "ACCEPT":
                    raise NotAccepted(f"expected {state.name}, but {answer.status.value}")
            lives += 1
        return lives

    async def count(self) -> int:
        """Return how many runs the server has as completed."""
        return int(await self._client.count_flow_runs(flow_run_filter=self._completed))

    async def describe(self) -> dict[str, str]:
        """Return name and durability. The server does not tell how it opens its database."""
        callers = f"{self._callers} caller{'s' * (self._callers > 1)}"
        return {
            "name": f"Prefect {version('prefect')} server on SQLite, {callers}",
            "durability": "journal_mode=wal, synchronous=NORMAL as Prefect sets them: "
            "a commit is not synced",
        }


async def main() -> None:
    """Deploy a flow, find the best number of callers, then lead runs for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    # Before the import, which reads them: nothing outside of the folder is read or written.
    os.environ |= {"PREFECT_HOME": task["home"], "PREFECT_API_URL": task["api"]}
    from prefect import states  # noqa: PLC0415
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.client.schemas import filters  # noqa: PLC0415
    from prefect.client.schemas.objects import StateType  # noqa: PLC0415

    completed = filters.FlowRunFilter(
        state=filters.FlowRunFilterState(
            type=filters.FlowRunFilterStateType(any_=[StateType.COMPLETED])
        )
    )
    async with get_client() as client:
        load = PrefectLoad(client, states, completed)
        await load.deploy()
        await serve(load, lines, choices=CALLERS, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
