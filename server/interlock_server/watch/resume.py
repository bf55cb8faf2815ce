"""Leaves out of a commit what a watcher has already, when it resumes from within one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.change import ChangeBlock

if TYPE_CHECKING:
    from collections.abc import Sequence


def blocks_after(blocks: Sequence[ChangeBlock], revision: int) -> tuple[ChangeBlock, ...]:
    """The changes after a revision. The first block gets the names of what is left out."""
    left_out = [block for block in blocks if block.last_revision <= revision]
    kept = list(blocks[len(left_out) :])
    names = [name for block in left_out for name in block.names]
    if kept and (names or kept[0].first_revision <= revision):
        kept[0] = _block_after(kept[0], max(0, revision + 1 - kept[0].first_revision))
        kept[0].names = [*names, *kept[0].names]
    return tuple(kept)


def _block_after(block: ChangeBlock, start: int) -> ChangeBlock:
    """A copy without the first `start` changes."""
    copy = ChangeBlock(block.first_revision + start, block.cause)
    copy.jobs = block.jobs[start:]
    copy.rows = block.rows[start:]
    copy.definitions = _column_after(block.definitions, start, len(block))
    copy.queues = _column_after(block.queues, start, len(block))
    copy.robots = _column_after(block.robots, start, len(block))
    copy.notes = {index - start: note for index, note in block.notes.items() if index >= start}
    copy.names = list(block.names)
    copy.continues = block.continues
    return copy


def _column_after(column: list[int], start: int, count: int) -> list[int]:
    # A column with one value holds for every change of its block.
    return list(column) if len(column) == 1 < count else column[start:]
