"""Runs a workflow as a chain on real robots, and holds it to its dependencies.

A group of tasks that depend on earlier groups only becomes a step, and its tasks become the calls
of the step, so that what a task depends on is always over before it starts; that is checked.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from benchmarks.load_process import ProcessEnded
from benchmarks.progress import progress
from benchmarks.replay_processes import all_ready, robot_processes, watcher_processes
from interlock import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.load_process import LoadProcess
    from benchmarks.wfformat import Task, Workflow
    from interlock import Change, Interlock, JobHandle

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX: Final = 100
#: How long nothing may happen beside the longest run time.
_PATIENCE_SECONDS: Final = 60.0
_LATE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class ChainOrder:
    """What is to be run, and with whom."""

    file: str
    workflow: Workflow
    #: So many seconds of the workflow take one; None for no waiting at all.
    speed: float | None
    robots: int
    watchers: int
    address: str
    partition: str = "default"
    prefix: str = field(default_factory=lambda: f"chain-{secrets.token_hex(4)}")


@dataclass
class ChainReport:
    """What came out."""

    order: ChainOrder
    seconds: float = 0.0
    status: str = ""
    transitions: int = 0
    dependencies_kept: int = 0
    #: Jobs of the chain by final status, the chain itself and its steps among them.
    final: dict[str, int] = field(default_factory=dict)
    watchers: Sequence[Mapping[str, Any]] = ()
    violations: list[str] = field(default_factory=list)

    @property
    def ideal_s(self) -> float:
        """The longest path at this speed: no order of the tasks can be faster."""
        speed = self.order.speed
        return self.order.workflow.longest_path_s / speed if speed else 0.0

    def as_mapping(self) -> dict[str, Any]:
        """Everything, for programs."""
        workflow = self.order.workflow
        return {
            "workload": self.order.file,
            "workflow": workflow.name,
            "tasks": len(workflow.tasks),
            "steps": len(workflow.levels),
            "dependencies": workflow.dependencies,
            "dependencies_kept": self.dependencies_kept,
            "speed": self.order.speed or "max",
            "robots": self.order.robots,
            "jobs": sum(self.final.values()),
            "transitions": self.transitions,
            "seconds": round(self.seconds, 3),
            "longest_path_seconds": round(self.ideal_s, 3),
            "measured_seconds": workflow.makespan_s,
            "status": self.status,
            "final": dict(sorted(self.final.items())),
            "watchers": [dict(watcher) for watcher in self.watchers],
            "violations": len(self.violations),
            "violated": self.violations[:50],
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table for people."""
        found = self.as_mapping()
        kept = f"{self.dependencies_kept:,} of {found['dependencies']:,}"
        final = ", ".join(f"{count:,} {name}" for name, count in found["final"].items())
        pairs = (
            ("workflow", f"{found['workflow']} ({found['tasks']:,} tasks, {found['steps']} steps)"),
            ("speed", f"{found['speed']}, {found['robots']} robots"),
            ("seconds", f"{self.seconds:,.2f}; its longest path takes {self.ideal_s:,.2f}"),
            ("chain", f"{self.status}, {self.transitions:,} transitions"),
            ("dependencies", f"{kept} kept"),
            ("final", final),
        )
        yield from (f"{name:<14}{text}" for name, text in pairs)
        for number, each in enumerate(self.watchers, start=1):
            yield (
                f"watcher {number:<6}{each['events']:,} events, {each['gaps']} gaps, "
                f"{each['duplicates']} duplicates, {each['reorders']} reorders, "
                f"{each['resumes']} resumes"
            )
        yield f"violations    {len(self.violations)}"
        yield from (f"  {sentence}" for sentence in self.violations[:50])


def chain_fields(order: ChainOrder) -> list[dict[str, Any]]:
    """The definitions of a workflow: one for each program, and the chain of all tasks."""
    names = {definition_name(order, task) for task in order.workflow.tasks.values()}
    steps = [
        {
            "name": f"step-{number:03}",
            "calls": [
                {
                    "name": call_name(task),
                    "definition": definition_name(order, task),
                    "parameters": {"run_s": task.run_s, "outcome": "completed"},
                }
                for task in group
            ],
        }
        for number, group in enumerate(order.workflow.levels, start=1)
    ]
    return [
        *({"name": name, "lifecycle": "redwood"} for name in sorted(names)),
        {"name": order.prefix, "lifecycle": "redwood", "chain": {"steps": steps}},
    ]


def definition_name(order: ChainOrder, task: Task) -> str:
    """The definition that runs a task."""
    return f"{order.prefix}-{_NOT_IN_NAMES.sub('_', task.name)[-_NAME_MAX:]}"


