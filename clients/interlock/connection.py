"""Connection: the channels to one server, and what every call through them has in common.

Watches have a channel of their own: their flow control is set for readers that fall behind, and
an unread watch must not stop answers to other calls.
"""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from grpc import aio

from interlock import retry
from interlock.errors import ConnectionClosed
from interlock.status import status_name
from interlock.v1.admin_service_pb2_grpc import AdminServiceStub
from interlock.v1.catalog_service_pb2_grpc import CatalogServiceStub
from interlock.v1.explain_service_pb2_grpc import ExplainServiceStub
from interlock.v1.job_service_pb2_grpc import JobServiceStub
from interlock.v1.lifecycle_service_pb2 import DescribeLifecycleRequest, ListLifecyclesRequest
from interlock.v1.lifecycle_service_pb2_grpc import LifecycleServiceStub
from interlock.v1.lock_service_pb2_grpc import LockServiceStub
from interlock.v1.media_service_pb2_grpc import MediaServiceStub
from interlock.v1.named_event_service_pb2_grpc import NamedEventServiceStub
from interlock.v1.process_server_service_pb2_grpc import ProcessServerServiceStub
from interlock.v1.robot_service_pb2_grpc import RobotServiceStub
from interlock.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from interlock.v1.watch_service_pb2_grpc import WatchServiceStub
from interlock.v1.window_service_pb2_grpc import WindowServiceStub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from interlock.columns import Row
    from interlock.v1.admin_service_pb2_grpc import AdminServiceAsyncStub
    from interlock.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub
    from interlock.v1.explain_service_pb2_grpc import ExplainServiceAsyncStub
    from interlock.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from interlock.v1.lifecycle_service_pb2_grpc import LifecycleServiceAsyncStub
    from interlock.v1.lock_service_pb2_grpc import LockServiceAsyncStub
    from interlock.v1.media_service_pb2_grpc import MediaServiceAsyncStub
    from interlock.v1.named_event_service_pb2_grpc import NamedEventServiceAsyncStub
    from interlock.v1.process_server_service_pb2_grpc import ProcessServerServiceAsyncStub
    from interlock.v1.robot_service_pb2_grpc import RobotServiceAsyncStub
    from interlock.v1.schedule_service_pb2_grpc import ScheduleServiceAsyncStub
    from interlock.v1.watch_service_pb2_grpc import WatchServiceAsyncStub
    from interlock.v1.window_service_pb2_grpc import WindowServiceAsyncStub

    Response = TypeVar("Response")
    Call = TypeVar("Call")

DEFAULT_ADDRESS: Final = "localhost:7350"
ADDRESS_VARIABLE: Final = "INTERLOCK_ADDRESS"

