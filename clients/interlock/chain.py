"""A chain with its steps and calls, as a tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from interlock.job import Job


@dataclass(frozen=True, slots=True)
class ChainNode:
    """A chain, step or call, and what belongs to it: a step that ran twice is there twice."""

    job: Job
    parts: list[ChainNode] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, ChainNode]]:
        """Yield everything from here on with how deep it is, in the order of the chain."""
        yield depth, self
        for part in self.parts:
            yield from part.walk(depth + 1)


def tree_of(job: int, jobs: Iterable[Job]) -> ChainNode | None:
    """Return the tree below a job of the family, made of what was listed; None without that job."""
    nodes = {each.id: ChainNode(each) for each in sorted(jobs, key=lambda each: each.id)}
    for node in nodes.values():
        above = nodes.get(node.job.parent)
        if above is not None:
            above.parts.append(node)
    for node in nodes.values():
        _order(node.parts)
    return nodes.get(job)


def _order(parts: list[ChainNode]) -> None:
    """Put the runs of one step or call beside each other, in the order of their first ones."""
    first: dict[str, int] = {}
    for part in parts:
        first.setdefault(_name(part), part.job.id)
    parts.sort(key=lambda part: (first[_name(part)], part.job.id))


def _name(part: ChainNode) -> str:
    return part.job.call or part.job.step or f"job {part.job.id}"
