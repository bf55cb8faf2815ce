"""The end of a life: no more faults, everything open, operators answer. Then every job ends.

First nobody does anything to a job: what is left then rests in a status that only a person can
leave. Then people act.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.explain import Sight, explain
from interlock_server.core.lane import waits
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import ResumeKind, Role
from interlock_server.core.rejection import Rejection
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status
from tests.simulation.actions import choices_of
from tests.simulation.site import MINUTE_MS, REDWOOD

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from tests.simulation.life import Life

S = Status
#: A chain that fails is restarted up to a hundred times, and each run takes some rounds.
ROUNDS: Final = 600
#: Only a person leaves these.
PERSONS: Final = frozenset(
    {S.REDWOOD_HELD, S.REDWOOD_OVERDUE, S.REDWOOD_MODIFIED, S.REDWOOD_NEVER}
    | {S.REDWOOD_CONSOLE, S.REDWOOD_CONSOLE_RESTART, S.REDWOOD_DISABLED}
)
#: What a person does with a job that rests.
HELP: Final = {
    S.REDWOOD_HELD: Verb.RELEASE,
    S.REDWOOD_OVERDUE: Verb.RESCHEDULE,
    S.REDWOOD_NEVER: Verb.CANCEL,
    S.REDWOOD_MODIFIED: Verb.CANCEL,
    S.REDWOOD_SCHEDULED: Verb.RESCHEDULE,
    S.UIPATH_SUSPENDED: Verb.RESUME,
}


def heal(life: Life) -> None:
    """Make everything well, and see that every job ends."""
    world = life.core.world
    life.well = True
    for definition in life.site.definitions.values():
        life.accepted(c.PutDefinitions((life.site.healed(definition),)))
    for name in list(world.queues):
        life.do(c.ReleaseQueue(name))
    for robot in life.robots.values():
        robot.connect(new_program=not robot.connected and life.choose.random() < 0.5, slots=10)
        life.do(c.SetMaintenance(robot.name, maintenance=False))
    for make_well in WELL:
        make_well(life)
    life.settle()
    _run(life, lambda: all(_rests(life, job) for job in life.core.world.jobs.values()))
    for job in life.core.world.jobs.values():
        _is_explained(life, job)
    _run(life, lambda: not life.core.world.jobs, help_jobs=True)


def _run(life: Life, done: Callable[[], bool], *, help_jobs: bool = False) -> None:
    for number in range(ROUNDS):
        life.recent.append(f"heal {help_jobs=}")
        for _ in range(30):
            for robot in life.robots.values():
                if robot.connected is False:
                    robot.connect(new_program=False, slots=10)
                robot.heartbeat()
                for _ in range(len(robot.works)):
                    robot.work()
            life.settle()
            if not any(robot.works for robot in life.robots.values()):
                break
        if help_jobs:
            for job in list(life.core.world.jobs.values()):
                _help(life, job)
            for message in list(life.core.world.open_messages):
                _answer(life, message, tired=number > ROUNDS // 2)
        life.settle()
        life.pass_time(life.choose.choice([MINUTE_MS, 60 * MINUTE_MS, 24 * 60 * MINUTE_MS]))
        if done():
            return
    left = [f"{job.id} {STATUS_NAME[job.status]}" for job in life.core.world.jobs.values()]
    raise AssertionError(f"these jobs never end, {help_jobs=}: {left[:20]}")


def _rests(life: Life, job: Job) -> bool:
    """Whether a job is over, or waits for a person or for another such job."""
    if IS_FINAL[job.status] or job.status in PERSONS:
        return True
    definition = life.core.world.definitions.get(job.definition)
    return any(rests(life, job, definition) for rests in RESTS)


def _is_explained(life: Life, job: Job) -> None:
    """A job that rests can say why, and what it waits for now."""
    found = explain(Sight(life.core.world, life.core.now_ms, lambda _: 0), job)
    assert any(reason.current for reason in found.reasons), (
        f"nothing says why job {job.id} is {STATUS_NAME[job.status]}: {found.reasons}"
    )


def _help(life: Life, job: Job) -> None:
    verb = HELP.get(S(job.status))
    if job.code_ended and job.status == S.REDWOOD_RUNNING:
        verb = Verb.COMPLETE
    if job.status == S.REDWOOD_MODIFIED:  # it can go on, unless what was wrong still is
        life.do(c.ChangeJobs(Verb.RESCHEDULE, (job.id,)))
    definition = life.core.world.definitions.get(job.definition)
    if waits(job) and _robot_cannot(life, job, definition):
        verb = Verb.CANCEL if job.lifecycle == REDWOOD else Verb.KILL
    if verb is not None:
        life.do(c.ChangeJobs(verb, (job.id,)))
    if job.status == S.REDWOOD_EVENT_WAIT:
        _raise_missing(life, job)


def _answer(life: Life, message: int, *, tired: bool) -> None:
    """Reply at random; an operator who is tired of restarting what fails again lets it be."""
    choices = list(choices_of(life, message))
    chosen = life.choose.choice(choices) if choices else "yes"
    if tired and Choice.NO_RESTART in choices:
        chosen = Choice.NO_RESTART
    answer = life.do(c.Reply(message, chosen))
    assert not isinstance(answer, Rejection), answer


#: Waits that only a person ends, beside the statuses; a subject adds lines.
RESTS: Final = (
    # Asked for from outside: a person completes it.
    lambda _, job, definition: (
        job.status == S.REDWOOD_RUNNING
        and job.code_ended
        and definition is not None
        and definition.completion != Completion.DEFAULT
    ),
    # A person or the outside world fires its condition.
    lambda _, job, __: (
        job.status == S.UIPATH_SUSPENDED
        and any(
            not each.fired and each.kind in {ResumeKind.PERSON, ResumeKind.ITEM, ResumeKind.JOB}
            for each in job.conditions
        )
    ),
    # A person raises what it waits for.
    lambda _, job, __: job.status == S.REDWOOD_EVENT_WAIT,
    # Others that rest have its lock.
    lambda _, job, __: job.status == S.REDWOOD_LOCK_WAIT,
    # Its chain, its members or its parent rest.
    lambda _, job, __: job.status == S.REDWOOD_CHAINED,
    lambda _, job, __: (
        job.status == S.REDWOOD_WAITING and (job.chain is not None or job.role is Role.STEP)
    ),
    lambda _, job, __: job.status == S.REDWOOD_DELAYED and job.delay_reason == "parent",
    # The room in its queue, or its robot's screen, is taken by jobs that rest.
    lambda life, job, definition: (
        waits(job)
        and (
            life.core.world.queue_gate(job.queue) is not None
            or bool(definition and definition.foreground and life.core.world.foreground)
        )
    ),
    # The robot that it names cannot take it.
    lambda life, job, definition: waits(job) and _robot_cannot(life, job, definition),
    # Its start is more than the rounds of the end away.
    lambda life, job, _: (
        job.status == S.REDWOOD_SCHEDULED
        and job.start_ms > life.core.now_ms + ROUNDS * 24 * 60 * MINUTE_MS
    ),
)


def serve_all(life: Life) -> None:
    """Every server runs and provides for every queue."""
    if life.can("PutServers"):
        for name in life.site.servers:
            for queue in life.site.served:  # those that somebody may have held
                life.do(c.ReleaseProvider(name, queue))
            life.accepted(c.PutServers((life.site.server(life.choose, name, well=True),)))
            life.do(c.StartServers((name,)))


def open_windows(life: Life) -> None:
    """Every time window is open."""
    if life.can("PutWindows"):
        for name in life.site.windows:
            life.accepted(c.PutWindows((life.site.window(life.choose, name, well=True),)))


def end_schedules(life: Life) -> None:
    """Nothing is submitted by itself any more."""
    for name in list(life.core.world.schedules):
        life.do(c.ChangeSchedule(name, c.ScheduleVerb.END))


def _robot_cannot(life: Life, job: Job, definition: Definition | None) -> bool:
    """Whether a job names a robot of another server than it needs."""
    robot = life.core.world.robots.get(job.requested_robot)
    if robot is None or definition is None:
        return False
    wanted = job.server or definition.server
    served = job.queue in life.core.world.providers or definition.resources
    return bool((wanted and robot.server != wanted) or (served and not robot.server))


def _raise_missing(life: Life, job: Job) -> None:
    """Raise what a job waits for, unless that is raised already."""
    for name in job.events_missing:
        if not life.core.world.events[name].raises:
            life.accepted(c.RaiseEvent(name))


#: What opens again at the end; a subject adds functions.
WELL: Final[tuple[Callable[[Life], object], ...]] = (serve_all, open_windows, end_schedules)
