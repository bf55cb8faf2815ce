"""Prefect: a server that keeps the states of flow runs, on SQLite as it is by default."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.peers.installed import interpreter
from benchmarks.peers.measured_peer import LOOPBACK_ONLY, MeasuredPeer
from benchmarks.peers.server_process import ServerProcess, answers, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: It must not send anything to anybody, nor look for anything.
_SETTINGS: Final = {
    **LOOPBACK_ONLY,
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}
#: Without its background services, which no state of a run waits for, it is the faster one.
_START: Final = (
    *("-m", "prefect", "server", "start", "--host", "127.0.0.1"),
    *("--no-services", "--no-ui"),
)


def prefect(folder: Path, trial_seconds: float = 1.0) -> MeasuredPeer:
    """Return the peer that leads flow runs from state to state."""
    return MeasuredPeer(
        name="Prefect server on SQLite",
        unit="jobs/s",
        durability="not synced by transaction",
        load="benchmarks.peers.prefect_load",
        packages=("prefect",),
        server=partial(prefect_server, folder),
        environment=_SETTINGS,
        trial_seconds=trial_seconds,
    )


@asynccontextmanager
async def prefect_server(parent: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server below `parent`; yields the address of its API and its folder."""
    python = interpreter("prefect")
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    with tempfile.TemporaryDirectory(prefix="prefect-", dir=parent) as home:
        async with ServerProcess(
            [str(python), *_START, "--port", str(port)],
            log=Path(home) / "log",
            ready=lambda: answers(f"{api}/health"),
            environment={**_SETTINGS, "PREFECT_HOME": home, "PREFECT_API_URL": api},
        ):
            yield {"api": api, "home": home}
