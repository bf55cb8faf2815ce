"""Clients of the storm: they submit, order and read, and ask again until they know the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from grpc import StatusCode, aio

from interlock import InterlockError
from interlock.v1 import job_service_pb2 as pb
from interlock.v1.status_pb2 import Status
from tests.crash.ledger import Asked, Shown
from tests.crash.life import UNKNOWN_CODES, meaning
from tests.crash.storm_robot import DEFINITIONS
from tests.crash.watcher import sdk
from tests.support.real_time import pass_time

if TYPE_CHECKING:
    from random import Random

    from tests.crash.account import Account
    from tests.crash.ledger import Ledger
    from tests.crash.life import Life, Lives

#: Live jobs above which nothing more is submitted.
LIVE_MAX: Final = 250
#: How often a client never asks again although it does not know the outcome.
_ABANDONS: Final = 0.15
#: How often an answered request is sent once more, which must give the same answer.
_REPEATS: Final = 0.05
_CALL_S: Final = 10.0

_VERBS: Final = (
    ("HoldJobs", pb.HoldJobsRequest, Status.STATUS_REDWOOD_QUEUED),
    ("ReleaseJobs", pb.ReleaseJobsRequest, Status.STATUS_REDWOOD_HELD),
    ("CancelJobs", pb.CancelJobsRequest, Status.STATUS_REDWOOD_HELD),
    ("CancelJobs", pb.CancelJobsRequest, Status.STATUS_REDWOOD_DISPATCHED),
    ("KillJobs", pb.KillJobsRequest, Status.STATUS_REDWOOD_RUNNING),
    ("KillJobs", pb.KillJobsRequest, Status.STATUS_UIPATH_RUNNING),
    ("StopJobs", pb.StopJobsRequest, Status.STATUS_UIPATH_RUNNING),
    ("StopJobs", pb.StopJobsRequest, Status.STATUS_UIPATH_PENDING),
)


class StormClient:
    """One client."""

    def __init__(
        self,
        name: str,
        lives: Lives,
        ledger: Ledger,
        account: Account,
        rng: Random,
        reads: float,
    ) -> None:
        self.name = name
        self.leaving = False
        self._lives = lives
        self._ledger = ledger
        self._account = account
        self._rng = rng
        self._reads = reads
        self._requests = 0
        self._own: list[Asked] = []

    async def run(self) -> None:
        """Ask one thing after the other until told to leave; then every outcome is known."""
        while not self.leaving:
            choice = self._rng.random()
            if choice < self._reads:
                await self._read()
            elif choice < self._reads + _REPEATS and self._own:
                await self._repeat(self._rng.choice(self._own))
            else:
                await self._ask(self._new())
            await pass_time(self._rng.uniform(0.002, 0.02))

    # -- requests -------------------------------------------------------------------------------

    def _new(self) -> Asked:
        live = list(self._account.live())
        if len(live) < 10 or (len(live) < LIVE_MAX and self._rng.random() < 0.5):
            return self._submission()
        if self._rng.random() < 0.1:
            return self._restart()
        method, kind, status = self._rng.choice(_VERBS)
        jobs = [job for job, now in live if now == status] or [job for job, _ in live]
        chosen = sorted(set(self._rng.choices(jobs, k=self._rng.randint(1, 4))))
        return self._asked(method, kind(jobs=chosen, reason="because"), 0)

    def _submission(self) -> Asked:
        jobs = []
        for _ in range(self._rng.randint(1, 4)):
            definition = self._rng.choice(DEFINITIONS)
            hold = definition.startswith("r-") and self._rng.random() < 0.1
            count = self._rng.choice((1, 1, 2, 5))
            jobs.append(pb.NewJob(definition=definition, count=count, hold=hold))
        creates = sum(job.count for job in jobs)
        return self._asked("SubmitJobs", pb.SubmitJobsRequest(jobs=jobs), creates)

    def _restart(self) -> Asked:
        jobs = list(self._account.by_job)
        job = self._rng.choice(jobs)
        return self._asked("RestartJobs", pb.RestartJobsRequest(jobs=[job]), 1)

    def _asked(self, method: str, request: Any, creates: int) -> Asked:
        self._requests += 1
        request.request_id = f"{self.name}.{self._requests:08d}.{self._rng.getrandbits(32):08x}"
        asked = Asked(method, request, creates, floor=self._ledger.told)
        self._ledger.asked.append(asked)
        self._own.append(asked)
        return asked

    async def _ask(self, asked: Asked) -> None:
        """Ask until the outcome is known, through any number of lives."""
        while not asked.known and not asked.abandoned:
            life = await self._lives.present()
            asked.tries += 1
            try:
                asked.answer = await self._call(life, asked)
                self._ledger.tell(asked.answer.revision)
            except aio.AioRpcError as failure:
                error = meaning(failure)
                if failure.code() in UNKNOWN_CODES:
                    asked.abandoned = self._rng.random() < _ABANDONS
                    await pass_time(0.01)
                elif failure.code() is not StatusCode.RESOURCE_EXHAUSTED:
                    asked.refusal = error.reason
                    if error.reason in {"INTERNAL", "INVALID_FIELD", "REQUEST_ID_CONFLICT"}:
                        self._ledger.broken.append(f"refused: {asked.method} with {error}")

    async def _call(self, life: Life, asked: Asked) -> Any:
        return await getattr(life.jobs, asked.method)(asked.request, timeout=_CALL_S)

    async def _repeat(self, asked: Asked) -> None:
        """Send an answered request again: the same answer, and nothing happens."""
        if not asked.known:
            return
        life = await self._lives.present()
        asked.tries += 1
        self._ledger.repeats += 1
        try:
            answer = await self._call(life, asked)
            if answer != asked.answer:
                self._ledger.broken.append(
                    f"once: {asked.request.request_id} was answered {asked.answer or asked.refusal}"
                    f" and, repeated, {answer}"
                )
        except aio.AioRpcError as failure:
            error = meaning(failure)
            if failure.code() not in UNKNOWN_CODES and error.reason != asked.refusal:
                self._ledger.broken.append(
                    f"once: {asked.request.request_id} was answered {asked.answer or asked.refusal}"
                    f" and, repeated, {error.reason}"
                )

    async def _read(self) -> None:
        """Look at a job. What is shown has to be as new as what anybody was told, and durable."""
        live = [job for job, _ in self._account.live()]
        jobs = live if live and self._rng.random() < 0.8 else list(self._account.by_job)
        if not jobs:
            return
        floor, job = self._ledger.told, self._rng.choice(jobs)
        life = await self._lives.present()
        try:
            found = await life.jobs.GetJob(pb.GetJobRequest(job=job), timeout=_CALL_S)
        except aio.AioRpcError as failure:
            if failure.code() not in UNKNOWN_CODES:
                self._ledger.broken.append(
                    f"acknowledged: job {job} was seen, and a read says {meaning(failure).reason}"
                )
            return
        if found.revision < floor:
            self._ledger.broken.append(
                f"real time: revision {floor} was told, and a read shows {found.revision}"
            )
        self._ledger.tell(found.revision)
        self._ledger.shown.append(Shown(job, found.job.status, found.job.revision))


class SdkClient:
    """A client that uses the SDK, which asks again by itself."""

    def __init__(self, name: str, address: str, rng: Random) -> None:
        self.name = name
        self.leaving = False
        self.submitted: dict[int, str] = {}
        self.unknown = 0
        self._address = address
        self._rng = rng

    async def run(self) -> None:
        """Submit until told to leave."""
        async with sdk(self._address) as interlock:
            while not self.leaving:
                reference = f"{self.name}-{self._rng.getrandbits(64):x}"
                try:
                    handle = await interlock.submit("r-sdk", reference=reference)
                    self.submitted[handle.id] = reference
                except InterlockError:
                    self.unknown += 1
                await pass_time(self._rng.uniform(0.01, 0.05))

    def problems(self, account: Account) -> list[str]:
        """Jobs whose submission was answered and that are not there."""
        return [
            f"acknowledged: job {job} was submitted by the SDK and is not there"
            for job in self.submitted
            if job not in account.by_job
        ]
