"""Random lives of a World: right and wrong commands, silence, time, restarts and a fuzzy snapshot.

Hypothesis chooses the steps. After each of them the invariants hold; at the end everything is
healed, and every job has to end, and what was recorded has to give the same World again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from interlock_server.core import apply, invariants
from interlock_server.core import command as c
from interlock_server.core.change import Cause
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.decide import take_turn
from interlock_server.core.model.definition import RuleEffect
from interlock_server.core.model.job import Fault, ResumeCondition, ResumeKind, StopStrategy
from interlock_server.core.model.lock import Lock, LockKind
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Rejection
from interlock_server.core.replay import Replay
from interlock_server.core.turn import Draft
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_STATE, Status
from interlock_server.core.world import World
from interlock_server.storage import codec
from interlock_server.storage.digest import digest
from interlock_server.storage.port import SnapshotRow
from interlock_server.storage.recovery import ROW_HEAD, ROW_JOBS, _take_row, head_of
from tests.support.core_definitions import DEFINITIONS, HEALED, REDWOOD, UIPATH
from tests.support.core_driver import CoreDriver, replay
from tests.support.manual_clock import START_MS

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

S = Status

#: One is named like a part of the server, because a robot may have any name.
ROBOTS: Final = ("robot-1", "robot-2", "sessions")
QUEUES: Final = ("default", "System", "night")
EVENTS: Final = ("FILE", "BOOK")
LOCKS: Final = (Lock("ledger"), Lock("data", kind=LockKind.SHARED_EXCLUSIVE, counts=3))
NAMES: Final = tuple(definition.name for definition in DEFINITIONS)

#: What is worth trying on a job of each lifecycle.
VERBS: Final = {
    REDWOOD: tuple(verb for verb in Verb if verb not in {Verb.STOP, Verb.RESUME}),
    UIPATH: (Verb.STOP, Verb.KILL, Verb.RESUME, Verb.SET_PRIORITY),
}
FAR_MS: Final = START_MS + 4 * 366 * 24 * 3_600_000

_names = st.sampled_from(NAMES)
_robots = st.sampled_from(ROBOTS)
_place = st.integers(0, 12)
_mostly = st.sampled_from([True, True, True, True, False])
_rarely = st.sampled_from([False, False, False, True])
_minutes = st.sampled_from([0, 0, 1, 5, 60, 1440])


class CoreMachine(RuleBasedStateMachine):
    """One life of a World."""

    def __init__(self) -> None:
        super().__init__()
        self.core = CoreDriver(checked=False)
        self.core.group = Draft()
        self.instances: dict[str, int] = dict.fromkeys(ROBOTS, 1)
        #: The newest status of every job there ever was, and the reports that were decided.
        self.statuses: dict[int, int] = {}
        #: Blocks of the present group that were looked at.
        self.checked = 0
        self.last_report: c.Report | None = None
        #: A snapshot that is being taken: its rows, the jobs that are still to be copied.
        self.rows: list[SnapshotRow] | None = None
        self.uncopied: list[int] = []

    # -- steps ----------------------------------------------------------------------------------

    @initialize()
    def catalog(self) -> None:
        self.do(c.PutQueues((Queue("night", execution_size=2),)))
        self.do(c.PutEvents(tuple(NamedEvent(name) for name in EVENTS)))
        self.do(c.PutLocks(LOCKS))
        self.do(c.PutDefinitions(DEFINITIONS))
        for robot in ROBOTS[1:]:
            self.open_empty(robot)

    @rule(
        name=_names,
        count=st.integers(1, 3),
        priority=st.sampled_from([0, 10, 50, 90]),
        robot=st.sampled_from(["", "", "", *ROBOTS]),
        start=st.sampled_from([0, 0, 0, START_MS + 60_000, FAR_MS]),
        ending=st.sampled_from([(0, 0), (0, 0), (60_000, 0), (60_000, 60_000), (0, 300_000)]),
        hold=_rarely,
        odd=_rarely,
        waits=st.booleans(),
    )
    def submit(
        self,
        name: str,
        count: int,
        priority: int,
        robot: str,
        start: int,
        ending: tuple[int, int],
        *,
        hold: bool,
        odd: bool,
        waits: bool,
    ) -> None:
        redwood = name.startswith("rw") is not (odd and hold)  # sometimes of the wrong lifecycle
        new = c.NewJob(
            name,
            parameters='{"bank": 5}' if odd else "{}",
            priority=priority,
            robot=robot,
            count=1 if robot else count,
            start_ms=start if redwood else 0,
            hold=hold and redwood,
            stop_after_ms=0 if redwood else ending[0],
            kill_after_ms=0 if redwood else ending[1],
            **self.parent(priority) if redwood else {},
        )
        self.do(c.SubmitJobs((new,)))
        if not waits:
            self.end_group()

    def parent(self, priority: int) -> dict[str, Any]:
        """Some jobs belong to the newest one, and some of these wait for its end."""
        jobs = self.core.world.jobs
        if priority not in {10, 90} or not jobs:
            return {}
        return {"parent": max(jobs), "after_parent": priority == 10}

    @rule(place=_place, choice=_place, right=_mostly)
    def edit(self, place: int, choice: int, *, right: bool) -> None:
        job = self.job(place)
        if job is not None:
            given: tuple[dict[str, Any], ...] = (
                {"parameters": '{"bank": 1}' if right else '{"none": 1}'},
                {"queue": QUEUES[choice % 3]},
                {"priority": 40, "start_ms": self.core.now_ms + 60_000},
            )
            self.do(c.EditJob(job.id, **given[choice % 3]))

    @rule(place=_place, choice=_place, right=_mostly, failed=st.booleans())
    def verb(self, place: int, choice: int, *, right: bool, failed: bool) -> None:
        job = self.job(place)
        if job is None:
            return
        verbs = VERBS[job.lifecycle] if right else tuple(Verb)
        verb = verbs[choice % len(verbs)]
        soon = self.core.now_ms + 30_000
        value = {Verb.SET_PRIORITY: 1 + place * 7, Verb.RESCHEDULE: soon if right else FAR_MS}
        self.do(
            c.ChangeJobs(
                verb,
                (job.id if right or place % 2 else 999,),
                expected_revision=0 if right or place % 3 else 1,
                value=value.get(verb, 0),
                failed=failed,
                result='{"n": 1}',
            )
        )

    @rule(place=_place, hold=st.booleans())
    def restart(self, place: int, *, hold: bool) -> None:
        core = self.core
        live = [job.id for job in core.world.jobs.values()]
        every = [*core.archived, *live]
        if every:
            chosen = every[-1 - place % len(every)]
            self.do(c.RestartJobs((chosen,), core.archived, hold=hold))

    @rule(robot=_robots, names=st.lists(_names, max_size=6, unique=True), keeps=_mostly)
    def open_session(self, robot: str, names: list[str], *, keeps: bool) -> None:
        """The robot comes back: the same program with what it has, or a new one with nothing."""
        if not keeps:
            self.instances[robot] += 1
        held = self.held(robot) if keeps else []
        running = [
            c.RunningJob(
                job.id,
                job.fence if index % 4 else max(1, job.fence - index % 2),
                started=job.id % 3 != 0,
                ended=job.id % 5 == 0,
            )
            for index, job in enumerate(held, start=1)
            if job.id % 7
        ]
        opened = self.do(
            c.OpenSession(
                robot,
                f"{robot}-{self.instances[robot]}",
                tuple(names or NAMES),
                slots=3,
                running=tuple(running),
                actions=keeps or len(names) % 2 == 0,
            ),
            Actor.ROBOT,
            robot,
        )
        assert len(opened.verdicts) == len(running)
        self.core.epochs[robot] = opened.epoch
        self.core.sequences[robot] = opened.last_sequence

    @rule(
        robot=_robots,
        what=st.sampled_from([c.BreakSession, c.LoseSession, c.CloseSession, c.DrainSession]),
        right=_mostly,
    )
    def end_session(self, robot: str, what: Any, *, right: bool) -> None:
        self.do(what(robot, self.core.epochs.get(robot, 1) - (not right)), Actor.SYSTEM, "sessions")

    @precondition(lambda self: any(self.core.world.robot_jobs.values()))
    @rule(
        kinds=st.lists(st.sampled_from(ReportKind), min_size=1, max_size=3),
        place=_place,
        code=st.sampled_from([0, 0, 4, 9]),
        wrong=st.sampled_from([*[""] * 12, "fence", "robot", "epoch", "gap", "again"]),
    )
    def report(self, kinds: list[ReportKind], place: int, code: int, wrong: str) -> None:
        busy = [name for name, jobs in sorted(self.core.world.robot_jobs.items()) if jobs]
        robot = busy[place % len(busy)]
        held = self.held(robot) if wrong != "robot" else list(self.core.world.jobs.values())
        jobs = [held[(place + index // 2) % len(held)] for index in range(len(kinds))]
        sequence = self.core.sequences.get(robot, 0)
        command = c.Report(
            robot,
            self.core.epochs.get(robot, 0) - (wrong == "epoch"),
            sequence + {"gap": 2, "again": 0}.get(wrong, 1),
            tuple(job.id for job in jobs),
            tuple(job.fence + (wrong == "fence") * (1 - place % 3) for job in jobs),
            bytes(kinds),
            {
                index: self.detail(kind, place, code)
                for index, kind in enumerate(kinds)
                if wrong != "again"
            },
        )
        answer = self.do(command, Actor.ROBOT, robot)
        self.core.sequences[robot] = self.core.world.robots[robot].last_sequence
        if not isinstance(answer, Rejection):
            self.last_report = command

    @precondition(lambda self: self.last_report is not None)
    @rule()
    def repeat_report(self) -> None:
        """A batch whose acknowledgement was lost is sent again and changes nothing."""
        assert self.last_report is not None
        before = self.core.digest()
        self.do(self.last_report, Actor.ROBOT, self.last_report.robot)
        assert self.core.digest() == before

    @rule(robot=_robots, name=_names)
    def start_at_robot(self, robot: str, name: str) -> None:
        epoch = self.core.epochs.get(robot, 0)
        self.do(c.StartAtRobot(robot, epoch, name), Actor.USER, "clerk")

    @rule(queue=st.sampled_from(QUEUES), hold=st.booleans())
    def hold_queue(self, queue: str, *, hold: bool) -> None:
        self.do((c.HoldQueue if hold else c.ReleaseQueue)(queue))

    @rule(
        robot=_robots,
        name=_names,
        size=st.integers(0, 3),
        strategy=st.sampled_from(StopStrategy),
        what=st.integers(0, 5),
    )
    def administer(
        self, robot: str, name: str, size: int, strategy: StopStrategy, what: int
    ) -> None:
        commands: tuple[Any, ...] = (
            c.SetMaintenance(robot, size % 2 == 0, strategy),
            c.DeleteRobots((robot,)),
            c.PutQueues((Queue("night", execution_size=size),)),
            c.DeleteDefinitions((name,)),
            c.PutDefinitions(DEFINITIONS),
            c.FireConditions(ResumeKind.ITEM, f"item-{size % 2}"),
        )
        self.do(commands[what])

    @rule(event=st.sampled_from(EVENTS), clears=_rarely)
    def raise_event(self, event: str, *, clears: bool) -> None:
        self.do((c.ClearEvent if clears else c.RaiseEvent)(event))

    @rule(counts=st.integers(1, 4))
    def put_lock(self, counts: int) -> None:
        """With too few counts for a definition it is refused."""
        self.do(c.PutLocks((Lock("data", kind=LockKind.SHARED_EXCLUSIVE, counts=counts),)))

    @rule(place=_place, text=st.sampled_from(["yes", "yes", "no", " "]))
    def reply(self, place: int, text: str) -> None:
        messages = list(self.core.world.open_messages) or [999]
        message = messages[place % len(messages)]
        self.do(c.Reply(message, self.choice(message, place) or text))

    def choice(self, message: int, place: int) -> str:
        """One of the choices of a message, if it has any."""
        job = self.core.world.jobs.get(self.core.world.open_messages.get(message, 0))
        choices = [each.choices for each in job.messages if each.id == message] if job else []
        return choices[0][place % len(choices[0])] if choices and choices[0] else ""

    @rule(minutes=_minutes)
    def time_passes(self, minutes: int) -> None:
        self.core.now_ms += minutes * 60_000 + 1
        self.do(c.PassDeadlines(3), Actor.CLOCK, "deadline")
        self.do(c.CleanUpTerminating(), Actor.CLOCK, "clean-up")

    @rule()
    def recover(self) -> None:
        """The server starts again on what it wrote."""
        self.end_group()
        settings = self.core.world.settings
        before = self.core.digest()
        self.core.world = replay(self.core.drafts, World(settings))
        assert self.core.digest() == before
        while self.do(c.RecoverSessions(2), Actor.SYSTEM, "recovery"):
            pass

    @rule(moves=st.integers(1, 4), jobs=st.integers(1, 4))
    def end_group(self, moves: int = 2, jobs: int = 2) -> None:
        """Commit, and copy the next slice of a snapshot that is being taken."""
        group = self.core.group
        assert group is not None
        self.core.commit(moves_max=moves, jobs_max=jobs)
        self.check_changes(group)
        self.checked = 0
        if self.rows is not None:
            live = self.core.world.jobs
            copied = [live[job_id] for job_id in self.uncopied[:2] if job_id in live]
            for job in copied[:1]:
                apply.rest(job)
            encoded = codec.encode_jobs(copied, bytes_max=1 << 20)
            if encoded:
                self.rows.append(SnapshotRow(ROW_JOBS, "", len(self.core.drafts), encoded))
            del self.uncopied[:2]

    @precondition(lambda self: self.rows is None)
    @rule()
    def begin_snapshot(self) -> None:
        self.end_group()
        head = codec.encode(head_of(self.core.world))
        self.rows = [SnapshotRow(ROW_HEAD, "", len(self.core.drafts), head)]
        self.uncopied = list(self.core.world.jobs)

    # -- what has to hold -----------------------------------------------------------------------

    @invariant()
    def whole(self) -> None:
        invariants.check(self.core.world)

    def do(self, command: Any, actor: Actor = Actor.USER, author: str = "operator") -> Any:
        """Take a turn, and check everything that it recorded."""
        core = self.core
        before = core.digest()
        assert core.group is not None
        cause = Cause(core.now_ms, int(actor), author)
        answer = take_turn(core.world, core.group, command, cause)
        self.check_changes(core.group)
        if isinstance(answer, Rejection):
            assert core.digest() == before, answer.sentence
        return answer

    def check_changes(self, group: Draft) -> None:
        """Each change follows the one before it, ranks do not fall, and what is final stays."""
        new = group.blocks[self.checked :]
        self.checked = len(group.blocks)
        for block in new:
            for job_id, row_number in zip(block.jobs, block.rows, strict=True):
                row = ROWS[row_number]
                assert row is not None
                before = self.statuses.get(job_id, 0)
                assert not IS_FINAL[before]
                assert row.source == before
                rerouted = row.id in {"TR-085", "TR-086"}  # by its pre-running action (RA-2)
                assert rerouted or STATUS_STATE[row.target] >= STATUS_STATE[before]
                self.statuses[job_id] = row.target

    # -- the end --------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not self.core.world.definitions:
            return  # the life ended before it began
        self.heal()
        self.check_replay()

    def check_replay(self) -> None:
        """The journal gives the same World, from its start and from the snapshot."""
        self.end_group()
        core = self.core
        revisions = [r for d in core.drafts for b in d.blocks for r in b.revisions()]
        assert revisions == list(range(1, core.revision + 1))
        core.check_replay()
        while self.uncopied:
            self.end_group()
        if self.rows is not None:
            found = self.from_snapshot()
            invariants.check(found)
            assert digest(found) == core.digest(), "the snapshot gives another World"

    def from_snapshot(self) -> World:
        assert self.rows is not None
        found = World(self.core.world.settings)
        replayer = Replay(found)
        for row in self.rows:
            _take_row(replayer, row)
        first = self.rows[0].stamp
        for number, draft in enumerate(self.core.drafts[first:], start=first + 1):
            replayer.commit(
                number,
                codec.decode_blocks(codec.encode_blocks(draft.blocks)),
                codec.decode_facts(codec.encode_facts(draft.facts)),
            )
        replayer.finish()
        return found

    def heal(self) -> None:
        """Give everything what it waits for; then every job ends (promise P8)."""
        core = self.core
        self.do(c.PutLocks(LOCKS))
        self.do(c.PutDefinitions(HEALED))
        for queue in QUEUES:
            self.do(c.ReleaseQueue(queue))
        for robot in ROBOTS:  # new programs: what the old ones had is gone
            self.instances[robot] += 1
            self.open_empty(robot)
            self.do(c.SetMaintenance(robot, maintenance=False))
        for _ in range(60):
            core.now_ms += 60_000
            self.do(c.PassDeadlines(), Actor.CLOCK, "deadline")
            for job in list(core.world.jobs.values()):
                self.help(job)
            for event in list(core.world.event_lines.members):
                self.do(c.RaiseEvent(event))
            for message in list(core.world.open_messages):
                ends = self.choice(message, 2)  # No restart
                self.do(c.Reply(message, ends or "yes"))
            self.end_group(500, 1000)
            if not core.world.jobs:
                return
        left = [(job.id, S(job.status).name) for job in core.world.jobs.values()]
        raise AssertionError(f"these jobs never end: {left}")

    def open_empty(self, robot: str) -> None:
        command = c.OpenSession(
            robot, f"{robot}-{self.instances[robot]}", NAMES, slots=5, actions=True
        )
        opened = self.do(command, Actor.ROBOT, robot)
        self.core.epochs[robot], self.core.sequences[robot] = opened.epoch, opened.last_sequence

    def help(self, job: Job) -> None:
        """Do for one job what its status waits for."""
        verb = {
            S.REDWOOD_HELD: Verb.RELEASE,
            S.REDWOOD_NEVER: Verb.CANCEL,
            S.REDWOOD_MODIFIED: Verb.CANCEL,
            S.REDWOOD_SCHEDULED: Verb.RESCHEDULE,
            S.UIPATH_SUSPENDED: Verb.RESUME,
        }.get(S(job.status))
        if job.code_ended and job.status == S.REDWOOD_RUNNING:
            verb = Verb.COMPLETE
        if job.status == S.REDWOOD_MODIFIED:  # it can go on, unless what was wrong still is
            self.do(c.ChangeJobs(Verb.RESCHEDULE, (job.id,)))
        if verb is not None:
            self.do(c.ChangeJobs(verb, (job.id,)))
        elif job.attached:
            robot = job.robot
            self.core.sequences[robot] += 1
            self.do(
                c.Report(
                    robot,
                    self.core.epochs[robot],
                    self.core.sequences[robot],
                    (job.id,),
                    (job.fence,),
                    bytes([self.next_report(job)]),
                    {},
                ),
                Actor.ROBOT,
                robot,
            )

    def next_report(self, job: Job) -> ReportKind:
        """What a robot says next about a job that goes well."""
        special = job.definition in self.core.world.special
        if special and job.status == S.REDWOOD_DISPATCHED:
            return ReportKind.ACCEPTED
        return {
            S.REDWOOD_PRE_RUNNING: ReportKind.PRE_RUNNING_DONE,
            S.REDWOOD_POST_RUNNING: ReportKind.POST_RUNNING_DONE,
        }.get(S(job.status), ReportKind.COMPLETED)

    # -- choices --------------------------------------------------------------------------------

    def job(self, place: int) -> Job | None:
        jobs = list(self.core.world.jobs.values())
        return jobs[place % len(jobs)] if jobs else None

    def held(self, robot: str) -> list[Job]:
        world = self.core.world
        return [world.jobs[job_id] for job_id in sorted(world.robot_jobs.get(robot, ()))]

    def detail(self, kind: ReportKind, place: int, code: int) -> c.ReportDetail:
        match kind:
            case ReportKind.ASKED:
                question = c.Question("go on?", pattern="yes|no", completes=place % 2 == 0)
                return c.ReportDetail(question=question)
            case ReportKind.NOTED:
                return c.ReportDetail(question=c.Question("note", reply_required=place % 2 == 0))
            case ReportKind.PRE_RUNNING_DONE:
                before = (None, None, RuleEffect.HOLD, RuleEffect.RESCHEDULE, RuleEffect.FAIL)
                effect = before[place % len(before)]
                return c.ReportDetail(action=c.ActionOutcome(effect, delay_ms=60_000))
            case ReportKind.POST_RUNNING_DONE:
                after = (None, RuleEffect.COMPLETE, RuleEffect.FAIL)
                return c.ReportDetail(action=c.ActionOutcome(after[place % len(after)]))
            case ReportKind.SUSPENDED:
                conditions = (
                    ResumeCondition(ResumeKind.ITEM, f"item-{place % 2}"),
                    ResumeCondition(ResumeKind.TIMER, at_ms=self.core.now_ms + 60_000),
                    ResumeCondition(ResumeKind.JOB, str(1 + place)),
                )
                given = conditions[: 1 + place % 3]
                return c.ReportDetail(
                    suspension=c.Suspension(
                        given, any=place % 2 == 0, saved="s", same_robot=place % 3 == 0
                    )
                )
            case _:
                fault = Fault("SOME_CODE", "it broke") if code else None
                return c.ReportDetail(result="{}", return_code=code, fault=fault)
