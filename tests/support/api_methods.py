"""Every method of the API, found in the descriptors, and stubs of all services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf.message_factory import GetMessageClass

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

if TYPE_CHECKING:
    from google.protobuf.message import Message

_FILES: Final = (
    job_service_pb2,
    robot_service_pb2,
    watch_service_pb2,
    catalog_service_pb2,
    process_server_service_pb2,
    named_event_service_pb2,
    lock_service_pb2,
    window_service_pb2,
    schedule_service_pb2,
    lifecycle_service_pb2,
    admin_service_pb2,
    explain_service_pb2,
    media_service_pb2,
)


class Method(NamedTuple):
    """One rpc."""

    #: As people say it: JobService/HoldJobs.
    name: str
    #: As the wire says it: /interlock.v1.JobService/HoldJobs.
    path: str
    request: type[Message]
    response: type[Message]
    reads_stream: bool
    writes_stream: bool

    @property
    def fields(self) -> dict[str, Any]:
        """Descriptors of the fields of its request."""
        return dict(self.request.DESCRIPTOR.fields_by_name)


METHODS: Final[dict[str, Method]] = {
    f"{service.name}/{method.name}": Method(
        f"{service.name}/{method.name}",
        f"/{service.full_name}/{method.name}",
        GetMessageClass(method.input_type),
        GetMessageClass(method.output_type),
        method.client_streaming,
        method.server_streaming,
    )
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
SERVICES: Final = sorted(
    service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()
)


class Stubs:
    """Stubs of all services over one channel, blocking or asyncio."""

    def __init__(self, channel: Any) -> None:
        """Any number of these may share a channel."""
        self.jobs: Any = job_service_pb2_grpc.JobServiceStub(channel)
        self.catalog: Any = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.servers: Any = process_server_service_pb2_grpc.ProcessServerServiceStub(channel)
        self.named_events: Any = named_event_service_pb2_grpc.NamedEventServiceStub(channel)
        self.locks: Any = lock_service_pb2_grpc.LockServiceStub(channel)
        self.windows: Any = window_service_pb2_grpc.WindowServiceStub(channel)
        self.schedules: Any = schedule_service_pb2_grpc.ScheduleServiceStub(channel)
        self.robots: Any = robot_service_pb2_grpc.RobotServiceStub(channel)
        self.watches: Any = watch_service_pb2_grpc.WatchServiceStub(channel)
        self.admin: Any = admin_service_pb2_grpc.AdminServiceStub(channel)
        self.explanations: Any = explain_service_pb2_grpc.ExplainServiceStub(channel)
        self.media: Any = media_service_pb2_grpc.MediaServiceStub(channel)
        self.lifecycles: Any = lifecycle_service_pb2_grpc.LifecycleServiceStub(channel)
