"""Writing recorded changes and facts into World again. Decides nothing and consults no clock.

A snapshot is fuzzy: each of its jobs carries the number of the commit after which it was copied,
and what
that commit and those before it say of the job is in it already.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from interlock_server.core import apply, waiting
from interlock_server.core.fact import FactKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock_server.core.change import ChangeBlock
    from interlock_server.core.fact import Fact
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


_DELETIONS: Final = frozenset(
    {
        FactKind.DELETE_WINDOW,
        FactKind.DELETE_EVENT,
        FactKind.DELETE_LOCK,
        FactKind.DELETE_SERVER,
        FactKind.DELETE_SCHEDULE,
        FactKind.DELETE_RUN_TIMES,
    }
)


#: After every revision.
_NEVER: Final = 1 << 64


class ReplayError(Exception):
    """What was recorded does not fit together; the sentence says where."""


class Replay:
    """Replays commits, in order, onto a World that came from a snapshot."""

    def __init__(self, world: World) -> None:
        """Start from a World with everything but its jobs."""
        self.world = world
        apply.begin_replay(world)
        #: Of the jobs of the snapshot, and the newest of them.
        self._stamps: dict[int, int] = {}
        self._newest_stamp = 0
        #: Jobs that the snapshot does not have because they had left memory when it came to them.
        self._gone: set[int] = set()

    def take_in(self, jobs: list[Job], stamp: int) -> None:
        """Take jobs of the snapshot, as they were after commit `stamp`."""
        world = self.world
        for job in jobs:
            apply.take_in(world, job)
        self._stamps.update(dict.fromkeys([job.id for job in jobs], stamp))
        self._newest_stamp = max(self._newest_stamp, stamp)

    def commit(self, number: int, blocks: Sequence[ChangeBlock], facts: Sequence[Fact]) -> None:
        """Apply one commit: its changes in order, and each fact in its place between them."""
        pending = deque(facts)
        for block in blocks:
            self._block(number, block, pending)
        for fact in pending:
            self._fact(number, fact)
        self.world.spilled.clear()  # written with the same commit

    def _block(self, number: int, block: ChangeBlock, pending: deque[Fact]) -> None:
        world, jobs, cause, notes = self.world, self.world.jobs, block.cause, block.notes
        later = number > self._newest_stamp
        revision, job_id = block.first_revision, 0
        fact_after = pending[0].after if pending else _NEVER
        try:
            for job_id, row in zip(block.jobs, block.rows, strict=True):
                while fact_after < revision:
                    self._fact(number, pending.popleft())
                    fact_after = pending[0].after if pending else _NEVER
                # The plain case goes without another call: a fifth of the time of a tail.
                job = jobs.get(job_id) if later else None
                if job is None:
                    job = self._job(number, job_id)
                if job is None:
                    world.revision = revision
                elif notes and (note := notes.get(revision - block.first_revision)) is not None:
                    noted = msgspec.structs.replace(cause, reason=note)
                    apply.move(world, job, row, noted, revision)
                else:
                    apply.move(world, job, row, cause, revision)
                revision += 1
        except AssertionError as error:
            raise ReplayError(
                f"commit {number}, revision {revision}, job {job_id}: {error}"
            ) from error

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises:
            ReplayError: a change speaks of a job that neither the snapshot nor the journal has.
        """
        if self._gone:
            raise ReplayError(
                f"the journal speaks of jobs that are nowhere: {sorted(self._gone)[:5]}"
            )
        self._stamps.clear()
        apply.end_replay(self.world)

    def _job(self, number: int, job_id: int) -> Job | None:
        """The job that a commit writes to; None if the snapshot has the effect already."""
        if number <= self._newest_stamp and self._stamps.get(job_id, 0) >= number:
            return None
        job = self.world.jobs.get(job_id)
        if job is None:
            self._gone.add(job_id)
        return job

    def _fact(self, number: int, fact: Fact) -> None:
        world, key, value = self.world, fact.key, fact.value
        match fact.kind:
            case FactKind.CREATE_JOB:
                if value.id >= world.next_job or self._stamps.get(value.id, 0) < number:
                    world.next_job = value.id
                    apply.create_job(world, value)
            case FactKind.SET_JOB:
                job = self._job(number, int(key))
                if job is not None:
                    apply.set_job(world, job, value)
                for message in value.get("messages", ()):  # its number stays taken without the job
                    waiting.take_message_number(world, message)
            case FactKind.FORGET_JOB:
                if self._job(number, int(key)) is not None:
                    apply.forget_job(world, int(key))
                self._gone.discard(int(key))
            case _:
                _catalog_fact(world, fact)


def _catalog_fact(world: World, fact: Fact) -> None:
    key, value = str(fact.key), fact.value
    match fact.kind:
        case FactKind.PUT_DEFINITION:
            apply.put_definition(world, value)
        case FactKind.DELETE_DEFINITION:
            apply.delete_definition(world, key)
        case FactKind.PUT_QUEUE:
            apply.put_queue(world, value)
        case FactKind.DELETE_QUEUE:
            apply.delete_queue(world, key)
        case FactKind.MOVE_QUEUE:
            apply.set_moving_queue(world, key, value)
        case FactKind.PUT_ROBOT:
            apply.put_robot(world, value)
        case FactKind.SET_SEQUENCE:
            apply.set_sequence(world, key, *value)
        case FactKind.DELETE_ROBOT:
            apply.delete_robot(world, key)
            apply.set_next_epoch(world, value)
        case FactKind.PUT_WINDOW:
            apply.put_window(world, value)
        case FactKind.PUT_EVENT:
            apply.put_event(world, value)
        case FactKind.PUT_LOCK:
            apply.put_lock(world, value)
        case FactKind.PUT_SERVER:
            apply.put_server(world, value)
        case FactKind.PUT_SCHEDULE:
            apply.put_schedule(world, value)
        case FactKind.PUT_RUN_TIMES:
            apply.put_run_times(world, value)
        case FactKind.PUT_RESTART_DEFAULTS:
            apply.put_restart_defaults(world, value)
        case FactKind.REVIEW_STARTS:
            apply.review_starts(world, value)
        case kind if kind in _DELETIONS:
            apply.delete_record(world, kind, key)
        case _:
            raise ReplayError(f"fact of unknown kind {fact.kind}: written by a newer release")
