"""A turn: one command and all that follows from it, applied and recorded for the journal.

Rules call `move` and `set`; each is applied at once, so a follow-up sees what came before it. A
rule that
refuses does so before it writes anything. Turns of one group append to the same `Draft`.
"""

from __future__ import annotations

from copy import copy
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import msgspec

from interlock_server.core import apply
from interlock_server.core.change import Cause, ChangeBlock
from interlock_server.core.fact import Fact, FactKind
from interlock_server.core.model.lock import Lock
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer
from interlock_server.core.model.schedule import Schedule
from interlock_server.core.model.statistic import RunTimes
from interlock_server.core.model.window import TimeWindow
from interlock_server.core.vocabulary.lifecycle import NEXT, ROWS, creation_row
from interlock_server.core.vocabulary.trigger import TRIGGER_NUMBERS, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlock_server.core.model.definition import Definition, RestartBehavior
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.medium import Medium
    from interlock_server.core.model.queue import Queue
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.vocabulary.actor import Actor
    from interlock_server.core.world import World

#: Who may cause a row, as bits by actor number, indexed by row number.
_ALLOWED: Final = tuple(
    sum(1 << actor for actor in row.actors) if row is not None else 0 for row in ROWS
)


CatalogRecord: TypeAlias = TimeWindow | NamedEvent | Lock | ProcessServer | Schedule | RunTimes
#: How each kind of record is written: the fact that puts it, the one that deletes it, and apply.
_CATALOG: Final[dict[type, tuple[FactKind, FactKind, Callable[[World, Any], None]]]] = {
    TimeWindow: (FactKind.PUT_WINDOW, FactKind.DELETE_WINDOW, apply.put_window),
    NamedEvent: (FactKind.PUT_EVENT, FactKind.DELETE_EVENT, apply.put_event),
    Lock: (FactKind.PUT_LOCK, FactKind.DELETE_LOCK, apply.put_lock),
    ProcessServer: (FactKind.PUT_SERVER, FactKind.DELETE_SERVER, apply.put_server),
    Schedule: (FactKind.PUT_SCHEDULE, FactKind.DELETE_SCHEDULE, apply.put_schedule),
    RunTimes: (FactKind.PUT_RUN_TIMES, FactKind.DELETE_RUN_TIMES, apply.put_run_times),
}


def _key_of(record: CatalogRecord) -> str:
    return record.definition if isinstance(record, RunTimes) else record.name


class EffectKind(IntEnum):
    """What a robot is told; the orders have the numbers of interlock.v1.OrderKind."""

    OFFER = 0
    STOP = 1
    KILL = 2
    CANCEL = 3
    FORGET = 4
    REPLY = 5
    START = 6
    RUN_PRE_RUNNING = 7
    RUN_POST_RUNNING = 8


class Effect(NamedTuple):
    """An offer or an order for a robot, about one attempt of a job."""

    robot: str
    kind: EffectKind
    job: Job
    fence: int
    message: int = 0
    reply: str = ""


class Draft:
    """What the turns of one group changed, in order: the content of one commit."""

    __slots__ = ("blocks", "effects", "facts", "media", "media_dropped")

    def __init__(self) -> None:
        """Start with nothing changed."""
        self.blocks: list[ChangeBlock] = []
        self.facts: list[Fact] = []
        #: What robots have to be told once this is durable.
        self.effects: list[Effect] = []
        #: Recordings: they are about archived jobs as well, so World knows nothing of them.
        self.media: list[Medium] = []
        #: (job, name)
        self.media_dropped: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        """Whether anything has to be made durable."""
        return bool(self.blocks or self.facts or self.media or self.media_dropped)


