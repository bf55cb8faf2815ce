"""Locks: what they are, who gets them, and in which order (domain.md B5, RA-14).

A job gets all that it needs or nothing, in the turn that dispatches it or that lets it leave
LockWait. Nobody takes a lock past somebody who stands before them in the dispatch order and waits
for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.lane import order_of
from interlock_server.core.model.job import Role
from interlock_server.core.model.lock import HeldLock, Lock, LockKind
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.queue import follow_hold
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.command import DeleteLocks, GrantLocks, PutLocks
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.lock import LockNeed
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def missing(name: str) -> Rejection:
    """Refuse because there is no such lock."""
    return Rejection(Reason.LOCK_NOT_FOUND, f"there is no lock {name!r}; put it first")


# -- who gets them ------------------------------------------------------------------------------


def reserve(world: World, turn: Turn, job: Job) -> bool:
    """Give a job that is next its locks; if it cannot have all, it waits for one (TR-040)."""
    if job.locks:
        return True  # granted while it waited
    needs = needs_of(world, job)
    if not needs:
        return True
    lacking = lacking_lock(world, job)
    if not lacking:
        turn.set(job, locks=_all_of(world, needs))
        return True
    turn.move(job, Trigger.AWAIT_LOCK, f"waits for lock {lacking}")
    turn.set(job, awaits_lock=lacking)
    return False


def grant(world: World, turn: Turn, command: GrantLocks) -> bool:
    """Give locks that were given back to those who wait for them; whether more is left.

    Whoever is first in line and cannot have all that they need stands in the line of another one,
    or keeps everybody behind them from passing.
    """
    lines, left = world.lock_lines, command.jobs_max
    while lines.dirty and left > 0:
        name = next(iter(lines.dirty))
        job = lines.first(name, world.jobs)
        if job is None or not _let_go(world, turn, job):
            lines.dirty.pop(name, None)
        left -= 1
    return bool(lines.dirty)


def _let_go(world: World, turn: Turn, job: Job) -> bool:
    """Grant a waiting job its locks, or let it stand where the missing one is; whether it moved."""
    lacking = lacking_lock(world, job)
    if lacking == job.awaits_lock:
        return False
    if lacking:
        turn.set(job, awaits_lock=lacking)
        return True
    turn.follow_up(Actor.DISPATCHER, "dispatcher")
    turn.move(job, Trigger.GRANT_LOCKS)
    if not follow_hold(world, turn, job):
        turn.set(job, locks=_all_of(world, needs_of(world, job)))
    return True


def needs_of(world: World, job: Job) -> tuple[LockNeed, ...]:
    """What a job needs now, by its definition as it is now; a step needs nothing of its own."""
    definition = world.definitions.get(job.definition)
    if definition is None or not definition.locks or job.role is Role.STEP:
        return ()
    return definition.locks


def lacking_lock(world: World, job: Job) -> str:
    """A lock that a job needs and cannot have now, before others the one it waits for; or ""."""
    found = ""
    for need in needs_of(world, job):
        if not may_have(world, job, need):
            if need.lock == job.awaits_lock:
                return need.lock
            found = found or need.lock
    return found


def may_have(world: World, job: Job, need: LockNeed) -> bool:
    """Whether a job could have this now: free, and nobody before it waits for it."""
    lines, lock = world.lock_lines, world.locks.get(need.lock)
    if lock is None or need.lock in lines.exclusive:
        return False
    first = lines.first(need.lock, world.jobs)
    if first is not None and order_of(first) < order_of(job):
        return False
    held = lines.held(need.lock)
    return not held if need.exclusive else held + need.counts <= lock.counts


def _all_of(world: World, needs: tuple[LockNeed, ...]) -> tuple[HeldLock, ...]:
    return tuple(
        HeldLock(
            need.lock,
            world.locks[need.lock].counts if need.exclusive else need.counts,
            need.exclusive,
        )
        for need in needs
    )


# -- definitions --------------------------------------------------------------------------------


def definition_refusal(world: World, definition: Definition) -> Rejection | None:
    """Say what is wrong with the locks that a definition needs; None if nothing is."""
    names = [need.lock for need in definition.locks]
    for need in definition.locks:
        lock = world.locks.get(need.lock)
        if lock is None:
            return Rejection(
                Reason.LOCK_NOT_FOUND,
                f"definition {definition.name!r} needs lock {need.lock!r}, but there is no"
                " such lock; put it first",
            )
        fault = need_fault(lock, need)
        if not fault and names.count(need.lock) > 1:
            fault = f"expected lock {need.lock!r} once, with all counts, but it stands twice"
        if fault:
            return Rejection(Reason.INVALID_FIELD, f"locks of {definition.name!r}: {fault}")
    return None


def need_fault(lock: Lock, need: LockNeed) -> str:
    """Why nobody could ever have what is needed of a lock; "" if they could."""
    if need.exclusive and lock.kind is not LockKind.SHARED_EXCLUSIVE:
        return f"lock {lock.name!r} is not shared/exclusive, so it cannot be needed exclusively"
    if not need.exclusive and need.counts > lock.counts:
        return (
            f"expected at most the {lock.counts} counts of lock {lock.name!r}, but {need.counts}"
            " are needed"
        )
    return ""


def follow_definition(world: World, turn: Turn, before: Definition, after: Definition) -> None:
    """Let jobs that wait for locks of a definition's former needs follow what it needs now."""
    if before.locks == after.locks:
        return
    cause, members = turn.cause, world.lock_lines.members
    standing = [
        world.jobs[job_id]
        for name in {need.lock: None for need in before.locks}
        for job_id in members.get(name, ())
    ]
    for job in sorted(standing, key=order_of):
        if job.definition == after.name:
            _let_go(world, turn, job)
    turn.follow_up(Actor(cause.actor), cause.author, cause.reason)


