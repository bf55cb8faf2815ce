"""Everything that follows from the two tables: lookups, what is allowed, descriptions, diagrams.

Hot paths use `next_row` and the flat tuples, indexed by row number; the journal and the wire carry
that number. The tables are checked when this module is imported, so a wrong row cannot be served.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypedDict

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.redwood import REDWOOD
from interlock_server.core.vocabulary.status import (
    IS_FINAL,
    LIFECYCLE_STATUSES,
    NONE_STATUS,
    STATUS_CODE,
    STATUS_LIFECYCLE,
    STATUS_NAME,
    STATUS_NUMBERS,
    STATUS_STATE,
    Lifecycle,
    Status,
)
from interlock_server.core.vocabulary.transition import Row
from interlock_server.core.vocabulary.trigger import TRIGGER_NUMBERS, Trigger
from interlock_server.core.vocabulary.uipath import UIPATH


class Table(NamedTuple):
    """One whole lifecycle."""

    lifecycle: Lifecycle
    #: In the order of their numbers.
    statuses: tuple[Status, ...]
    #: In the order of their numbers.
    rows: tuple[Row, ...]


#: The lifecycles by name.
LIFECYCLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        lifecycle.text: Table(lifecycle, LIFECYCLE_STATUSES[lifecycle], tuple(sorted(rows)))
        for lifecycle, rows in ((Lifecycle.UIPATH, UIPATH), (Lifecycle.REDWOOD, REDWOOD))
    }
)

_ALL: Final = tuple(chain.from_iterable(table.rows for table in LIFECYCLES.values()))

#: Every row by its number; nothing has number 0.
ROWS: Final[tuple[Row | None, ...]] = (None, *_ALL)
#: The status left, by row number; 0 when the row creates a job.
ROW_SOURCE: Final[tuple[Status | Literal[0], ...]] = (NONE_STATUS, *(row.source for row in _ALL))
#: The status entered, by row number; entry 0 is NONE_STATUS.
ROW_TARGET: Final[tuple[Status | Literal[0], ...]] = (NONE_STATUS, *(row.target for row in _ALL))
#: The trigger, by row number; entry 0 is 0.
ROW_TRIGGER: Final[tuple[Trigger | Literal[0], ...]] = (0, *(row.trigger for row in _ALL))


def _lookup(rows: tuple[Row, ...]) -> bytes:
    lookup = bytearray(STATUS_NUMBERS * TRIGGER_NUMBERS)
    for row in rows:
        place = row.source * TRIGGER_NUMBERS + row.trigger
        assert not lookup[place], f"{row.id}: this status and trigger already have a target"
        lookup[place] = row.number
    return bytes(lookup)


#: Row number, or 0, at [status * TRIGGER_NUMBERS + trigger]. Holds no creations: both lifecycles
#: create by SUBMIT, so a creation is looked up by lifecycle.
NEXT: Final = _lookup(tuple(row for row in _ALL if row.source))
_CREATIONS: Final[dict[tuple[int, int], int]] = {
    (table.lifecycle, row.trigger): row.number
    for table in LIFECYCLES.values()
    for row in table.rows
    if not row.source
}
_LEAVING: Final = tuple(
    tuple(row for row in _ALL if row.source and row.source == number)
    for number in range(STATUS_NUMBERS)
)


def next_row(status: int, trigger: int) -> int:
    """The number of the row that leaves this status on this trigger; 0 when that is illegal."""
    return NEXT[status * TRIGGER_NUMBERS + trigger]


def creation_row(lifecycle: int, trigger: Trigger) -> int:
    """The number of the row that creates a job of this lifecycle; 0 when that is illegal."""
    return _CREATIONS.get((lifecycle, trigger), 0)


def allowed_triggers(status: int, actor: Actor | None = None) -> tuple[Trigger, ...]:
    """The triggers that leave this status, in table order; only this actor's if one is given."""
    return tuple(row.trigger for row in _LEAVING[status] if actor is None or actor in row.actors)


