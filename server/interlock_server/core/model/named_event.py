"""A named event and its queue of raises (domain.md B6)."""

from __future__ import annotations

import msgspec


class Raise(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One raise: when, by whom, and what they said."""

    at_ms: int
    by: str
    comment: str = ""


class NamedEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of an event definition.

    Raised while `raises` is not empty: the first is the one that counts, the others are pending.
    """

    name: str
    description: str = ""
    raises: tuple[Raise, ...] = ()
    version: int = 0
    updated_ms: int = 0
    #: Raises by jobs, limits and the clock that found no place.
    dropped: int = 0

    @property
    def is_raised(self) -> bool:
        """Whether whoever waits for it may go on."""
        return bool(self.raises)
