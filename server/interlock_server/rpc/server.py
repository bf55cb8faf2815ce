"""The gRPC server: its options, its services, health and reflection, and its addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from interlock.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    explain_service_pb2,
    explain_service_pb2_grpc,
    job_service_pb2,
    job_service_pb2_grpc,
    lifecycle_service_pb2,
    lifecycle_service_pb2_grpc,
    lock_service_pb2,
    lock_service_pb2_grpc,
    media_service_pb2,
    media_service_pb2_grpc,
    named_event_service_pb2,
    named_event_service_pb2_grpc,
    process_server_service_pb2,
    process_server_service_pb2_grpc,
    robot_service_pb2,
    robot_service_pb2_grpc,
    schedule_service_pb2,
    schedule_service_pb2_grpc,
    watch_service_pb2,
    watch_service_pb2_grpc,
    window_service_pb2,
    window_service_pb2_grpc,
)
from interlock_server.rpc.admin_service import AdminService
from interlock_server.rpc.catalog_service import CatalogService
from interlock_server.rpc.explain_service import ExplainService
from interlock_server.rpc.guard import GuardedMethods
from interlock_server.rpc.health import SERVICE_NAME as HEALTH
from interlock_server.rpc.health import Health
from interlock_server.rpc.job_service import JobService
from interlock_server.rpc.lifecycle_service import LifecycleService
from interlock_server.rpc.lock_service import LockService
from interlock_server.rpc.media_service import MediaService
from interlock_server.rpc.named_event_service import NamedEventService
from interlock_server.rpc.process_server_service import ProcessServerService
from interlock_server.rpc.robot_service import RobotService
from interlock_server.rpc.schedule_service import ScheduleService
from interlock_server.rpc.watch_service import WatchService
from interlock_server.rpc.window_service import WindowService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock_server.config import Config
    from interlock_server.ids import IdSource
    from interlock_server.partitions import Partitions
    from interlock_server.rpc.admin_service import About

OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    # A second server on the port would otherwise start, and share the clients with the first.
    ("grpc.so_reuseport", 0),
    # Keeps what piles up in the transport for a slow watcher near 100 KiB instead of MiB.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.absolute_max_metadata_size", 16_384),
    # What is above waits on the client, silently.
    ("grpc.max_concurrent_streams", 20_000),
    # Ends the calls of clients that are gone, also if grpc missed the reset (as in the SDK).
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # Drops connections that say nothing.
    ("grpc.server_handshake_timeout_ms", 5_000),
    # Lets all watchers come back at once; above it calls would be dropped with CANCELLED.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 200_000),
)

_SERVICES: Final = tuple(
    module.DESCRIPTOR.services_by_name[name].full_name
    for module, name in (
        (job_service_pb2, "JobService"),
        (catalog_service_pb2, "CatalogService"),
        (robot_service_pb2, "RobotService"),
        (watch_service_pb2, "WatchService"),
        (lifecycle_service_pb2, "LifecycleService"),
        (admin_service_pb2, "AdminService"),
        (explain_service_pb2, "ExplainService"),
        (media_service_pb2, "MediaService"),
        (process_server_service_pb2, "ProcessServerService"),
        (named_event_service_pb2, "NamedEventService"),
        (lock_service_pb2, "LockService"),
        (window_service_pb2, "WindowService"),
        (schedule_service_pb2, "ScheduleService"),
    )
)


class AddressInUse(Exception):  # noqa: N818 - says what is, not that something broke
    """An address to serve on cannot be taken."""


class RpcServer:
    """Serves the partitions. `start` takes the addresses; `stop` may be called twice."""

    def __init__(self, partitions: Partitions, config: Config, ids: IdSource, about: About) -> None:
        """Build the services; nothing is reachable before `start`."""
        self._config = config
        self._methods = GuardedMethods(ids)
        self._health = Health(("", *_SERVICES))
        self.watches = WatchService(partitions, watches_max=config.max_watches)
        self._add_services(partitions, about)
        # No bound on calls: watches and sessions are calls too, and have bounds of their own.
        self._server = grpc.aio.server(options=OPTIONS)
        self._server.add_generic_rpc_handlers((self._methods,))

    def _add_services(self, partitions: Partitions, about: About) -> None:
        methods = self._methods
        job_service_pb2_grpc.add_JobServiceServicer_to_server(JobService(partitions), methods)  # type: ignore[arg-type]
        catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server(
            CatalogService(partitions),
            methods,  # type: ignore[arg-type]
        )
        process_server_service_pb2_grpc.add_ProcessServerServiceServicer_to_server(
            ProcessServerService(partitions),
            methods,  # type: ignore[arg-type]
        )
        named_event_service_pb2_grpc.add_NamedEventServiceServicer_to_server(
            NamedEventService(partitions),
            methods,  # type: ignore[arg-type]
        )
        lock_service_pb2_grpc.add_LockServiceServicer_to_server(LockService(partitions), methods)  # type: ignore[arg-type]
        window_service_pb2_grpc.add_WindowServiceServicer_to_server(
            WindowService(partitions),
            methods,  # type: ignore[arg-type]
        )
        schedule_service_pb2_grpc.add_ScheduleServiceServicer_to_server(
            ScheduleService(partitions),
            methods,  # type: ignore[arg-type]
        )
        robot_service_pb2_grpc.add_RobotServiceServicer_to_server(
            RobotService(partitions),
            methods,  # type: ignore[arg-type]
        )
        watch_service_pb2_grpc.add_WatchServiceServicer_to_server(self.watches, methods)  # type: ignore[arg-type]
        lifecycle_service_pb2_grpc.add_LifecycleServiceServicer_to_server(
            LifecycleService(),
            methods,  # type: ignore[arg-type]
        )
        admin_service_pb2_grpc.add_AdminServiceServicer_to_server(
            AdminService(partitions, about),
            methods,  # type: ignore[arg-type]
        )
        explain_service_pb2_grpc.add_ExplainServiceServicer_to_server(
            ExplainService(partitions),
            methods,  # type: ignore[arg-type]
        )
        media_service_pb2_grpc.add_MediaServiceServicer_to_server(
            MediaService(partitions),
            methods,  # type: ignore[arg-type]
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, methods)
        if self._config.reflects:
            names = (*_SERVICES, HEALTH, reflection.SERVICE_NAME)
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
                reflection.aio.ReflectionServicer(names), methods
            )
        methods.send_bytes(f"/{_SERVICES[3]}/Watch")

    async def start(self) -> list[str]:
        """Take the addresses and serve; returns them with the ports that were given.

        Raises AddressInUse if one is taken.
        """
        bound = [self._bind(address) for address in self._config.listen]
        await self._server.start()
        self._health.serve()
        return bound

    def _bind(self, address: str) -> str:
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if not port:
            raise AddressInUse(
                f"expected to serve on {address}, but it cannot be taken; another server may use "
                f"it. Stop that one, or choose another address with --listen"
            )
        if address.startswith("unix"):
            return address
        return f"{address.rpartition(':')[0]}:{port}"

    async def say_stopping(self) -> None:
        """Tell health checks that this server takes no more work."""
        self._health.stop_serving()

    async def stop(self, grace_s: float | None) -> None:
        """Refuse new calls and end the open ones, at the latest after `grace_s`."""
        await self._health.end_watches()
        await self._server.stop(grace_s)


def services() -> Sequence[str]:
    """Full names of our services."""
    return _SERVICES
