"""etcd as a keeper of job states: a transaction compares a job's value, sets it and adds history.

Forms: one transition in each transaction with 64 in flight, and 100 in one transaction.
"""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.installed import program
from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.server_process import ServerProcess, answers, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_SETTINGS: Final = {
    "--max-txn-ops": "256",  # 100 transitions are 200 puts, and 128 is the default
    "--quota-backend-bytes": str(8 << 30),  # nothing is compacted meanwhile, and 2 GiB is little
    "--logger": "zap",
    "--log-level": "error",
}


def etcd(folder: Path, *, batch: int, **more: Any) -> MeasuredPeer:
    """Return the peer that moves `batch` jobs in each transaction."""
    return MeasuredPeer(
        name=f"etcd through grpc.aio, {form(batch)}",
        unit="transitions/s",
        durability="fsync of the write-ahead log before each answer",
        load="benchmarks.peers.etcd_load",
        packages=("grpcio", "protobuf"),
        programs=("etcd",),
        server=partial(etcd_server, folder),
        task={"batch": batch},
        **more,
    )


def form(batch: int) -> str:
    """Say how many transitions are in a transaction."""
    return "single" if batch == 1 else f"transactions of {batch:,}"


@asynccontextmanager
async def etcd_server(parent: Path) -> AsyncIterator[dict[str, str]]:
    """Run a cluster of one below `parent`; yields its address."""
    server = program("etcd")
    address = f"127.0.0.1:{free_port()}"
    client, peer = f"http://{address}", f"http://127.0.0.1:{free_port()}"
    settings = {
        **_SETTINGS,
        "--listen-client-urls": client,
        "--advertise-client-urls": client,
        "--listen-peer-urls": peer,
        "--initial-advertise-peer-urls": peer,
        "--initial-cluster": f"default={peer}",
    }
    with tempfile.TemporaryDirectory(prefix="etcd-", dir=parent) as folder:
        settings["--data-dir"] = str(Path(folder) / "data")
        options = [word for pair in settings.items() for word in pair]
        async with ServerProcess(
            [str(server), *options],
            log=Path(folder) / "log",
            ready=lambda: answers(f"{client}/health"),
        ):
            yield {"address": address}
