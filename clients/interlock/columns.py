"""Reads the column form of changes: the SDK's half of one form with two ends.

A block says what its changes have in common once; only jobs and table rows are written for each.
"""

from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING, Final

import msgspec

from interlock.change import Change
from interlock.instant import instant_of_ms
from interlock.status import actor_name
from interlock.v1.event_pb2 import NameKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from interlock.status import StatusName
    from interlock.v1.event_pb2 import ChangeBlock, ChangeColumns, Name

    #: lifecycle, from, to, trigger and id of a row of a lifecycle table.
    Row = tuple[str, StatusName, StatusName, str, str]

_KINDS: Final = (
    NameKind.NAME_KIND_DEFINITION,
    NameKind.NAME_KIND_QUEUE,
    NameKind.NAME_KIND_ROBOT,
)


class UnknownRowError(LookupError):
    """The columns name a row that is in no lifecycle table that was fetched."""


class ColumnReader:
    """Turns the columns of one stream into changes; it remembers the names the stream gave."""

    def __init__(self, rows: Mapping[int, Row]) -> None:
        self._rows = rows
        self._names: dict[int, dict[int, str]] = {kind: {0: ""} for kind in _KINDS}

    def use_rows(self, rows: Mapping[int, Row]) -> None:
        """Use newer lifecycle tables."""
        self._rows = rows

    def learn(self, names: Iterable[Name]) -> None:
        """Remember names that later blocks use."""
        for name in names:
            self._names.setdefault(name.kind, {0: ""})[name.number] = name.name

    def read(self, columns: ChangeColumns) -> list[Change]:
        """Return the changes in order. Raises UnknownRowError if the tables are too old."""
        changes: list[Change] = []
        try:
            for block in columns.blocks:
                changes += self._read_block(block)
        except KeyError as error:
            raise UnknownRowError(f"row or name {error} is not known") from None
        return changes

    def _read_block(self, block: ChangeBlock) -> list[Change]:
        self.learn(block.names)
        rows = self._rows
        time, actor = instant_of_ms(block.time_ms), actor_name(block.actor)
        author, reason, request_id = block.author, block.reason, block.request_id
        changes = [
            Change(revision, job, *rows[row], time, actor, author, reason, request_id, *names)
            for revision, job, row, *names in zip(
                count(block.first_revision),
                block.jobs,
                block.transitions,
                self._column(NameKind.NAME_KIND_DEFINITION, block.definitions),
                self._column(NameKind.NAME_KIND_QUEUE, block.queues),
                self._column(NameKind.NAME_KIND_ROBOT, block.robots),
                strict=False,  # revisions and columns of one value go on for ever
            )
        ]
        for note in block.notes:
            noted = msgspec.structs.replace(changes[note.index], reason=note.reason)
            changes[note.index] = noted
        return changes

    def _column(self, kind: int, numbers: Sequence[int]) -> Iterable[str]:
        names = self._names[kind]
        match len(numbers):
            case 0:
                return repeat("")
            case 1:
                return repeat(names[numbers[0]])
            case _:
                return map(names.__getitem__, numbers)
