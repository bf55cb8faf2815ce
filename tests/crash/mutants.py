"""The server with one planted bug, named by INTERLOCK_MUTANT: `python -m tests.crash.mutants ...`.

A checker that finds nothing proves nothing until it has found what is known to be wrong. Only this
launcher reads the variable; it changes the server in its own process and then runs it.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock.v1.watch_service_pb2 import WatchResponse
from interlock_server import __main__ as program
from interlock_server.checkpoint import Checkpoint
from interlock_server.core import apply
from interlock_server.core.rejection import Rejection
from interlock_server.core.rules import report
from interlock_server.engine import Engine
from interlock_server.partition import Partition
from interlock_server.rpc.convert_event import Wire
from interlock_server.rpc.watch_stream import WatchStream
from interlock_server.storage.journal import SqliteJournal
from interlock_server.watch.history import History
from tests.support.real_time import pass_time

if TYPE_CHECKING:
    from collections.abc import Callable

ENVIRONMENT: Final = "INTERLOCK_MUTANT"
#: How long a commit takes, so that a kill falls between the mistake and the commit.
SLOW_S: Final = 0.1


def none() -> None:
    """The server as it is, but with slow commits: nothing may be found."""
    real = Partition.commit

    async def commit(self: Partition, group: Any) -> None:
        await pass_time(SLOW_S)
        await real(self, group)

    _replace(Partition, "commit", commit)


def ack_before_fsync() -> None:
    """Answers are sent before the group is durable."""
    real = Partition.commit

    async def commit(self: Partition, group: Any) -> None:
        for future, reply in group.replies:
            if not future.done() and isinstance(reply, Rejection):
                future.set_exception(reply)
            elif not future.done():
                future.set_result(reply)
        await pass_time(SLOW_S)
        await real(self, group)

    _replace(Partition, "commit", commit)


def publish_before_fsync() -> None:
    """Watchers hear of a group before it is durable."""
    real_commit, real_publish = Partition.commit, Partition.publish

    async def commit(self: Partition, group: Any) -> None:
        real_publish(self, group)
        await pass_time(SLOW_S)
        await real_commit(self, group)

    _replace(Partition, "commit", commit)
    _replace(Partition, "publish", lambda _self, _group: None)


def read_before_fsync() -> None:
    """Reads show what is decided and not yet durable."""
    none()

    async def barrier(_self: Engine) -> None:
        return

    _replace(Engine, "barrier", barrier)


def resume_off_by_one() -> None:
    """A watch that is resumed leaves the next change out."""
    real = History.cursor

    def cursor(self: History, after_revision: int) -> Any:
        skipped = after_revision and after_revision < self.head_revision
        return real(self, after_revision + 1 if skipped else after_revision)

    _replace(History, "cursor", cursor)


def missing_fence_check() -> None:
    """A report counts whatever attempt it is about."""
    real = report._apply_all

    def apply_all(world: Any, turn: Any, name: str, command: Any) -> Any:
        fences = [
            world.jobs[job].fence if job in world.jobs else fence
            for job, fence in zip(
                command.jobs,
                command.fences * (len(command.jobs) // len(command.fences)),
                strict=True,
            )
        ]
        return real(world, turn, name, msgspec.structs.replace(command, fences=fences))

    _replace(report, "_apply_all", apply_all)


def lost_deduplication() -> None:
    """Answers to request ids do not survive a restart."""

    async def load_answers(_self: SqliteJournal, _newer_than_ms: int) -> list[Any]:
        return []

    _replace(SqliteJournal, "load_answers", load_answers)


def torn_turn() -> None:
    """A turn is sent to watchers in parts."""
    real = WatchStream._encode

    def encode(self: WatchStream, commits: Any) -> list[Wire]:
        return [part for wire in real(self, commits) for part in _parts(wire)]

    _replace(WatchStream, "_encode", encode)


def _parts(wire: Wire) -> list[Wire]:
    message = WatchResponse.FromString(wire.data)
    if len(message.columns.blocks) < 2:
        return [wire]
    parts = []
    for block in message.columns.blocks:
        part = WatchResponse()
        part.columns.blocks.append(block)
        revision = block.first_revision + len(block.jobs) - 1
        parts.append(Wire(revision, part.SerializeToString()))
    return parts


def forget_timer() -> None:
    """The end of Uncertain is not watched for."""
    real = apply._add_deadline

    def add_deadline(world: Any, job: Any, field: str) -> None:
        if field != "uncertain_until_ms":
            real(world, job, field)

    _replace(apply, "_add_deadline", add_deadline)


def snapshot_forgets_a_job() -> None:
    """A snapshot lacks some live jobs: of a single one, the end may come before the kill does."""
    real = Checkpoint._resting

    def take(self: Checkpoint, jobs: Any) -> Any:
        return (job for place, job in enumerate(real(self, jobs)) if place % 3)

    _replace(Checkpoint, "_resting", take)


def _replace(where: object, name: str, what: object) -> None:
    assert hasattr(where, name), f"{where} has no {name} any more; plant the bug elsewhere"
    setattr(where, name, what)


MUTANTS: Final[dict[str, Callable[[], None]]] = {
    plant.__name__: plant
    for plant in (
        none,
        ack_before_fsync,
        publish_before_fsync,
        read_before_fsync,
        resume_off_by_one,
        missing_fence_check,
        lost_deduplication,
        torn_turn,
        forget_timer,
        snapshot_forgets_a_job,
    )
}


if __name__ == "__main__":
    MUTANTS[os.environ[ENVIRONMENT]]()
    sys.exit(program.main())
