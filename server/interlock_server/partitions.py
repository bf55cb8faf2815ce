"""All partitions of a server: found by name, made while it runs, closed as one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from interlock_server.engine import OutcomeUnknown
from interlock_server.partition import Partition, open_partition

if TYPE_CHECKING:
    from interlock_server.clock import Clock
    from interlock_server.config import Config
    from interlock_server.storage.directory import DataDirectory

#: The partition that every server has.
DEFAULT = "default"


class PartitionExists(Exception):  # noqa: N818 - says what is, not that something broke
    """There is a partition of this name already."""


class Partitions:
    """The partitions in one data directory. `open` recovers them; `close` may be called twice."""

    def __init__(self, directory: DataDirectory, config: Config, clock: Clock) -> None:
        """Nothing is read before `open`."""
        self._directory = directory
        self._config = config
        self._clock = clock
        self._open: dict[str, Partition] = {}
        self._making = asyncio.Lock()
        #: Resolves with what has to stop the process, when a partition fails.
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Recover every partition that has a journal, and make the default one."""
        for name in sorted({DEFAULT, *self._directory.partitions()}):
            await self._add(name)

    def get(self, name: str) -> Partition:
        """The partition of this name; KeyError if there is none."""
        return self._open[name]

    def names(self) -> list[str]:
        """Names of the partitions, sorted."""
        return sorted(self._open)

    async def create(self, name: str) -> Partition:
        """Make an empty partition; PartitionExists if there is one."""
        async with self._making:
            if name in self._open:
                raise PartitionExists(f"there is a partition {name!r} already")
            return await self._add(name)

    async def _add(self, name: str) -> Partition:
        partition = await open_partition(name, self._directory, self._config, self._clock)
        partition.failed.add_done_callback(self._partition_failed)
        self._open[name] = partition
        return partition

    def _partition_failed(self, failed: asyncio.Future[BaseException]) -> None:
        if not failed.cancelled() and not self.failed.done():
            self.failed.set_result(failed.result())

    async def drain(self) -> None:
        """Admit no new work, send robots and watchers away, and make durable what was decided."""
        for partition in self._open.values():
            partition.engine.drain()
            partition.sessions.go_away()
        for partition in self._open.values():
            if not partition.failed.done():
                with suppress(OutcomeUnknown):  # whoever watches `failed` reports it
                    await partition.engine.flush()
            # Now, so that shutdown need not wait out its grace for an open watch.
            partition.history.close()

    async def close(self) -> None:
        """Close all of them."""
        while self._open:
            _, partition = self._open.popitem()
            await partition.close()
