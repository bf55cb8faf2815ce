"""A robot of the simulated site: what it believes, says, forgets and lies about.

It knows only what it was told over its session, like a program at the other end of a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from interlock_server.core import command as c
from interlock_server.core.command import Question, ReportKind
from interlock_server.core.model.job import Fault, ResumeCondition, ResumeKind
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.sessions.outgoing import standing_orders
from tests.simulation.site import UIPATH

if TYPE_CHECKING:
    from random import Random

    from interlock_server.core.turn import Effect
    from tests.simulation.life import Life

K = ReportKind

#: After these reports the robot has nothing more to do with the job.
ENDS: Final = frozenset(
    {K.REFUSED, K.COULD_NOT_START, K.COMPLETED, K.FAILED, K.CANCELED, K.KILLED}
    | {K.CANCEL_CONFIRMED, K.SUSPENDED, K.REMOTE_GONE}
)
#: A refusal that tells an honest robot to drop the job.
DROPS: Final = frozenset(
    {Reason.STALE_FENCE, Reason.NOT_ASSIGNED, Reason.ALREADY_FINAL, Reason.JOB_NOT_FOUND}
)
_ENDINGS: Final = {
    EffectKind.KILL: (K.KILLED,),
    EffectKind.CANCEL: (K.CANCEL_CONFIRMED,),
    EffectKind.STOP: (K.COMPLETED, K.CANCELED, K.FAILED),
}


@dataclass
class Work:
    """What a robot knows about a job that it has."""

    fence: int
    lifecycle: int
    state: str = "offered"
    order: EffectKind | None = None
    #: It has a pre-running action: nothing of it runs before the order to start.
    waits: bool = False
    #: The newest reply that it has heard; replies are said again.
    replied: int = 0


class SimRobot:
    """One robot over all its programs and sessions."""

    def __init__(self, life: Life, name: str) -> None:
        """It has never connected."""
        self.life = life
        self.name = name
        self.program = 0
        self.epoch = 0
        self.sequence = 0
        self.connected = False
        self.works: dict[int, Work] = {}
        #: The newest batch, which is sent again when nobody knows whether it arrived.
        self.last: c.Report | None = None
        self.answered = True

    # -- sessions -------------------------------------------------------------------------------

    def connect(self, *, new_program: bool, slots: int = 3) -> None:
        """Open a session; a new program has forgotten everything."""
        if new_program or not self.program:
            self.program += 1
            self.works.clear()
            self.last, self.answered = None, True
        life = self.life
        names = tuple(life.site.definitions)
        running = tuple(
            c.RunningJob(job, work.fence, started=work.state not in {"offered", "accepted"})
            for job, work in self.works.items()
        )
        command = c.OpenSession(
            self.name,
            f"{self.name}-program-{self.program}",
            names,
            slots=slots,
            running=running,
            **life.session_fields(self.name),
        )
        opened = life.do(command, Actor.ROBOT, self.name)
        assert not isinstance(opened, Rejection), opened
        self.epoch, self.connected = opened.epoch, True
        for said, verdict in zip(running, opened.verdicts, strict=True):
            if verdict is c.Verdict.FORGET:
                del self.works[said.job]
            elif verdict is not c.Verdict.KEEP:
                self.works[said.job].order = EffectKind(int(verdict) - 1)
        if self.last is not None and opened.last_sequence < self.last.sequence:
            self.say_again()
        self.sequence = max(self.sequence, opened.last_sequence)
        if new_program:
            self.sequence = opened.last_sequence

    def say_again(self) -> None:
        """Send the batch that was not acknowledged, in the new session."""
        assert self.last is not None
        self._send(
            c.Report(
                self.name,
                self.epoch,
                self.last.sequence,
                self.last.jobs,
                self.last.fences,
                self.last.kinds,
                self.last.details,
            )
        )

    def hear(self, effect: Effect) -> None:
        """Take what the server says, if the session is open."""
        if effect.kind is EffectKind.OFFER:
            definition = self.life.core.world.definitions.get(effect.job.definition)
            waits = definition is not None and definition.acts_before
            self.works[effect.job.id] = Work(effect.fence, effect.job.lifecycle, waits=waits)
        else:
            self._obey(effect.job.id, effect.fence, effect.kind, effect.message)

    def heartbeat(self) -> None:
        """Hear again what is not acknowledged."""
        if self.connected:
            for order in standing_orders(self.life.core.world, self.name):
                self._obey(order.job, order.fence, order.kind, order.message)

    def _obey(self, job: int, fence: int, kind: EffectKind, message: int) -> None:
        work = self.works.get(job)
        if work is None or work.fence != fence:
            return
        if kind is EffectKind.FORGET:
            del self.works[job]
        elif kind is EffectKind.REPLY:
            if work.state == "asked" and message > work.replied:
                work.state = "started"
            work.replied = max(work.replied, message)
        elif kind is EffectKind.START:
            work.state, work.waits = "started", False
        else:
            work.order = kind

    # -- work -----------------------------------------------------------------------------------

    def work(self) -> None:
        """Do the next thing about one of its jobs, and report it."""
        if not self.connected or not self.works:
            return
        job = self.life.choose.choice(list(self.works))
        kind = self._next(self.works[job])
        if kind is not None:
            self.report(kind, job)

    def _next(self, work: Work) -> ReportKind | None:
        choose = self.life.choose
        if work.order is not None:
            return choose.choice(_ENDINGS[work.order])
        match work.state:
            case "offered":
                odd = [] if self.life.well else _odd(choose)
                starts = [K.ACCEPTED] if work.waits else [K.ACCEPTED, K.ACCEPTED, K.STARTED]
                return choose.choice([*starts, *odd])
            case "accepted" if work.waits:
                return None
            case "accepted":
                return choose.choice([K.STARTED, K.STARTED, K.STARTED, K.COULD_NOT_START])
            case "asked":
                return None
            case "waiting":
                return K.WAIT_OVER
        if work.lifecycle == UIPATH:
            return choose.choice([K.COMPLETED] * 4 + [K.FAILED, K.CANCELED, K.SUSPENDED])
        return choose.choice(
            [K.COMPLETED] * 6
            + [K.FAILED, K.FAILED, K.ASKED, K.WAITING, K.NOTED]
            + [choose.choice([K.CANCELED, K.REMOTE_GONE])]
        )

    def report(self, kind: ReportKind, job: int, **detail: Any) -> None:
        """Report one thing, and believe what the server answers."""
        work = self.works[job]
        given = c.ReportDetail(**(detail or self.detail(kind)))
        self.sequence += 1
        refused = self._send(
            c.Report(
                self.name,
                self.epoch,
                self.sequence,
                (job,),
                (work.fence,),
                bytes([kind]),
                {0: given},
            )
        )
        if refused is None or self.works.get(job) is not work:
            return
        reasons = {rejection.reason for _, rejection in refused}
        if (kind in ENDS and not reasons) or reasons & DROPS:
            del self.works[job]
        elif kind in _STATES and not reasons:
            work.state = _STATES[kind]

    def _send(self, report: c.Report) -> list[tuple[int, Rejection]] | None:
        """What was refused of a batch; None if its session is over."""
        answer = self.life.do(report, Actor.ROBOT, self.name)
        if isinstance(answer, Rejection):
            assert answer.reason in {Reason.SESSION_LOST, Reason.SESSION_SUPERSEDED}, answer
            self.connected = False
            self.sequence = report.sequence - 1
            return None
        self.last = report
        refused: list[tuple[int, Rejection]] = answer
        return refused

    def detail(self, kind: ReportKind) -> dict[str, Any]:
        """What a report of a kind says besides."""
        choose = self.life.choose
        match kind:
            case K.ASKED:
                completes = choose.random() < 0.3
                return {"question": Question("go on?", pattern="yes|no", completes=completes)}
            case K.NOTED:
                return {"question": Question("note", reply_required=choose.random() < 0.5)}
            case K.SUSPENDED:
                at_ms = self.life.core.now_ms + choose.choice([1, 60_000, 86_400_000])
                every = [
                    ResumeCondition(ResumeKind.ITEM, f"item-{choose.randrange(3)}"),
                    ResumeCondition(ResumeKind.TIMER, at_ms=at_ms),
                    ResumeCondition(ResumeKind.JOB, str(self.life.any_job_id())),
                ]
                given = choose.sample(every, choose.randint(1, 3))
                return {
                    "suspension": c.Suspension(
                        tuple(given),
                        any=choose.random() < 0.5,
                        saved="1",
                        same_robot=choose.random() < 0.3,
                    )
                }
            case K.COMPLETED:
                return {"result": "{}", "return_code": choose.choice([0, 0, 0, 4, 9])}
            case K.FAILED | K.COULD_NOT_START:
                return {"fault": Fault("BROKE", "it broke"), "return_code": 1}
        return {}


def _odd(choose: Random) -> list[ReportKind]:
    return [choose.choice([K.REFUSED, K.COULD_NOT_START])] if choose.random() < 0.3 else []


_STATES: Final = {
    K.ACCEPTED: "accepted",
    K.STARTED: "started",
    K.ASKED: "asked",
    K.WAITING: "waiting",
    K.WAIT_OVER: "started",
}
