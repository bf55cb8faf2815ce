"""After dispatch no job that may start waits while a robot is free, and none runs that may not.

What may start is said a second time here, by brute force over all jobs and robots.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.lane import bound_robot, order_of, waits
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import CoreDriver

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

QUEUES = ("default", "night", "sap")
SERVERS = ("sap-1", "sap-2", "web")
ROBOTS = ("robot-1", "robot-2", "robot-3", "robot-4")
RESOURCES = ("sap", "printer")


def may_start(world, job, robot) -> bool:
    """Whether a robot could take a job now, read off the records and the jobs alone."""
    definition, queue = world.definitions[job.definition], world.queues[job.queue]
    taken = [each for each in world.jobs.values() if each.attached]
    own = [each for each in taken if each.robot == robot.name]
    if not robot.connected or robot.draining or robot.maintenance or len(own) >= robot.slots:
        return False
    if definition.foreground and any(world.definitions[j.definition].foreground for j in own):
        return False
    if definition.name not in robot.definitions or bound_robot(job) not in {"", robot.name}:
        return False
    if robot.queues and job.queue not in robot.queues:
        return False
    if queue.held or queue.closed:
        return False
    if queue.execution_size and queue.execution_size <= sum(j.queue == job.queue for j in taken):
        return False
    if (job.server or definition.server) not in {"", robot.server}:
        return False
    offered = set(robot.resources)
    if robot.server:
        server = world.servers.get(robot.server)
        if server is None or not _server_gives(server, job, taken):
            return False
        offered |= set(server.resources)
    return set(definition.resources) <= offered


def _server_gives(server, job, taken) -> bool:
    here = [each for each in taken if each.process_server == server.name]
    provider = next((each for each in server.providers if each.queue == job.queue), None)
    if server.stopped or len(here) >= server.execution_size or provider is None:
        return False
    size, load = provider.execution_size, sum(each.queue == job.queue for each in here)
    if provider.held or provider.closed or (size and load >= size):
        return False
    return bool(job.priority >= provider.hold_level)


class Site:
    """A site on which anything happens in any order."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.core = CoreDriver()
        self.core.accepted(c.PutQueues(tuple(Queue(name) for name in QUEUES[1:])))
        for name in SERVERS[:2]:
            self.put_server(name)
        self.core.define("plain", Lifecycle.REDWOOD)
        self.core.define("screen", Lifecycle.UIPATH, foreground=True)
        self.core.define("sap-load", Lifecycle.REDWOOD, resources=("sap",))
        self.core.define("print", Lifecycle.UIPATH, resources=("sap", "printer"))
        self.core.define("fixed", Lifecycle.REDWOOD, server="sap-1")

    def step(self) -> None:
        self.chance.choice(
            [
                *[self.submit] * 12,
                *[self.end_job] * 10,
                *[self.connect] * 3,
                self.lose,
                self.put_queue,
                self.hold_queue,
                self.put_server,
                *[self.stop_or_start] * 2,
                *[self.hold_provider] * 2,
                self.change_priority,
                self.hold_job,
                self.change_definition,
                self.delete_server,
            ]
        )()

    def some(self, names: tuple[str, ...], count_max: int) -> tuple[str, ...]:
        return tuple(self.chance.sample(names, self.chance.randint(0, count_max)))

    def submit(self) -> None:
        definition = self.chance.choice(list(self.core.world.definitions.values()))
        redwood = definition.lifecycle == Lifecycle.REDWOOD
        server = self.chance.choice(("", "", "sap-1", "sap-2")) if redwood else ""
        new = c.NewJob(
            definition.name,
            queue=self.chance.choice(QUEUES),
            priority=self.chance.choice((20, 50, 80)),
            server=server,
            robot=self.chance.choice(("", "", "", "robot-1", "robot-2")),
        )
        self.core.take(c.SubmitJobs((new,)))

    def attached(self) -> list[Job]:
        return [job for job in self.core.world.jobs.values() if job.attached]

    def end_job(self) -> None:
        with_robots = [
            job for job in self.attached() if self.core.world.robots[job.robot].connected
        ]
        if with_robots:
            kind = self.chance.choice((c.ReportKind.COMPLETED, c.ReportKind.REFUSED))
            self.core.report(kind, self.chance.choice(with_robots))
            self.core.archive()

    def connect(self) -> None:
        name = self.chance.choice(ROBOTS)
        running = tuple(
            c.RunningJob(job.id, job.fence) for job in self.attached() if job.robot == name
        )
        command = c.OpenSession(
            name,
            "instance",
            tuple(self.chance.sample(sorted(self.core.world.definitions), 4)),
            queues=self.some(QUEUES, 2),
            slots=self.chance.randint(1, 4),
            running=running,
            server=self.chance.choice(("", *SERVERS)),
            resources=self.some(RESOURCES, 1),
        )
        opened = self.core.accepted(command, actor=Actor.ROBOT, author=name)
        self.core.epochs[name], self.core.sequences[name] = opened.epoch, opened.last_sequence

    def lose(self) -> None:
        name = self.chance.choice(ROBOTS)
        if name in self.core.epochs:
            how = self.chance.choice((c.LoseSession, c.BreakSession, c.DrainSession))
            command = how(name, self.core.epochs[name])
            self.core.take(command, Actor.SYSTEM, "sessions")

    def put_queue(self) -> None:
        size = self.chance.choice((0, 1, 2))
        self.core.accepted(c.PutQueues((Queue(self.chance.choice(QUEUES), execution_size=size),)))

    def hold_queue(self) -> None:
        how = self.chance.choice((c.HoldQueue, c.ReleaseQueue, c.ReleaseQueue))
        self.core.take(how(self.chance.choice(QUEUES)))
        self.core.follow_queues()

    def put_server(self, name: str = "") -> None:
        served = self.chance.sample(QUEUES, self.chance.randint(1, 3))
        providers = tuple(
            QueueProvider(
                queue,
                execution_size=self.chance.choice((0, 0, 1, 2)),
                hold_level=self.chance.choice((0, 0, 50, 80)),
            )
            for queue in served
        )
        server = ProcessServer(
            name or self.chance.choice(SERVERS),
            providers=providers,
            resources=self.some(RESOURCES, 2),
            execution_size=self.chance.choice((1, 2, 100)),
        )
        self.core.accepted(c.PutServers((server,)))

    def stop_or_start(self) -> None:
        how = self.chance.choice((c.StopServers, c.StartServers, c.StartServers))
        self.core.take(how((self.chance.choice(SERVERS),)))

    def hold_provider(self) -> None:
        how = self.chance.choice((c.HoldProvider, c.ReleaseProvider, c.ReleaseProvider))
        self.core.take(how(self.chance.choice(SERVERS), self.chance.choice(QUEUES)))

    def delete_server(self) -> None:
        self.core.take(c.DeleteServers((self.chance.choice(SERVERS),)))

    def change_priority(self) -> None:
        waiting = [job for job in self.core.world.jobs.values() if waits(job)]
        if waiting:
            job, value = self.chance.choice(waiting), self.chance.choice((10, 50, 90))
            self.core.verb(c.Verb.SET_PRIORITY, job, value=value)

    def hold_job(self) -> None:
        jobs = list(self.core.world.jobs.values())
        if jobs:
            verb = self.chance.choice((c.Verb.HOLD, c.Verb.RELEASE, c.Verb.CANCEL))
            self.core.take(c.ChangeJobs(verb, (self.chance.choice(jobs).id,)))

    def change_definition(self) -> None:
        server = self.chance.choice(("", *self.core.world.servers))
        resources = self.some(RESOURCES, 2)
        self.core.define("fixed", Lifecycle.REDWOOD, resources=resources, server=server)

    # -- what is checked ------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Hand out one job at a time: each may start, and none that may goes before it."""
        core, world = self.core, self.core.world
        while True:
            free = list(world.robots.values())
            best = min(
                (
                    order_of(job)
                    for job in world.jobs.values()
                    if waits(job) and any(may_start(world, job, robot) for robot in free)
                ),
                default=None,
            )
            core.take(c.Dispatch(1), Actor.DISPATCHER, "dispatcher")
            offers = [e for e in core.drafts[-1].effects if e.kind is EffectKind.OFFER]
            if best is None:
                assert offers == [], "a job was started that may not start"
                assert not world.lanes.dirty
                return
            assert [offer.job.id for offer in offers] == [best[3]]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_exactly_the_jobs_that_may_start_are_started_in_order(seed):
    site = Site(seed)

    for _ in range(120):
        site.step()
        if site.chance.random() < 0.4:
            site.dispatch()
    site.dispatch()

    site.core.check_replay()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1400, 20))
def test_many_sites_start_exactly_what_may_start(first):
    for seed in range(first, first + 20):
        site = Site(seed)
        for _ in range(200):
            site.step()
            if site.chance.random() < 0.4:
                site.dispatch()
        site.dispatch()
