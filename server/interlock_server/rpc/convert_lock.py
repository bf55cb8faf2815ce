"""Locks: requests to commands, and records to messages."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from interlock.v1 import lock_pb2 as pb
from interlock_server.core.command import PutLocks
from interlock_server.core.model.lock import Lock, LockKind
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from interlock.v1 import lock_service_pb2
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
COUNTS_MAX: Final = 1_000_000
HOLDERS_SHOWN_MAX: Final = 20
_OUTPUT: Final = ("held", "holder_count", "holders", "waiting", "version", "update_time")


def put_locks(request: lock_service_pb2.PutLocksRequest) -> PutLocks:
    """Check locks to write."""
    validate.batch("locks", len(request.locks))
    locks = tuple(_record(f"locks[{index}]", each) for index, each in enumerate(request.locks))
    validate.distinct("locks", [each.name for each in locks])
    return PutLocks(locks)


def _record(path: str, given: pb.Lock) -> Lock:
    validate.unset(path, given, _OUTPUT)
    kind = LockKind(
        validate.choice(f"{path}.kind", given.kind, (0, *LockKind), "kind of locks")
        or LockKind.SIMPLE
    )
    counts = validate.number(f"{path}.counts", given.counts, 0, COUNTS_MAX) or 1
    if kind is LockKind.SIMPLE and counts > 1:
        raise InvalidArgument(
            f"{path}.counts",
            f"expected 1, because the lock is simple, but got {counts};"
            " use a counted or shared/exclusive lock",
        )
    return Lock(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        kind=kind,
        counts=counts,
    )


def message(record: Lock, world: World) -> pb.Lock:
    """A lock, with who has it and how many wait for it now."""
    lines = world.lock_lines
    holders = lines.holders.get(record.name, {})
    found = pb.Lock(
        name=record.name,
        description=record.description,
        kind=pb.LockKind.ValueType(record.kind),
        counts=record.counts,
        held=lines.held(record.name),
        holder_count=len(holders),
        holders=[
            pb.LockHolder(job=job, counts=counts, exclusive=record.name in lines.exclusive)
            for job, counts in islice(holders.items(), HOLDERS_SHOWN_MAX)
        ],
        waiting=lines.count(record.name),
        version=record.version,
    )
    if record.updated_ms:
        found.update_time.FromMilliseconds(record.updated_ms)
    return found
