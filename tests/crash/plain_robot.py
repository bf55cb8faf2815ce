"""A robot that does what a test tells it, and the same robot as a process of its own.

`python -m tests.crash.plain_robot ADDRESS NAME COUNT DEFINITION...` takes COUNT jobs, starts them,
says so on stdout and sends heartbeats. Told by a line on stdin, it reports all its jobs completed:
first on the stream that it has, then on a new one; what came of it is its last line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from grpc import aio

from interlock.v1 import robot_service_pb2 as pb
from interlock.v1.robot_service_pb2 import ReportKind as K
from interlock.v1.robot_service_pb2 import Verdict
from tests.crash.life import Life, meaning
from tests.support.real_time import pass_time, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HEARTBEAT_S = 0.2
ANSWER_S = 20.0


class PlainRobot:
    """One robot and its present session."""

    def __init__(self, life: Life, name: str, *definitions: str, slots: int = 1000) -> None:
        self.name = name
        #: Fences of the jobs that were offered.
        self.jobs: dict[int, int] = {}
        self.orders: list[pb.Order] = []
        self.verdicts: dict[int, int] = {}
        #: Reason of the end of the stream; "" while it is open.
        self.ended = ""
        self.last_words = ""
        self._life = life
        self._definitions = definitions
        self._slots = slots
        self._sequence = 0
        self._acked = 0
        self._refused: dict[tuple[int, int], str] = {}
        self._call: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(
        self, running: Mapping[int, int] | None = None, *, beats: bool = True
    ) -> pb.Welcome:
        """Open a session; `running` are fences of the jobs that it says it executes."""
        await self.vanish()
        self.ended = ""
        self._call = self._life.robots.Session()
        hello = pb.Hello(
            robot=self.name,
            instance=f"instance-of-{self.name}",
            definitions=self._definitions,
            slots=self._slots,
            running=[
                pb.RunningJob(job=job, fence=fence, started=True)
                for job, fence in (running or {}).items()
            ],
        )
        await self._call.write(pb.SessionRequest(hello=hello))
        first = await self._call.read()
        welcome: pb.Welcome = first.welcome
        self._sequence = self._acked = welcome.last_sequence
        self.verdicts = {each.job: each.verdict for each in welcome.verdicts}
        self._tasks = [asyncio.create_task(self._read())]
        if beats:
            self._tasks.append(asyncio.create_task(self._beat()))
        return welcome

    async def offered(self, count: int) -> dict[int, int]:
        """Wait until it has been offered so many jobs in all; their fences."""
        await until(
            lambda: len(self.jobs) >= count, within=ANSWER_S, what=f"{self.name} has {count} jobs"
        )
        return dict(self.jobs)

    async def report(self, kind: int, jobs: Mapping[int, int] | None = None) -> list[str]:
        """Report about jobs (by default all) and wait; the reasons of refusals.

        Raises ConnectionError if the stream ends before.
        """
        chosen = self.jobs if jobs is None else jobs
        self._sequence += 1
        sequence = self._sequence
        columns = pb.ReportColumns(
            sequence=sequence,
            jobs=list(chosen),
            fences=list(chosen.values()),
            kinds=bytes([kind]),
        )
        try:
            await self._call.write(pb.SessionRequest(columns=columns))
        except (aio.AioRpcError, asyncio.InvalidStateError):
            await until(lambda: bool(self.ended), within=ANSWER_S, what="the stream ends")
        await until(
            lambda: self._acked >= sequence or bool(self.ended), within=ANSWER_S, what="an answer"
        )
        if self._acked < sequence:
            raise ConnectionError(self.ended)
        return [reason for (batch, _), reason in self._refused.items() if batch == sequence]

    async def say_something(self) -> None:
        """Send a heartbeat."""
        await self._call.write(pb.SessionRequest(heartbeat=pb.Heartbeat()))

    async def vanish(self) -> None:
        """Break the stream and say nothing."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._call is not None:
            self._call.cancel()

    async def _beat(self) -> None:
        with suppress(aio.AioRpcError, asyncio.InvalidStateError):
            while not self.ended:
                await self.say_something()
                await pass_time(HEARTBEAT_S)

    async def _read(self) -> None:
        try:
            while (message := await self._call.read()) is not aio.EOF:
                self._take(message)
            self.ended = "EOF"
        except aio.AioRpcError as failure:
            error = meaning(failure)
            self.ended, self.last_words = error.reason, error.message

    def _take(self, message: pb.SessionResponse) -> None:
        match message.WhichOneof("message"):
            case "offers":
                self.jobs |= {offer.job: offer.fence for offer in message.offers.offers}
            case "orders":
                self.orders += message.orders.orders
            case "report_ack":
                for refused in message.report_ack.refused:
                    key = refused.sequence, refused.index
                    self._refused[key] = refused.refusal.reason
                self._acked = max(self._acked, message.report_ack.sequence)


async def start_all(robots: Iterable[PlainRobot], count: int) -> None:
    """Let every robot start the jobs that it is offered, so many each."""
    for robot in robots:
        await robot.offered(count)
        assert await robot.report(K.REPORT_KIND_STARTED) == []


# -- as a process -------------------------------------------------------------------------------


async def run(address: str, name: str, count: int, definitions: Sequence[str]) -> None:
    """Be a robot process; see the module."""
    async with Life(address) as life:
        robot = PlainRobot(life, name, *definitions)
        await robot.connect()
        await start_all([robot], count)
        _say({"started": dict(robot.jobs)})
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        late = dict(robot.jobs)
        try:
            on_old_stream = await robot.report(K.REPORT_KIND_COMPLETED, late)
        except ConnectionError as error:
            on_old_stream = [str(error)] * len(late)
        await robot.connect(late)
        verdicts = Counter(
            Verdict.Name(Verdict.ValueType(each)) for each in robot.verdicts.values()
        )
        on_new_stream = await robot.report(K.REPORT_KIND_COMPLETED, late)
        _say(
            {
                "old stream": dict(Counter(on_old_stream)),
                "verdicts": verdicts,
                "new stream": dict(Counter(on_new_stream)),
            }
        )
        await robot.vanish()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
