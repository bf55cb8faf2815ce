"""A busy site for `benchmarks.dispatch`: many queues, some with locks, windows, sizes and servers.

The pure core, one turn per command, nothing durable. The same seed gives the same site, however
many jobs wait on it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock_server.core import command as c
from interlock_server.core.change import Cause
from interlock_server.core.decide import take_turn
from interlock_server.core.model.definition import Definition
from interlock_server.core.model.lock import Lock, LockKind, LockNeed
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Rejection
from interlock_server.core.turn import Draft, Turn
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFINITIONS: Final = 10
SERVERS: Final = 4
ROBOTS: Final = 50
SLOTS: Final = 5
_BATCH: Final = 1_000
_PERSON: Final = (Actor.USER, "operator")
_DISPATCHER: Final = (Actor.DISPATCHER, "dispatcher")


class DispatchSite:
    """One World with so many jobs waiting in so many queues, and robots that are all at work."""

    def __init__(self, *, jobs: int, queues: int, seed: int = 1) -> None:
        """Build it: catalog, jobs, robots; whoever can start has started."""
        self.world = World()
        self.now_ms = 1_764_000_000_000
        self.queues = [f"q{number}" for number in range(queues)]
        self._chance = random.Random(seed)
        self._sequences: dict[str, int] = {}
        self._starts = 0
        self._put_catalog()
        self.submit(jobs)
        self._connect_robots()
        while self.dispatch(_BATCH):
            pass

    def take(self, command: c.Command, by: tuple[Actor, str] = _PERSON) -> Any:
        """Take one turn."""
        draft = Draft()
        answer = take_turn(self.world, draft, command, Cause(self.now_ms, int(by[0]), by[1]))
        self._starts += len(draft.effects)
        assert not isinstance(answer, Rejection), answer
        return answer

    # -- how it is built ------------------------------------------------------------------------

    def _put_catalog(self) -> None:
        self.take(c.PutQueues(tuple(self._queue(*each) for each in enumerate(self.queues))))
        for name in self.queues[3::20]:  # what the clock writes while their windows are closed
            turn = Turn(self.world, Draft(), Cause(self.now_ms))
            turn.put_queue(msgspec.structs.replace(self.world.queues[name], closed=True))
        self.take(c.PutLocks(tuple(self._lock(number) for number in range(5))))
        for number in range(SERVERS):
            served = self.queues[number::SERVERS]
            providers = tuple(self._provider(*each) for each in enumerate(served))
            self.take(c.PutServers((ProcessServer(f"server-{number}", providers=providers),)))
        self.take(c.PutDefinitions(tuple(self._definition(n) for n in range(DEFINITIONS))))

    def _queue(self, number: int, name: str) -> Queue:
        return Queue(name, execution_size=2 if number % 10 == 0 else 0)

    def _provider(self, index: int, queue: str) -> QueueProvider:
        size = 3 if index % 5 == 0 else 0
        return QueueProvider(queue, execution_size=size, hold_level=10 * (index % 3))

    def _lock(self, number: int) -> Lock:
        return Lock(f"lock-{number}", kind=LockKind.COUNTED, counts=50)

    def _definition(self, number: int) -> Definition:
        locks = (LockNeed(f"lock-{number % 5}"),) if number % 3 == 0 else ()
        return Definition(f"definition-{number}", int(Lifecycle.REDWOOD), locks=locks)

    def submit(self, count: int) -> None:
        """Let jobs wait, spread over all queues, definitions and priorities."""
        done = 0
        while done < count:
            size = min(_BATCH, count - done)
            self.take(c.SubmitJobs(tuple(self._new_job(done + n) for n in range(size))))
            done += size
        self.world.finished.clear()

    def _new_job(self, number: int) -> c.NewJob:
        return c.NewJob(
            f"definition-{number // len(self.queues) % DEFINITIONS}",
            queue=self.queues[number % len(self.queues)],
            priority=self._chance.randint(1, 100),
        )

    def _connect_robots(self) -> None:
        names = tuple(f"definition-{number}" for number in range(DEFINITIONS))
        for number in range(ROBOTS):
            robot = f"robot-{number}"
            server = f"server-{number % (SERVERS + 1)}" if number % (SERVERS + 1) < SERVERS else ""
            command = c.OpenSession(robot, "instance", names, slots=SLOTS, server=server)
            self.take(command, (Actor.ROBOT, robot))
            self._sequences[robot] = 0

    # -- what is measured -----------------------------------------------------------------------

    def add(self) -> None:
        """One more job, into any queue."""
        number = self._chance.randrange(len(self.queues) * DEFINITIONS)
        self.take(c.SubmitJobs((self._new_job(number),)))

    def running(self, count: int) -> list[int]:
        """Some jobs that robots have."""
        attached = sorted(job for jobs in self.world.robot_jobs.values() for job in jobs)
        return self._chance.sample(attached, min(count, len(attached)))

    def end(self, jobs: Iterable[int]) -> None:
        """Let robots report that jobs are over."""
        for job_id in jobs:
            job = self.world.jobs[job_id]
            robot = job.robot
            self._sequences[robot] += 1
            report = c.Report(
                robot,
                self.world.robots[robot].epoch,
                self._sequences[robot],
                (job_id,),
                (job.fence,),
                bytes([c.ReportKind.COMPLETED]),
                {},
            )
            self.take(report, (Actor.ROBOT, robot))

    def dispatch(self, jobs_max: int) -> bool:
        """Hand out jobs; whether more may be left."""
        return bool(self.take(c.Dispatch(jobs_max), _DISPATCHER))

    def follow_up(self) -> None:
        """Everything that the engine does after a group: queues, locks, dispatching."""
        world = self.world
        while world.lock_lines.dirty:
            self.take(c.GrantLocks(), _DISPATCHER)
        while world.lanes.dirty:
            self.dispatch(_BATCH)

    def starts(self) -> int:
        """How many jobs were handed out so far."""
        return self._starts

    def open_queues(self, count: int) -> list[str]:
        """Some queues whose windows are open."""
        found = [name for name in self.queues if not self.world.queues[name].closed]
        return self._chance.sample(found, min(count, len(found)))

    def hold(self, queue: str) -> None:
        """Hold a queue: from now on none of its jobs starts."""
        self.take(c.HoldQueue(queue))

    def release(self, queue: str) -> None:
        """Release a queue: from now on its jobs may start."""
        self.take(c.ReleaseQueue(queue))

    def follow_queue(self, jobs_max: int) -> None:
        """Let the next slice of jobs follow a hold or a release."""
        self.take(c.MoveQueueJobs(jobs_max))