class Turn:
    """One command at work. `cause` is recorded with every change."""

    __slots__ = ("_at_gates", "_block", "_first_block", "cause", "draft", "raised", "world")

    def __init__(self, world: World, draft: Draft, cause: Cause) -> None:
        """Begin a turn; `cause.at_ms` is the only time it knows."""
        self.world = world
        self.draft = draft
        self.cause = cause
        #: Named events that were raised, with the comments; what they submit follows at its end.
        self.raised: list[tuple[str, str]] = []
        self._at_gates: dict[int, Job] = {}
        self._block: ChangeBlock | None = None
        self._first_block = len(draft.blocks)

    @property
    def now_ms(self) -> int:
        """The instant at which everything in this turn happens."""
        return self.cause.at_ms

    def end(self) -> None:
        """Mark the blocks of this turn as one whole."""
        for block in self.draft.blocks[self._first_block : -1]:
            block.continues = True

    def follow_up(self, actor: Actor, author: str, reason: str = "") -> None:
        """Let somebody else be the author of what follows in this turn."""
        cause = self.cause
        if (cause.actor, cause.author, cause.reason) == (actor, author, reason):
            return  # what follows belongs into the same block
        self.cause = msgspec.structs.replace(cause, actor=int(actor), author=author, reason=reason)
        self._block = None

    def bring_to_gates(self, job: Job) -> None:
        """Let the gates of a job run when the command has done its part, by `admission.admit`."""
        self._at_gates[job.id] = job

    def take_from_gates(self) -> list[Job]:
        """Return the jobs that were brought to the gates, each once, and forget them."""
        jobs, self._at_gates = list(self._at_gates.values()), {}
        return jobs

    # -- status changes -------------------------------------------------------------------------

    def may(self, job: Job, trigger: Trigger) -> bool:
        """Whether there is a row for this trigger, and who speaks now may cause it."""
        row = NEXT[job.status * TRIGGER_NUMBERS + trigger]
        return bool(_ALLOWED[row] >> self.cause.actor & 1)

    def move(self, job: Job, trigger: Trigger, reason: str = "") -> None:
        """Change the status along the row of this trigger.

        The rule has made sure that there is one.
        """
        row = NEXT[job.status * TRIGGER_NUMBERS + trigger]
        assert row, f"no row for status {job.status} and trigger {trigger!r}"
        self._record(job, row, reason)

    def move_all(self, jobs: Sequence[Job], trigger: Trigger) -> None:
        """As `move` for each of some jobs that are in the same status, in half the time."""
        world, block = self.world, self._block or self._open_block()
        status = jobs[0].status
        row = NEXT[status * TRIGGER_NUMBERS + trigger]
        assert row, f"no row for status {status} and trigger {trigger!r}"
        assert _ALLOWED[row] >> self.cause.actor & 1, f"actor {self.cause.actor}, row {row}"
        apply.move_all(world, jobs, row, self.cause, world.revision + 1)
        block.jobs += [job.id for job in jobs]
        block.rows += bytes([row]) * len(jobs)
        definitions, queues, robots = (
            world.definition_numbers,
            world.queue_numbers,
            world.robot_numbers,
        )
        block.definitions += [definitions[job.definition] for job in jobs]
        block.queues += [queues[job.queue] for job in jobs]
        block.robots += [robots[job.robot] for job in jobs]

    def _record(self, job: Job, row: int, reason: str) -> None:
        world, block, cause = self.world, self._block, self.cause
        assert _ALLOWED[row] >> cause.actor & 1, f"actor {cause.actor} may not cause row {row}"
        if block is None:
            block = self._open_block()
        if reason and reason != cause.reason:
            block.notes[len(block.jobs)] = reason
            cause = msgspec.structs.replace(cause, reason=reason)
        apply.move(world, job, row, cause, world.revision + 1)
        block.jobs.append(job.id)
        block.rows.append(row)
        block.definitions.append(world.definition_numbers[job.definition])
        block.queues.append(world.queue_numbers[job.queue])
        block.robots.append(world.robot_numbers[job.robot])

    def _open_block(self) -> ChangeBlock:
        world = self.world
        block = self._block = ChangeBlock(world.revision + 1, self.cause)
        block.names, world.pending_names = world.pending_names, []
        self.draft.blocks.append(block)
        return block

    # -- everything else ------------------------------------------------------------------------

    def _fact(self, kind: FactKind, key: int | str, value: Any) -> None:
        self.draft.facts.append(Fact(self.world.revision, int(kind), key, value))

    def create(self, job: Job, trigger: Trigger, reason: str = "") -> None:
        """Take in a new job and give it its first status."""
        as_created = copy(job)  # half the time of `msgspec.structs.replace`
        as_created.entries = []
        self._fact(FactKind.CREATE_JOB, job.id, as_created)
        apply.create_job(self.world, job)
        self._record(job, creation_row(job.lifecycle, trigger), reason)

    def set(self, job: Job, **fields: Any) -> None:
        """Assign fields of a job other than its status."""
        self._fact(FactKind.SET_JOB, job.id, fields)
        apply.set_job(self.world, job, fields)

    def forget(self, job_id: int) -> None:
        """Let a final job leave memory."""
        self._fact(FactKind.FORGET_JOB, job_id, None)
        apply.forget_job(self.world, job_id)

    def put_definition(self, definition: Definition) -> None:
        """Write one version of a definition."""
        self._fact(FactKind.PUT_DEFINITION, definition.name, definition)
        apply.put_definition(self.world, definition)

    def delete_definition(self, name: str) -> None:
        """Remove a definition."""
        self._fact(FactKind.DELETE_DEFINITION, name, None)
        apply.delete_definition(self.world, name)

    def put_queue(self, queue: Queue) -> None:
        """Write one version of a queue."""
        self._fact(FactKind.PUT_QUEUE, queue.name, queue)
        apply.put_queue(self.world, queue)

    def delete_queue(self, name: str) -> None:
        """Remove a queue."""
        self._fact(FactKind.DELETE_QUEUE, name, None)
        apply.delete_queue(self.world, name)

    def put(self, record: CatalogRecord) -> None:
        """Write one version of an object of the catalog that has no number."""
        kind, _, write = _CATALOG[type(record)]
        self._fact(kind, _key_of(record), record)
        write(self.world, record)

    def delete(self, record: CatalogRecord) -> None:
        """Remove an object of the catalog that has no number."""
        _, kind, _ = _CATALOG[type(record)]
        self._fact(kind, _key_of(record), None)
        apply.delete_record(self.world, int(kind), _key_of(record))

    def put_restart_defaults(self, behaviors: tuple[RestartBehavior, ...]) -> None:
        """Write what follows a final status where a definition does not say."""
        self._fact(FactKind.PUT_RESTART_DEFAULTS, 0, behaviors)
        apply.put_restart_defaults(self.world, behaviors)

    def review_starts(self, author: str) -> None:
        """Let starts be found anew, because of whose change; "" when they were."""
        self._fact(FactKind.REVIEW_STARTS, 0, author)
        apply.review_starts(self.world, author)

    def set_moving_queue(self, name: str, author: str) -> None:
        """Remember whose hold or release of a queue its jobs have to follow; "" when they have."""
        self._fact(FactKind.MOVE_QUEUE, name, author)
        apply.set_moving_queue(self.world, name, author)

    def put_robot(self, robot: Robot, **changes: Any) -> None:
        """Write a robot's record, with these changes."""
        robot = msgspec.structs.replace(robot, **changes)
        self._fact(FactKind.PUT_ROBOT, robot.name, robot)
        apply.put_robot(self.world, robot)

    def set_sequence(self, name: str, sequence: int, refused: list[Any]) -> None:
        """Remember the newest report batch of a robot, and what of it was refused."""
        self._fact(FactKind.SET_SEQUENCE, name, (sequence, refused))
        apply.set_sequence(self.world, name, sequence, refused)

    def delete_robot(self, name: str) -> None:
        """Remove a robot that has no jobs."""
        assert not self.world.robot_jobs.get(name), f"robot {name} still has jobs"
        self._fact(FactKind.DELETE_ROBOT, name, self.world.next_epoch)
        apply.delete_robot(self.world, name)

    def keep_medium(self, medium: Medium) -> None:
        """Write what is known of a recording, beside its job wherever that is."""
        self.draft.media.append(medium)

    def drop_medium(self, job: int, name: str) -> None:
        """Forget a recording."""
        self.draft.media_dropped.append((job, name))

    def tell(self, job: Job, kind: EffectKind, message: int = 0, reply: str = "") -> None:
        """Tell the robot that has the job about it, once the group is durable."""
        self.draft.effects.append(Effect(job.robot, kind, job, job.fence, message, reply))
