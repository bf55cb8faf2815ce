"""The account of a partition: every change by revision, as an auditor read it over many lives.

It is read like any watch, so it proves nothing by itself; `problems` says whether it is whole and
whether every change in it is legal, and the histories of the jobs are compared with it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock.columns import ColumnReader
from interlock.status import status_name
from interlock.v1.event_pb2 import ChangeColumns
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_LIFECYCLE, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from interlock.change import Change

#: The tables as the SDK wants them.
SDK_ROWS: Final = {
    row.number: (
        {1: "uipath", 2: "redwood"}[STATUS_LIFECYCLE[row.target]],
        status_name(row.source),
        status_name(row.target),
        row.trigger.text,
        row.id,
    )
    for row in ROWS
    if row is not None
}
_ROW_OF: Final = {row.id: row for row in ROWS if row is not None}
FINAL: Final = 4


class Entry(NamedTuple):
    """One change."""

    revision: int
    job: int
    row: str
    source: int
    target: int
    actor: str
    author: str
    request_id: str
    definition: str
    robot: str
    #: First revision of the turn that it belongs to.
    turn: int

    @property
    def lifecycle(self) -> int:
        return int(STATUS_LIFECYCLE[self.target])

    @property
    def state(self) -> int:
        return 4 if IS_FINAL[self.target] else 0


class Account:
    """Every change of a partition, in the order read."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.turns: list[tuple[int, int]] = []
        self.torn: list[str] = []
        self.by_job: defaultdict[int, list[Entry]] = defaultdict(list)
        self.by_request: defaultdict[str, list[Entry]] = defaultdict(list)
        self._reader = ColumnReader(SDK_ROWS)

    def new_stream(self) -> None:
        """A new stream gives its names anew."""
        self._reader = ColumnReader(SDK_ROWS)

    def learn(self, names: Iterable[object]) -> None:
        self._reader.learn(names)  # type: ignore[arg-type]

    def add(self, columns: ChangeColumns) -> list[Entry]:
        """Take the changes of a message in; returns them."""
        added: list[Entry] = []
        turn = 0
        for block in columns.blocks:
            turn = turn or block.first_revision
            changes = self._reader.read(ChangeColumns(blocks=[block]))
            added += [_entry(change, turn) for change in changes]
            if not block.continues:
                self.turns.append((turn, changes[-1].revision))
                turn = 0
        if turn:
            self.torn.append(f"atomic: a message ended within the turn that begins at {turn}")
        for entry in added:
            self.entries.append(entry)
            self.by_job[entry.job].append(entry)
            if entry.request_id:
                self.by_request[entry.request_id].append(entry)
        return added

    @property
    def head(self) -> int:
        return self.entries[-1].revision if self.entries else 0

    def at(self, revision: int) -> Entry | None:
        """The change with this revision, if the account is whole."""
        return self.entries[revision - 1] if 0 < revision <= len(self.entries) else None

    def matching(self, wanted: Callable[[Entry], bool]) -> list[int]:
        return [entry.revision for entry in self.entries if wanted(entry)]

    def status(self, job: int) -> int:
        """Present status of a job; 0 if there is none."""
        entries = self.by_job.get(job)
        return entries[-1].target if entries else 0

    def live(self) -> Iterator[tuple[int, int]]:
        """Jobs that are not final, with their statuses."""
        for job, entries in self.by_job.items():
            if entries[-1].state != FINAL:
                yield job, entries[-1].target

    # -- is it whole and legal -------------------------------------------------------------------

    def problems(self) -> list[str]:
        """Sentences about gaps, and about changes that no table has."""
        return [*self._gaps(), *self.torn, *self._illegal()]

    def _gaps(self) -> Iterator[str]:
        for expected, entry in enumerate(self.entries, start=1):
            if entry.revision != expected:
                yield f"contiguous: expected revision {expected}, but got {entry.revision}"
                return

    def _illegal(self) -> Iterator[str]:
        for job, entries in self.by_job.items():
            status = 0
            for entry in entries:
                row = _ROW_OF.get(entry.row)
                if row is None or (row.source, row.target) != (status, entry.target):
                    yield (
                        f"legal: job {job} went from {_name(status)} to {_name(entry.target)} by "
                        f"{entry.row} at revision {entry.revision}"
                    )
                elif Actor[entry.actor.upper()] not in row.actors:
                    yield f"legal: {entry.actor} may not cause {entry.row} (job {job})"
                status = entry.target


def _entry(change: Change, turn: int) -> Entry:
    return Entry(
        change.revision,
        change.job,
        change.transition,
        change.from_status.number,
        change.to_status.number,
        change.actor,
        change.author,
        change.request_id,
        change.definition,
        change.robot,
        turn,
    )


def _name(status: int) -> str:
    return Status(status).name if status else "nothing"
