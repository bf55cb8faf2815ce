"""The pure core, driven by hand: a World, a clock that is moved, and one turn after another.

After every turn the invariants hold, and `check_replay` proves that what was recorded gives the
same World again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock_server.core import command as c
from interlock_server.core import invariants, kin
from interlock_server.core.change import Cause
from interlock_server.core.decide import take_turn
from interlock_server.core.model.definition import Definition
from interlock_server.core.rejection import Rejection
from interlock_server.core.replay import Replay
from interlock_server.core.turn import Draft, EffectKind, Turn
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle
from interlock_server.core.world import World
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from tests.support.manual_clock import START_MS

if TYPE_CHECKING:
    from interlock_server.core.command import Command, Outcome, ReportKind, Verb
    from interlock_server.core.model.job import HistoryEntry, Job
    from interlock_server.core.world import Settings

#: The definitions that most tests need: one of each lifecycle.
REDWOOD = "load-bank-file"
UIPATH = "daily-report"


class CoreDriver:
    """One World and everything that its turns recorded."""

    def __init__(self, settings: Settings | None = None, *, checked: bool = True) -> None:
        self.world = World(settings) if settings else World()
        self.now_ms = START_MS
        self.checked = checked
        #: What each command recorded; each is a commit of its own.
        self.drafts: list[Draft] = []
        #: Where the turns of an open group go; None while every turn is a group of its own.
        self.group: Draft | None = None
        #: Final jobs that have left memory.
        self.archived: dict[int, Job] = {}
        self.epochs: dict[str, int] = {}
        self.sequences: dict[str, int] = {}

    # -- turns ----------------------------------------------------------------------------------

    def take(
        self,
        command: Command,
        actor: Actor = Actor.USER,
        author: str = "operator",
        reason: str = "",
    ) -> Any:
        """The answer to a command, or the Rejection."""
        draft = Draft() if self.group is None else self.group
        cause = Cause(self.now_ms, int(actor), author, reason)
        answer = take_turn(self.world, draft, command, cause)
        if draft is not self.group:
            self.drafts.append(draft)
        if self.checked:
            invariants.check(self.world)
        return answer

    def accepted(self, command: Command, **cause: Any) -> Any:
        """The answer to a command that may not be refused."""
        answer = self.take(command, **cause)
        assert not isinstance(answer, Rejection), answer
        return answer

    def dispatch(self) -> None:
        """Hand out what can be handed out."""
        while self.take(c.Dispatch(), Actor.DISPATCHER, "dispatcher"):
            pass

    def follow_queues(self, jobs_max: int = 500) -> int:
        """Let all jobs follow the holds and releases of their queues; how many slices it took."""
        slices = 0
        while self.world.moving_queues:
            self.take(c.MoveQueueJobs(jobs_max))
            slices += 1
        return slices

    def review(self, jobs_max: int = 500) -> int:
        """Find starts anew after a change of the calendar; how many slices it took."""
        slices = 0
        while self.world.reviewing_starts:
            self.take(c.ReviewStarts(jobs_max), Actor.SYSTEM, "calendar")
            slices += 1
        return slices

    def later(self, *, ms: int = 0, s: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let time pass, and do what came due at the end of it."""
        self.now_ms += ms + round(s * 1000) + round(minutes * 60_000) + round(hours * 3_600_000)
        while self.take(c.PassDeadlines(), Actor.CLOCK, "deadline"):
            pass

    def clean_up(self) -> None:
        """The periodic clean-up."""
        self.take(c.CleanUpTerminating(), Actor.CLOCK, "clean-up")

    def archive(self) -> list[Job]:
        """Let final jobs leave memory, as the engine does once per group."""
        world = self.world
        draft = Draft() if self.group is None else self.group
        finished, world.finished = world.finished, []
        turn = Turn(world, draft, Cause(self.now_ms))
        gone = []
        for job_id in finished:
            job = world.jobs.get(job_id)
            if job is not None and kin.may_leave(world, job):
                turn.forget(job_id)
                gone.append(job)
                self.archived[job.id] = job
        world.spilled.clear()
        if draft is not self.group:
            self.drafts.append(draft)
        return gone

    def commit(self, *, moves_max: int = 500, jobs_max: int = 1000) -> None:
        """End the group as the engine does: do what follows, dispatch, archive; begin another."""
        due = 0 < self.world.next_due_ms() <= self.now_ms
        if not due or not self.take(c.PassDeadlines(moves_max), Actor.CLOCK, "deadline"):
            self._follow_up(moves_max, jobs_max)
        self.archive()
        if self.group:
            self.drafts.append(self.group)
            self.group = Draft()

    def _follow_up(self, moves_max: int, jobs_max: int) -> None:
        if self.world.moving_queues:
            self.take(c.MoveQueueJobs(moves_max))
        if self.world.reviewing_starts:
            self.take(c.ReviewStarts(moves_max), Actor.SYSTEM, "calendar")
        if self.world.event_lines.dirty:
            self.take(c.HandEvents(moves_max), Actor.NAMED_EVENT, "events")
        if self.world.lock_lines.dirty:
            self.take(c.GrantLocks(moves_max), Actor.DISPATCHER, "dispatcher")
        if self.world.lanes.dirty:
            self.take(c.Dispatch(jobs_max), Actor.DISPATCHER, "dispatcher")

    # -- words for commands ---------------------------------------------------------------------

    def define(self, name: str, lifecycle: Lifecycle, **fields: Any) -> None:
        self.accepted(c.PutDefinitions((Definition(name, int(lifecycle), **fields),)))

    def with_both(self, **fields: Any) -> CoreDriver:
        """Put the two usual definitions."""
        self.define(REDWOOD, Lifecycle.REDWOOD, **fields)
        self.define(UIPATH, Lifecycle.UIPATH, **fields)
        return self

    def submit(self, definition: str = REDWOOD, **fields: Any) -> Job:
        """One new job."""
        (outcome,) = self.accepted(c.SubmitJobs((c.NewJob(definition, **fields),)))
        assert outcome.rejection is None, outcome.rejection
        return self.world.jobs[outcome.job]

    def verb(self, verb: Verb, job: Job, **fields: Any) -> Outcome:
        """Do one thing to one job."""
        (outcome,) = self.accepted(c.ChangeJobs(verb, (job.id,), **fields))
        found: Outcome = outcome
        return found

    def connect(self, robot: str = "robot-1", *definitions: str, **fields: Any) -> c.SessionOpened:
        """Open a session and hand out what waits."""
        given: dict[str, Any] = {"slots": 10, "instance": f"{robot}-i", **fields}
        command = c.OpenSession(
            robot=robot, definitions=definitions or tuple(self.world.definitions), **given
        )
        opened: c.SessionOpened = self.accepted(command, actor=Actor.ROBOT, author=robot)
        self.epochs[robot] = opened.epoch
        self.sequences[robot] = opened.last_sequence
        self.dispatch()
        return opened

    def report(
        self, kind: ReportKind, *jobs: Job, fence: int | None = None, **detail: Any
    ) -> list[tuple[int, Rejection]]:
        """Report one thing about jobs, by the robot that has or had the first; what was refused."""
        robot = jobs[0].robot or "robot-1"
        return self.report_by(robot, kind, *jobs, fence=fence, **detail)

    def report_by(
        self, robot: str, kind: ReportKind, *jobs: Job, fence: int | None = None, **detail: Any
    ) -> list[tuple[int, Rejection]]:
        self.sequences[robot] += 1
        shared = c.ReportDetail(**detail) if detail else None
        refused: list[tuple[int, Rejection]] = self.accepted(
            c.Report(
                robot,
                self.epochs[robot],
                self.sequences[robot],
                tuple(job.id for job in jobs),
                tuple(job.fence if fence is None else fence for job in jobs),
                bytes([kind]),
                dict.fromkeys(range(len(jobs)), shared) if shared else {},
            ),
            actor=Actor.ROBOT,
            author=robot,
        )
        return refused

    def lose(self, robot: str = "robot-1") -> None:
        """Nothing was heard for the whole time to live."""
        self.accepted(
            c.LoseSession(robot, self.epochs[robot]), actor=Actor.SYSTEM, author="sessions"
        )
        self.dispatch()

    def break_stream(self, robot: str = "robot-1") -> None:
        self.accepted(
            c.BreakSession(robot, self.epochs[robot]), actor=Actor.SYSTEM, author="sessions"
        )

    def say_goodbye(self, robot: str = "robot-1") -> None:
        self.accepted(c.CloseSession(robot, self.epochs[robot]), actor=Actor.ROBOT, author=robot)
        self.dispatch()

    def restart_server(self) -> None:
        """Recovery's command: no stream is open, and what ran is Uncertain."""
        while self.take(c.RecoverSessions(), Actor.SYSTEM, "recovery"):
            pass

    # -- what is seen ---------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        return self.world.revision

    def told(self, job: Job) -> list[EffectKind]:
        """What robots were told about a job, in order."""
        return [
            effect.kind
            for draft in self.drafts
            for effect in draft.effects
            if effect.job.id == job.id
        ]

    def digest(self) -> str:
        return digest(self.world)

    def replayed(self) -> World:
        """A fresh World from what was recorded, through the bytes of the journal."""
        return replay(self.drafts, World(self.world.settings))

    def check_replay(self) -> None:
        found = self.replayed()
        invariants.check(found)
        assert digest(found) == self.digest(), "replay gives another World"


def replay(drafts: list[Draft], world: World) -> World:
    """Replay drafts, each as one commit, through their encodings."""
    replayer = Replay(world)
    for number, draft in enumerate(drafts, start=1):
        replayer.commit(
            number,
            codec.decode_blocks(codec.encode_blocks(draft.blocks)),
            codec.decode_facts(codec.encode_facts(draft.facts)),
        )
    replayer.finish()
    return world


def path(job: Job | list[HistoryEntry]) -> str:
    """The statuses that a job went through: `New Scheduled Queued`."""
    history = job if isinstance(job, list) else job.history
    return " ".join(STATUS_NAME[row.target] for entry in history if (row := ROWS[entry.row]))
