"""Carries out a plan: submits its jobs in batches, lets robots run them, and watches to the end.

As fast as possible means with a bounded number of jobs under way: what waits longer than it has to
would only measure how much was submitted at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import grpc

from benchmarks.load_process import LoadProcess
from benchmarks.progress import progress
from benchmarks.replay_processes import (
    all_ready,
    robot_names,
    robot_processes,
    watcher_processes,
)
from benchmarks.replay_report import Report, percentiles
from interlock import InterlockError, connect

if TYPE_CHECKING:
    from benchmarks.progress import Progress
    from benchmarks.replay_plan import Plan
    from interlock import Interlock, JobHandle

BATCH_MAX: Final = 500
#: Jobs under way at most when nothing is waited for.
UNDER_WAY_MAX: Final = 2_000
#: Jobs that all robots together run at once; in a log there may be very many.
SLOTS: Final = 10_000
_PUT_MAX: Final = 1_000
#: How long nothing may end although something should have.
PATIENCE_SECONDS: Final = 60.0
_REACH_SECONDS: Final = 5.0
_TICK_SECONDS: Final = 0.01


class NotReached(Exception):  # noqa: N818 - says what is
    """The server does not answer."""


@dataclass(frozen=True)
class Order:
    """What is to be replayed, and with whom."""

    workload: str
    plan: Plan
    #: So many seconds of the log take one; None for no waiting at all.
    speed: float | None
    robots: int
    watchers: int
    address: str
    partition: str = "default"


@dataclass
class _Run:
    """What is known so far."""

    order: Order
    began: float = 0.0
    ended: float = 0.0
    submitted: int = 0
    #: Index in the plan and time of submission of each job.
    jobs: dict[int, tuple[int, float]] = field(default_factory=dict)
    #: Status, time and revision of each end seen; also of jobs whose submission is unanswered.
    finals: dict[int, tuple[str, float, int]] = field(default_factory=dict)
    #: When the last job that was submitted has to be over.
    due: float = 0.0
    violations: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _last_progress: float = 0.0

    @property
    def under_way(self) -> int:
        return self.submitted - len(self.finals)

    def hear_final(self, job: int, status: str, revision: int) -> None:
        now = time.monotonic()
        if job in self.finals:
            self.violations.append(
                f"job {job} became final twice: {self.finals[job][0]}, then {status}"
            )
            return
        self.finals[job] = status, now, revision
        self.ended = now
        self.changed.set()

    async def change(self, *, timeout: float = _TICK_SECONDS) -> None:
        """Wait for an end, not for long."""
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.changed.wait()

    def is_stuck(self) -> bool:
        """Whether nothing has ended for too long."""
        return time.monotonic() > max(self.ended, self.due) + PATIENCE_SECONDS


async def replay(order: Order) -> Report:
    """Run the plan on the server at the address. Raises NotReached if there is none."""
    run = _Run(order)
    async with AsyncExitStack() as stack:
        interlock = await stack.enter_async_context(
            connect(order.address, partition=order.partition, user="replay")
        )
        report = await _introduce(order)
        await _put_catalog(interlock, order.plan)
        stack.push_async_callback(_remove_catalog, interlock, order)
        robots = [
            await stack.enter_async_context(each)
            for each in robot_processes(
                order, order.plan.prefix, order.plan.definitions, SLOTS // order.robots
            )
        ]
        await all_ready(robots)
        ends = interlock.watch(states=["final"])
        await stack.enter_async_context(ends)
        start = await ends.start()
        watchers = [
            await stack.enter_async_context(each) for each in watcher_processes(order, start)
        ]
        await all_ready(watchers)
        await _work(run, interlock, ends, [*robots, *watchers])
        last = max((revision for _, _, revision in run.finals.values()), default=start)
        await _conclude(run, report, watchers, start=start, last=last)
    return report


# -- before ---------------------------------------------------------------------------------------


async def _introduce(order: Order) -> Report:
    try:
        async with connect(
            order.address, partition=order.partition, timeout=_REACH_SECONDS
        ) as interlock:
            status = await interlock.server_status()
    except InterlockError as error:
        raise NotReached(
            f"expected a server at {order.address}, but: {error}. Start one with "
            "`make serve`, or leave --address out to have one started"
        ) from None
    return Report(
        workload=order.workload,
        lifecycle=order.plan.lifecycle,
        speed="max" if order.speed is None else f"{order.speed:g}",
        robots=order.robots,
        server={
            "Interlock": status.server_version,
            "SQLite": status.sqlite_version,
            "durability": status.durability,
            "grpcio": grpc.__version__,
        },
    )


async def _put_catalog(interlock: Interlock, plan: Plan) -> None:
    for start in range(0, len(plan.queues), _PUT_MAX):
        names = plan.queues[start : start + _PUT_MAX]
        await interlock.put_queues([{"name": name} for name in names])
    definitions = plan.definition_fields()
    for start in range(0, len(definitions), _PUT_MAX):
        await interlock.put_definitions(definitions[start : start + _PUT_MAX])


async def _remove_catalog(interlock: Interlock, order: Order) -> None:
    """Leave nothing behind on a server that goes on; what is still in use stays."""
    plan = order.plan
    with suppress(InterlockError):
        await interlock.delete_robots(robot_names(order, order.plan.prefix))
    for start in range(0, len(plan.definitions), _PUT_MAX):
        with suppress(InterlockError):
            await interlock.delete_definitions(plan.definitions[start : start + _PUT_MAX])
    for start in range(0, len(plan.queues), _PUT_MAX):
        with suppress(InterlockError):
            await interlock.delete_queues(plan.queues[start : start + _PUT_MAX])


# -- the run --------------------------------------------------------------------------------------


async def _work(run: _Run, interlock: Interlock, ends: Any, processes: list[LoadProcess]) -> None:
    """Submit everything and wait until all of it is final, or nothing moves any more."""
    run.began = run.ended = run.due = time.monotonic()
    with progress("replay", len(run.order.plan.specs)) as shown:
        reading = asyncio.create_task(_hear_ends(run, ends))
        watching = [asyncio.create_task(process.hear()) for process in processes]
        working = asyncio.create_task(_submit_and_wait(run, interlock, shown))
        try:
            await asyncio.wait([working, reading, *watching], return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                # None of the others ends before it was told to: one of them has failed.
                for task in (reading, *watching):
                    if task.done():
                        task.result()
            await working
        finally:
            for task in (working, reading, *watching):
                task.cancel()
            await asyncio.gather(working, reading, *watching, return_exceptions=True)


async def _hear_ends(run: _Run, ends: Any) -> None:
    async for changes in ends.batches():
        for change in changes:
            run.hear_final(change.job, str(change.to_status), change.revision)


async def _submit_and_wait(run: _Run, interlock: Interlock, shown: Progress) -> None:
    order = run.order
    plan = order.plan
    first_s = plan.records[0].submit_s if plan.records else 0.0
    total = len(plan.specs)
    while run.submitted < total and not run.is_stuck():
        stop = _submit_up_to(run, first_s)
        if stop > run.submitted:
            await _submit(run, interlock, stop)
        else:
            await run.change()
        _show(run, shown)
    while _open_jobs(run) and not run.is_stuck():
        await run.change(timeout=0.25)
        _show(run, shown)


def _submit_up_to(run: _Run, first_s: float) -> int:
    """The index before which jobs are due now, a batch at most."""
    order, start = run.order, run.submitted
    total = len(order.plan.records)
    if order.speed is None:
        room = UNDER_WAY_MAX - run.under_way
        # Not for every job that ends: a batch that is worth a message.
        return min(start + min(room, BATCH_MAX), total) if room >= BATCH_MAX else start
    now_s = first_s + (time.monotonic() - run.began) * order.speed
    stop = start
    limit = min(start + BATCH_MAX, total)
    while stop < limit and order.plan.records[stop].submit_s <= now_s:
        stop += 1
    return stop


async def _submit(run: _Run, interlock: Interlock, stop: int) -> None:
    plan, start = run.order.plan, run.submitted
    sent = time.monotonic()
    answers = await interlock.submit_many(plan.specs[start:stop])
    run.submitted = stop
    for index, answer in enumerate(answers, start=start):
        if isinstance(answer, InterlockError):
            run.violations.append(f"record {plan.records[index].number} was refused: {answer}")
        else:
            _note(run, index, answer, sent)


def _note(run: _Run, index: int, answer: JobHandle, sent: float) -> None:
    run.jobs[answer.id] = index, sent
    speed = run.order.speed
    seconds = run.order.plan.records[index].run_s / speed if speed else 0.0
    run.due = max(run.due, time.monotonic() + seconds)


def _open_jobs(run: _Run) -> int:
    return sum(job not in run.finals for job in run.jobs)


def _show(run: _Run, shown: Progress) -> None:
    seconds = max(time.monotonic() - run.began, 0.001)
    ended = len(run.finals)
    shown.show(ended, f"{ended / seconds:,.0f} jobs/s, {run.under_way:,} under way")


# -- after ----------------------------------------------------------------------------------------


async def _conclude(
    run: _Run, report: Report, watchers: list[LoadProcess], *, start: int, last: int
) -> None:
    plan = run.order.plan
    report.jobs = len(run.jobs)
    report.transitions = last - start
    report.seconds = run.ended - run.began
    report.violations = run.violations
    final: Counter[str] = Counter()
    latencies = []
    for job, (index, sent) in run.jobs.items():
        if job not in run.finals:
            run.violations.append(f"job {job} is not final")
            continue
        status, seen, _ = run.finals[job]
        final[status] += 1
        if status != plan.expected(index):
            run.violations.append(
                f"job {job} ended as {status}, but the log says {plan.expected(index)}"
            )
        seconds = plan.records[index].run_s / run.order.speed if run.order.speed else 0.0
        latencies.append(1_000 * (seen - sent - seconds))
    report.final = final
    report.latency_ms = percentiles(latencies)
    await _hear_verdicts(run, report, watchers, last)


async def _hear_verdicts(run: _Run, report: Report, watchers: list[LoadProcess], last: int) -> None:
    results: list[dict[str, Any]] = []
    for process in watchers:
        await process.tell({"until": last, "timeout": PATIENCE_SECONDS / 2})
        heard = await process.hear(timeout=PATIENCE_SECONDS)
        results += heard["watchers"]
        run.violations += [f"a watcher ended: {sentence}" for sentence in heard["failures"]]
    delays: Counter[int] = Counter()
    for number, result in enumerate(results, start=1):
        run.violations += [f"watcher {number}: {text}" for text in result.pop("sentences")]
        if result["revision"] < last:
            run.violations.append(
                f"watcher {number} has seen everything up to revision {result['revision']}, "
                f"but there are changes up to {last}"
            )
        for delay_ms, count in result.pop("delays").items():
            delays[int(delay_ms)] += count
    report.watchers = results
    report.watch_delay_ms = percentiles([*delays.keys()], [*delays.values()])
