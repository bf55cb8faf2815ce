"""What has to hold of a site at any time, told from the changes themselves (domain.md C4).

It keeps its own account beside the indexes of World, so that a wrong index is found by its effects.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from interlock_server.core import invariants
from interlock_server.core.model.job import Role
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, STATUS_STATE, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.change import Cause
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Draft
    from tests.simulation.life import Life

S, T = Status, Trigger

#: The only rows that go back in rank (RA-2).
BACK_IN_RANK: Final = frozenset({"TR-085", "TR-086"})
#: Statuses that are over when the instant in the field has come.
DUE: Final = {
    S.REDWOOD_SCHEDULED: "start_ms",
    S.REDWOOD_UNCERTAIN: "uncertain_until_ms",
    S.REDWOOD_DELAYED: "delay_until_ms",
}
#: Causes that only the clock may be, and the field that says when.
NOT_BEFORE: Final = {
    T.REACH_START: "start_ms",
    T.TIME_OUT: "uncertain_until_ms",
    T.END_DELAY: "delay_until_ms",
    T.CLOSE_WINDOW_OVERDUE: "window_closes_ms",
    T.CLOSE_WINDOW_HOLD: "window_closes_ms",
    T.CLOSE_WINDOW_CANCEL: "window_closes_ms",
    T.REACH_LIMIT_KILL: "limit_at_ms",
    T.REACH_LIMIT_ERROR: "limit_at_ms",
}
FIELDS: Final = frozenset({*NOT_BEFORE.values(), *DUE.values()})
#: Statuses in which a job may have locks.
HOLDS_LOCKS: Final = frozenset(
    {S.REDWOOD_QUEUED, S.REDWOOD_DISPATCHED, S.REDWOOD_ASSIGNED, S.REDWOOD_PRE_RUNNING}
    | {S.REDWOOD_RUNNING, S.REDWOOD_POST_RUNNING, S.REDWOOD_WAITING, S.REDWOOD_KILLING}
    | {S.REDWOOD_CANCELING, S.REDWOOD_CONSOLE, S.REDWOOD_UNCERTAIN, S.REDWOOD_CONSOLE_RESTART}
)


class Auditor:
    """The account of one life."""

    def __init__(self, life: Life) -> None:
        """Nothing has happened."""
        self.life = life
        #: Status of every job there ever was.
        self.statuses: dict[int, int] = {}
        #: What fields said when a job was last looked at.
        self.instants: dict[int, dict[str, int]] = {}
        #: What they said within the turn that is looked at.
        self.moments: dict[tuple[int, str], list[int]] = {}
        #: The newest fence of each job, and the robot that has it.
        self.fences: dict[int, tuple[int, str]] = {}
        #: Raises of each event, and how many were removed since the last look.
        self.raises: dict[str, tuple[object, ...]] = {}
        self.removed: Counter[str] = Counter()
        #: What is held of each lock.
        self.held: Counter[str] = Counter()
        #: How many events each job has seen.
        self.seen: dict[int, int] = {}
        #: Blocks, effects and facts of the present group that were looked at.
        self.looked = self.heard = self.read = 0
        self.revision = 0
        #: Rows that this life has made.
        self.rows: Counter[str] = Counter()

    def job(self, job_id: int) -> Job | None:
        """A job, live or just archived."""
        core = self.life.core
        return core.world.jobs.get(job_id) or core.archived.get(job_id)

    # -- changes --------------------------------------------------------------------------------

    def look(self, group: Draft) -> None:
        """Check what was recorded since the last look."""
        touched: dict[int, None] = {}
        # What a field said for a moment within the turn counts as well.
        self.moments = {}
        for fact in group.facts[self.read :]:
            if isinstance(fact.key, int) and isinstance(fact.value, dict):
                for field in FIELDS & fact.value.keys():
                    self.moments.setdefault((fact.key, field), []).append(fact.value[field])
        for block in group.blocks[self.looked :]:
            assert block.first_revision == self.revision + 1, "revisions have no gap (C4.3)"
            self.revision = block.last_revision
            for job_id, row in zip(block.jobs, block.rows, strict=True):
                self._change(job_id, row, block.cause)
                touched[job_id] = None
        self.looked = len(group.blocks)
        for effect in group.effects[self.heard :]:
            if not effect.kind:
                self._offer(effect.job, effect.fence, effect.robot)
        self.heard = len(group.effects)
        for fact in group.facts[self.read :]:
            if isinstance(fact.key, int):
                touched[fact.key] = None
            elif isinstance(fact.value, NamedEvent):
                self._event(fact.value)
        self.read = len(group.facts)
        self._taken(touched)
        for job_id in touched:
            job = self.job(job_id)
            if job is not None:
                self.instants[job_id] = {field: getattr(job, field) for field in FIELDS}

    def _event(self, event: NamedEvent) -> None:
        """Check that raises come one by one at the end, and go one by one from the front (C4.8)."""
        before, after = self.raises.get(event.name, ()), event.raises
        assert after in {before, before[1:]} or after[:-1] == before, (
            f"event {event.name} went from {len(before)} to {len(after)} raises (C4.8)"
        )
        if len(after) < len(before):
            self.removed[event.name] += 1
        self.raises[event.name] = after

    def _taken(self, touched: dict[int, None]) -> None:
        """Check that a raise that is cleared by who takes it starts one job only (C4.8)."""
        world = self.life.core.world
        for job_id in touched:
            job = self.job(job_id)
            if job is None or len(job.events_seen) == self.seen.get(job_id, 0):
                continue
            new = job.events_seen[self.seen.get(job_id, 0) :]
            self.seen[job_id] = len(job.events_seen)
            definition = world.definitions.get(job.definition)
            for wait in definition.wait_events if definition else ():
                if wait.clears and wait.event in new:
                    self.removed[wait.event] -= 1
                    assert self.removed[wait.event] >= 0, (
                        f"job {job_id} took a raise of {wait.event} that another one has (C4.8)"
                    )
        self.removed.clear()

    def group_ended(self) -> None:
        """The next look is at a new group."""
        self.looked = self.heard = self.read = 0

    def _change(self, job_id: int, number: int, cause: Cause) -> None:
        row = ROWS[number]
        assert row is not None
        before = self.statuses.get(job_id, 0)
        assert not IS_FINAL[before], f"job {job_id} was final, and made {row.id} (C4.1)"
        assert row.source == before, f"{row.id} of job {job_id} in {STATUS_NAME[before]} (C4.3)"
        falls = before and STATUS_STATE[row.target] < STATUS_STATE[before]
        assert not falls or row.id in BACK_IN_RANK, f"{row.id} falls in rank (C4.2)"
        self.statuses[job_id] = row.target
        self.rows[row.id] += 1
        field = NOT_BEFORE.get(row.trigger)
        if field is not None:
            at_ms = self._instant(job_id, field)
            assert at_ms <= cause.at_ms, (
                f"{row.id} of job {job_id} came {at_ms - cause.at_ms} ms early (C4.14)"
            )
        job = self.job(job_id)
        if job is not None and IS_FINAL[row.target]:
            self.chain_ended(job, row.id)

    def _instant(self, job_id: int, field: str) -> int:
        """What a field said before a turn, or what the turn itself made of it before it acted."""
        before: int = self.instants.get(job_id, {}).get(field, 0)
        later: list[int] = [
            getattr(self.job(job_id), field, 0),
            *self.moments.get((job_id, field), ()),
        ]
        return min([before, *(each for each in later if each)])

    def _offer(self, job: Job, fence: int, robot: str) -> None:
        older, _ = self.fences.get(job.id, (0, ""))
        assert fence > older, f"job {job.id} was offered again with fence {fence} (C4.4)"
        self.fences[job.id] = fence, robot
        self.dispatched(job, "an offer")

    def dispatched(self, job: Job, what: str) -> None:
        """Check that a job that goes to a robot may do so."""
        world = self.life.core.world
        queue = world.queues[job.queue]
        where = f"{what} of job {job.id} from queue {queue.name}"
        assert not queue.held, f"{where}, which is held (C4.7)"
        assert not queue.closed, f"{where}, whose window is closed (C4.7)"
        if queue.execution_size:
            load = sum(
                other.attached and other.queue == queue.name for other in world.jobs.values()
            )
            assert load <= queue.execution_size, f"{where}, which is full (C4.7)"
        server = world.servers.get(job.process_server)
        if server is None:
            return
        assert not server.stopped, f"{where}: server {server.name} is stopped"
        for provider in server.providers:
            if provider.queue == job.queue:
                assert job.priority >= provider.hold_level, f"{where} is below the hold level"
                assert not provider.held, f"{where}: its provider is held"

    def chain_ended(self, chain: Job, what: str) -> None:
        """Check that nothing of a chain or step is under way when it ends (C4.11)."""
        live = [
            job.id
            for job in self.life.core.world.jobs.values()
            if job.parent == chain.id
            and job.role is not Role.PLAIN
            and not IS_FINAL[job.status]
            and job.status != S.REDWOOD_DISABLED
        ]
        assert not live, f"chain {chain.id} made {what}, but {live} are live (C4.11)"

    # -- scans ----------------------------------------------------------------------------------

    def scan(self, *, whole: bool) -> None:
        """Check locks; all indexes too when that is asked for."""
        world = self.life.core.world
        held: Counter[str] = Counter()
        for job in world.jobs.values():
            if job.locks:
                assert job.status in HOLDS_LOCKS, f"job {job.id} has locks it may not have (C4.7)"
                for each in job.locks:
                    held[each.lock] += each.counts
        for name, lock in world.locks.items():
            # What was held before its counts were lowered is given back when its holders end.
            allowed = max(lock.counts, self.held[name])
            assert held[name] <= allowed, f"{held[name]} of lock {name} are held (C4.7)"
        self.held = held
        if whole:
            invariants.check(world)

    def nothing_is_late(self) -> None:
        """Nothing that the clock ends is left when its instant has come (C4.14)."""
        now_ms = self.life.core.now_ms
        for job in self.life.core.world.jobs.values():
            field = DUE.get(S(job.status))
            at_ms = getattr(job, field) if field else 0
            assert not 0 < at_ms <= now_ms, (
                f"job {job.id} is {STATUS_NAME[job.status]} {now_ms - at_ms} ms too long (C4.14)"
            )

    def nobody_is_heard(self) -> None:
        """After a restart no stream is open, and what ran is Uncertain (TR-098, TR-117)."""
        world = self.life.core.world
        assert not any(robot.connected for robot in world.robots.values()), "a stream is open"
        ran = [
            job.id
            for job in world.jobs.values()
            if job.attached and job.status in {S.REDWOOD_RUNNING, S.REDWOOD_WAITING}
        ]
        assert not ran, f"after a restart jobs {ran} are not Uncertain"

    def forget_world(self) -> None:
        """The records are other objects now."""
        self.looked = self.heard = self.read = 0
