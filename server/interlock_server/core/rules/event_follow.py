"""What named events bring at the end of a turn (domain.md B6).

Jobs raise and clear them by reaching a status, and raises submit definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from interlock_server.core.command import NewJob, SubmitJobs
from interlock_server.core.model.definition import AutoSubmit
from interlock_server.core.model.job import Role
from interlock_server.core.rules import named_event, return_code, submission
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET
from interlock_server.core.vocabulary.status import STATUS_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.model.definition import EventRaise
    from interlock_server.core.model.job import Job
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: Definitions whose submission in this turn led to a job, by job. A raise that such a job causes at
#: once submits none of them again, or the turn might never end.
LedTo: TypeAlias = dict[int, frozenset[str]]
_NOTHING: Final = frozenset[str]()


def follow(world: World, turn: Turn, first_block: int) -> Iterator[bool]:
    """Do what follows from all changes since the last step, from the first block of the turn on.

    Yields whether anything did, which may bring more to follow, here and elsewhere.
    """
    led_to: LedTo = {}
    changes = _changes(turn, first_block)
    while True:
        followed = _submit(world, turn, led_to, _NOTHING)
        for job_id, row in iter(lambda: next(changes), None):
            job = world.jobs[job_id]
            origin = _origin(led_to, job)
            if job.definition not in world.raisers or job.role is Role.STEP:
                continue
            status = int(ROW_TARGET[row])
            for each in world.definitions[job.definition].event_raises:
                if status in each.statuses and _code_fits(each, job):
                    _act(world, turn, each, job, status)
                    _submit(world, turn, led_to, origin)
                    followed = True
        yield followed


def _changes(turn: Turn, first_block: int) -> Iterator[tuple[int, int] | None]:
    """The changes of a turn, each once, as job and row; None whenever there is none for now."""
    blocks, number, place = turn.draft.blocks, first_block, 0
    while True:
        if number < len(blocks) and place < len(blocks[number]):
            block = blocks[number]
            yield block.jobs[place], block.rows[place]
            place += 1
        elif number < len(blocks) - 1:  # the last one may still grow
            number, place = number + 1, 0
        else:
            yield None


def _origin(led_to: LedTo, job: Job) -> frozenset[str]:
    found = led_to.get(job.id, _NOTHING)
    if not found and led_to:
        found = led_to.get(job.restarted_from, _NOTHING) | led_to.get(job.parent, _NOTHING)
        if found:
            led_to[job.id] = found
    return found


def _act(world: World, turn: Turn, each: EventRaise, job: Job, status: int) -> None:
    comment = each.comment or f"{job.definition} is {STATUS_NAME[status]}"
    turn.follow_up(Actor.JOB, f"job {job.id}", comment)
    if each.clears:
        named_event.clear_event(world, turn, each.event)
    else:
        named_event.raise_event(world, turn, each.event, comment)


def _submit(world: World, turn: Turn, led_to: LedTo, origin: frozenset[str]) -> bool:
    """Submit what the raises so far submit; whether there was any raise."""
    any_raised = bool(turn.raised)
    while turn.raised:
        event, comment = turn.raised.pop(0)
        for name in tuple(world.auto_submits.get(event, ())):
            only_one = world.definitions[name].auto_submit is AutoSubmit.ONLY_ONE
            if name in origin or (only_one and world.live_counts.get(name)):
                continue
            turn.follow_up(Actor.NAMED_EVENT, event, comment)
            (outcome,) = submission.submit(world, turn, SubmitJobs((NewJob(name),)))
            if outcome.job:
                led_to[outcome.job] = origin | {name}
    return any_raised


def _code_fits(each: EventRaise, job: Job) -> bool:
    return not each.return_codes or return_code.means_completed(each.return_codes, job.return_code)
