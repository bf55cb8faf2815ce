"""The storm: a server that is killed again and again under traffic, and what is left afterwards.

`Storm.run` returns what it found: sentences about broken promises, each beginning with its name,
and the counts that say how much was tried.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from grpc import aio

from interlock.v1 import admin_service_pb2, catalog_service_pb2
from interlock.v1 import job_service_pb2 as pb
from interlock.v1.definition_pb2 import CompletionStrategy, Definition, LossPolicy
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.crash.account import FINAL, Account
from tests.crash.ledger import Ledger
from tests.crash.life import Life, Lives, is_cut_off, meaning
from tests.crash.reading import lost, read_all, verified
from tests.crash.server_process import SERVER, ServerProcess
from tests.crash.storm_client import SdkClient, StormClient
from tests.crash.storm_robot import StormRobot
from tests.crash.watcher import KINDS, Auditor, Evidence, SdkWatcher, Watcher
from tests.support.real_time import pass_time, until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

SETTINGS: Final = (
    *("--heartbeat", "1", "--session-ttl", "5", "--uncertain-timeout", "6"),
    *("--snapshot-every-commits", "1500", "--log-level", "warning", "--grace", "3"),
    *("--terminating-timeout", "5s", "--terminating-period", "3s"),
)
_WAITING: Final = {
    Status.STATUS_REDWOOD_HELD,
    Status.STATUS_REDWOOD_QUEUED,
    Status.STATUS_REDWOOD_SCHEDULED,
}
#: Sentences that are shown about one promise.
FEW: Final = 5
#: How long the server may take to end all jobs after the storm.
HEAL_S: Final = 40.0
#: How long watchers may take to read all there is. Those of the SDK find a dead connection within
#: 30 s, and grpc leaves one now and then (see KEEPALIVE_S), which is no fault of the server.
READ_S: Final = 45.0


@dataclass(frozen=True)
class Plan:
    """How hard it blows."""

    kills: int
    seed: int
    clients: int = 5
    #: The share of what clients do that only looks.
    reads: float = 0.25
    robots: int = 3
    watchers: int = 17
    sdk: bool = True
    ghosts: int = 4
    life_s: tuple[float, float] = (0.02, 0.4)
    compact_every: int = 12
    keep_revisions: int = 3_000
    #: Once in so many lives, the kill waits until everybody has read all there is.
    read_every: int = 20
    program: Sequence[str] = SERVER
    environment: tuple[tuple[str, str], ...] = ()
    heal_s: float = HEAL_S
    #: Look after every kill, before anybody else may, and stop at the first broken promise.
    inspect: bool = False


def plan_of_environment(kills: int) -> Plan:
    """The plan, as the environment changes it: INTERLOCK_STORM_KILLS, INTERLOCK_STORM_SEED."""
    seed = int(os.environ.get("INTERLOCK_STORM_SEED") or Random().getrandbits(32))
    return Plan(int(os.environ.get("INTERLOCK_STORM_KILLS") or kills), seed)


@dataclass
class Findings:
    """What came out."""

    broken: list[str]
    counts: dict[str, Any]

    def summary(self) -> list[str]:
        """Some sentences about each broken promise."""
        few: dict[str, list[str]] = {}
        for sentence in self.broken:
            found = few.setdefault(sentence.partition(":")[0], [])
            if len(found) < FEW:
                found.append(sentence)
        return [sentence for found in few.values() for sentence in found]

    @property
    def promises(self) -> set[str]:
        """Names of the promises that were broken."""
        return {sentence.partition(":")[0] for sentence in self.broken}


class BrokenEarly(Exception):  # noqa: N818 - what it says
    """A promise is broken, and nothing more has to be tried."""


class Storm:
    """One storm over one data directory."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.rng = Random(plan.seed)
        self.server = ServerProcess(
            folder, settings=SETTINGS, program=plan.program, environment=dict(plan.environment)
        )
        address = self.server.address
        self.lives = Lives(address)
        self.ledger = Ledger()
        self.account = Account()
        self.evidence = Evidence(self.ledger)
        self.auditor = Auditor(self.account, self.lives, self.evidence, self._rng())
        self.watchers = [
            Watcher(
                f"watcher {number}",
                KINDS[number % len(KINDS)],
                self.lives,
                self.evidence,
                self._rng(),
            )
            for number in range(plan.watchers)
        ]
        self.sdk_watchers: list[Any] = [
            SdkWatcher(f"watcher {form}", address, self.evidence, columns=form)
            for form in ((True, False) if plan.sdk else ())
        ]
        self.clients = [
            StormClient(
                f"client-{number}", self.lives, self.ledger, self.account, self._rng(), plan.reads
            )
            for number in range(plan.clients)
        ]
        self.sdk_clients: list[Any] = (
            [SdkClient("sdk-client", address, self._rng())] if plan.sdk else []
        )
        self.robots = [
            StormRobot(f"robot-{number}", self.lives, self.ledger, self._rng())
            for number in range(plan.robots)
        ]
        self.kills = 0
        self.compactions = 0
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._killed_within: Counter[str] = Counter()

    def _rng(self) -> Random:
        return Random(self.rng.getrandbits(64))

    async def run(self) -> Findings:
        """Blow, heal, and look at what is left."""
        broken: list[str] = []
        try:
            await self._blow()
            await self._heal()
            broken += await self._look()
        except BrokenEarly:
            broken += self.account.problems()
        except Exception as error:  # noqa: BLE001 - whatever stops a storm is a finding
            broken.append(f"finished: the storm stopped with {type(error).__name__}: {error}")
            broken += self._compare()
        finally:
            await self._stop_all()
            await self.lives.close()
            self.server.kill()
        return Findings([*self.ledger.broken, *broken], self._counts())

    # -- blow -----------------------------------------------------------------------------------

    async def _blow(self) -> None:
        await self._begin_life()
        await self._put_definitions()
        self._spawn("watchers", self.auditor.run, *(each.run for each in self.watchers))
        self._spawn("sdk watchers", *(each.run for each in self.sdk_watchers))
        self._spawn("robots", *(each.run for each in self.robots))
        self._spawn("clients", *(each.run for each in (*self.clients, *self.sdk_clients)))
        if self.plan.sdk:
            self._spawn("sdk robot", self._sdk_robot)
        ghosts = min(self.plan.ghosts, self.plan.kills)
        ghost_at = set(self.rng.sample(range(self.plan.kills), ghosts))
        while self.kills < self.plan.kills:
            if self.kills in ghost_at:
                self._send_ghost()
            compacting = None
            if self.kills % self.plan.compact_every == self.plan.compact_every - 1:
                compacting = asyncio.create_task(self._compact())
            await self._traffic()
            if self.kills % self.plan.read_every == self.plan.read_every - 1:
                await self._at_head()  # most lives are too short to show who has stopped reading
            self.kills += 1
            self.server.kill()
            await self.lives.end()
            if compacting is not None:
                await compacting
            await self._begin_life()
            if self.plan.inspect and (self.ledger.broken or self.account.problems()):
                raise BrokenEarly

    async def _begin_life(self) -> None:
        await self.server.start()
        if self.plan.inspect:
            await self._inspect()
        self.lives.begin()

    async def _inspect(self) -> None:
        """Compare what was promised in earlier lives with what is stored, while nothing moves."""
        account = Account()
        async with Life(self.server.address) as life:
            await read_all(life, account)
            self.ledger.broken += await lost(life, account)
        self.ledger.broken += account.problems()
        self.ledger.broken += self.ledger.problems(account)
        self.ledger.broken += self.evidence.problems(account)

    async def _traffic(self) -> None:
        """Some traffic from the first acknowledgement on."""
        acks = self.ledger.acks
        await until(lambda: self.ledger.acks > acks, within=15, what="a client is answered")
        await pass_time(self.rng.uniform(*self.plan.life_s))
        self._look_at_tasks()

    def _spawn(self, kind: str, *runs: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.setdefault(kind, []).extend(asyncio.create_task(run()) for run in runs)

    def _look_at_tasks(self) -> None:
        for tasks in self._tasks.values():
            for task in tasks:
                if task.done() and (task.cancelled() or task.exception()):
                    task.result()

    def _send_ghost(self) -> None:
        name = f"ghost-{self.kills}"
        ghost = StormRobot(name, self.lives, self.ledger, self._rng(), ghost=True)
        self._spawn("ghosts", ghost.run)

    async def _put_definitions(self) -> None:
        life = await self.lives.present()
        await life.catalog.PutDefinitions(
            catalog_service_pb2.PutDefinitionsRequest(
                definitions=[
                    Definition(name="r-short", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
                    Definition(name="r-long", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
                    Definition(name="r-sdk", lifecycle=Lifecycle.LIFECYCLE_REDWOOD),
                    Definition(
                        name="u-fault",
                        lifecycle=Lifecycle.LIFECYCLE_UIPATH,
                        on_robot_loss=LossPolicy.LOSS_POLICY_FAULT,
                        completion=CompletionStrategy.COMPLETION_STRATEGY_DEFAULT,
                    ),
                    Definition(
                        name="u-rerun",
                        lifecycle=Lifecycle.LIFECYCLE_UIPATH,
                        on_robot_loss=LossPolicy.LOSS_POLICY_RERUN,
                    ),
                ]
            )
        )

    async def _compact(self) -> None:
        """Snapshot and compaction; the kill may come at any instant of it."""
        life = await self.lives.present()
        await pass_time(self.rng.uniform(0, 0.15))
        # The account is what the auditor has read, so what it has not is kept. It may be far behind
        # when grpc has missed a reset (see KEEPALIVE_S); watchers may lose what they have not read.
        unread = max(0, self.ledger.told - self.auditor.revision)
        request = admin_service_pb2.CompactRequest(keep_revisions=self.plan.keep_revisions + unread)
        try:
            await life.admin.Compact(request, timeout=10)
            self.compactions += 1
        except aio.AioRpcError as failure:
            if not (life.over.is_set() and is_cut_off(failure)):
                self.ledger.broken.append(f"compaction: {meaning(failure)}")
            self._killed_within["compaction"] += 1

    async def _sdk_robot(self) -> None:
        from interlock import Robot, Run

        robot = Robot(self.server.address, name="sdk-robot", slots=10)

        @robot.job("r-sdk")
        async def work(run: Run) -> Any:
            await pass_time(0.02)
            return {"attempt": run.id}

        await robot.run()

    # -- heal -----------------------------------------------------------------------------------

    async def _heal(self) -> None:
        """Without kills, clients learn their outcomes, and every job becomes final."""
        for client in (*self.clients, *self.sdk_clients):
            client.leaving = True
        async with asyncio.timeout(30):
            await asyncio.gather(*self._tasks.pop("clients"))
        await self._cancel_waiting()
        await until(
            lambda: not list(self.account.live()),
            within=self.plan.heal_s,
            what="every job is final",
        )

    async def _cancel_waiting(self) -> None:
        await self._at_head()
        waiting = [job for job, status in self.account.live() if status in _WAITING]
        life = await self.lives.present()
        for job in waiting:
            try:
                await life.jobs.CancelJobs(pb.CancelJobsRequest(jobs=[job]), timeout=10)
            except aio.AioRpcError:
                continue  # it went on by itself

    async def _at_head(self) -> None:
        """Let the auditor and everybody else read all there is."""
        life = await self.lives.present()
        status = await life.admin.GetStatus(admin_service_pb2.GetStatusRequest(), timeout=10)
        readers = [self.auditor, *self.watchers]
        await until(
            lambda: all(reader.revision >= status.revision for reader in readers),
            within=READ_S,
            what=f"every watcher is at revision {status.revision}",
        )
        await until(
            lambda: all(watcher.revision >= self.account.head for watcher in self.sdk_watchers),
            within=READ_S,
            what=f"every watch of the SDK is at revision {status.revision}",
        )

    # -- look -----------------------------------------------------------------------------------

    async def _look(self) -> list[str]:
        for robot in self.robots:
            robot.leaving = True
        async with asyncio.timeout(20):
            await asyncio.gather(*self._tasks.pop("robots"))
        await self._at_head()
        life = await self.lives.present()
        broken = [*await verified(life), *await self._stored(life), *self._compare()]
        await self._stop_all()
        await self.lives.end()
        self.server.kill()
        self.kills += 1
        await self._begin_life()
        broken += await verified(await self.lives.present())
        return broken

    def _compare(self) -> list[str]:
        account = self.account
        broken = [*account.problems(), *self.ledger.problems(account)]
        broken += self.evidence.problems(account)
        for watcher in (self.auditor, *self.watchers, *self.sdk_watchers):
            broken += watcher.problems(account)
        for client in self.sdk_clients:
            broken += client.problems(account)
        if self.auditor.compacted:
            broken.append("storm: the auditor lost changes to a compaction, so nothing here counts")
        broken += [
            f"final: job {job} is {Status.Name(Status.ValueType(status))}"
            for job, status in account.live()
        ]
        return broken

    async def _stored(self, life: Life) -> list[str]:
        """Histories as the server keeps them, of a sample of the jobs."""
        broken = []
        jobs = list(self.account.by_job)
        for job in self.rng.sample(jobs, min(300, len(jobs))):
            request = pb.GetJobHistoryRequest(job=job)
            answer = await life.jobs.GetJobHistory(request, timeout=10)
            kept = [(entry.revision, entry.transition) for entry in answer.entries]
            seen = [(entry.revision, entry.row) for entry in self.account.by_job[job]]
            if kept != seen:
                broken.append(f"stored: job {job} has {kept}, but {seen} was seen")
        return broken

    async def _stop_all(self) -> None:
        tasks = [task for kind in self._tasks.values() for task in kind]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _counts(self) -> dict[str, Any]:
        asked = self.ledger.asked
        watchers = [self.auditor, *self.watchers]
        finals = sum(entries[-1].state == FINAL for entries in self.account.by_job.values())
        return {
            "seed": self.plan.seed,
            "kills": self.kills,
            "changes": self.account.head,
            "jobs": len(self.account.by_job),
            "jobs final": finals,
            "requests": len(asked),
            "requests acknowledged": sum(each.answer is not None for each in asked),
            "requests refused": sum(bool(each.refusal) for each in asked),
            "requests tried again": sum(each.tries > 1 for each in asked),
            "requests abandoned": sum(each.abandoned for each in asked),
            "reports acknowledged": len(self.ledger.reported),
            "honest reports refused": dict(self.ledger.honest_refused.most_common()),
            "lies refused": self.ledger.lies_refused,
            "repeats": self.ledger.repeats,
            "reads": len(self.ledger.shown),
            "sdk submissions": sum(len(each.submitted) for each in self.sdk_clients),
            "watchers": len(watchers) + len(self.sdk_watchers),
            "watch events": self.evidence.events,
            "watch resumes": sum(each.resumes for each in (*watchers, *self.sdk_watchers)),
            "watches compacted": sum(each.compacted for each in (*watchers, *self.sdk_watchers)),
            "robot sessions": sum(robot.sessions for robot in self.robots),
            "compactions": self.compactions,
            "kills within compaction": self._killed_within["compaction"],
            "python": sys.version.split()[0],
        }