def call_name(task: Task) -> str:
    """The call of a task; ids of tasks differ at their end."""
    return _NOT_IN_NAMES.sub("_", task.id)[-_NAME_MAX:].lstrip("._-")


async def run_chain(order: ChainOrder) -> ChainReport:
    """Run the workflow on the server at the address."""
    report = ChainReport(order)
    async with AsyncExitStack() as stack:
        interlock = await stack.enter_async_context(
            connect(order.address, partition=order.partition, user="replay")
        )
        definitions = chain_fields(order)
        await interlock.put_definitions(definitions)
        names = [each["name"] for each in definitions[:-1]]
        stack.push_async_callback(_remove, interlock, [each["name"] for each in definitions])
        slots = max(len(group) for group in order.workflow.levels)
        processes = robot_processes(order, order.prefix, names, -(-slots // order.robots))
        robots = [await stack.enter_async_context(each) for each in processes]
        await all_ready(robots)
        changes = interlock.watch()
        await stack.enter_async_context(changes)
        start = await changes.start()
        watchers = [
            await stack.enter_async_context(each) for each in watcher_processes(order, start)
        ]
        await all_ready(watchers)
        began = time.monotonic()
        chain = await interlock.submit(order.prefix)
        seen = await _follow(report, changes.batches(), chain)
        report.seconds = time.monotonic() - began
        await _check(report, interlock, chain, seen)
        await _hear_watchers(report, watchers, last=changes.revision)
    return report


async def _follow(report: ChainReport, batches: Any, chain: JobHandle) -> list[Change]:
    """Read the changes of the chain until it is final."""
    seen: list[Change] = []
    total = len(report.order.workflow.tasks)
    prefix, done = report.order.prefix, 0
    speed = report.order.speed
    longest = max(task.run_s for task in report.order.workflow.tasks.values())
    patience = _PATIENCE_SECONDS + (longest / speed if speed else 0)
    with progress("tasks", total) as shown:
        iterator = aiter(batches)
        while True:
            async with asyncio.timeout(patience):
                batch = await anext(iterator)
            for change in batch:
                if change.definition.startswith(prefix):
                    seen.append(change)
                    done += change.to_status.final and change.definition != prefix
                    if change.job == chain.id and change.to_status.final:
                        report.status = str(change.to_status)
            shown.show(done)
            if report.status:
                return seen


async def _check(
    report: ChainReport, interlock: Interlock, chain: JobHandle, seen: Sequence[Change]
) -> None:
    """Every task ran once and completed, and after everything that it depends on."""
    workflow = report.order.workflow
    ends: dict[int, int] = {}
    starts: dict[int, int] = {}
    for change in seen:
        if change.to_status == "Running":
            starts.setdefault(change.job, change.revision)
        if change.to_status.final:
            ends[change.job] = change.revision
            report.final[str(change.to_status)] = report.final.get(str(change.to_status), 0) + 1
    report.transitions = len(seen)
    jobs = {}
    for job_id in ends:
        job = await interlock.get(job_id)
        if job.raw.call:
            jobs[job.raw.call] = job_id
            if job.status != "Completed":
                report.violations.append(f"call {job.raw.call} (job {job_id}) is {job.status}")
    if report.status != "Completed":
        report.violations.append(f"chain {chain.id} is {report.status}, not Completed")
    for task in workflow.tasks.values():
        own = jobs.get(call_name(task))
        if own is None:
            report.violations.append(f"task {task.id} never ended")
            continue
        for parent in task.parents:
            before = jobs.get(call_name(workflow.tasks[parent]))
            if before is not None and ends[before] < starts.get(own, 0):
                report.dependencies_kept += 1
            else:
                report.violations.append(f"task {task.id} started before {parent} was over")


async def _hear_watchers(report: ChainReport, watchers: Sequence[LoadProcess], last: int) -> None:
    found: list[Mapping[str, Any]] = []
    for each in watchers:
        await each.tell({"until": last, "timeout": _LATE_SECONDS})
        try:
            heard = await each.hear(timeout=2 * _LATE_SECONDS)
        except (ProcessEnded, TimeoutError) as error:
            report.violations.append(f"a watcher was lost: {error}")
            continue
        report.violations += heard["failures"]
        for watcher in heard["watchers"]:
            found.append(watcher)
            report.violations += watcher["sentences"]
            if watcher["revision"] < last:
                report.violations.append(f"a watcher ended at {watcher['revision']}, not {last}")
    report.watchers = found


async def _remove(interlock: Interlock, names: list[str]) -> None:
    """Take away what the run put, the chain before what it calls."""
    await interlock.delete_definitions(names)
