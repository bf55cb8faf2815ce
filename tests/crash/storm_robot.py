"""Robots of the storm: honest about their jobs over all lives of the server, and liars at times.

They speak the raw session stream: batches with sequence numbers, sent again until acknowledged, and
Hello with all that they have. Now and then they send a batch again that is known, or a report with
a fence that is over; nothing of that may change anything.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from grpc import aio

from interlock.v1 import robot_service_pb2 as pb
from interlock.v1.job_pb2 import ResumeKind
from interlock.v1.robot_service_pb2 import OrderKind, Verdict
from interlock.v1.robot_service_pb2 import ReportKind as K
from tests.crash.ledger import Reported
from tests.crash.life import is_over, meaning
from tests.support.real_time import pass_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.crash.ledger import Ledger
    from tests.crash.life import Life, Lives

DEFINITIONS: Final = ("r-short", "r-long", "u-fault", "u-rerun")
#: After these a job is no longer with the robot.
ENDS: Final = frozenset(
    {
        K.REPORT_KIND_COMPLETED,
        K.REPORT_KIND_FAILED,
        K.REPORT_KIND_CANCELED,
        K.REPORT_KIND_KILLED,
        K.REPORT_KIND_CANCEL_CONFIRMED,
        K.REPORT_KIND_SUSPENDED,
    }
)
#: How a stream ends when the server dies; INTERNAL is grpc's own word for a write that broke.
BROKEN_STREAM: Final = {"UNAVAILABLE", "GOING_AWAY", "CANCELLED", "UNKNOWN", "INTERNAL"}
_LIES: Final = 0.05
_REPEATS: Final = 0.03
_BATCH_MAX: Final = 100


class Said(NamedTuple):
    """One report."""

    job: int
    fence: int
    kind: int
    lie: bool = False


@dataclass
class Held:
    """A job that the robot has."""

    fence: int
    redwood: bool
    #: What it will report, the next first, and after how many ticks each.
    plan: list[tuple[int, int]]
    started: bool = False
    ended: bool = False


@dataclass
class Batch:
    """A batch of reports on its way."""

    reports: list[Said]
    refused: dict[int, str] = field(default_factory=dict)


class StormRobot:
    """One robot. A ghost takes jobs, and vanishes for ever with the life in which it came."""

    def __init__(
        self, name: str, lives: Lives, ledger: Ledger, rng: Random, *, ghost: bool = False
    ) -> None:
        self.name = name
        self.sessions = 0
        self.leaving = False
        self._instance = f"{name}-{rng.getrandbits(64):016x}"
        self._lives = lives
        self._ledger = ledger
        self._rng = rng
        self._ghost = ghost
        self._held: dict[int, Held] = {}
        self._waiting: list[Said] = []
        self._unacked: dict[int, Batch] = {}
        self._sequence = 0
        self._last_acked: tuple[int, Batch] | None = None

    async def run(self) -> None:
        """Work until cancelled, or for one life."""
        while not self.leaving:
            life = await self._lives.present()
            try:
                await self._session(life)
            except aio.AioRpcError as failure:
                error = meaning(failure)
                if error.reason not in BROKEN_STREAM:
                    self._ledger.broken.append(
                        f"session: {self.name} ended with {error.reason}: {error}"
                    )
            except asyncio.InvalidStateError:
                pass  # the call was over when something was written
            except asyncio.CancelledError:
                if is_over():
                    raise
            if self._ghost:
                return
            await pass_time(0.005)

    # -- a session ------------------------------------------------------------------------------

    async def _session(self, life: Life) -> None:
        call = life.robots.Session()
        try:
            await call.write(pb.SessionRequest(hello=self._hello()))
            first = await call.read()
            if first is aio.EOF:
                return
            self.sessions += 1
            self._judge(first.welcome.verdicts)
            for sequence, batch in self._unacked.items():
                await call.write(self._message(sequence, batch))
            reader = asyncio.create_task(self._read(call))
            try:
                await self._work(call, reader)
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
        finally:
            call.cancel()

    def _hello(self) -> pb.Hello:
        running = [
            pb.RunningJob(job=job, fence=held.fence, started=held.started, ended=held.ended)
            for job, held in self._held.items()
        ]
        return pb.Hello(
            robot=self.name,
            instance=self._instance,
            definitions=DEFINITIONS,
            slots=5 if self._ghost else 25,
            running=running,
        )

    def _judge(self, verdicts: Sequence[pb.JobVerdict]) -> None:
        for verdict in verdicts:
            held = self._held[verdict.job]
            if verdict.verdict == Verdict.VERDICT_FORGET:
                del self._held[verdict.job]
            elif held.ended:
                continue
            elif verdict.verdict == Verdict.VERDICT_KILL:
                held.plan = [(0, K.REPORT_KIND_KILLED)]
            elif verdict.verdict == Verdict.VERDICT_STOP:
                held.plan = [(0, K.REPORT_KIND_COMPLETED)]

    async def _work(self, call: Any, reader: asyncio.Task[None]) -> None:
        idle = 0
        while not reader.done() and not self.leaving:
            await pass_time(self._rng.uniform(0.003, 0.02))
            self._tick()
            idle = 0 if self._waiting else idle + 1
            if self._waiting:
                await self._send(call)
            elif idle % 30 == 29:
                await call.write(pb.SessionRequest(heartbeat=pb.Heartbeat()))
            if self._last_acked and self._rng.random() < _REPEATS:
                self._ledger.repeats += 1
                await call.write(self._message(*self._last_acked))
        if self.leaving:
            await call.write(pb.SessionRequest(goodbye=pb.Goodbye(reason="the storm is over")))
        await reader

    def _tick(self) -> None:
        for job, held in self._held.items():
            if held.ended or not held.plan or (self._ghost and held.started):
                continue
            ticks, kind = held.plan[0]
            if ticks:
                held.plan[0] = (ticks - 1, kind)
                continue
            held.plan.pop(0)
            self._say(job, held, kind)
        if self._held and self._rng.random() < _LIES:
            job, held = self._rng.choice(list(self._held.items()))
            self._waiting.append(Said(job, held.fence - 1, K.REPORT_KIND_COMPLETED, lie=True))

    def _say(self, job: int, held: Held, kind: int) -> None:
        held.started |= kind == K.REPORT_KIND_STARTED
        held.ended |= kind in ENDS
        self._waiting.append(Said(job, held.fence, kind))

    async def _send(self, call: Any) -> None:
        reports, self._waiting = self._waiting[:_BATCH_MAX], self._waiting[_BATCH_MAX:]
        self._sequence += 1
        batch = self._unacked[self._sequence] = Batch(reports)
        await call.write(self._message(self._sequence, batch))

    def _message(self, sequence: int, batch: Batch) -> pb.SessionRequest:
        details = [
            pb.ReportDetail(index=index, suspension=_suspension())
            for index, said in enumerate(batch.reports)
            if said.kind == K.REPORT_KIND_SUSPENDED
        ]
        if sequence % 5:
            columns = pb.ReportColumns(
                sequence=sequence,
                jobs=[said.job for said in batch.reports],
                fences=[said.fence for said in batch.reports],
                kinds=bytes(said.kind for said in batch.reports),
                details=details,
            )
            return pb.SessionRequest(columns=columns)
        by_index = {detail.index: detail for detail in details}
        reports = [
            pb.Report(
                job=said.job,
                fence=said.fence,
                kind=K.ValueType(said.kind),
                detail=by_index.get(index),
            )
            for index, said in enumerate(batch.reports)
        ]
        return pb.SessionRequest(reports=pb.ReportBatch(sequence=sequence, reports=reports))

    # -- what the server says -------------------------------------------------------------------

    async def _read(self, call: Any) -> None:
        while True:
            message = await call.read()
            if message is aio.EOF:
                return
            match message.WhichOneof("message"):
                case "offers":
                    for offer in message.offers.offers:
                        self._take_offer(offer)
                case "orders":
                    await self._obey(call, message.orders.orders)
                case "heartbeat_ack":
                    await self._obey(call, message.heartbeat_ack.orders)
                case "report_ack":
                    self._acked(message.report_ack)

    def _take_offer(self, offer: pb.Offer) -> None:
        known = self._held.get(offer.job)
        if known is not None and known.fence >= offer.fence:
            self._ledger.broken.append(
                f"fenced: {self.name} was offered attempt {offer.fence} of job {offer.job} after "
                f"attempt {known.fence}"
            )
        redwood = offer.definition.startswith("r-")
        self._held[offer.job] = Held(offer.fence, redwood, self._plan(offer, redwood=redwood))

    def _plan(self, offer: pb.Offer, *, redwood: bool) -> list[tuple[int, int]]:
        rng = self._rng
        plan = [(rng.randrange(3), K.REPORT_KIND_STARTED)]
        long = offer.definition == "r-long"
        if redwood and rng.random() < 0.7:
            plan.insert(0, (0, K.REPORT_KIND_ACCEPTED))
        if redwood and rng.random() < 0.2:
            plan += [(1, K.REPORT_KIND_WAITING), (rng.randrange(4), K.REPORT_KIND_WAIT_OVER)]
        end = rng.choices(
            (K.REPORT_KIND_COMPLETED, K.REPORT_KIND_FAILED, K.REPORT_KIND_CANCELED), (8, 2, 1)
        )[0]
        if not redwood and offer.resume_version < 2 and rng.random() < 0.3:
            end = K.REPORT_KIND_SUSPENDED
        return [*plan, (rng.randrange(100) if long else rng.randrange(5), end)]

    async def _obey(self, call: Any, orders: Sequence[pb.Order]) -> None:
        acks = []
        for order in orders:
            acks.append(pb.OrderAck(job=order.job, fence=order.fence, kind=order.kind))
            held = self._held.get(order.job)
            if held is None:
                self._confirm_absence(order)
            elif held.fence == order.fence and order.kind == OrderKind.ORDER_KIND_FORGET:
                del self._held[order.job]
            elif held.fence == order.fence and not held.ended:
                held.plan = [(0, _ANSWER.get(order.kind, K.REPORT_KIND_COMPLETED))]
        if acks:
            await call.write(pb.SessionRequest(order_acks=pb.OrderAcks(acks=acks)))

    def _confirm_absence(self, order: pb.Order) -> None:
        """What is not here is certainly not executing."""
        kind = _ANSWER.get(order.kind)
        if kind and kind != K.REPORT_KIND_COMPLETED:
            self._waiting.append(Said(order.job, order.fence, kind))

    def _acked(self, ack: pb.ReportAck) -> None:
        self._ledger.tell(ack.revision)
        for refused in ack.refused:
            batch = self._unacked.get(refused.sequence)
            if batch is not None:
                batch.refused[refused.index] = refused.refusal.reason
        for sequence in [each for each in self._unacked if each <= ack.sequence]:
            batch = self._unacked.pop(sequence)
            self._last_acked = sequence, batch
            for index, said in enumerate(batch.reports):
                self._settled(said, batch.refused.get(index, ""), ack.revision)

    def _settled(self, said: Said, refusal: str, revision: int) -> None:
        if said.lie:
            self._lie_settled(said, refusal)
            return
        if not refusal:
            self._ledger.reported.append(
                Reported(self.name, said.job, said.fence, said.kind, revision)
            )
        held = self._held.get(said.job)
        if refusal:
            name = K.Name(K.ValueType(said.kind)).removeprefix("REPORT_KIND_")
            self._ledger.honest_refused[f"{name} {refusal}"] += 1
        if held is None or held.fence != said.fence or said.kind not in ENDS:
            return
        if refusal == "ILLEGAL_TRANSITION" and said.kind != K.REPORT_KIND_FAILED:
            self._waiting.append(Said(said.job, said.fence, K.REPORT_KIND_FAILED))
        else:
            del self._held[said.job]

    def _lie_settled(self, said: Said, refusal: str) -> None:
        if refusal:
            self._ledger.lies_refused += 1
        else:
            self._ledger.broken.append(
                f"fenced: {self.name} reported the end of job {said.job} with attempt "
                f"{said.fence}, which was over, and was believed"
            )


_ANSWER: Final = {
    OrderKind.ORDER_KIND_KILL: K.REPORT_KIND_KILLED,
    OrderKind.ORDER_KIND_CANCEL: K.REPORT_KIND_CANCEL_CONFIRMED,
    OrderKind.ORDER_KIND_STOP: K.REPORT_KIND_COMPLETED,
}


def _suspension() -> pb.Suspension:
    suspension = pb.Suspension(saved_json='{"page": 1}')
    condition = suspension.conditions.add(kind=ResumeKind.RESUME_KIND_TIMER)
    condition.time.GetCurrentTime()
    return suspension
