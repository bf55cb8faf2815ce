"""Builds every part of the server; the only place that knows the order of start and stop."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from interlock_server import __version__, logs
from interlock_server.clock import SystemClock
from interlock_server.ids import IdSource
from interlock_server.partitions import Partitions
from interlock_server.rpc.admin_service import About
from interlock_server.rpc.server import RpcServer
from interlock_server.storage.connection import SQLITE_VERSION
from interlock_server.storage.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlock_server.clock import Clock
    from interlock_server.config import Config

#: Objects made before the collector looks: records live long, so looking often finds nothing.
_YOUNG_OBJECTS: Final = 50_000

_log = structlog.get_logger()


class Running(NamedTuple):
    """A server that serves."""

    #: With the ports that were given.
    addresses: list[str]
    partitions: Partitions
    rpc: RpcServer


@asynccontextmanager
async def running(
    config: Config, *, clock: Clock | None = None, ids: IdSource | None = None
) -> AsyncIterator[Running]:
    """Serve while the block runs, then stop in order; nothing that was answered is lost.

    Raises DataDirectoryInUse, AddressInUse and JournalCorrupt before the block begins.
    """
    clock = clock or SystemClock()
    directory = DataDirectory.open(config.data_dir)
    try:
        partitions = Partitions(directory, config, clock)
        try:
            await partitions.open()
            async with _serving(partitions, config, clock, ids or IdSource()) as serving:
                yield serving
        finally:
            await partitions.close()
    finally:
        directory.close()


@asynccontextmanager
async def _serving(
    partitions: Partitions, config: Config, clock: Clock, ids: IdSource
) -> AsyncIterator[Running]:
    about = About(__version__, SQLITE_VERSION, clock.now_ms())
    rpc = RpcServer(partitions, config, ids, about)
    stalls: asyncio.Task[None] | None = None
    try:
        addresses = await rpc.start()
        stalls = asyncio.create_task(rpc.watches.watch_stalls(), name="watch stalls")
        yield Running(addresses, partitions, rpc)
    finally:
        await rpc.say_stopping()
        await partitions.drain()
        await rpc.stop(config.grace_s)
        if stalls is not None:
            stalls.cancel()
            await asyncio.gather(stalls, return_exceptions=True)


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; raises what made the server fail."""
    async with running(config) as server:
        _settle_memory()
        _log.info("serving", addresses=server.addresses, version=__version__)
        if config.port_file:
            write_port_file(config.port_file, server.addresses)
        asked = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait(
                (asked, server.partitions.failed), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            asked.cancel()
            logs.silence_ended_streams()
        if server.partitions.failed.done():
            raise server.partitions.failed.result()
        _log.info("stopping")


def _settle_memory() -> None:
    """Spare the collector what was recovered, which stays, and let it look less often.

    To look through a million jobs takes it 90 ms, in which nothing else happens.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def write_port_file(path: str, addresses: list[str]) -> None:
    """Say where the server is, one address in a line; a reader sees all of it or nothing."""
    target = Path(path)
    draft = target.with_name(f"{target.name}.new")
    draft.write_text("".join(f"{address}\n" for address in addresses), encoding="utf-8")
    draft.replace(target)
