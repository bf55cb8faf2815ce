"""Reports of robots: who may report, and what each kind means in each status (domain.md C1, C2).

The batch is the unit: one check of the session, then every report on its own. This is the path that
carries the load, so a report that only moves a job costs two lookups, a move and no object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.command import NO_DETAIL, ReportKind
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import Fault
from interlock_server.core.rejection import Reason, Rejection, illegal, not_found
from interlock_server.core.rules import (
    family,
    limit,
    loss,
    operator_message,
    pre_running,
    report_run,
    result,
    resume,
    return_code,
)
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import next_row
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Lifecycle, Status
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.command import Report, ReportDetail
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

    Handler = Callable[[World, Turn, Job, ReportDetail], Rejection | None]

S = Status
T = Trigger

#: What was refused of a batch: index and why.
Refused = list[tuple[int, Rejection]]


def report(world: World, turn: Turn, command: Report) -> Refused | Rejection:
    """Apply a batch of a robot's current session.

    A batch that was applied before only says again what was refused.
    """
    robot = world.robots.get(command.robot)
    refusal = _session_refusal(robot, command)
    if refusal is not None:
        return refusal
    assert robot is not None
    if command.sequence <= robot.last_sequence:
        return [
            (index, Rejection(Reason(reason), sentence, **metadata))
            for index, _, reason, sentence, metadata in robot.refused.get(command.sequence, ())
        ]
    refused = _apply_all(world, turn, robot.name, command)
    turn.set_sequence(
        robot.name,
        command.sequence,
        [
            (i, command.jobs[i], int(each.reason), each.sentence, each.metadata)
            for i, each in refused
        ],
    )
    return refused


def _session_refusal(robot: Robot | None, command: Report) -> Rejection | None:
    if robot is None:
        return Rejection(
            Reason.NO_SESSION, f"robot {command.robot!r} has no session; send Hello first"
        )
    if command.epoch != robot.epoch:
        return Rejection(
            Reason.SESSION_SUPERSEDED,
            f"session {command.epoch} of robot {robot.name!r} was replaced by session "
            f"{robot.epoch}",
        )
    if robot.lost:
        return Rejection(
            Reason.SESSION_LOST, f"session {command.epoch} was given up; connect again"
        )
    if command.sequence > robot.last_sequence + 1:
        return Rejection(
            Reason.SEQUENCE_GAP,
            f"expected report batch {robot.last_sequence + 1}, but got {command.sequence}",
            expected=robot.last_sequence + 1,
        )
    return None


def _apply_all(world: World, turn: Turn, name: str, command: Report) -> Refused:
    refused: Refused = []
    if report_run.move_together(world, turn, name, command):
        return refused
    jobs, details, handlers = world.jobs, command.details, _HANDLERS
    special, cause = world.special, turn.cause
    count = len(command.jobs)
    fences = command.fences if len(command.fences) == count else command.fences * count
    kinds = command.kinds if len(command.kinds) == count else command.kinds * count
    for index, (job_id, fence, kind) in enumerate(zip(command.jobs, fences, kinds, strict=True)):
        job = jobs.get(job_id)
        rejection: Rejection | None
        if job is None or job.fence != fence or not job.attached or job.robot != name:
            rejection = _ownership_refusal(world, name, job_id, fence)
        else:
            rejection = handlers[kind](
                world, turn, job, details.get(index, NO_DETAIL) if details else NO_DETAIL
            )
            # A handler let the server speak; what follows is the robot's again. By actor, because a
            # robot may have any name.
            if turn.cause is not cause:
                if turn.cause.actor != Actor.ROBOT:
                    turn.follow_up(Actor.ROBOT, name)
                cause = turn.cause
        if rejection is not None:
            refused.append((index, rejection))
        elif special and kind in _CODE_ENDS and job is not None and job.definition in special:
            _let_go(world, turn, job)
    return refused


def _let_go(world: World, turn: Turn, job: Job) -> None:
    """A robot that has a post-running action for the job hears if none is due."""
    if not job.attached and world.definitions[job.definition].post_running_code:
        turn.tell(job, EffectKind.FORGET)


#: After these the code of a job has ended, and its robot may have a post-running action.
_CODE_ENDS: Final = frozenset(
    {ReportKind.COMPLETED, ReportKind.FAILED, ReportKind.CANCELED, ReportKind.KILLED}
)


def _ownership_refusal(world: World, name: str, job_id: int, fence: int) -> Rejection:
    """Say why a report is not about an attempt that this robot has now (promise P7)."""
    job = world.jobs.get(job_id)
    if job is None:
        return not_found(world, job_id)
    if fence > job.fence:
        return Rejection(
            Reason.FENCE_UNKNOWN,
            f"attempt {fence} of job {job_id} was never given out; it is at {job.fence}",
        )
    if fence < job.fence:
        return Rejection(
            Reason.STALE_FENCE,
            f"attempt {fence} of job {job_id} is over; attempt {job.fence} counts now: drop it",
        )
    if IS_FINAL[job.status]:
        return illegal(job, "report on", Actor.ROBOT)
    return Rejection(
        Reason.NOT_ASSIGNED,
        f"job {job_id} is not with robot {name!r}; it is {STATUS_NAME[job.status]}: drop it",
    )


# -- what each kind means -----------------------------------------------------------------------


def _unknown(_world: World, _turn: Turn, job: Job, _detail: ReportDetail) -> Rejection:
    return Rejection(Reason.INVALID_FIELD, f"a report on job {job.id} has no known kind")


def _accepted(world: World, turn: Turn, job: Job, _detail: ReportDetail) -> Rejection | None:
    if job.status == S.REDWOOD_DISPATCHED:
        turn.move(job, T.ACCEPT)
        if job.definition in world.special or pre_running.waits_in_vain(world, job):
            pre_running.accepted(world, turn, job)
        return None
    return None if job.lifecycle == Lifecycle.UIPATH else _ordered_or_illegal(job, "accept")


def _refused(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    """Another robot may have it.

    This session gets no more jobs of the definition, lest it be offered for ever.
    """
    reason = detail.reason or "refused by the robot"
    if job.status in {S.REDWOOD_DISPATCHED, S.REDWOOD_ASSIGNED}:
        loss.move_as_allowed(turn, job, T.REQUEUE, job.robot, reason)
    elif job.status in {S.UIPATH_PENDING, S.UIPATH_RESUMED} or job.attempt_lost:
        turn.set(job, attached=False)
    elif job.status == S.REDWOOD_CANCELING:  # the offer crossed the order: it will not run
        turn.move(job, T.CONFIRM_CANCEL, reason)
    else:
        return _ordered_or_illegal(job, "refuse")
    robot = world.robots[job.robot]
    left = tuple(name for name in robot.definitions if name != job.definition)
    turn.put_robot(robot, definitions=left)
    return None


def _started(world: World, turn: Turn, job: Job, _detail: ReportDetail) -> Rejection | None:
    if job.definition in world.special:
        early = pre_running.too_early(world, turn, job)
        if early is not None:
            return early
    if job.status == S.REDWOOD_DISPATCHED:
        turn.move(job, T.ACCEPT)
    if turn.may(job, T.START):
        turn.move(job, T.START)
        if job.definition in world.special:
            limit.begin(world, turn, job, world.definitions[job.definition])
        return None
    if job.status == S.REDWOOD_UNCERTAIN:
        loss.found_running(world, turn, job, job.robot)
        return None
    if job.status == S.UIPATH_RUNNING and job.attempt_lost:
        turn.set(job, attempt_lost=False)
        return None
    if job.status in {S.REDWOOD_RUNNING, S.UIPATH_RUNNING}:
        return None  # said again: the session was settled by Hello before this came
    return _ordered_or_illegal(job, "start")


def _could_not_start(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    fault = detail.fault or Fault("COULD_NOT_START", "could not be started")
    if next_row(job.status, T.FAIL_TO_START):
        _set_end(turn, job, detail, fault)
        turn.move(job, T.FAIL_TO_START, detail.reason or _sentence(fault))
        return None
    return _end(world, turn, job, T.FAIL, detail, fault)


def _completed(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    definition = world.definitions[job.definition]
    if job.lifecycle == Lifecycle.REDWOOD:
        if not return_code.means_completed(definition.return_code_map, detail.return_code):
            title = f"return code {detail.return_code} does not mean Completed"
            return _end(world, turn, job, T.FAIL, detail, Fault("RETURN_CODE", title))
        if definition.completion is Completion.EXTERNAL and job.status in _MAY_RUN:
            _bring_to_running(turn, job, T.WAIT)
            _set_end(turn, job, detail, None)
            turn.set(job, code_ended=True, attached=False, info="waits for its result from outside")
            return None
    return _end(world, turn, job, T.COMPLETE, detail, None)


def _failed(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    fault = detail.fault or Fault("FAILED", detail.reason or "failed without saying why")
    return _end(world, turn, job, T.FAIL, detail, fault)


def _canceled(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    uipath = job.lifecycle == Lifecycle.UIPATH
    return _end(world, turn, job, T.CANCEL_AT_ROBOT if uipath else T.CANCEL_REMOTELY, detail, None)


def _killed(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if turn.may(job, T.CONFIRM_KILL):
        result.end(world, turn, job, T.CONFIRM_KILL, detail.reason, robot=True)
        return None
    if job.status == S.REDWOOD_CANCELING:
        turn.move(job, T.CONFIRM_CANCEL, detail.reason)
        return None
    # UA-2: nobody here ordered a kill, so for us it is a failure.
    fault = detail.fault or Fault("KILLED_OUTSIDE", "killed at the robot, not by order")
    return _end(world, turn, job, T.FAIL, detail, fault)


def _cancel_confirmed(
    _world: World, turn: Turn, job: Job, detail: ReportDetail
) -> Rejection | None:
    if job.status != S.REDWOOD_CANCELING:
        return illegal(job, "confirm the cancel of", Actor.ROBOT)
    turn.move(job, T.CONFIRM_CANCEL, detail.reason)
    return None


def _waiting(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if job.status == S.REDWOOD_RUNNING:
        turn.move(job, T.WAIT, detail.reason)
        return None
    if job.status == S.REDWOOD_UNCERTAIN:
        loss.found_running(world, turn, job, job.robot)
        if job.status == S.REDWOOD_RUNNING:
            turn.move(job, T.WAIT, detail.reason)
        return None
    return _ordered_or_illegal(job, "let wait")


def _wait_over(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if job.status == S.REDWOOD_WAITING:
        turn.move(job, T.STOP_WAITING, detail.reason)
        return None
    if job.status == S.REDWOOD_UNCERTAIN:
        loss.found_running(world, turn, job, job.robot)
        return None
    return None if job.status == S.REDWOOD_RUNNING else _ordered_or_illegal(job, "continue")


def _asked(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if detail.question is None:
        return Rejection(Reason.INVALID_FIELD, f"a question of job {job.id} has no text")
    if job.status == S.REDWOOD_UNCERTAIN:
        loss.found_running(world, turn, job, job.robot)
    if job.status not in {S.REDWOOD_RUNNING, S.UIPATH_RUNNING}:
        return _ordered_or_illegal(job, "ask a question of")
    operator_message.ask(world, turn, job, detail.question)
    return None


def _noted(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if detail.question is None:
        return Rejection(Reason.INVALID_FIELD, f"a note of job {job.id} has no text")
    operator_message.note(world, turn, job, detail.question)
    return None


def _suspended(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if job.lifecycle == Lifecycle.REDWOOD:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"job {job.id} is a Redwood job, and only UiPath jobs can be suspended",
        )
    if detail.suspension is None:
        return Rejection(Reason.INVALID_FIELD, f"a suspension of job {job.id} has no conditions")
    if job.status == S.UIPATH_TERMINATING:
        turn.move(job, T.CONFIRM_KILL, "suspended itself instead")
        return None
    refusal = resume.suspension_refusal(world, job, detail.suspension)
    if refusal is not None:
        return refusal
    if job.status in {S.UIPATH_PENDING, S.UIPATH_RESUMED}:
        turn.move(job, T.START)
    if not next_row(job.status, T.SUSPEND):
        return illegal(job, "suspend", Actor.ROBOT)
    resume.suspend(world, turn, job, detail.suspension)
    return None


def _remote_gone(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if not next_row(job.status, T.LOSE_FOR_GOOD):
        return _ordered_or_illegal(job, "lose")
    loss.end_as_allowed(
        world, turn, job, T.LOSE_FOR_GOOD, job.robot, detail.reason or "the remote job is gone"
    )
    return None


def _pre_running_done(world: World, turn: Turn, job: Job, detail: ReportDetail) -> Rejection | None:
    if job.status in {S.REDWOOD_KILLING, S.REDWOOD_CANCELING}:
        return None
    return pre_running.done(world, turn, job, detail)


# -- how a job ends -----------------------------------------------------------------------------


def _set_end(turn: Turn, job: Job, detail: ReportDetail, fault: Fault | None) -> None:
    """Record what an end report carries; nothing if it carries nothing."""
    fields: dict[str, object] = {}
    if detail.result:
        fields["result"] = detail.result
    if detail.return_code:
        fields["return_code"] = detail.return_code
    if fault is not None:
        fields["fault"] = fault
    if fields:
        turn.set(job, **fields)


def _end(
    world: World, turn: Turn, job: Job, trigger: Trigger, detail: ReportDetail, fault: Fault | None
) -> Rejection | None:
    """End a job on the robot's word, in the way that its status calls for."""
    ordered = _CONFIRMS.get(job.status)
    if ordered is not None:  # UA-2: any end confirms what was ordered
        _set_end(turn, job, detail, fault)
        said = _sentence(fault) or trigger.verb
        said = detail.reason or f"the robot said: {said}"
        result.end(world, turn, job, ordered, said, robot=True)
        return None
    if job.status == S.REDWOOD_CONSOLE:  # it ends when the operator has replied
        if trigger is T.CANCEL_REMOTELY:
            fault = Fault("CANCELED_REMOTELY", "canceled by the remote system")
        _set_end(turn, job, detail, fault)
        turn.set(job, code_ended=True, attached=False)
        return None
    if job.status in _NOT_RUNNING:
        if job.status == S.REDWOOD_PRE_RUNNING and trigger is not T.COMPLETE:
            pre_running.fail(turn, job, _sentence(fault) or trigger.verb)
            return None
        special = job.definition in world.special
        early = pre_running.too_early(world, turn, job) if special else None
        if early is not None:
            return early
        if job.status in {S.REDWOOD_PRE_RUNNING, S.REDWOOD_POST_RUNNING}:
            return illegal(job, "end", Actor.ROBOT)
    if job.id in world.children and family.waits_for_children(world, job, trigger):
        _bring_to_running(turn, job, T.WAIT)
        _set_end(turn, job, detail, fault)
        family.wait(turn, job)
        return None
    _bring_to_running(turn, job, trigger)
    _set_end(turn, job, detail, fault)
    result.end(world, turn, job, trigger, detail.reason or _sentence(fault), robot=True)
    return None


