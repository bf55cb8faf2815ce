"""Filters of changes, applied to columns: most of the work is done by C loops over bytes.

What a filter selects of a commit is kept with the commit, so equal filters share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import compress
from typing import Final

from interlock_server.core.change import NAME_DEFINITION, NAME_QUEUE, NAME_ROBOT, ChangeBlock
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET
from interlock_server.core.vocabulary.status import STATUS_LIFECYCLE, STATUS_STATE
from interlock_server.watch.published import Published

#: Number of a name of a kind (NAME_DEFINITION ...), None as long as it has none.
NameNumber = Callable[[int, str], int | None]
#: Labels of a job, None if nobody knows the job any more.
LabelsOf = Callable[[int], Mapping[str, str] | None]
#: A block and the indexes of the changes selected in it.
Selection = list[tuple[ChangeBlock, list[int]]]

#: A byte for every value of a row number.
_BYTES: Final = 256


class ChangeFilter:
    """Selects changes: fields are combined with AND, the values of one with OR, empty means any."""

    __slots__ = ("_jobs", "_labels", "_labels_of", "_name_number", "_names", "_rows", "key")

    def __init__(
        self,
        *,
        name_number: NameNumber,
        labels_of: LabelsOf,
        lifecycles: Collection[int] = (),
        statuses: Collection[int] = (),
        states: Collection[int] = (),
        definitions: Collection[str] = (),
        queues: Collection[str] = (),
        robots: Collection[str] = (),
        jobs: Collection[int] = (),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Statuses and states are those after a change; `states` are `State` numbers."""
        self._name_number = name_number
        self._labels_of = labels_of
        self._rows = _row_table(frozenset(lifecycles), frozenset(statuses), frozenset(states))
        self._names = (
            (NAME_DEFINITION, frozenset(definitions)),
            (NAME_QUEUE, frozenset(queues)),
            (NAME_ROBOT, frozenset(robots)),
        )
        self._jobs = frozenset(jobs)
        self._labels = frozenset((labels or {}).items())
        #: Equal for filters that select the same.
        self.key = (self._rows, self._names, self._jobs, self._labels)

    @property
    def has_labels(self) -> bool:
        """Whether labels decide; then `labels_of` has to know the jobs of a commit."""
        return bool(self._labels)

    def jobs_before_labels(self, published: Published) -> set[int]:
        """Jobs whose changes in a commit are selected by everything but labels."""
        return {
            block.jobs[index]
            for block in published.blocks
            for index in self._select_before_labels(block)
        }

    def matches(self, published: Published) -> Selection:
        """Blocks of a commit with the indexes selected in each; blocks without any are left out.

        Shared with equal filters: it must not be changed.
        """
        found: Selection | None = published.cache.get(self.key)
        if found is None:
            selected = ((block, self.select(block)) for block in published.blocks)
            found = [(block, indexes) for block, indexes in selected if indexes]
            published.remember(self.key, found)
        return found

    def select(self, block: ChangeBlock) -> list[int]:
        """Indexes of the selected changes of a block, rising."""
        indexes = self._select_before_labels(block)
        if self._labels:
            indexes = [index for index in indexes if self._has_labels(block.jobs[index])]
        return indexes

    def _select_before_labels(self, block: ChangeBlock) -> list[int]:
        count = len(block.jobs)
        indexes = list(range(count))
        if self._rows is not None:
            indexes = list(compress(indexes, block.rows.translate(self._rows)))
        columns = (block.definitions, block.queues, block.robots)
        for (kind, names), column in zip(self._names, columns, strict=True):
            if names and indexes:
                indexes = _with_numbers(indexes, column, self._numbers(kind, names), count)
        if self._jobs and indexes:
            indexes = [index for index in indexes if block.jobs[index] in self._jobs]
        return indexes

    def _numbers(self, kind: int, names: frozenset[str]) -> set[int]:
        # Asked again each time: a name may get its number after the watch has begun.
        numbers = (self._name_number(kind, name) for name in names)
        return {number for number in numbers if number is not None}

    def _has_labels(self, job: int) -> bool:
        labels = self._labels_of(job)
        return labels is not None and self._labels <= labels.items()


def _row_table(
    lifecycles: frozenset[int], statuses: frozenset[int], states: frozenset[int]
) -> bytes | None:
    """1 for each row number that is selected by its target status; None if all are."""
    if not (lifecycles or statuses or states):
        return None
    table = bytearray(_BYTES)
    for row, target in enumerate(ROW_TARGET):
        table[row] = (
            row > 0
            and (not lifecycles or STATUS_LIFECYCLE[target] in lifecycles)
            and (not statuses or target in statuses)
            and (not states or STATUS_STATE[target] in states)
        )
    return bytes(table)


def _with_numbers(
    indexes: list[int], column: list[int], numbers: set[int], count: int
) -> list[int]:
    if len(column) == 1 < count:  # one value that holds for every change of the block
        return indexes if column[0] in numbers else []
    return [index for index in indexes if column[index] in numbers]
