"""Chains: how they go on from step to step, and end (domain.md B9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.chain import HandlerAction, StatusHandler
from interlock_server.core.model.definition import STARTS_MAX
from interlock_server.core.model.job import Job, Role
from interlock_server.core.rules import (
    admission,
    condition,
    expansion,
    handler,
    restart,
    restart_question,
    result,
    window,
)
from interlock_server.core.rules.chain_condition import ChainValues
from interlock_server.core.rules.handler import DONE
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status
from interlock_server.core.vocabulary.trigger import Trigger
from interlock_server.core.vocabulary.variable import HOLD_ON_SUBMIT

if TYPE_CHECKING:
    from collections.abc import Collection

    from interlock_server.core.model.chain import Chain
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Who executes chains: the service of the server itself (domain.md B4).
SERVICE: Final = "JobChainService"


def speak(turn: Turn, chain: Job) -> None:
    """Let the chain be the author of what follows."""
    turn.follow_up(Actor.CHAIN, f"chain {chain.id}")


# -- going forward ------------------------------------------------------------------------------


def go_on(world: World, turn: Turn, chain: Job, place: int | None) -> None:
    """Go on with the step at a place, or end after the last one; None if all is said."""
    assert chain.chain is not None, "only a chain goes on"
    steps = chain.chain.steps
    while place is not None and place < len(steps):
        step = world.jobs[world.steps[chain.id, steps[place].name]]
        if chain.at_step != place:
            turn.set(chain, at_step=place)
        if step.status == Status.REDWOOD_CHAINED:
            _start_step(world, turn, chain, step)
        if step.status in DONE:
            place += 1
        elif IS_FINAL[step.status]:
            place = _decide(world, turn, chain, step, {step.status})
        else:
            return
    if place is not None:
        _end(world, turn, chain, Trigger.COMPLETE)


def _start_step(world: World, turn: Turn, chain: Job, step: Job) -> None:
    """Start the step that is due, or skip it and its calls (TR-014 to TR-016)."""
    speak(turn, chain)
    values = ChainValues(world, chain, step.iteration, turn.now_ms)
    precondition = expansion.step_of(chain, step).precondition
    if not _is_to_run(turn, values, precondition, step):
        if step.status == Status.REDWOOD_SKIPPED:
            _close(world, turn, step, Trigger.FAIL_PRECONDITION)
        return
    _start(world, turn, step)
    admission.advance(world, turn, step)


def _is_to_run(turn: Turn, values: ChainValues, precondition: str, job: Job) -> bool:
    """Whether a step or call that is due is to run; if not, it is Skipped.

    It is Canceled if that cannot be told: it has not run, and nobody said that it need not.
    """
    if not precondition:
        return True
    try:
        if values.precondition(precondition, job.executions):
            return True
    except ExpressionFault as fault:
        turn.move(job, Trigger.CANCEL, f"its precondition cannot be told: {fault}")
        return False
    turn.move(job, Trigger.FAIL_PRECONDITION)
    return False


def _start(world: World, turn: Turn, job: Job) -> None:
    top_start_ms = expansion.root_of(world, job).top_start_ms
    turn.set(job, start_ms=turn.now_ms, top_start_ms=top_start_ms)
    held = job.hold_when_due or (job.role is Role.CALL and _hold_when(world, turn, job))
    turn.move(job, Trigger.START_STEP_HELD if held else Trigger.START_STEP)
    if job.role is Role.STEP:
        return  # its chain was placed in the window
    place = window.set_start_while_held if held else window.set_start
    place(world, turn, job, turn.now_ms)
    if turn.cause.actor != Actor.CHAIN:
        speak(turn, expansion.chain_of(world, job))


def _hold_when(world: World, turn: Turn, job: Job) -> bool:
    """Whether the definition of a call puts it on hold; so it is if that cannot be told."""
    hold_when = world.definitions[job.definition].hold_when
    if not hold_when:
        return False
    try:
        return condition.is_true(world, turn, job, hold_when, HOLD_ON_SUBMIT)
    except ExpressionFault:
        return True


def _close(world: World, turn: Turn, job: Job, trigger: Trigger) -> None:
    """Let what is below a step or call that will not run not run either."""
    for each in expansion.descendants(world, job):
        if each.status == Status.REDWOOD_CHAINED:
            turn.move(each, trigger)


def start_calls(world: World, turn: Turn, step: Job) -> None:
    """Start the calls of a step together; those that are off, and those not to run, are done."""
    chain = world.jobs[step.parent]
    assert chain.chain is not None, "only a chain has steps"
    calls = chain.chain.steps[step.place].calls
    values = ChainValues(world, chain, step.iteration, turn.now_ms)
    speak(turn, chain)
    started = []
    for call_id in list(world.children.get(step.id, ())):
        call = world.jobs[call_id]
        if call.status == Status.REDWOOD_DISABLED:
            _close(world, turn, call, Trigger.CANCEL)
        elif call.status == Status.REDWOOD_CHAINED:
            if _is_to_run(turn, values, calls[call.place].precondition, call):
                _start(world, turn, call)
                started.append(call)
            else:
                _close(world, turn, call, Trigger.FAIL_PRECONDITION)
    admission.advance(world, turn, *started)
    if not world.unfinished.get(step.id):
        _conclude(world, turn, step)


# -- ends ---------------------------------------------------------------------------------------


def follow(world: World, turn: Turn, job: Job) -> None:
    """Tell chain and step of a job that is final now."""
    if job.chain is not None or job.role is Role.STEP:
        _cancel_rest(world, turn, job)
    parent = world.jobs.get(job.parent)
    if parent is None or job.role is Role.PLAIN:
        return
    if parent.status == Status.REDWOOD_KILLING:
        confirm_kill(world, turn, parent)
    elif job.role is Role.CALL:
        if parent.status == Status.REDWOOD_WAITING and not world.unfinished.get(parent.id):
            _conclude(world, turn, parent)
    elif _is_current(world, parent, job):
        _follow_step(world, turn, parent, job)


def _follow_step(world: World, turn: Turn, chain: Job, step: Job) -> None:
    """A step ended by other hands than the chain's: it was canceled or killed."""
    if chain.status == Status.REDWOOD_CONSOLE:
        cause = step.history[-1].cause
        turn.follow_up(Actor(cause.actor), cause.author)
        turn.set(chain, provisional=int(Status.REDWOOD_ERROR))
        turn.move(chain, Trigger.REPLY_NO_RESTART, f"step {step.step} is not restarted")
    elif chain.status == Status.REDWOOD_WAITING and chain.fault is not None:
        _end(world, turn, chain, Trigger.FAIL, chain.fault.title)
    elif chain.status == Status.REDWOOD_WAITING:
        speak(turn, chain)
        go_on(world, turn, chain, chain.at_step)