def _sentence(fault: Fault | None) -> str:
    """What a fault says to somebody who sees only the change."""
    return fault.title or fault.code if fault is not None else ""


#: From here an end of the code leads to Running, if it does not end the job.
_MAY_RUN: Final = frozenset(
    {
        S.REDWOOD_DISPATCHED,
        S.REDWOOD_ASSIGNED,
        S.REDWOOD_RUNNING,
        S.REDWOOD_WAITING,
        S.REDWOOD_UNCERTAIN,
    }
)
_NOT_RUNNING: Final = frozenset(
    {
        S.REDWOOD_DISPATCHED,
        S.REDWOOD_ASSIGNED,
        S.REDWOOD_PRE_RUNNING,
        S.REDWOOD_POST_RUNNING,
    }
)
_CONFIRMS: Final[dict[int, Trigger]] = {
    S.UIPATH_TERMINATING: T.CONFIRM_KILL,
    S.REDWOOD_KILLING: T.CONFIRM_KILL,
    S.REDWOOD_CANCELING: T.CONFIRM_CANCEL,
}


def _bring_to_running(turn: Turn, job: Job, trigger: Trigger) -> None:
    """An end implies the start that was not reported, and the end of a wait."""
    if job.status == S.REDWOOD_DISPATCHED:
        turn.move(job, T.ACCEPT)
    if job.status in {S.REDWOOD_ASSIGNED, S.UIPATH_PENDING, S.UIPATH_RESUMED}:
        turn.move(job, T.START)
        world = turn.world
        if job.definition in world.special:
            limit.begin(world, turn, job, world.definitions[job.definition])
    elif job.status == S.REDWOOD_WAITING:
        turn.move(job, T.STOP_WAITING)
    elif job.status == S.REDWOOD_UNCERTAIN and not next_row(job.status, trigger):
        turn.move(job, T.STILL_RUNNING)


def _ordered_or_illegal(job: Job, verb: str) -> Rejection | None:
    """While an order is on its way to the robot, older news about the job mean nothing."""
    ordered = {
        S.UIPATH_STOPPING,
        S.UIPATH_TERMINATING,
        S.REDWOOD_KILLING,
        S.REDWOOD_CANCELING,
    }
    return None if job.status in ordered else illegal(job, verb, Actor.ROBOT)


_HANDLERS: Final[tuple[Handler, ...]] = (
    _unknown,
    _accepted,
    _refused,
    _started,
    _could_not_start,
    _completed,
    _failed,
    _canceled,
    _killed,
    _cancel_confirmed,
    _waiting,
    _wait_over,
    _asked,
    _noted,
    _suspended,
    _remote_gone,
    _pre_running_done,
    result.action_done,
)
assert len(_HANDLERS) == max(ReportKind) + 1, "every kind of report has a handler"
