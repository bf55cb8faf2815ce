"""What may happen at a site: one line per action, with how often. A subject adds lines here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.lane import waits
from interlock_server.core.model.job import ResumeKind, StopStrategy
from interlock_server.core.rejection import Rejection
from interlock_server.core.vocabulary.actor import Actor
from tests.simulation.site import MINUTE_MS, REDWOOD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.life import Life
    from tests.simulation.sim_robot import SimRobot

VERBS: Final = tuple(Verb)
YEAR_MS: Final = 366 * 24 * 60 * MINUTE_MS


class Action(NamedTuple):
    """One kind of step."""

    weight: int
    do: Callable[[Life], object]
    #: Needs a command of this name.
    needs: str = ""


# -- people -------------------------------------------------------------------------------------


def submit(life: Life) -> None:
    """Submit jobs, sometimes wrong ones."""
    choose = life.choose
    name = life.name(life.site.definitions)
    redwood = life.site.definitions[name].lifecycle == REDWOOD
    now_ms = life.core.now_ms
    starts = [0, 0, 0, now_ms + choose.randint(1, 600_000), now_ms + 3 * YEAR_MS]
    chain = life.site.definitions[name].chain
    robot = choose.choice(["", "", "", life.name(life.robots)]) if chain is None else ""
    parent = life.any_job() if redwood and choose.random() < 0.1 else None
    ending = choose.choice([(0, 0), (0, 0), (60_000, 0), (60_000, 60_000), (0, 300_000)])
    life.do(
        c.SubmitJobs(
            (
                c.NewJob(
                    name,
                    parameters=choose.choice(["{}", "{}", '{"bank": 5}']),
                    queue=choose.choice(["", life.name(life.site.queues)]),
                    priority=choose.choice([0, 0, 10, 90]),
                    robot=robot,
                    count=1 if robot or chain else choose.randint(1, 3),
                    start_ms=choose.choice(starts) if redwood else 0,
                    hold=redwood and choose.random() < 0.1,
                    stop_after_ms=0 if redwood else ending[0],
                    kill_after_ms=0 if redwood else ending[1],
                    parent=parent.id if parent else 0,
                    after_parent=parent is not None and choose.random() < 0.5,
                    start_at_step=choose.choice(["", "", "step-1"]) if chain else "",
                ),
            )
        )
    )


def verb(life: Life) -> None:
    """Do something to a job, often what cannot be done."""
    job, choose = life.any_job(), life.choose
    if job is None:
        return
    chosen = choose.choice(VERBS)
    later_ms = life.core.now_ms + choose.choice([1, 30_000, 3 * YEAR_MS])
    value = {
        Verb.SET_PRIORITY: choose.randint(1, 100),
        Verb.RESCHEDULE: choose.choice([0, later_ms]),
    }
    life.do(
        c.ChangeJobs(
            chosen,
            (choose.choice([job.id, job.id, job.id, life.any_job_id()]),),
            expected_revision=choose.choice([0, 0, 0, job.revision, 1]),
            value=value.get(chosen, 0),
            failed=choose.random() < 0.5,
        )
    )


def hold(life: Life) -> None:
    """Hold or release what can be held."""
    job = life.any_job()
    if job is not None and job.lifecycle == REDWOOD:
        life.do(
            c.ChangeJobs(life.choose.choice([Verb.HOLD, Verb.RELEASE, Verb.RELEASE]), (job.id,))
        )


def restart_job(life: Life) -> None:
    """Restart something that has ended."""
    archived = life.core.archived
    if archived:
        chosen = life.choose.choice(list(archived))
        life.do(c.RestartJobs((chosen,), archived, hold=life.choose.random() < 0.2))


def reply(life: Life) -> None:
    """Answer a message: late, and sometimes wrongly."""
    messages = list(life.core.world.open_messages) or [9_999]
    life.do(c.Reply(life.choose.choice(messages), reply_text(life, messages[0])))


def reply_text(life: Life, message: int) -> str:
    """A reply, which may be one that is not accepted."""
    return life.choose.choice(["yes", "yes", "no", " ", "maybe", *choices_of(life, message)])


def choices_of(life: Life, message: int) -> tuple[str, ...]:
    """The replies that a message offers."""
    job = life.core.world.jobs.get(life.core.world.open_messages.get(message, 0))
    if job is None:
        return ()
    return next((each.choices for each in job.messages if each.id == message), ())


def fire(life: Life) -> None:
    """A task or an item is done."""
    life.do(c.FireConditions(ResumeKind.ITEM, f"item-{life.choose.randrange(3)}"))


def hold_queue(life: Life) -> None:
    """Hold or release a queue, often one in which somebody waits."""
    kind = c.HoldQueue if life.choose.random() < 0.4 else c.ReleaseQueue
    waiting = [job.queue for job in life.core.world.jobs.values() if waits(job)]
    chosen = waiting if waiting and life.choose.random() < 0.6 else life.site.queues
    life.do(kind(life.name(chosen)))


def change_queue(life: Life) -> None:
    """Give a queue another size."""
    name = life.name(life.site.queues[2:])
    life.accepted(c.PutQueues((life.site.queue(life.choose, name),)))


def change_definition(life: Life) -> None:
    """Write a definition again, or try to remove it."""
    name = life.name(life.site.definitions)
    if life.choose.random() < 0.2:
        if not isinstance(life.do(c.DeleteDefinitions((name,))), Rejection):
            life.accepted(c.PutDefinitions((life.site.definitions[name],)))
        return
    life.accepted(c.PutDefinitions((life.site.definitions[name],)))


def maintain(life: Life) -> None:
    """Begin or end the maintenance of a robot."""
    begin = life.choose.random() < 0.4
    strategy = life.choose.choice(list(StopStrategy)) if begin else StopStrategy.NONE
    life.do(c.SetMaintenance(life.name(life.robots), maintenance=begin, strategy=strategy))


def raise_event(life: Life) -> None:
    """Raise or clear an event."""
    kind = "RaiseEvent" if life.choose.random() < 0.7 else "ClearEvent"
    life.try_to(kind, life.name(life.site.events))


def change_lock(life: Life) -> None:
    """Give a lock other counts."""
    life.do(c.PutLocks((life.site.lock(life.choose, life.name(life.site.locks)),)))


def change_window(life: Life) -> None:
    """Correct or break the calendar."""
    life.do(c.PutWindows((life.site.window(life.choose, life.name(life.site.windows)),)))


def change_schedule(life: Life) -> None:
    """Write a recurring submission, or hold, release or end one."""
    choose, name = life.choose, life.name(life.site.schedules)
    if name not in life.core.world.schedules or choose.random() < 0.2:
        start_ms = life.core.now_ms + choose.choice([0, 5, 60]) * MINUTE_MS
        life.do(c.PutSchedules((life.site.schedule(choose, name, start_ms),)))
    else:
        life.do(c.ChangeSchedule(name, choose.choice(list(c.ScheduleVerb))))


def run_server(life: Life) -> None:
    """Stop, start or change a process server, or hold one of its providers."""
    choose, name = life.choose, life.name(life.site.servers)
    what = choose.randrange(5)
    if what == 0:
        life.accepted(c.PutServers((life.site.server(choose, name),)))
    elif what == 1:
        strategy = choose.choice([StopStrategy.NONE, *StopStrategy])
        life.do(c.StopServers((name,), strategy))
    elif what == 2:
        life.do(c.StartServers((name,)))
    else:
        kind = c.HoldProvider if what == 3 else c.ReleaseProvider
        life.do(kind(name, life.name(life.site.served)))


# -- robots -------------------------------------------------------------------------------------


def _robot(life: Life, *, connected: bool) -> SimRobot | None:
    found = [robot for robot in life.robots.values() if robot.connected is connected]
    return life.choose.choice(found) if found else None


def work(life: Life) -> None:
    """A robot does what is next."""
    busy = [robot for robot in life.robots.values() if robot.connected and robot.works]
    if busy:
        life.choose.choice(busy).work()


def heartbeat(life: Life) -> None:
    """A robot says that it is alive, and hears what it may have missed."""
    robot = _robot(life, connected=True)
    if robot is not None:
        robot.heartbeat()


def connect(life: Life) -> None:
    """A robot comes, or comes back with what it has, or with nothing."""
    robot = _robot(life, connected=False)
    if robot is not None:
        robot.connect(new_program=life.choose.random() < 0.3, slots=life.choose.randint(1, 4))


def disconnect(life: Life) -> None:
    """A robot is cut off, given up, says goodbye or takes no more."""
    robot = _robot(life, connected=True)
    if robot is None:
        return
    kind = life.choose.choice([c.BreakSession, c.BreakSession, c.CloseSession, c.DrainSession])
    life.do(kind(robot.name, robot.epoch), Actor.SYSTEM, "sessions")
    robot.connected = kind is c.DrainSession
    if kind is c.CloseSession:
        robot.works.clear()
    if kind is c.BreakSession and life.choose.random() < 0.5:
        life.do(c.LoseSession(robot.name, robot.epoch), Actor.SYSTEM, "sessions")


def lie(life: Life) -> None:
    """A robot says what it may not say: nothing of it may count."""
    robot, job, choose = _robot(life, connected=True), life.any_job(), life.choose
    owned = [each for each in life.core.world.jobs.values() if each.attached]
    if owned and choose.random() < 0.6:  # about an attempt of its own that never was, or is over
        job = choose.choice(owned)
        robot = life.robots.get(job.robot)
    if robot is None or job is None or not robot.connected:
        return
    fence = job.fence + choose.choice([-1, -1, 1, 0])
    if fence == job.fence and job.robot == robot.name and job.attached:
        return
    before = job.status, job.revision, job.fence
    robot.sequence += 1
    kind = choose.choice(list(ReportKind))
    answer = life.do(
        c.Report(
            robot.name,
            robot.epoch,
            robot.sequence,
            (job.id,),
            (max(0, fence),),
            bytes([kind]),
            {0: c.ReportDetail(**robot.detail(kind))},
        ),
        Actor.ROBOT,
        robot.name,
    )
    if isinstance(answer, Rejection):
        robot.connected, robot.sequence = False, robot.sequence - 1
        return
    assert len(answer) == 1, f"a report with fence {fence} of job {job.id} was believed (C4.4)"
    assert (job.status, job.revision, job.fence) == before, "a refused report changed its job"


def repeat(life: Life) -> None:
    """A batch whose acknowledgement was lost comes again, and changes nothing."""
    robot = _robot(life, connected=True)
    if robot is None or robot.last is None or robot.last.epoch != robot.epoch:
        return
    before = life.core.digest()
    life.do(robot.last, Actor.ROBOT, robot.name)
    assert life.core.digest() == before, "a batch that was said again counted twice"


def start_at_robot(life: Life) -> None:
    """A person starts a job at a robot."""
    robot = _robot(life, connected=True)
    if robot is not None:
        name = life.name(life.site.definitions)
        life.do(c.StartAtRobot(robot.name, robot.epoch, name), Actor.USER, "clerk")


# -- time and the server ------------------------------------------------------------------------


def wait(life: Life) -> None:
    """Time passes: to the next instant, to just before it, or for a while."""
    core, choose = life.core, life.choose
    due_ms = core.world.next_due_ms() - core.now_ms
    if due_ms > 1 and choose.random() < 0.5:
        life.pass_time(choose.choice([due_ms, due_ms - 1]) if due_ms < YEAR_MS else MINUTE_MS)
        return
    life.pass_time(choose.choice([1, 1, 60, 60, 300, 3_600, 86_400]) * 1000)


def restart_server(life: Life) -> None:
    """The server ends and begins again."""
    life.restart(from_snapshot=life.choose.random() < 0.5)


ACTIONS: Final[dict[str, Action]] = {
    "submit": Action(20, submit),
    "verb": Action(8, verb),
    "hold": Action(4, hold),
    "restart_job": Action(2, restart_job),
    "reply": Action(8, reply),
    "fire": Action(3, fire),
    "hold_queue": Action(4, hold_queue),
    "change_queue": Action(2, change_queue),
    "change_definition": Action(1, change_definition),
    "maintain": Action(2, maintain),
    "raise_event": Action(8, raise_event, "RaiseEvent"),
    "change_lock": Action(2, change_lock, "PutLocks"),
    "change_window": Action(3, change_window, "PutWindows"),
    "change_schedule": Action(3, change_schedule, "PutSchedules"),
    "run_server": Action(4, run_server, "PutServers"),
    "work": Action(70, work),
    "heartbeat": Action(5, heartbeat),
    "connect": Action(8, connect),
    "disconnect": Action(5, disconnect),
    "lie": Action(5, lie),
    "repeat": Action(3, repeat),
    "start_at_robot": Action(1, start_at_robot),
    "wait": Action(14, wait),
    "end_group": Action(30, lambda life: life.end_group(3, 3)),
    "snapshot": Action(1, lambda life: life.take_snapshot()),
    "restart_server": Action(2, restart_server),
}
