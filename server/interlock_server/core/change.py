"""Status changes as columns: what a turn produces, a commit stores, and a watcher reads.

A `ChangeBlock` holds changes of one author at one instant; change i of a block has the revision
`first_revision + i`. Columns are the native form because a list append costs a tenth of an object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interlock_server.core.vocabulary.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kinds of names that columns refer to by number (interlock.v1.NameKind).
NAME_DEFINITION: Final = 1
NAME_QUEUE: Final = 2
NAME_ROBOT: Final = 3


class Cause(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who changed something, when, why, and through which request (promise P4)."""

    at_ms: int
    actor: int = int(Actor.SYSTEM)
    author: str = ""
    reason: str = ""
    request_id: str = ""


class Name(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A name and the number that stands for it in the columns; given once, never reused."""

    kind: int
    number: int
    name: str


class ChangeBlock:
    """Changes of one cause.

    `definitions`, `queues` and `robots` are numbers of `Name`, one per change.
    """

    __slots__ = (
        "cause",
        "continues",
        "definitions",
        "first_revision",
        "jobs",
        "names",
        "notes",
        "queues",
        "robots",
        "rows",
    )

    def __init__(self, first_revision: int, cause: Cause) -> None:
        """Start an empty block whose first change will have `first_revision`."""
        self.first_revision = first_revision
        self.cause = cause
        self.jobs: list[int] = []
        self.rows = bytearray()
        self.definitions: list[int] = []
        self.queues: list[int] = []
        self.robots: list[int] = []
        #: Reasons of single changes, by index.
        self.notes: dict[int, str] = {}
        #: Names first used in this block.
        self.names: list[Name] = []
        #: True if the next block belongs to the same turn; such blocks are never separated.
        self.continues = False

    def __len__(self) -> int:
        """Count the changes."""
        return len(self.jobs)

    @property
    def last_revision(self) -> int:
        """Revision of the last change; `first_revision - 1` if there is none."""
        return self.first_revision + len(self.jobs) - 1

    def reason(self, index: int) -> str:
        """Reason of change `index`: its own note, or the one of the block."""
        return self.notes.get(index, self.cause.reason)

    def revisions(self) -> Iterator[int]:
        """Revisions of the changes, rising by one."""
        return iter(range(self.first_revision, self.first_revision + len(self.jobs)))
