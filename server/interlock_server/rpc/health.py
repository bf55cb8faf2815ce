"""The standard health service: whether this server takes work, asked once or watched.

The servicer of the library forgets watchers when one of them leaves, and leaves their streams open
when the server stops, which would hold up every stop for its whole grace.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable

    Context = grpc.aio.ServicerContext[Any, Any]

SERVICE_NAME: Final[str] = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name

#: How long a stop waits for watches to hear of it.
LAST_WORD_S: Final = 1.0

_Status = health_pb2.HealthCheckResponse


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # it has no types
    """Says SERVING of all its services between `serve` and `stop_serving`, or of none."""

    def __init__(self, services: Iterable[str]) -> None:
        """Know these services; "" stands for the server as a whole."""
        self._services = frozenset(services)
        self._status: int = _Status.NOT_SERVING
        self._changed = asyncio.Event()
        self._ended = False
        self._open: set[asyncio.Task[None]] = set()

    def serve(self) -> None:
        """Say that there is service."""
        self._set(_Status.SERVING)

    def stop_serving(self) -> None:
        """Say that no more work is taken."""
        self._set(_Status.NOT_SERVING)

    async def end_watches(self) -> None:
        """Tell every watch the last status and end it; one that does not read is not waited for."""
        self._ended = True
        self._set(self._status)
        if self._open:
            await asyncio.wait(self._open, timeout=LAST_WORD_S)

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> health_pb2.HealthCheckResponse:
        """Say how a service is now."""
        if request.service not in self._services:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, "there is no service of this name on this server"
            )
        return _Status(status=self._status)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> None:
        """Say how a service is, and again whenever that changes."""
        saying = asyncio.create_task(self._say(request, context), name="health watch")
        self._open.add(saying)
        try:
            await saying
        finally:
            saying.cancel()
            self._open.discard(saying)

    async def _say(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        known = request.service in self._services
        said = None
        while True:
            changed = self._changed
            status = self._status if known else _Status.SERVICE_UNKNOWN
            if status != said:
                said = status
                await context.write(_Status(status=status))
            if self._ended:
                return
            await changed.wait()

    def _set(self, status: int) -> None:
        self._status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