def _is_current(world: World, chain: Job, step: Job) -> bool:
    """Whether the chain is at this step, in this iteration."""
    assert chain.chain is not None, "only a chain has steps"
    at_step = chain.at_step
    current = 0 <= at_step < len(chain.chain.steps) and chain.chain.steps[at_step].name == step.step
    return current and world.steps[chain.id, step.step] == step.id


def _cancel_rest(world: World, turn: Turn, job: Job) -> None:
    """What is below a chain or step that ended, and was never reached, is Canceled (TR-019)."""
    spoken = False
    for each in expansion.descendants(world, job):
        unreached = each.status == Status.REDWOOD_DISABLED and not _is_reached(world, each)
        if each.status == Status.REDWOOD_CHAINED or unreached:
            if not spoken:
                speak(turn, job if job.chain is not None else world.jobs[job.parent])
                spoken = True
            turn.move(each, Trigger.CANCEL)


def _is_reached(world: World, call: Job) -> bool:
    """Whether the step of a call was started or skipped: then a Disabled call counts as done."""
    step = world.jobs[call.parent]
    return bool(step.run_start_ms) or step.status == Status.REDWOOD_SKIPPED


def confirm_kill(world: World, turn: Turn, job: Job) -> None:
    """A chain or step in Killing is Killed once all that is below it is over."""
    if job.status == Status.REDWOOD_KILLING and not world.unfinished.get(job.id):
        turn.follow_up(Actor.ROBOT, SERVICE)
        result.end(world, turn, job, Trigger.CONFIRM_KILL)


