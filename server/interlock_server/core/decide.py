"""One table: which rule decides which command. And the turn around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock_server.core import command as c
from interlock_server.core.command import ChangeJobs, Command, Outcome, Verb
from interlock_server.core.rejection import Reason, Rejection, not_found
from interlock_server.core.rules import (
    admission,
    call,
    catalog,
    deadline,
    definition_actions,
    dispatch,
    edit,
    ending,
    event_follow,
    finish,
    hold,
    lock,
    medium,
    named_event,
    on_change,
    queue,
    reply,
    report,
    restart,
    resume,
    review,
    robot,
    schedule_change,
    server,
    session,
    submission,
    window,
)
from interlock_server.core.turn import Draft, Turn
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interlock_server.core.change import Cause
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


def take_turn(world: World, draft: Draft, command: Command, cause: Cause) -> Any:
    """Decide a command and everything that follows from it; its answer, or a Rejection.

    A Rejection has changed nothing: that is asserted, and a failed assertion stops the process.
    """
    turn = Turn(world, draft, cause)
    changes, facts = len(draft.blocks), len(draft.facts)
    finished, revision = len(world.finished), world.revision
    answer = _RULES[type(command)](world, turn, command)
    if isinstance(answer, Rejection):
        assert (len(draft.blocks), len(draft.facts)) == (changes, facts), (
            f"a refused command changed something: {answer.sentence}"
        )
        return answer
    followed: set[int] = set()
    events: Iterator[bool] | None = None
    place = changes, 0
    while True:
        while finished < len(world.finished):  # following one end may bring another
            job = world.jobs.get(world.finished[finished])
            finished += 1
            # What ended before this turn is there because its last message was answered; what has
            # not ended, because the top of its family has.
            ended = job is not None and IS_FINAL[job.status] and job.revision > revision
            if job is not None and ended and job.id not in followed:
                followed.add(job.id)
                finish.follow(world, turn, job)
        if world.changers:
            place = on_change.follow(world, turn, place)
        more = False
        if world.raisers or turn.raised:
            events = events or event_follow.follow(world, turn, changes)
            more = next(events)
        if not more and finished == len(world.finished):
            break
    turn.end()
    return answer


def _change_jobs(world: World, turn: Turn, command: ChangeJobs) -> list[Outcome]:
    """Do one verb to many jobs; each is decided on its own."""
    person = turn.cause
    done = []
    for job_id in command.jobs:
        done.append(_change_job(world, turn, job_id, command))
        if turn.cause.actor != person.actor:
            turn.follow_up(Actor(person.actor), person.author, person.reason)
    admission.admit(world, turn)
    return [
        _outcome(world, job_id, done=each) for job_id, each in zip(command.jobs, done, strict=True)
    ]


def _change_job(world: World, turn: Turn, job_id: int, command: ChangeJobs) -> bool | Rejection:
    job = world.jobs.get(job_id)
    if job is None:
        return not_found(world, job_id)
    if command.expected_revision and command.expected_revision != job.revision:
        return Rejection(
            Reason.REVISION_MISMATCH,
            f"job {job_id} is at revision {job.revision} ({STATUS_NAME[job.status]}),"
            f" not {command.expected_revision}; look again",
            revision=job.revision,
            status=STATUS_NAME[job.status],
        )
    if job.lifecycle not in _LIFECYCLES[command.verb]:
        return _wrong_lifecycle(job, command.verb)
    return _VERBS[command.verb](world, turn, job, command)


def _outcome(world: World, job_id: int, *, done: bool | Rejection) -> Outcome:
    """Tell what became of a job: whether it changed, or why not, and where it is now."""
    job = world.jobs.get(job_id)
    status, revision = (job.status, job.revision) if job is not None else (0, 0)
    if isinstance(done, Rejection):
        return Outcome(job_id, status, revision, rejection=done)
    return Outcome(job_id, status, revision, unchanged=not done)


def _wrong_lifecycle(job: Job, verb: Verb) -> Rejection:
    name = verb.name.lower().replace("_", " ")
    own, other = (
        Lifecycle(job.lifecycle).text,
        "uipath" if job.lifecycle == Lifecycle.REDWOOD else "redwood",
    )
    return Rejection(
        Reason.WRONG_LIFECYCLE,
        f"job {job.id} is a {own} job, and {name} is for {other} jobs",
        lifecycle=own,
    )


_REDWOOD: Final = frozenset({int(Lifecycle.REDWOOD)})
_UIPATH: Final = frozenset({int(Lifecycle.UIPATH)})
_LIFECYCLES: Final = {
    Verb.HOLD: _REDWOOD,
    Verb.RELEASE: _REDWOOD,
    Verb.CANCEL: _REDWOOD,
    Verb.KILL: _REDWOOD | _UIPATH,
    Verb.STOP: _UIPATH,
    Verb.RESUME: _UIPATH,
    Verb.RESCHEDULE: _REDWOOD,
    Verb.SET_PRIORITY: _REDWOOD | _UIPATH,
    Verb.COMPLETE: _REDWOOD,
    Verb.DISABLE: _REDWOOD,
    Verb.ENABLE: _REDWOOD,
}
_VERBS: Final[dict[Verb, Callable[[World, Turn, Job, ChangeJobs], bool | Rejection]]] = {
    Verb.HOLD: call.hold_job,
    Verb.RELEASE: call.release_job,
    Verb.CANCEL: ending.cancel,
    Verb.KILL: call.kill,
    Verb.STOP: ending.stop,
    Verb.RESUME: resume.resume,
    Verb.RESCHEDULE: hold.reschedule,
    Verb.SET_PRIORITY: hold.set_priority,
    Verb.COMPLETE: ending.complete,
    Verb.DISABLE: call.disable,
    Verb.ENABLE: call.enable,
}
_RULES: Final[dict[type[Command], Callable[[World, Turn, Any], Any]]] = {
    c.SubmitJobs: submission.submit,
    c.ChangeJobs: _change_jobs,
    c.EditJob: edit.edit,
    c.RestartJobs: restart.restart,
    c.FireConditions: resume.fire,
    c.Reply: reply.reply,
    c.PutDefinitions: catalog.put_definitions,
    c.DeleteDefinitions: catalog.delete_definitions,
    c.PutQueues: catalog.put_queues,
    c.DeleteQueues: catalog.delete_queues,
    c.PutRestartDefaults: definition_actions.put_restart_defaults,
    c.PutSchedules: schedule_change.put_schedules,
    c.DeleteSchedules: schedule_change.delete_schedules,
    c.ChangeSchedule: schedule_change.change,
    c.PutWindows: window.put_windows,
    c.DeleteWindows: window.delete_windows,
    c.HoldQueue: queue.hold_queue,
    c.ReleaseQueue: queue.release_queue,
    c.PutServers: server.put_servers,
    c.DeleteServers: server.delete_servers,
    c.StartServers: server.start_servers,
    c.StopServers: server.stop_servers,
    c.HoldProvider: server.hold_provider,
    c.ReleaseProvider: server.release_provider,
    c.MoveQueueJobs: queue.move_jobs,
    c.OpenSession: session.open_session,
    c.BreakSession: session.break_session,
    c.LoseSession: session.lose_session,
    c.CloseSession: session.close_session,
    c.DrainSession: session.drain_session,
    c.Report: report.report,
    c.StartAtRobot: robot.start_at_robot,
    c.SetMaintenance: robot.set_maintenance,
    c.DeleteRobots: robot.delete,
    c.KeepMedium: medium.keep,
    c.DropMedia: medium.drop,
    c.Dispatch: dispatch.dispatch,
    c.PassDeadlines: deadline.pass_deadlines,
    c.PutEvents: named_event.put,
    c.DeleteEvents: named_event.delete,
    c.RaiseEvent: named_event.raise_by_hand,
    c.ClearEvent: named_event.clear_by_hand,
    c.HandEvents: named_event.hand_on,
    c.PutLocks: lock.put,
    c.DeleteLocks: lock.delete,
    c.GrantLocks: lock.grant,
    c.ReviewStarts: review.review,
    c.CleanUpTerminating: deadline.clean_up_terminating,
    c.RecoverSessions: session.recover_sessions,
}
