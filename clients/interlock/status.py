"""Statuses, states, lifecycles and actors as words: the vendors' spelling of the API's numbers.

The words follow from the names in the API, so a value that is newer than this program only lacks
one: it is its number, as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from interlock.v1.job_pb2 import ResumeKind
from interlock.v1.status_pb2 import Actor, Lifecycle, State, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

_FINAL: Final = frozenset(
    {
        *("Successful", "Faulted", "Stopped"),
        *("Completed", "Error", "Killed", "Canceled", "Skipped", "Ignored", "Unknown"),
    }
)


class StatusName(str):
    """A status in the vendor's spelling, such as "QueueHeld"; a plain str with some facts."""

    __slots__ = ("lifecycle", "number")

    #: "uipath" or "redwood"; "" for no status.
    lifecycle: str
    #: Its value in interlock.v1.Status.
    number: int

    def __new__(cls, name: str, lifecycle: str, number: int) -> Self:
        """Make the name of one status."""
        self = super().__new__(cls, name)
        self.lifecycle = lifecycle
        self.number = number
        return self

    def __reduce__(self) -> tuple[type[StatusName], tuple[str, str, int]]:
        return StatusName, (str(self), self.lifecycle, self.number)

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self in _FINAL


#: Other names that the vendor has given a status, in lower case.
ALIASES: Final = {"workflowed": "Chained"}


def _name_statuses() -> dict[int, StatusName]:
    names = {0: StatusName("", "", 0)}
    for value in Status.DESCRIPTOR.values:
        if value.number:
            _, lifecycle, *words = value.name.split("_")
            spelling = "".join(word.capitalize() for word in words)
            names[value.number] = StatusName(spelling, lifecycle.lower(), value.number)
    return names


STATUS_NAMES: Final = _name_statuses()
LIFECYCLES: Final = {"uipath": 1, "redwood": 2}
LIFECYCLE_NAMES: Final = {number: name for name, number in LIFECYCLES.items()} | {0: ""}
STATES: Final = {"initial": 1, "pre-running": 2, "running": 3, "final": 4}
RESUME_KINDS: Final = {
    value.name.removeprefix("RESUME_KIND_").lower(): value.number
    for value in ResumeKind.DESCRIPTOR.values
    if value.number
}
_ACTOR_NAMES: Final = {
    value.number: value.name.removeprefix("ACTOR_").lower() for value in Actor.DESCRIPTOR.values
}


def status_name(number: int) -> StatusName:
    """Return the status with this number."""
    known = STATUS_NAMES.get(number)
    return StatusName(str(number), "", number) if known is None else known


def actor_name(number: int) -> str:
    """Return the kind of author as a word, such as "user"."""
    return _ACTOR_NAMES.get(number, str(number))


def status_numbers(statuses: Iterable[str | int]) -> list[Status.ValueType]:
    """Return the numbers of statuses given by number, as "Running" (both) or "redwood/Running"."""
    numbers: list[Status.ValueType] = []
    for status in statuses:
        if isinstance(status, StatusName) and status.number:
            found = [status.number]
        elif isinstance(status, int):
            found = [status]
        else:
            found = _numbers_of(status)
        numbers += [Status.ValueType(number) for number in found]
    return numbers


def _numbers_of(text: str) -> list[int]:
    lifecycle, _, name = text.rpartition("/")
    name = ALIASES.get(name.lower(), name)
    found = [
        number
        for number, known in STATUS_NAMES.items()
        if number and known == name and lifecycle in {"", known.lifecycle}
    ]
    if not found:
        known_names = ", ".join(dict.fromkeys(filter(None, STATUS_NAMES.values())))
        raise ValueError(f"expected a status, but got {text!r}. Statuses: {known_names}")
    return found


def lifecycle_number(lifecycle: str | int) -> Lifecycle.ValueType:
    """Return the number of a lifecycle."""
    return Lifecycle.ValueType(_number(lifecycle, LIFECYCLES, "a lifecycle"))


def state_number(state: str | int) -> State.ValueType:
    """Return the number of a state."""
    return State.ValueType(_number(state, STATES, "a state"))


def _number(value: str | int, numbers: dict[str, int], what: str) -> int:
    number = value if isinstance(value, int) else numbers.get(value.lower())
    if number is None:
        raise ValueError(f"expected {what} ({', '.join(numbers)}), but got {value!r}")
    return number