def _conclude(world: World, turn: Turn, step: Job) -> None:
    """All calls of a step are over: end it, and let its chain go on."""
    chain = world.jobs[step.parent]
    speak(turn, chain)
    newest: dict[int, int] = {}
    for call_id in world.children.get(step.id, ()):
        call = world.jobs[call_id]
        if call.role is Role.CALL:
            newest[call.place] = call.status
    place = _decide(world, turn, chain, step, set(newest.values()))
    if place is not None:
        go_on(world, turn, chain, place)


def _decide(
    world: World, turn: Turn, chain: Job, step: Job, statuses: Collection[int]
) -> int | None:
    """Do what the handler for an ended step says; where to go on, None if nowhere now.

    The step is Waiting, or final already if others ended it.
    """
    fired = handler.choose(world, turn, chain, step, statuses)
    failed = not DONE.issuperset(statuses)
    action, note = _allowed(world, chain, step, fired)
    ended = ", ".join(sorted(STATUS_NAME[status] for status in set(statuses) - DONE))
    why = note or (f"calls ended as {ended}" if failed else "")
    speak(turn, chain)
    if action is HandlerAction.REQUEST_RESTART and failed and not IS_FINAL[step.status]:
        _ask(world, turn, chain, step, why)
        return None
    if action is HandlerAction.CONTINUE or not failed:
        end_step(turn, step, Trigger.COMPLETE, "")
    else:
        end_step(turn, step, Trigger.FAIL, why)
    match action:
        case HandlerAction.CONTINUE:
            return step.place + 1
        case HandlerAction.GO_TO_STEP:
            return _jump(world, turn, chain, step, fired.step)
        case HandlerAction.END_COMPLETED:
            _end(world, turn, chain, Trigger.COMPLETE, f"step {step.step} ends the chain")
        case HandlerAction.END_ERROR:
            _end(world, turn, chain, Trigger.FAIL, f"step {step.step} ends the chain")
        case HandlerAction.RESTART_STEP | HandlerAction.RESTART_FAILED:
            only_failed = action is HandlerAction.RESTART_FAILED
            again(
                world,
                turn,
                chain,
                step,
                only_failed=only_failed,
                starts=step.starts + 1,
                delay_ms=fired.delay_ms,
                latest=fired.latest,
            )
        case HandlerAction.RESTART_CHAIN:
            again_whole(world, turn, chain, failed=failed, fired=fired)
        case _ if failed:
            _end(world, turn, chain, Trigger.FAIL, f"step {step.step}: {why}")
        case _:
            return step.place + 1
    return None


def _allowed(
    world: World, chain: Job, step: Job, fired: StatusHandler
) -> tuple[HandlerAction, str]:
    """The action of a handler, or none if its restarts are used up (RA-19), and a note of that."""
    definition = world.definitions.get(chain.definition)
    starts_max = definition.starts_max if definition is not None else STARTS_MAX
    used_up = False
    match fired.action:
        case HandlerAction.RESTART_STEP | HandlerAction.RESTART_FAILED:
            again_by = definition.chain if fired.latest and definition is not None else chain.chain
            used_up = step.starts >= _restarts_max(again_by, step.step, starts_max)
        case HandlerAction.RESTART_CHAIN:
            used_up = chain.starts >= starts_max
        case HandlerAction.GO_TO_STEP:
            target = world.jobs[world.steps[chain.id, fired.step]]
            used_up = target.place <= step.place and target.iteration > starts_max
        case _:
            pass
    if used_up:
        return HandlerAction.NONE, "its automatic restarts are used up"
    return fired.action, ""


