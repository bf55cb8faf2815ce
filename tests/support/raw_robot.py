"""A robot that sends whatever a test tells it, over a blocking stream of raw messages."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any, Final, Self

from interlock.v1 import robot_service_pb2 as pb
from tests.support.api_methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

INSTANCE: Final = "instance-of-a-test"
WAIT_S: Final = 10.0
_END: Final = object()


class RawRobot:
    """One session. `say` sends a message or bytes; `hear` waits for a message of a kind."""

    def __init__(
        self, channel: grpc.Channel, name: str = "robot-1", *, lasts_s: float | None = 60
    ) -> None:
        """Open the stream; nothing is said yet. `lasts_s` is for tests that would hang."""
        self.name = name
        self.epoch = 0
        self.sequence = 0
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        method = METHODS["RobotService/Session"]
        open_stream = channel.stream_stream(
            method.path,
            request_serializer=_to_bytes,
            response_deserializer=pb.SessionResponse.FromString,
        )
        self._call: Any = open_stream(iter(self._said.get, _END), timeout=lasts_s)
        self._heard: Iterator[pb.SessionResponse] = iter(self._call)

    def hello(self, *definitions: str, **fields: Any) -> Self:
        """Introduce the robot and wait for the welcome."""
        self.say(hello=hello(self.name, *definitions, **fields))
        welcome = self.hear("welcome")
        self.epoch, self.sequence = welcome.epoch, welcome.last_sequence
        return self

    def say(self, data: bytes | None = None, **message: Any) -> None:
        """Send a message, or bytes as they are."""
        self._said.put(pb.SessionRequest(**message) if data is None else data)

    def hear(self, kind: str) -> Any:
        """The next message of a kind; others are passed over. Raises the error of the stream."""
        for message in self._heard:
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)
        raise AssertionError(f"expected {kind}, but the stream ended")

    def listen(self) -> list[str]:
        """Read to the end; the kinds of what was heard. Raises the error of the stream."""
        return [message.WhichOneof("message") or "" for message in self._heard]

    def offered(self, count: int = 1) -> dict[int, int]:
        """Wait for so many offers; fences by job."""
        found: dict[int, int] = {}
        while len(found) < count:
            found |= {offer.job: offer.fence for offer in self.hear("offers").offers}
        return found

    def report(self, kind: int, job: int, fence: int = 1, **detail: Any) -> pb.ReportAck:
        """Report one thing and wait until it is durable."""
        self.sequence += 1
        report = pb.Report(job=job, fence=fence, kind=kind)  # type: ignore[arg-type]
        if detail:
            report.detail.CopyFrom(pb.ReportDetail(**detail))
        self.say(reports=pb.ReportBatch(sequence=self.sequence, reports=[report]))
        ack: pb.ReportAck = self.hear("report_ack")
        assert ack.sequence == self.sequence
        return ack

    def end(self) -> None:
        """End this side of the stream."""
        self._said.put(_END)

    def cancel(self) -> None:
        """Break the stream."""
        self._call.cancel()
        self.end()


def hello(name: str, *definitions: str, **fields: Any) -> pb.Hello:
    """A Hello that is accepted, with these fields."""
    given: dict[str, Any] = {"instance": INSTANCE, "slots": 10, **fields}
    return pb.Hello(**{"robot": name, "definitions": definitions, **given})


def _to_bytes(said: Any) -> bytes:
    return said if isinstance(said, bytes) else said.SerializeToString()
