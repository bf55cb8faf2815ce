"""The comparison: a bare grpc.aio server that makes the same exchanges and keeps no promise.

It decodes the same messages and encodes the answers, but decides nothing, checks nothing and stores
nothing. Whatever Interlock takes longer than this is what Interlock itself costs.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from benchmarks import load_process
from benchmarks.bare_lives import BareLives
from interlock.v1 import job_outcome_pb2, job_service_pb2, robot_service_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Paths of what has no counterpart in the API.
ECHO: Final = "/bare.Bare/Echo"
UNARY: Final = "/bare.Bare/Unary"
FAN_OUT: Final = "/bare.Bare/FanOut"
_LENGTH_BYTES: Final = 4


async def echo(
    requests: AsyncIterator[robot_service_pb2.SessionRequest], _context: Any
) -> AsyncIterator[robot_service_pb2.SessionRequest]:
    """Send every message back."""
    async for request in requests:
        yield request


async def unary(
    request: job_service_pb2.HoldJobsRequest, _context: Any
) -> job_service_pb2.HoldJobsResponse:
    """Answer as if one job had been held."""
    return job_service_pb2.HoldJobsResponse(
        revision=1 << 20,
        outcomes=[
            job_outcome_pb2.JobOutcome(job=request.jobs[0], status=17, revision=1 << 20)  # type: ignore[arg-type]
        ],
    )


class FanOut:
    """Streams recorded messages to everybody who waits, from when it is told to."""

    def __init__(self) -> None:
        self._begin = asyncio.Event()
        self._came = asyncio.Event()
        self._messages: list[bytes] = []
        self._waiting = 0

    async def begin(self, recording: Path, watchers: int) -> float:
        """Stream what was recorded once so many are there; returns when it began."""
        self._messages = read_recording(recording)
        while self._waiting < watchers:
            self._came.clear()
            await self._came.wait()
        self._begin.set()
        self._begin = asyncio.Event()
        return time.monotonic()

    async def stream(self, _request: bytes, context: Any) -> None:
        """Serve one watcher."""
        begin = self._begin
        self._waiting += 1
        self._came.set()
        await begin.wait()
        self._waiting -= 1
        for message in self._messages:
            await context.write(message)


def read_recording(path: Path) -> list[bytes]:
    """Read messages, each behind its length."""
    data = path.read_bytes()
    messages, start = [], 0
    while start < len(data):
        begin = start + _LENGTH_BYTES
        start = begin + int.from_bytes(data[start:begin])
        messages.append(data[begin:start])
    return messages


def write_recording(path: Path, messages: list[bytes]) -> None:
    """Write messages, each behind its length."""
    path.write_bytes(
        b"".join(len(message).to_bytes(_LENGTH_BYTES) + message for message in messages)
    )


def read_folder(folder: Path) -> int:
    """Read every byte below a folder; returns how many there are."""
    return sum(len(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, fan_out: FanOut, lives: BareLives) -> None:
        session, hold = robot_service_pb2.SessionRequest, job_service_pb2.HoldJobsRequest
        self._handlers: dict[str, Any] = {
            **lives.methods(),
            ECHO: grpc.stream_stream_rpc_method_handler(
                echo,
                request_deserializer=session.FromString,
                response_serializer=session.SerializeToString,
            ),
            UNARY: grpc.unary_unary_rpc_method_handler(
                unary,
                request_deserializer=hold.FromString,
                response_serializer=job_service_pb2.HoldJobsResponse.SerializeToString,
            ),
            FAN_OUT: grpc.unary_stream_rpc_method_handler(fan_out.stream),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Find a method by its path."""
        return self._handlers.get(handler_call_details.method)


async def main() -> None:
    """Serve until the input ends."""
    lines = load_process.orders()
    task = await anext(lines)
    read = read_folder(Path(task["read"])) if "read" in task else 0
    fan_out = FanOut()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    lives = BareLives()
    server.add_generic_rpc_handlers((_Methods(fan_out, lives),))
    lives.add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    load_process.say(address=f"127.0.0.1:{port}", read=read, at=time.monotonic())
    async for line in lines:
        if "fan_out" in line:
            at = await fan_out.begin(Path(line["fan_out"]), line["watchers"])
            load_process.say(at=at)
    await server.stop(0)


if __name__ == "__main__":
    load_process.run(main())