def _restarts_max(chain: Chain | None, name: str, starts_max: int) -> int:
    """How often a step may run again by itself: its own maximum counts the first run (RA-19)."""
    steps = chain.steps if chain is not None else ()
    own = next((step.restarts_max for step in steps if step.name == name), 0)
    return own - 1 if own else starts_max


def end_step(turn: Turn, step: Job, trigger: Trigger, reason: str) -> None:
    """Give a step its final status, unless it has one."""
    if not IS_FINAL[step.status]:
        turn.move(step, trigger, reason)


def _end(world: World, turn: Turn, chain: Job, trigger: Trigger, reason: str = "") -> None:
    speak(turn, chain)
    result.end(world, turn, chain, trigger, reason)


# -- again --------------------------------------------------------------------------------------


def _jump(world: World, turn: Turn, chain: Job, step: Job, name: str) -> int:
    """Go to a step: what lies between is skipped, or made anew if it lies behind."""
    assert chain.chain is not None, "only a chain has steps"
    definition_steps = chain.chain.steps
    target = next(place for place, each in enumerate(definition_steps) if each.name == name)
    if target > step.place:
        for place in range(step.place + 1, target):
            passed = world.jobs[world.steps[chain.id, definition_steps[place].name]]
            if passed.status == Status.REDWOOD_CHAINED:
                turn.move(passed, Trigger.START_AT_LATER_STEP, f"went on with step {name}")
                _close(world, turn, passed, Trigger.START_AT_LATER_STEP)
        return target
    turn.follow_up(Actor.JOB, f"job {chain.id}")
    members = []
    for place in range(target, step.place + 1):
        members += expansion.expand_step(world, turn, chain, place)
    expansion.settle(turn, members)
    return target


def again(
    world: World,
    turn: Turn,
    chain: Job,
    step: Job,
    *,
    only_failed: bool = False,
    starts: int = 0,
    delay_ms: int = 0,
    latest: bool = False,
    hold: bool = False,
) -> None:
    """Run a step that has ended again: a new job for it, and new calls (S10)."""
    turn.follow_up(Actor.JOB, f"job {chain.id}")
    place = _renew(world, turn, chain, step) if latest else step.place
    only = _failed_calls(world, step) if only_failed else None
    members = expansion.expand_step(
        world, turn, chain, place, only=only, starts=starts, hold_calls=hold
    )
    anew = members[0].job
    if not delay_ms or not _will_run(world, turn, chain, anew):
        expansion.settle(turn, members)
        go_on(world, turn, chain, place)
        return
    expansion.settle(turn, members[1:])
    turn.follow_up(Actor.SYSTEM, "chains")
    turn.set(chain, at_step=place)
    turn.set(anew, delay_until_ms=turn.now_ms + delay_ms, delay_reason="restart")
    turn.move(anew, Trigger.DEFER, "restart delay")


def _will_run(world: World, turn: Turn, chain: Job, step: Job) -> bool:
    """Whether the precondition of a step is true before its restart is delayed.

    A Delayed job has no way to Skipped.
    """
    precondition = expansion.step_of(chain, step).precondition
    if not precondition:
        return True
    values = ChainValues(world, chain, step.iteration, turn.now_ms)
    try:
        return values.precondition(precondition, step.executions)
    except ExpressionFault:
        return False


def _failed_calls(world: World, step: Job) -> set[str]:
    calls = (world.jobs[call_id] for call_id in world.children.get(step.id, ()))
    newest = {call.call: call.status for call in calls if call.role is Role.CALL}
    return {name for name, status in newest.items() if status not in DONE}


