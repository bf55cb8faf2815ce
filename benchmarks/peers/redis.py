"""Redis as a keeper of job states: a script compares and sets a job's hash and adds to a stream.

Forms: one transition in each call of the script with 64 calls in flight, and 100 in one call.
"""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.installed import program
from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.server_process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: The append-only file makes snapshots needless; what it costs to fsync is what is measured.
_SETTINGS: Final = {"appendonly": "yes", "appendfsync": "always", "save": "", "port": "0"}


def redis(folder: Path, *, batch: int, **more: Any) -> MeasuredPeer:
    """Return the peer that moves `batch` jobs in each call."""
    return MeasuredPeer(
        name=f"Redis through hiredis, {form(batch)}",
        unit="transitions/s",
        durability="appendonly and appendfsync always",
        load="benchmarks.peers.redis_load",
        packages=("hiredis",),
        programs=("redis-server",),
        server=partial(redis_server, folder),
        task={"batch": batch},
        **more,
    )


def form(batch: int) -> str:
    """Say how many transitions are in a call."""
    return "single" if batch == 1 else f"batches of {batch:,}"


@asynccontextmanager
async def redis_server(parent: Path) -> AsyncIterator[dict[str, str]]:
    """Run a server below `parent`; yields its socket."""
    server = program("redis-server")
    # The path of a socket has to be short, so it is in a folder of its own.
    with (
        tempfile.TemporaryDirectory(prefix="redis-", dir=parent) as data,
        tempfile.TemporaryDirectory(prefix="redis-") as sockets,
    ):
        socket = Path(sockets) / "socket"
        settings = {**_SETTINGS, "unixsocket": str(socket), "dir": data}
        options = [word for key in settings for word in (f"--{key}", settings[key])]
        async with ServerProcess(
            [str(server), *options], log=Path(data) / "log", ready=socket.exists
        ):
            yield {"socket": str(socket)}