_OPTIONS: Final = (
    # A dead link is found within 30 s; the server allows a ping every 10 s. Nothing else ends a
    # watch whose connection was reset without grpc's noticing: grpcio 1.74 and 1.76 on Linux may
    # miss one that comes right behind a message (tests/integration/test_missed_reset.py tells how).
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # The way to a server of one's own does not lead through a proxy of the environment.
    ("grpc.enable_http_proxy", 0),
    # Pages and parts of a snapshot may be larger than the 4 MiB a server accepts.
    ("grpc.max_receive_message_length", 64 << 20),
    # A server that was restarted is found again soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
_STREAM_OPTIONS: Final = (
    # A reader that falls behind has 64 KiB under way and not megabytes.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_536),
    ("grpc.use_local_subchannel_pool", 1),
)


class Connection:
    """The way to one partition of one server. Nothing is opened before the first call."""

    def __init__(
        self,
        address: str | None = None,
        *,
        partition: str = "default",
        user: str | None = None,
        timeout: float = 30.0,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self.address = address or os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS
        self.partition = partition
        self.user = user or ""
        self.timeout = timeout
        self.closed = False
        self.options = tuple(options)
        self._channels: list[aio.Channel] = []
        self._streams: WeakSet[Any] = WeakSet()
        self._rows: dict[int, Row] | None = None

    async def close(self) -> None:
        """End every call and close the channels. May be called again."""
        self.closed = True
        for stream in [*self._streams]:  # a channel forgets those that nobody reads just now
            stream.cancel()
        channels, self._channels = self._channels, []
        for channel in channels:
            await channel.close()

    def open_channel(self, extra: Sequence[tuple[str, Any]] = ()) -> aio.Channel:
        """Return a new channel that `close` closes."""
        if self.closed:
            raise ConnectionClosed(f"expected an open connection to {self.address}, it was closed")
        options = (*_OPTIONS, *extra, *self.options)
        channel = aio.insecure_channel(self.address, options=options)
        self._channels.append(channel)
        return channel

    def end_with_me(self, stream: Call) -> Call:
        """Return a streaming call that `close` will cancel."""
        self._streams.add(stream)
        return stream

    @cached_property
    def _channel(self) -> aio.Channel:
        return self.open_channel()

    @cached_property
    def jobs(self) -> JobServiceAsyncStub:
        """The stub of JobService."""
        return JobServiceStub(self._channel)

    @cached_property
    def catalog(self) -> CatalogServiceAsyncStub:
        """The stub of CatalogService."""
        return CatalogServiceStub(self._channel)

    @cached_property
    def explanations(self) -> ExplainServiceAsyncStub:
        """The stub of ExplainService."""
        return ExplainServiceStub(self._channel)

    @cached_property
    def servers(self) -> ProcessServerServiceAsyncStub:
        """The stub of ProcessServerService."""
        return ProcessServerServiceStub(self._channel)

    @cached_property
    def windows(self) -> WindowServiceAsyncStub:
        """The stub of WindowService."""
        return WindowServiceStub(self._channel)

    @cached_property
    def schedules(self) -> ScheduleServiceAsyncStub:
        """The stub of ScheduleService."""
        return ScheduleServiceStub(self._channel)

    @cached_property
    def named_events(self) -> NamedEventServiceAsyncStub:
        """The stub of NamedEventService."""
        return NamedEventServiceStub(self._channel)

    @cached_property
    def locks(self) -> LockServiceAsyncStub:
        """The stub of LockService."""
        return LockServiceStub(self._channel)

    @cached_property
    def admin(self) -> AdminServiceAsyncStub:
        """The stub of AdminService."""
        return AdminServiceStub(self._channel)

    @cached_property
    def lifecycles(self) -> LifecycleServiceAsyncStub:
        """The stub of LifecycleService."""
        return LifecycleServiceStub(self._channel)

    @cached_property
    def media(self) -> MediaServiceAsyncStub:
        """The stub of MediaService, on a channel of its own: contents are large."""
        return MediaServiceStub(self.open_channel((("grpc.use_local_subchannel_pool", 1),)))

    @cached_property
    def robots(self) -> RobotServiceAsyncStub:
        """The stub of RobotService, for calls about robots."""
        return RobotServiceStub(self._channel)

    @cached_property
    def sessions(self) -> RobotServiceAsyncStub:
        """The stub of RobotService on a channel of its own, for the session of a robot."""
        return RobotServiceStub(self.open_channel((("grpc.use_local_subchannel_pool", 1),)))

    @cached_property
    def watches(self) -> WatchServiceAsyncStub:
        """The stub of WatchService on the channel of the watches."""
        return WatchServiceStub(self.open_channel(_STREAM_OPTIONS))

    async def call(
        self,
        method: Callable[..., Awaitable[Response]],
        request: Any,
        *,
        timeout: float | None = None,
        repeatable: bool = True,
    ) -> Response:
        """Return the answer; repeats the request, with one request_id, while that may help."""
        if self.closed:
            raise ConnectionClosed(f"expected an open connection to {self.address}, it was closed")
        fields = request.DESCRIPTOR.fields_by_name
        if "partition" in fields and not request.partition:
            request.partition = self.partition
        if "request_id" in fields and not request.request_id:
            request.request_id = secrets.token_hex(16)
        answer: Response = await retry.call(
            method,
            request,
            timeout=self.timeout if timeout is None else timeout,
            repeatable=repeatable,
        )
        return answer

    async def lifecycle_rows(self, *, anew: bool = False) -> dict[int, Row]:
        """Return the rows of all lifecycle tables by number; fetched once for the connection."""
        if self._rows is None or anew:
            self._rows = await self._fetch_rows()
        return self._rows

    async def _fetch_rows(self) -> dict[int, Row]:
        rows: dict[int, Row] = {}
        stub = self.lifecycles
        listed = await self.call(stub.ListLifecycles, ListLifecyclesRequest())
        for name in listed.names:
            request = DescribeLifecycleRequest(name=name)
            described = await self.call(stub.DescribeLifecycle, request)
            for row in described.transitions:
                before = status_name(getattr(row, "from"))
                rows[row.row] = (name, before, status_name(row.to), row.trigger, row.id)
        return rows
