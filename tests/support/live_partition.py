"""A whole partition on a journal in memory, with a clock that is moved by hand.

Everything but the network is real: engine, sessions, timers, checkpoints. Robots speak over real
session streams, and `kill` begins the next life with what was durable.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from interlock_server import partition as partitions
from interlock_server.config import Config
from interlock_server.core import command as c
from interlock_server.core import invariants
from interlock_server.core.model.definition import Definition
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.media_files import MediaFiles
from interlock_server.storage.recovery import recover
from tests.support.core_driver import REDWOOD, UIPATH, path
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal

if TYPE_CHECKING:
    from interlock_server.core.command import Outcome, ReportKind, Verb
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import EffectKind
    from interlock_server.partition import Partition
    from interlock_server.sessions import Offer, Order, SessionStream

#: The way of a Redwood job until its robot runs it.
START = "New Scheduled Queued Dispatched Assigned Running"
BACKUPS = Path("backups-are-not-written-by-these-tests")
MEDIA = Path("media-are-written-where-a-test-says")


class Event(NamedTuple):
    """One durable change, in words."""

    revision: int
    job: int
    change: str
    actor: str
    author: str
    reason: str
    #: The id of its row, and the verb.
    row: str = ""
    trigger: str = ""


class LivePartition:
    """One partition over all its lives."""

    #: Whether requests and watches go over gRPC.
    over_rpc = False

    def __init__(self, journal: Any, media: Path = MEDIA, **settings: Any) -> None:
        self.clock = ManualClock()
        self.journal = journal
        self.media = media
        self._config = Config(**settings)
        self.partition: Partition = None  # type: ignore[assignment]

    @classmethod
    async def start(cls, journal: Any = None, **settings: Any) -> LivePartition:
        live = cls(journal if journal is not None else MemoryJournal(), **settings)
        await live.begin()
        return live

    async def begin(self) -> None:
        """Recover from the journal and run."""
        self.partition = await partitions._recover(
            "default", self.journal, BACKUPS, self._config, self.clock, MediaFiles(self.media)
        )
        await self.partition.start()

    async def kill(self) -> None:
        """The process is killed: what was not durable is gone. The next one begins."""
        if isinstance(self.journal, MemoryJournal):
            found: Any = self.journal.crash()
            self.journal.release()  # what was held back fails now
            await self.partition.close()
        else:
            await self.partition.close()
            found = await SqliteJournal.open(self.journal._path, durability="off")
        self.journal = found
        await self.begin()

    async def restart(self) -> None:
        """Stop in order, and begin again."""
        await self.settle()
        await self.kill()

    def _let_go(self) -> None:
        if isinstance(self.journal, MemoryJournal):
            self.journal.release()  # a test that failed may have left it held

    async def close(self) -> None:
        self._let_go()
        await self.partition.close()

    async def settle(self) -> None:
        """Wait until everything handed in is durable and was delivered."""
        engine = self.partition.engine
        while True:
            await engine.flush()
            for _ in range(5):  # callbacks of answered futures, and what they hand in
                await asyncio.sleep(0)
            if self.partition.failed.done():
                raise AssertionError("the partition failed") from self.partition.failed.result()
            if not engine._has_work() and engine.durable == engine.decided:
                return

    async def check_recovery(self) -> None:
        """What a restart would find is what is live (promise P1), also from a snapshot."""
        self._let_go()
        await self.settle()
        live = self.partition
        invariants.check(live.world)
        for prepare in (self._nothing, live.checkpoint.snapshot, self._compact):
            await prepare()
            found = await recover(self.journal, live.world.settings)
            invariants.check(found)
            assert digest(found) == digest(live.world)

    async def _nothing(self) -> None: ...

    async def _compact(self) -> None:
        await self.partition.compact(0)

    # -- people ---------------------------------------------------------------------------------

    async def do(self, command: c.Command, **given: Any) -> Any:
        return await self.partition.submit(command, **{"author": "operator", **given})

    async def define(self, name: str, lifecycle: Lifecycle, **fields: Any) -> None:
        await self.do(c.PutDefinitions((Definition(name, int(lifecycle), **fields),)))

    async def define_both(self, **fields: Any) -> None:
        await self.define(REDWOOD, Lifecycle.REDWOOD, **fields)
        await self.define(UIPATH, Lifecycle.UIPATH, **fields)

    async def put_queue(self, name: str, **fields: Any) -> None:
        await self.do(c.PutQueues((Queue(name, **fields),)))

    async def submit(self, definition: str = REDWOOD, **fields: Any) -> int:
        """The id of a new job; raises the Rejection."""
        (outcome,) = await self.do(c.SubmitJobs((c.NewJob(definition, **fields),)))
        return _job_of(outcome)

    async def verb(self, verb: Verb, job: int, **fields: Any) -> Outcome:
        """Do one thing to one job; raises the Rejection."""
        (outcome,) = await self.do(c.ChangeJobs(verb, (job,), **fields))
        _job_of(outcome)
        found: Outcome = outcome
        return found

    async def restart_job(self, job: int, **fields: Any) -> int:
        """Restart a job as the API does, which reads the original from the archive."""
        original = await self.job(job)
        command = c.RestartJobs((job,), {job: original}, **fields)
        (outcome,) = await self.do(command)
        return _job_of(outcome)

    # -- time -----------------------------------------------------------------------------------

    async def later(self, **passed: float) -> None:
        """Let time pass, and do what came due at its end."""
        seconds = _seconds(passed)
        self.clock.advance(s=seconds)
        await self.partition.timers.pass_due()
        await self.settle()

    async def silence(self, **passed: float) -> None:
        """Let time pass while the server looks every second for robots that are silent."""
        for _ in range(int(_seconds(passed))):
            self.clock.advance(s=1)
            await self.partition.sessions.look()
        await self.partition.timers.pass_due()
        await self.settle()

    # -- robots ---------------------------------------------------------------------------------

    async def connect(
        self,
        robot: str = "robot-1",
        *definitions: str,
        running: tuple[c.RunningJob, ...] = (),
        **fields: Any,
    ) -> LiveRobot:
        given: dict[str, Any] = {"instance": f"{robot}-program", "slots": 10, **fields}
        names = definitions or tuple(self.partition.world.definitions)
        opened, stream = await self.partition.sessions.open(
            c.OpenSession(robot=robot, definitions=names, running=running, **given)
        )
        found = LiveRobot(self, opened, stream)
        await self.settle()
        await found.hear()
        return found

    # -- what is seen ---------------------------------------------------------------------------

    async def job(self, job: int) -> Job:
        found = await self.partition.job(job)
        assert found is not None, f"there is no job {job}"
        return found

    async def path(self, job: int) -> str:
        """The statuses of a job, in order: `Pending Running Successful`."""
        history = await self.partition.job_history(job)
        assert history is not None, f"there is no job {job}"
        return path(history)

    async def paths(self, *jobs: int) -> list[str]:
        return [await self.path(job) for job in jobs]

    async def events(self, *jobs: int) -> list[Event]:
        """Every durable change of these jobs, or of all, as a watch from the start shows it."""
        await self.settle()
        found = []
        for stored in await self.journal.read_changes(0, bytes_max=1 << 30):
            for block in codec.decode_blocks(stored.public):
                for index, revision in enumerate(block.revisions()):
                    row, job = ROWS[block.rows[index]], block.jobs[index]
                    assert row is not None
                    change = f"{STATUS_NAME[row.source] or '-'}>{STATUS_NAME[row.target]}"
                    actor = Actor(block.cause.actor).name.lower()
                    found.append(
                        Event(
                            revision,
                            job,
                            change,
                            actor,
                            block.cause.author,
                            block.reason(index),
                            row.id,
                            row.trigger.text,
                        )
                    )
        return [event for event in found if not jobs or event.job in jobs]

    async def changes(self, *jobs: int) -> list[tuple[int, str]]:
        """Every change as (job, `From>To`), in the order of their revisions."""
        return [(event.job, event.change) for event in await self.events(*jobs)]


class LiveRobot:
    """A robot at the other end of a session stream."""

    def __init__(self, live: LivePartition, opened: c.SessionOpened, stream: SessionStream) -> None:
        self.live = live
        self.opened = opened
        self.stream = stream
        self.sequence = opened.last_sequence
        self.offers: dict[int, Offer] = {}
        self.orders: list[Order] = []
        self.repeated: list[Order] = []
        self.refused: list[Rejection] = []
        self.acked = 0
        self.end: Any = None

    @property
    def name(self) -> str:
        return self.stream.robot

    async def hear(self) -> None:
        """Take everything that the server has said."""
        await self.live.settle()
        while self.stream._has_something() and self.end is None:
            said = await self.stream.next()
            for offer in said.offers:
                self.offers[offer.job] = offer
            self.orders += said.orders
            self.repeated += said.heartbeat or []
            if said.ack is not None:
                self.acked = said.ack.sequence
                self.refused += [refused.rejection for refused in said.ack.refused]
            self.end = said.end

    async def report(
        self, kind: ReportKind, *jobs: int, fence: int = 0, **detail: Any
    ) -> list[Rejection]:
        """Report one thing about jobs and wait until that is durable; what was refused."""
        await self.hear()
        self.sequence += 1
        return await self.send(self.batch(kind, *jobs, fence=fence, **detail))

    def batch(self, kind: ReportKind, *jobs: int, fence: int = 0, **detail: Any) -> c.Report:
        fences = tuple(fence or self.offers[job].fence for job in jobs)
        details = dict.fromkeys(range(len(jobs)), c.ReportDetail(**detail)) if detail else {}
        return c.Report(
            self.name, self.opened.epoch, self.sequence, jobs, fences, bytes([kind]), details
        )

    async def send(self, report: c.Report) -> list[Rejection]:
        self.refused = []
        await self.stream.report(report)
        await self.hear()
        return self.refused

    async def heartbeat(self) -> list[EffectKind]:
        """The orders that the server says again."""
        self.repeated = []
        self.stream.heard()
        await self.stream.heartbeat()
        await self.hear()
        return [order.kind for order in self.repeated]

    def told(self) -> list[tuple[int, EffectKind]]:
        """Orders pushed so far."""
        return [(order.job, order.kind) for order in self.orders]

    async def cut(self) -> None:
        """The network between robot and server is gone."""
        self.stream.broken()
        await self.live.settle()

    async def goodbye(self) -> None:
        await self.stream.goodbye("the service stops")
        self.stream.broken()
        await self.live.settle()

    def running(self, *jobs: int, **fields: Any) -> tuple[c.RunningJob, ...]:
        """What the robot says that it has when it comes back."""
        return tuple(c.RunningJob(job, self.offers[job].fence, **fields) for job in jobs)


def _job_of(outcome: Outcome) -> int:
    if outcome.rejection is not None:
        raise outcome.rejection
    return outcome.job


def _seconds(passed: dict[str, float]) -> float:
    units = {"ms": 0.001, "s": 1, "minutes": 60, "hours": 3600}
    return sum(units[unit] * count for unit, count in passed.items())


async def started(live: LivePartition, robot: LiveRobot, definition: str = REDWOOD) -> int:
    """A job that the robot runs."""
    job = await live.submit(definition)
    assert await robot.report(c.ReportKind.STARTED, job) == []
    return job