def _renew(world: World, turn: Turn, chain: Job, step: Job) -> int:
    """Take the definition as it is now, if it still has the step; the place of the step in it.

    Steps that were not reached are made anew from it.
    """
    definition = world.definitions.get(chain.definition)
    assert chain.chain is not None, "only a chain is restarted by steps"
    if definition is None or definition.chain is None or definition.chain == chain.chain:
        return step.place
    place = expansion.step_place(definition, step.step)
    if place < 0:
        return step.place
    author = turn.cause.author
    speak(turn, chain)
    for old in chain.chain.steps:
        job = world.jobs[world.steps[chain.id, old.name]]
        if job.status == Status.REDWOOD_CHAINED:
            turn.move(job, Trigger.CANCEL, "the chain goes on by its latest definition")
            _close(world, turn, job, Trigger.CANCEL)
    turn.set(chain, chain=definition.chain, definition_version=definition.version)
    turn.follow_up(Actor.JOB, author)
    members = []
    for later in range(len(definition.chain.steps)):
        earlier = later < place
        if later != place and not (earlier and _has_run(world, chain, later)):
            members += expansion.expand_step(world, turn, chain, later, skip=earlier)
    expansion.settle(turn, members)
    turn.follow_up(Actor.JOB, author)
    return place


def _has_run(world: World, chain: Job, place: int) -> bool:
    assert chain.chain is not None, "only a chain has steps"
    return (chain.id, chain.chain.steps[place].name) in world.steps


def again_whole(
    world: World, turn: Turn, chain: Job, *, failed: bool, fired: StatusHandler
) -> None:
    """Run the whole chain again as a new job; this one ends as its step did."""
    turn.set(chain, provisional=int(_ended_as(failed=failed)))
    turn.move(chain, Trigger.FAIL if failed else Trigger.COMPLETE, "it is restarted")
    turn.follow_up(Actor.JOB, f"job {chain.id}")
    starts = chain.starts + 1
    restart.chain_again(
        world, turn, chain, starts=starts, delay_ms=fired.delay_ms, latest=fired.latest
    )


def _ended_as(*, failed: bool) -> Status:
    return Status.REDWOOD_ERROR if failed else Status.REDWOOD_COMPLETED


# -- asking an operator -------------------------------------------------------------------------


def _ask(world: World, turn: Turn, chain: Job, step: Job, why: str) -> None:
    """Let an operator decide: the step is ConsoleRestart, its chain Console (RA-3)."""
    turn.set(step, provisional=int(Status.REDWOOD_ERROR))
    turn.move(step, Trigger.REQUEST_RESTART, why)
    turn.move(chain, Trigger.ASK, f"step {step.step}: {why}")
    restart_question.ask(world, turn, step, Status.REDWOOD_ERROR, restart_question.STEP)


def answer(world: World, turn: Turn, step: Job, choice: Choice) -> None:
    """Do for the chain what an operator chose about a step, which is final now (TR-120, TR-121).

    Without a restart the chain ends with its step, when it hears of that.
    """
    chain = world.jobs[step.parent]
    if choice is Choice.NO_RESTART or chain.status != Status.REDWOOD_CONSOLE:
        return
    reason = f"the reply for step {step.step}: {choice.lower()}"
    if choice in _WHOLE:
        turn.set(chain, provisional=int(Status.REDWOOD_ERROR))
        turn.move(chain, Trigger.REPLY_NO_RESTART, reason)
        hold = choice is Choice.RESTART_CHAIN_AND_HOLD
        restart.chain_again(world, turn, chain, starts=chain.starts, hold=hold)
        return
    turn.move(chain, Trigger.REPLY_CONTINUE, reason)
    if choice is Choice.CONTINUE:
        go_on(world, turn, chain, step.place + 1)
        return
    again(
        world,
        turn,
        chain,
        step,
        only_failed=choice in _FAILED,
        starts=step.starts,
        hold=choice in _HELD,
    )


_WHOLE: Final = {Choice.RESTART_CHAIN, Choice.RESTART_CHAIN_AND_HOLD}
_FAILED: Final = {Choice.RESTART_FAILED, Choice.RESTART_FAILED_AND_HOLD}
_HELD: Final = {Choice.RESTART_AND_HOLD, Choice.RESTART_FAILED_AND_HOLD}
