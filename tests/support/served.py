"""A whole server in this process, on a port of its own, with plain stubs to talk to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status  # type: ignore[import-untyped]

from interlock.v1 import (
    admin_service_pb2_grpc,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    definition_pb2,
    explain_service_pb2_grpc,
    job_service_pb2,
    job_service_pb2_grpc,
    lifecycle_service_pb2_grpc,
    media_service_pb2_grpc,
    robot_service_pb2,
    robot_service_pb2_grpc,
    watch_service_pb2_grpc,
)
from interlock.v1.status_pb2 import Lifecycle
from interlock_server import app
from interlock_server.config import Config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence
    from pathlib import Path

#: A UiPath and a Redwood definition that every test may use.
DEFINITIONS = (
    definition_pb2.Definition(name="invoice", lifecycle=Lifecycle.LIFECYCLE_UIPATH),
    definition_pb2.Definition(name="report", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
)
INSTANCE = "instance-00000001"


@dataclass
class Served:
    """A server that runs, and stubs of all its services."""

    running: app.Running
    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        channel = self.channel
        self.jobs = job_service_pb2_grpc.JobServiceStub(channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.robots = robot_service_pb2_grpc.RobotServiceStub(channel)
        self.watches = watch_service_pb2_grpc.WatchServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)
        self.explanations = explain_service_pb2_grpc.ExplainServiceStub(channel)
        self.media = media_service_pb2_grpc.MediaServiceStub(channel)
        self.lifecycles = lifecycle_service_pb2_grpc.LifecycleServiceStub(channel)

    @property
    def address(self) -> str:
        return self.running.addresses[0]

    @property
    def partition(self) -> Any:
        return self.running.partitions.get("default")

    async def put_definitions(self, *definitions: definition_pb2.Definition) -> None:
        await self.catalog.PutDefinitions(
            catalog_service_pb2.PutDefinitionsRequest(definitions=definitions or DEFINITIONS)
        )

    async def submit(self, definition: str, count: int = 1, **fields: Any) -> list[int]:
        """Submit equal jobs and return their ids."""
        new = job_service_pb2.NewJob(definition=definition, count=count, **fields)
        answer = await self.jobs.SubmitJobs(job_service_pb2.SubmitJobsRequest(jobs=[new]))
        return [outcome.job for outcome in answer.outcomes]

    async def status(self, job: int) -> int:
        answer = await self.jobs.GetJob(job_service_pb2.GetJobRequest(job=job))
        return answer.job.status


class RobotCall:
    """The stream of a robot, driven by hand."""

    def __init__(self, served: Served, name: str = "robot-1") -> None:
        self.name = name
        self.call = served.robots.Session()
        self.sequence = 0

    async def hello(self, *definitions: str, slots: int = 10, **fields: Any) -> Self:
        await self.send(
            hello=robot_service_pb2.Hello(
                robot=self.name,
                instance=fields.pop("instance", INSTANCE),
                definitions=definitions or ("invoice", "report"),
                slots=slots,
                **fields,
            )
        )
        welcome = await self.next("welcome")
        self.epoch = welcome.epoch
        self.sequence = welcome.last_sequence
        return self

    async def send(self, **message: Any) -> None:
        await self.call.write(robot_service_pb2.SessionRequest(**message))

    async def next(self, kind: str) -> Any:
        """Return the next message of a kind; messages of other kinds are passed over."""
        while True:
            message: Any = await self.call.read()
            assert message is not grpc.aio.EOF, f"expected {kind}, but the stream ended"
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)

    async def report(self, kind: int, jobs: Sequence[int], fence: int = 1) -> Any:
        """Report one thing about jobs and wait until it is durable."""
        self.sequence += 1
        await self.send(
            columns=robot_service_pb2.ReportColumns(
                sequence=self.sequence, jobs=jobs, fences=[fence], kinds=bytes([kind])
            )
        )
        return await self.next("report_ack")

    async def end(self) -> grpc.aio.AioRpcError:
        """Read to the end of the stream and return the error that it ended with."""
        return await refusal(self._read_all())

    async def _read_all(self) -> None:
        while await self.call.read() is not grpc.aio.EOF:
            pass
        code = await self.call.code()
        raise AssertionError(f"expected an error, but the stream ended with {code}")


async def refusal(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """Return the error of a call that has to fail."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError(f"expected a refusal, but got {answer}")


def error_info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """Return the ErrorInfo that every refusal has."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None, f"expected a rich status, but got {error!r}"
    assert status.details[0].Unpack(info)
    return info


def reason(error: grpc.aio.AioRpcError) -> str:
    """Return the reason of a refusal."""
    return str(error_info(error).reason)


@asynccontextmanager
async def serve(data_dir: Path, **settings: Any) -> AsyncIterator[Served]:
    """Run a server whose commits are not synced."""
    config = Config(
        **{"listen": ("127.0.0.1:0",), "durability": "off", "grace_s": 0.5, **settings},
        data_dir=str(data_dir),
    )
    async with (
        app.running(config) as running,
        grpc.aio.insecure_channel(running.addresses[0]) as channel,
    ):
        yield Served(running, channel)