class DescribedStatus(TypedDict):
    """One status as clients see it."""

    name: str
    code: str
    state: str
    final: bool


# Functional, because `from` cannot be an attribute.
DescribedTransition = TypedDict(
    "DescribedTransition",
    {
        "from": str,
        "trigger": str,
        "to": str,
        "actors": list[str],
        "id": str,
        "row": int,
        "grade": str,
    },
)


class Description(TypedDict):
    """One lifecycle as clients see it; ready for JSON."""

    name: str
    statuses: list[DescribedStatus]
    transitions: list[DescribedTransition]


def describe(name: str) -> Description:
    """The lifecycle of this name in vendor spellings; `from` is empty where a job is created."""
    table = _table(name)
    return {
        "name": name,
        "statuses": [_describe_status(status) for status in table.statuses],
        "transitions": [_describe_row(row) for row in table.rows],
    }


def _table(name: str) -> Table:
    try:
        return LIFECYCLES[name]
    except KeyError:
        names = " or ".join(LIFECYCLES)
        raise ValueError(f"expected the name of a lifecycle ({names}), but got {name!r}") from None


def _describe_status(status: Status) -> DescribedStatus:
    return {
        "name": STATUS_NAME[status],
        "code": STATUS_CODE[status],
        "state": STATUS_STATE[status].title,
        "final": IS_FINAL[status],
    }


def _describe_row(row: Row) -> DescribedTransition:
    return {
        "from": STATUS_NAME[row.source],
        "trigger": row.trigger.text,
        "to": STATUS_NAME[row.target],
        "actors": [actor.name.lower() for actor in row.actors],
        "id": row.id,
        "row": row.number,
        "grade": row.grade,
    }


def mermaid(name: str) -> str:
    """The lifecycle of this name as a Mermaid diagram, with one arrow per pair of statuses."""
    table = _table(name)
    labels: dict[tuple[int, int], list[str]] = {}
    for row in table.rows:
        labels.setdefault((row.source, row.target), []).append(row.trigger.verb)
    lines = [
        "stateDiagram-v2",
        *(f'    state "{STATUS_NAME[status]}" as {_node(status)}' for status in table.statuses),
        *(
            f"    {_node(source)} --> {_node(target)} : {', '.join(verbs)}"
            for (source, target), verbs in labels.items()
        ),
        *(f"    {_node(status)} --> [*]" for status in table.statuses if IS_FINAL[status]),
    ]
    return "\n".join(lines) + "\n"


def _node(status: int) -> str:
    # the member's name, because a spelling on its own could be a word of the diagram language
    return Status(status).name.lower() if status else "[*]"


# The two rows that may lower the rank: a pre-running action that reroutes its own job (RA-2).
_REROUTES: Final = frozenset({"TR-085", "TR-086"})


def _check(table: Table) -> None:
    for row in table.rows:
        _check_row(row, table.lifecycle)
    assert _reachable(table) == set(table.statuses), f"{table.lifecycle.text}: unreachable status"


def _reachable(table: Table) -> set[Status]:
    reached: set[Status] = set()
    waiting = [row.target for row in table.rows if not row.source]
    while waiting:
        status = waiting.pop()
        if status not in reached:
            reached.add(status)
            waiting.extend(row.target for row in _LEAVING[status])
    return reached


def _check_row(row: Row, lifecycle: Lifecycle) -> None:
    assert row is ROWS[row.number], f"{row.id}: ids count up without a gap"
    assert STATUS_LIFECYCLE[row.target] == lifecycle, f"{row.id}: enters another lifecycle"
    assert row.actors, f"{row.id}: nobody can cause it"
    if not row.source:
        return
    assert STATUS_LIFECYCLE[row.source] == lifecycle, f"{row.id}: leaves another lifecycle"
    assert not IS_FINAL[row.source], f"{row.id}: leaves a final status"
    falls = STATUS_STATE[row.target] < STATUS_STATE[row.source]
    assert falls == (row.id in _REROUTES), f"{row.id}: the rank of a job must not fall (RA-2)"


for _each in LIFECYCLES.values():
    _check(_each)
