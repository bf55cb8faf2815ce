"""The lives of a server, as its clients see them: its channels, and that it is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

from grpc import StatusCode, aio

from interlock.errors import from_rpc
from interlock.v1.admin_service_pb2_grpc import AdminServiceStub
from interlock.v1.catalog_service_pb2_grpc import CatalogServiceStub
from interlock.v1.job_service_pb2_grpc import JobServiceStub
from interlock.v1.robot_service_pb2_grpc import RobotServiceStub
from interlock.v1.watch_service_pb2_grpc import WatchServiceStub

if TYPE_CHECKING:
    from interlock.errors import InterlockError

#: When a connection that says nothing is tried: grpc may miss the reset of a killed server
#: (tests/integration/test_missed_reset.py). The server allows a ping every 10 s.
KEEPALIVE_S: Final = 12
_OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", KEEPALIVE_S * 1_000),
    ("grpc.http2.max_pings_without_data", 0),
)
#: After these nobody knows whether the server has carried a request out.
UNKNOWN_CODES: Final = frozenset(
    {
        StatusCode.UNAVAILABLE,
        StatusCode.CANCELLED,
        StatusCode.UNKNOWN,
        StatusCode.DEADLINE_EXCEEDED,
    }
)


#: Lives whose channels stay open for those who still read what had arrived.
KEPT_MAX: Final = 20


class Life:
    """One life of a server."""

    def __init__(self, address: str, number: int = 1) -> None:
        self.number = number
        self.over = asyncio.Event()
        self._channels = [
            aio.insecure_channel(address, options=(*_OPTIONS, ("interlock.channel", index)))
            for index in range(3)
        ]
        calls, sessions, watches = self._channels
        self.jobs: Any = JobServiceStub(calls)
        self.catalog: Any = CatalogServiceStub(calls)
        self.admin: Any = AdminServiceStub(calls)
        self.robots: Any = RobotServiceStub(sessions)
        self.watches: Any = WatchServiceStub(watches)

    async def close(self) -> None:
        self.over.set()
        for channel in self._channels:
            await channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Lives:
    """The present life, for those who wait for it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._present: Life | None = None
        self._old: list[Life] = []
        self._begun = asyncio.Event()
        self.count = 0

    def begin(self) -> Life:
        """The server serves."""
        self.count += 1
        self._present = Life(self._address, self.count)
        self._begun.set()
        return self._present

    async def end(self) -> None:
        """The server is dead. Channels stay open for a while for those who still hold them."""
        assert self._present is not None, "it had begun"
        self._present.over.set()
        self._begun.clear()
        self._old.append(self._present)
        self._present = None
        if len(self._old) > KEPT_MAX:
            await self._old.pop(0).close()

    async def present(self) -> Life:
        """The present life, once there is one."""
        while self._present is None:
            await self._begun.wait()
        return self._present

    async def close(self) -> None:
        for life in [*self._old, *([self._present] if self._present else [])]:
            await life.close()


def is_over() -> bool:
    """Whether a cancellation is meant for the present task, and not for its call by a channel."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def is_cut_off(error: aio.AioRpcError) -> bool:
    """Whether a call ended because the server did; a broken write is INTERNAL to grpc."""
    return error.code() in UNKNOWN_CODES or error.details() == "Internal error from Core"


def meaning(error: aio.AioRpcError) -> InterlockError:
    """What a failed call means."""
    return from_rpc(error)
