"""Reasons of jobs that wait in a queue: the queue, its locks, those before it, and the robots."""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Final

from interlock_server.core.explain import robots
from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.explain.sight import JOBS_MAX, Sight, first
from interlock_server.core.gate import Closed
from interlock_server.core.holding import runs_chain
from interlock_server.core.lane import order_of, waits
from interlock_server.core.rules import lock
from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.lane import Lane, Order
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World

#: Jobs before it that are counted; looking at them holds up the engine.
COUNTED_MAX: Final = 10_000


def of_waiting(sight: Sight, job: Job) -> list[Reason]:
    """All that keeps a job in its queue, whether it stands there already or would come there."""
    found = [*_queue(sight, job), *_locks(sight, job)]
    chain = sight.world.definitions.get(job.definition)
    if chain is None or chain.chain is None:
        found += robots.of_job(sight, job)
    return [*found, *_order(sight, job)]


def _queue(sight: Sight, job: Job) -> list[Reason]:
    world = sight.world
    queue = world.queues.get(job.queue)
    closed = world.queue_gate(job.queue) if queue is not None else None
    if queue is None or closed is None:
        return []
    if closed is Closed.QUEUE_HELD:
        why = f": {queue.hold_reason}" if queue.hold_reason else ""
        return [
            Reason(
                kind=ReasonKind.QUEUE_HELD,
                sentence=f"queue {queue.name!r} is held{why}",
                object=queue.name,
                by=queue.held_by,
            )
        ]
    if closed is Closed.QUEUE_WINDOW:
        return [
            Reason(
                kind=ReasonKind.WINDOW,
                sentence=f"time window {queue.window!r} of queue {queue.name!r} is closed",
                object=queue.window,
                until_ms=queue.changes_ms,
            )
        ]
    holders = [
        each.id
        for each in world.jobs.values()
        if each.queue == queue.name
        and (each.attached or (queue.counts_chains and runs_chain(each)))
    ]
    return [
        Reason(
            kind=ReasonKind.QUEUE_FULL,
            sentence=f"queue {queue.name!r} has as many jobs at once as its execution size of "
            f"{queue.execution_size} allows: {sight.named(holders)}",
            object=queue.name,
            jobs=first(holders),
        )
    ]


def _locks(sight: Sight, job: Job) -> list[Reason]:
    """Locks that it cannot have now: they are held, or others wait for them before it."""
    world = sight.world
    found = []
    for need in () if job.locks else lock.needs_of(world, job):
        if lock.may_have(world, job, need):
            continue
        name = need.lock
        holders = world.lock_lines.holders.get(name, {})
        before = world.lock_lines.first(name, world.jobs)
        if name not in world.locks:
            sentence = f"lock {name!r} is gone"
        elif before is not None and before.id != job.id and order_of(before) < order_of(job):
            sentence = f"{sight.named([before.id])} waits for lock {name!r} before it"
        else:
            sentence = f"lock {name!r} is held by {sight.named(holders)}"
        found.append(
            Reason(
                kind=ReasonKind.LOCK,
                sentence=sentence,
                object=name,
                since_ms=job.changed_ms if job.status == Status.REDWOOD_LOCK_WAIT else 0,
                jobs=first(holders or ([before.id] if before else [])),
            )
        )
    return found


def _order(sight: Sight, job: Job) -> list[Reason]:
    """Those of its queue that go before it."""
    world = sight.world
    if not waits(job):
        return []
    own = order_of(job)
    before = list(islice(_before(world, job.queue, own), COUNTED_MAX))
    if not before:
        return []
    first_of_all = [order[3] for order in nsmallest(JOBS_MAX, before)]
    count = f"at least {COUNTED_MAX:,}" if len(before) == COUNTED_MAX else f"{len(before):,}"
    return [
        Reason(
            kind=ReasonKind.ORDER,
            sentence=f"{count} of queue {job.queue!r} go before it, first "
            f"{sight.named(first_of_all[:1])}",
            object=job.queue,
            jobs=tuple(first_of_all),
            position=len(before),
        )
    ]


def _before(world: World, queue: str, own: Order) -> Iterator[Order]:
    """Places in the dispatch order of a queue before one; in no order, each once.

    A job that left its lane and came back to the same place stands in the heap twice.
    """
    seen: set[Order] = set()
    for lane in world.lanes.by_queue.get(queue, ()):
        for order in lane.heap:
            if order < own and order not in seen and _stands(world, lane, order):
                seen.add(order)
                yield order


def _stands(world: World, lane: Lane, entry: Order) -> bool:
    job = world.jobs.get(entry[3])
    return job is not None and lane.holds(job) and order_of(job) == entry
