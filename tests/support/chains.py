"""Chains in the pure core, driven by hand: a robot that runs the calls, and words for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock_server.core.command import NewJob, ReportKind, SubmitJobs
from interlock_server.core.model.chain import Call, Chain, StatusHandler, Step
from interlock_server.core.model.job import Fault, Role
from interlock_server.core.vocabulary.status import STATUS_NAME, Lifecycle, Status
from tests.support.core_driver import CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

WORK = "work"
CHAIN = "nightly"


def step(name: str, *calls: str | Call, **fields: Any) -> Step:
    """A step whose calls run the usual definition."""
    made = tuple(Call(each, WORK) if isinstance(each, str) else each for each in calls)
    return Step(name, made, **fields)


class ChainDriver(CoreDriver):
    """A core with a definition for calls, a chain, and a robot that takes everything."""

    def __init__(self, *steps: Step, slots: int = 100, **chain: Any) -> None:
        super().__init__()
        self.define(WORK, Lifecycle.REDWOOD)
        if steps:
            self.put_chain(CHAIN, *steps, **chain)
        self.slots = slots

    def put_chain(
        self,
        name: str,
        *steps: Step,
        handlers: tuple[StatusHandler, ...] = (),
        request_restart: bool = False,
        **fields: Any,
    ) -> None:
        chain = Chain(steps, handlers, request_restart=request_restart)
        self.define(name, Lifecycle.REDWOOD, chain=chain, **fields)

    def start(self, name: str = CHAIN, **fields: Any) -> Job:
        """Submit a chain, with a robot there to run its calls."""
        if "robot-1" not in self.epochs:
            self.connect("robot-1", WORK, slots=self.slots)
        (outcome,) = self.accepted(SubmitJobs((NewJob(name, **fields),)))
        assert outcome.rejection is None, outcome.rejection
        self.dispatch()
        return self.world.jobs[outcome.job]

    def jobs_of(self, role: Role) -> list[Job]:
        known = {**self.archived, **self.world.jobs}
        return [known[job_id] for job_id in sorted(known) if known[job_id].role is role]

    def step(self, name: str, iteration: int = 1) -> Job:
        return next(
            job for job in self.jobs_of(Role.STEP) if (job.step, job.iteration) == (name, iteration)
        )

    def call(self, name: str, iteration: int = 1) -> Job:
        return next(
            job for job in self.jobs_of(Role.CALL) if (job.call, job.iteration) == (name, iteration)
        )

    def run(
        self, *calls: str | Job, kind: ReportKind = ReportKind.COMPLETED, **detail: Any
    ) -> None:
        """Let the robot run calls to their ends."""
        for each in calls:
            job = each if not isinstance(each, str) else self._running(each)
            self.report(ReportKind.STARTED, job)
            self.report(kind, job, **detail)
        self.dispatch()

    def fail(self, *calls: str | Job) -> None:
        self.run(*calls, kind=ReportKind.FAILED, fault=Fault("BROKEN", "it broke"))

    def _running(self, name: str) -> Job:
        return next(job for job in self.jobs_of(Role.CALL) if job.call == name and job.attached)

    def now(self, *jobs: Job) -> str:
        """The statuses of jobs, in order."""
        return " ".join(STATUS_NAME[job.status] for job in jobs)

    def settled(self, *jobs: Job) -> str:
        """Check everything that can be checked, and show the statuses of jobs."""
        self.check_replay()
        return self.now(*jobs)


__all__ = ["CHAIN", "WORK", "ChainDriver", "Status", "path", "step"]
