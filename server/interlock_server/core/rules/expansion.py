"""The steps and calls of a chain, made all at once when the chain is submitted (domain.md B9).

A step that runs again gets a new job with new calls: what has ended is final (S10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.model.job import Fault, Job, Role
from interlock_server.core.model.job_part import Course, Kinship, Lineage, Timing, said
from interlock_server.core.model.queue import SYSTEM_QUEUE
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.parameter import parameter_fault, with_defaults
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from interlock_server.core.model.chain import Call, Step
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Jobs of one expansion, the chain itself and all that is below it counted.
JOBS_MAX: Final = 10_000
#: Chains within chains.
DEPTH_MAX: Final = 16


class Member(NamedTuple):
    """A step or call that was just created, and what is decided about it at once."""

    job: Job
    #: Its parameters do not fit.
    fault: str = ""
    #: Off in its definition.
    ignored: bool = False
    #: Switched off by a user in the chain that this one is made from.
    disabled: bool = False
    #: Before the step that the chain starts at.
    skipped: bool = False


# -- how large it is ----------------------------------------------------------------------------


class Extent(NamedTuple):
    """How many jobs a definition makes, itself counted, and how many chains are in each other."""

    jobs: int
    depth: int


class NestingFault(Exception):  # noqa: N818  # a refusal is no error of the program
    """A chain calls itself, or is nested too deep; the text says how."""


def extent_of(
    definition: Definition,
    definitions: Mapping[str, Definition],
    known: dict[str, Extent],
    way: tuple[str, ...] = (),
) -> Extent:
    """Measure what a definition makes; `known` keeps what was found.

    Raises:
        NestingFault: it calls itself, or is more than `DEPTH_MAX` deep.
    """
    name = definition.name
    if name in way:
        raise NestingFault(f"it calls itself: {' > '.join((*way[way.index(name) :], name))}")
    if definition.chain is None:
        return Extent(1, 0)
    if name not in known:
        if len(way) >= DEPTH_MAX:
            raise NestingFault(f"it is more than {DEPTH_MAX} deep: {' > '.join(way)}")
        jobs, depth = 1 + len(definition.chain.steps), 0
        for step in definition.chain.steps:
            for call in step.calls:
                called = definitions.get(call.definition)
                if called is not None:
                    below = extent_of(called, definitions, known, (*way, name))
                    jobs, depth = jobs + below.jobs, max(depth, below.depth)
        known[name] = Extent(jobs, depth + 1)
    if len(way) + known[name].depth > DEPTH_MAX:
        raise NestingFault(f"it is more than {DEPTH_MAX} deep: {' > '.join((*way, name))}")
    return known[name]


def size_refusal(world: World, definition: Definition, count: int) -> Rejection | None:
    """Refuse so many jobs of a definition if they would be more than one expansion may have."""
    if definition.chain is None:
        return None
    try:
        jobs = extent_of(definition, world.definitions, {}).jobs * count
    except NestingFault as fault:
        return Rejection(
            Reason.TOO_LARGE, f"chain {definition.name!r}: expected chains that end, but {fault}"
        )
    if jobs <= JOBS_MAX:
        return None
    return Rejection(
        Reason.TOO_LARGE,
        f"expected at most {JOBS_MAX:,} jobs of one submission of a chain, its steps and calls"
        f" counted, but {definition.name!r} makes {jobs:,}",
        jobs=jobs,
        jobs_max=JOBS_MAX,
    )


def step_place(definition: Definition, name: str) -> int:
    """The place of a step in its chain; -1 if it has none of that name."""
    steps = definition.chain.steps if definition.chain is not None else ()
    return next((place for place, step in enumerate(steps) if step.name == name), -1)


def start_refusal(definition: Definition, step: str) -> Rejection | None:
    """Refuse a start at a step that there is not."""
    if not step or step_place(definition, step) >= 0:
        return None
    if definition.chain is None:
        sentence = f"expected a chain to start at a step, but {definition.name!r} is none"
    else:
        names = ", ".join(each.name for each in definition.chain.steps[:20])
        sentence = f"there is no step {step!r} in chain {definition.name!r} (steps: {names})"
    return Rejection(Reason.STEP_NOT_FOUND, sentence, step=step)


# -- making the jobs ----------------------------------------------------------------------------


def expand(
    world: World, turn: Turn, chain: Job, first: int = 0, *, skip: bool = False
) -> list[Member]:
    """Create a job for each step and call of a chain, those of chains within it too.

    Steps before `first` are Skipped; with `skip` all are. They are New until `settle`.
    """
    assert chain.chain is not None, "only a chain is expanded"
    members: list[Member] = []
    for place in range(len(chain.chain.steps)):
        members += expand_step(world, turn, chain, place, skip=skip or place < first)
    return members


def expand_step(
    world: World,
    turn: Turn,
    chain: Job,
    place: int,
    *,
    only: Collection[str] | None = None,
    starts: int = 0,
    hold_calls: bool = False,
    skip: bool = False,
) -> list[Member]:
    """Create the job of a step and those of its calls, or of `only` some; the step comes first."""
    assert chain.chain is not None, "only a chain has steps"
    step = chain.chain.steps[place]
    before = world.jobs.get(world.steps.get((chain.id, step.name), 0))
    job = _new(
        world,
        turn,
        chain,
        Kinship(
            parent=chain.id,
            top=chain.top or chain.id,
            role=Role.STEP,
            step=step.name,
            iteration=before.iteration + 1 if before is not None else 1,
            place=place,
            hold_when_due=step.hold,
        ),
        definition=chain.definition,
        definition_version=chain.definition_version,
        queue=SYSTEM_QUEUE,  # the chain has passed the gates of its own one
        priority=chain.priority,
        lineage=said(Lineage(starts=starts, executions=_runs(before))),
    )
    members = [Member(job, skipped=skip)]
    earlier = _newest_calls(world, before) if before is not None else {}
    for number, call in enumerate(step.calls):
        if only is None or call.name in only:
            members += _call(
                world, turn, chain, job, number, call, earlier, hold=hold_calls, skip=skip
            )
    return members


def _newest_calls(world: World, step: Job) -> dict[str, Job]:
    found = {}
    for step_id in (*step.executions, step.id):
        for call_id in world.children.get(step_id, ()):
            found[world.jobs[call_id].call] = world.jobs[call_id]
    return found


def _call(
    world: World,
    turn: Turn,
    chain: Job,
    step: Job,
    number: int,
    call: Call,
    earlier: Mapping[str, Job],
    *,
    hold: bool,
    skip: bool,
) -> Iterable[Member]:
    definition = world.definitions[call.definition]
    before = earlier.get(call.name)
    job = _new(
        world,
        turn,
        chain,
        Kinship(
            parent=step.id,
            top=chain.top or chain.id,
            role=Role.CALL,
            step=step.step,
            call=call.name,
            iteration=step.iteration,
            place=number,
            hold_when_due=hold or call.hold or definition.hold_on_submit,
        ),
        definition=definition.name,
        definition_version=definition.version,
        queue=call.queue or definition.queue,
        priority=call.priority or definition.priority,
        parameters=with_defaults(definition, call.parameters),
        labels=definition.labels,
        lineage=said(Lineage(executions=_runs(before))),
        timing=said(Timing(definition.window)),
        course=said(Course(definition.chain)),
    )
    off = root_of(world, job).disabled
    disabled = bool(off) and path_of(world, job) in off
    yield Member(
        job,
        fault=parameter_fault(definition, call.parameters),
        ignored=call.disabled,
        disabled=disabled,
        skipped=skip,
    )
    if definition.chain is not None and not disabled and not call.disabled:
        yield from expand(world, turn, job, skip=skip)


def _runs(before: Job | None) -> tuple[int, ...]:
    """Earlier runs of a step or call, of which this was the last."""
    return (*before.executions, before.id) if before is not None else ()


def _new(world: World, turn: Turn, within: Job, kinship: Kinship, **fields: object) -> Job:
    now_ms = turn.now_ms
    job = Job(
        id=world.next_job,
        lifecycle=within.lifecycle,
        created_ms=now_ms,
        start_ms=now_ms,
        top_start_ms=within.top_start_ms,
        submitted_by=within.submitted_by,
        reference=within.reference,
        kinship=kinship,
        **fields,  # type: ignore[arg-type]
    )
    turn.create(job, Trigger.SUBMIT)
    return job


def complete(world: World, turn: Turn, chain: Job) -> None:
    """Give a chain that was Modified its steps: it got none when it could not be prepared."""
    definition = world.definitions[chain.definition]
    if definition.chain is not None and chain.id not in world.children:
        person = turn.cause
        turn.set(chain, chain=definition.chain, definition_version=definition.version)
        settle(turn, expand(world, turn, chain))
        turn.follow_up(Actor(person.actor), person.author, person.reason)


def settle(turn: Turn, members: list[Member]) -> None:
    """Give new steps and calls their first status (TR-005 to TR-007, TR-010, TR-017)."""
    turn.follow_up(Actor.SYSTEM, "chains")
    for job, fault, ignored, disabled, _ in members:
        if fault and not (ignored or disabled):
            turn.set(job, fault=Fault("INVALID_PARAMETER", fault))
            turn.move(job, Trigger.FAIL_VALIDATION, fault)
        elif not ignored and not disabled:
            turn.move(job, Trigger.EXPAND)
    rest = [each for each in members if each.ignored or each.disabled or each.skipped]
    if not rest:
        return
    turn.follow_up(Actor.CHAIN, "chains")
    for job, fault, ignored, disabled, skipped in rest:
        if disabled:
            turn.move(job, Trigger.COPY_DISABLED)
        elif ignored:
            turn.move(job, Trigger.IGNORE)
        elif skipped and not fault:
            turn.move(job, Trigger.START_AT_LATER_STEP)


# -- where a job stands -------------------------------------------------------------------------


def chain_of(world: World, job: Job) -> Job:
    """The chain of a step or call."""
    parent = world.jobs[job.parent]
    return world.jobs[parent.parent] if job.role is Role.CALL else parent


def root_of(world: World, job: Job) -> Job:
    """The chain that no other chain calls, of a step or call, or of itself."""
    while job.role is not Role.PLAIN:
        job = world.jobs[job.parent]
    return job


def path_of(world: World, job: Job) -> tuple[str, ...]:
    """The names of the steps and calls that lead to a call from its root."""
    names: list[str] = []
    while job.role is Role.CALL:
        names += (job.call, job.step)
        job = chain_of(world, job)
    return tuple(reversed(names))


def step_of(chain: Job, step: Job) -> Step:
    """What the definition of the chain says about the step that a job is."""
    assert chain.chain is not None, "only a chain has steps"
    return chain.chain.steps[step.place]


def descendants(world: World, job: Job) -> Iterator[Job]:
    """All steps and calls below a chain or step, each after the one that it belongs to."""
    waiting = [iter(world.children.get(job.id, ()))]
    while waiting:
        child_id = next(waiting[-1], None)
        if child_id is None:
            waiting.pop()
            continue
        child = world.jobs[child_id]
        if child.role is not Role.PLAIN:
            yield child
            waiting.append(iter(world.children.get(child_id, ())))
