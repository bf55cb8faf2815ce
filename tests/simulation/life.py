"""One life of a busy site, driven by a seed: the pure core, its journal, robots, people, time.

Steps come from `actions.py`, checks from `auditor.py`. A failure says its seed and the last steps.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from interlock_server.core import command as c
from interlock_server.core import invariants
from interlock_server.core.change import Cause
from interlock_server.core.decide import _RULES, take_turn
from interlock_server.core.rejection import Rejection
from interlock_server.core.replay import Replay
from interlock_server.core.turn import Draft
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.world import World
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.port import SnapshotRow
from interlock_server.storage.recovery import ROW_HEAD, ROW_JOBS, _take_row, head_of
from tests.simulation.auditor import Auditor
from tests.simulation.sim_robot import SimRobot
from tests.simulation.site import SMALL, Site, Size
from tests.support.core_driver import CoreDriver

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

CLEAN_UP_MS = 3 * 3_600_000


class Life:
    """A site that lives until its end."""

    def __init__(self, seed: int, size: Size = SMALL) -> None:
        """Open an empty partition, and write the site's catalog."""
        self.seed = seed
        self.choose = Random(seed)
        self.core = CoreDriver(checked=False)
        self.core.group = Draft()
        self.site = Site(self.choose, size, self.can)
        self.auditor = Auditor(self)
        self.robots = {name: SimRobot(self, name) for name in self.site.robots}
        self.recent: deque[str] = deque(maxlen=20)
        #: A complete snapshot, and how many drafts it covers.
        self.snapshot: tuple[list[SnapshotRow], int] | None = None
        #: The end has begun: robots and people do what is right.
        self.well = False
        self.clean_ups = self.core.now_ms // CLEAN_UP_MS

    # -- what can be done -----------------------------------------------------------------------

    def can(self, command: str) -> bool:
        """Whether this release has a command, or another part by its name."""
        return command == "Chains" or getattr(c, command, None) in _RULES

    def do(self, command: c.Command, actor: Actor = Actor.USER, author: str = "operator") -> Any:
        """Take a turn, and look at everything that it recorded."""
        core = self.core
        assert core.group is not None
        cause = Cause(core.now_ms, int(actor), author)
        answer = take_turn(core.world, core.group, command, cause)
        self.auditor.look(core.group)
        return answer

    def accepted(self, command: c.Command, **who: Any) -> Any:
        """The answer to a command that may not be refused."""
        answer = self.do(command, **who)
        assert not isinstance(answer, Rejection), f"{answer.reason.name}: {answer}"
        return answer

    def try_to(self, name: str, *given: Any) -> Any:
        """Do a command of this release by its name; None where there is none."""
        return self.do(getattr(c, name)(*given)) if self.can(name) else None

    def end_group(self, moves_max: int = 500, jobs_max: int = 1000) -> None:
        """Commit: queues are followed, jobs dispatched and archived; robots hear of it."""
        core = self.core
        group = core.group
        assert group is not None
        core.commit(moves_max=moves_max, jobs_max=jobs_max)
        self.auditor.look(group)
        self.auditor.group_ended()
        for effect in group.effects:
            robot = self.robots.get(effect.robot)
            if robot is not None and robot.connected:
                robot.hear(effect)

    def settle(self) -> None:
        """Commit until nothing more follows."""
        for _ in range(10_000):
            before = len(self.core.drafts)
            self.end_group()
            if len(self.core.drafts) == before:
                return
        raise AssertionError("the server is never done with what follows")

    def session_fields(self, robot: str) -> dict[str, Any]:
        """What a robot says about itself beside its abilities: every second one has a server."""
        number = self.site.robots.index(robot)
        given: dict[str, Any] = {"actions": self.well or number != 0} if self.can("EditJob") else {}
        if number % 2 and self.can("PutServers"):
            servers = self.site.servers
            given["server"] = servers[number // 2 % len(servers)]
        return given

    # -- time -----------------------------------------------------------------------------------

    def pass_time(self, ms: int) -> None:
        """Let time pass, and do what came due."""
        core = self.core
        core.now_ms += ms
        while self.do(c.PassDeadlines(self.choose.choice([3, 500])), Actor.CLOCK, "deadline"):
            self.end_group()
        if core.now_ms // CLEAN_UP_MS > self.clean_ups:
            self.clean_ups = core.now_ms // CLEAN_UP_MS
            self.do(c.CleanUpTerminating(), Actor.CLOCK, "clean-up")
        self.settle()
        self.auditor.nothing_is_late()

    # -- restarts -------------------------------------------------------------------------------

    def take_snapshot(self) -> None:
        """Copy everything, as a checkpoint does."""
        self.end_group()
        world, stamp = self.core.world, len(self.core.drafts)
        rows = [SnapshotRow(ROW_HEAD, "", stamp, codec.encode(head_of(world)))]
        jobs = iter(world.jobs.values())
        while encoded := codec.encode_jobs(jobs, bytes_max=10_000):
            rows.append(SnapshotRow(ROW_JOBS, "", stamp, encoded))
        self.snapshot = rows, stamp

    def recovered(self, *, from_snapshot: bool) -> World:
        """The World that is on disk."""
        core = self.core
        world = World(core.world.settings)
        replay = Replay(world)
        first = 0
        if from_snapshot and self.snapshot is not None:
            rows, first = self.snapshot
            for row in rows:
                _take_row(replay, row)
        for number, draft in enumerate(core.drafts[first:], start=first + 1):
            replay.commit(
                number,
                codec.decode_blocks(codec.encode_blocks(draft.blocks)),
                codec.decode_facts(codec.encode_facts(draft.facts)),
            )
        replay.finish()
        return world

    def restart(self, *, from_snapshot: bool) -> None:
        """The server ends and begins again; every stream is cut."""
        self.end_group()
        core = self.core
        found = self.recovered(from_snapshot=from_snapshot)
        assert digest(found) == core.digest(), "recovery gives another World"
        invariants.check(found)
        core.world = found
        self.auditor.forget_world()
        for robot in self.robots.values():
            robot.connected = False
        while self.do(c.RecoverSessions(self.choose.choice([2, 1000])), Actor.SYSTEM, "recovery"):
            pass
        self.auditor.nobody_is_heard()
        self.settle()
        self.auditor.nothing_is_late()

    # -- choices --------------------------------------------------------------------------------

    def any_job(self) -> Job | None:
        """Some live job, the newer ones more often."""
        jobs = self.core.world.jobs
        if not jobs:
            return None
        ids = list(jobs)
        return jobs[ids[-1 - int(len(ids) * self.choose.random() ** 2)]]

    def any_job_id(self) -> int:
        """The id of some job, live or over."""
        return self.choose.randint(1, max(1, self.core.world.next_job - 1))

    def name(self, names: Any) -> str:
        """One of some names."""
        found: str = self.choose.choice(list(names))
        return found
