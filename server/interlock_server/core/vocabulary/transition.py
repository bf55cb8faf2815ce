"""The shape of one transition: a row that can be read aloud, with an id and a number.

The number of a row is one byte in the journal and on the wire. It follows from the id (TU-n is n,
TR-n is 26 + n), so rows may be added after the last one but never renumbered or reused.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger

#: How well the vendor's own words support a row.
Grade: TypeAlias = Literal["documented", "in part", "inferred"]

DOCUMENTED: Final = "documented"
IN_PART: Final = "in part"
INFERRED: Final = "inferred"

# What is added to the digits of an id to give the row's number.
_NUMBER_BASES: Final = {"TU": 0, "TR": 26}


class Row(NamedTuple):
    """One transition of a lifecycle: from `source`, on `trigger`, to `target`."""

    #: One byte, on disk and on the wire; unique over both lifecycles.
    number: int
    #: The id in domain.md: "TU-04", "TR-130".
    id: str
    #: The status left; 0 when the transition creates the job.
    source: Status | Literal[0]
    #: The verb; with the source it determines the target.
    trigger: Trigger
    #: The status entered.
    target: Status
    #: Who can cause it, the usual one first.
    actors: tuple[Actor, ...]
    #: How well the vendor's own words support it.
    grade: Grade


def row(
    row_id: str,
    source: Status | Literal[0],
    trigger: Trigger,
    target: Status,
    grade: Grade,
    *actors: Actor,
) -> Row:
    """A row whose number follows from its id."""
    table, _, digits = row_id.partition("-")
    number = _NUMBER_BASES[table] + int(digits)
    return Row(number, row_id, source, trigger, target, actors, grade)