# -- commands -----------------------------------------------------------------------------------


def put(world: World, turn: Turn, command: PutLocks) -> list[Lock] | Rejection:
    """Create or change locks. What is held stays held, even if there are fewer counts now."""
    for lock in command.locks:
        for definition in world.definitions.values() if lock.name in world.locks else ():
            for need in definition.locks:
                if need.lock == lock.name and (fault := need_fault(lock, need)):
                    return Rejection(
                        Reason.CONFLICTING_DEFINITION,
                        f"definition {definition.name!r} could never get what it needs: {fault}",
                        definition=definition.name,
                    )
    return [_put(world, turn, lock) for lock in command.locks]


def _put(world: World, turn: Turn, lock: Lock) -> Lock:
    known = world.locks.get(lock.name)
    if known is not None and (
        (known.description, known.kind, known.counts) == (lock.description, lock.kind, lock.counts)
    ):
        return known
    changed = Lock(
        lock.name,
        lock.description,
        lock.kind,
        lock.counts,
        version=known.version + 1 if known else 1,
        updated_ms=turn.now_ms,
    )
    turn.put(changed)
    return changed


def delete(world: World, turn: Turn, command: DeleteLocks) -> Rejection | None:
    """Remove locks that no definition needs and no job has or waits for."""
    lines = world.lock_lines
    for name in command.names:
        if name not in world.locks:
            return missing(name)
        user = next(iter(lines.holders.get(name) or lines.members.get(name) or ()), 0)
        if user:
            what = "has it" if name in lines.holders else "waits for it"
            return Rejection(
                Reason.IN_USE,
                f"lock {name!r} is in use: job {user} {what}; end it first",
                job=user,
            )
    names = set(command.names)
    for definition in world.definitions.values():
        used = next((need.lock for need in definition.locks if need.lock in names), None)
        if used is not None:
            return Rejection(
                Reason.IN_USE,
                f"lock {used!r} is in use by definition {definition.name!r};"
                " put that without it first",
                definition=definition.name,
            )
    for name in command.names:
        turn.delete(world.locks[name])
    return None
