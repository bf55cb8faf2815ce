"""Reads workflows in WfCommons' WfFormat: tasks, what each depends on, and how long it took.

Versions from 1.4 on, where a task's specification and its execution stand apart.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class WorkflowError(ValueError):
    """A file is no workflow; the sentence says what is wrong with it."""


@dataclass(frozen=True)
class Task:
    """One task of a workflow."""

    id: str
    name: str
    parents: tuple[str, ...]
    run_s: float


@dataclass(frozen=True)
class Workflow:
    """A task graph without circles."""

    name: str
    tasks: Mapping[str, Task]
    #: How long the whole took where it was measured, in seconds; 0 if that is not known.
    makespan_s: float

    @cached_property
    def levels(self) -> tuple[tuple[Task, ...], ...]:
        """The tasks in groups: each depends on groups before its own only."""
        level: dict[str, int] = {}
        waiting = dict(self.tasks)
        while waiting:
            ready = [
                task for task in waiting.values() if all(parent in level for parent in task.parents)
            ]
            if not ready:
                raise WorkflowError(f"the tasks {', '.join(sorted(waiting)[:3])} wait in a circle")
            for task in ready:
                level[task.id] = 1 + max((level[each] for each in task.parents), default=-1)
                del waiting[task.id]
        groups: list[list[Task]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        for task in self.tasks.values():
            groups[level[task.id]].append(task)
        return tuple(tuple(group) for group in groups)

    @property
    def dependencies(self) -> int:
        """How many there are."""
        return sum(len(task.parents) for task in self.tasks.values())

    @property
    def longest_path_s(self) -> float:
        """The time below which the whole cannot be done, in seconds."""
        ends: dict[str, float] = {}
        for group in self.levels:
            for task in group:
                start = max((ends[parent] for parent in task.parents), default=0.0)
                ends[task.id] = start + task.run_s
        return max(ends.values(), default=0.0)


def read_workflow(path: Path) -> Workflow:
    """Read a file, plain or .gz.

    Raises:
        WorkflowError: it is no WfFormat, or its tasks do not fit together.
    """
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            document = json.load(file)
    except (ValueError, gzip.BadGzipFile) as error:
        raise WorkflowError(f"expected JSON in {path.name}, but {error}") from None
    try:
        workflow = document["workflow"]
        listed = workflow["specification"]["tasks"]
        execution = workflow.get("execution") or {}
    except (KeyError, TypeError):
        raise WorkflowError(
            f"expected WfFormat 1.4 or later in {path.name}: workflow.specification.tasks"
        ) from None
    run_s = {
        str(task["id"]): float(task.get("runtimeInSeconds") or 0)
        for task in execution.get("tasks", ())
    }
    tasks = {str(task["id"]): _task(task, run_s) for task in listed}
    for task in tasks.values():
        if missing := [parent for parent in task.parents if parent not in tasks]:
            raise WorkflowError(f"task {task.id} depends on {missing[0]}, which is not there")
    found = Workflow(
        str(document.get("name") or path.stem),
        tasks,
        float(execution.get("makespanInSeconds") or 0),
    )
    if not found.levels:
        raise WorkflowError(f"expected at least one task in {path.name}")
    return found


def _task(given: Mapping[str, Any], run_s: Mapping[str, float]) -> Task:
    name = str(given["id"])
    return Task(
        name,
        str(given.get("name") or name),
        tuple(str(parent) for parent in given.get("parents", ())),
        run_s.get(name, 0.0),
    )
