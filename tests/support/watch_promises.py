"""The promises of a watch, by name, checked on what a watcher recorded.

The same validators serve tests of a cursor, of the RPC and of whole servers that are killed. Each
returns sentences about what was broken, so an empty list is a pass; `broken_promises` runs all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


@dataclass(frozen=True)
class Changes:
    """A message with changes: the revisions in it, in the order received."""

    revisions: tuple[int, ...]


@dataclass(frozen=True)
class Progress:
    """A message that says how far the stream is complete."""

    revision: int


@dataclass(frozen=True)
class Ended:
    """The stream broke or was ended; what follows is a new stream resumed from a revision."""

    resumed_from: int


Message = Changes | Progress | Ended


@dataclass
class Record:
    """What one watcher saw, from the revision it asked for, over all its resumes."""

    from_revision: int
    messages: list[Message] = field(default_factory=list)

    @property
    def revisions(self) -> list[int]:
        """All revisions in the order received."""
        return [
            revision
            for message in self.messages
            if isinstance(message, Changes)
            for revision in message.revisions
        ]

    def streams(self) -> list[Record]:
        """The same, one record for each stream."""
        streams = [Record(self.from_revision)]
        for message in self.messages:
            if isinstance(message, Ended):
                streams.append(Record(message.resumed_from))
            else:
                streams[-1].messages.append(message)
        return streams

    @property
    def complete_to(self) -> int:
        """Up to which revision the watcher knows that it has everything."""
        last = self.from_revision
        for message in self.messages:
            match message:
                case Changes(revisions=revisions):
                    last = max(last, *revisions)
                case Progress(revision=revision):
                    last = max(last, revision)
        return last


@dataclass(frozen=True)
class Truth:
    """What the watcher should have seen."""

    #: Revisions that match its filter, all there are.
    matching: Sequence[int]
    #: Turns as (first, last) revision; empty to leave turns out of it.
    turns: Sequence[tuple[int, int]] = ()


def ordered(record: Record, truth: Truth) -> list[str]:
    """Revisions of one stream rise."""
    return [
        f"revision {after} came after {before}"
        for stream in record.streams()
        for before, after in pairwise(stream.revisions)
        if after <= before
    ]


def unique(record: Record, truth: Truth) -> list[str]:
    """No change comes twice, nor again after a resume."""
    counted = Counter(record.revisions)
    return [f"revision {revision} came twice" for revision, count in counted.items() if count > 1]


def reliable(record: Record, truth: Truth) -> list[str]:
    """Nothing that matches is left out, and nothing else is sent."""
    seen = set(record.revisions)
    first, last = record.from_revision, record.complete_to
    expected = {revision for revision in truth.matching if first < revision <= last}
    return [
        *(f"revision {revision} was left out" for revision in sorted(expected - seen)),
        *(f"revision {revision} should not have come" for revision in sorted(seen - expected)),
    ]


def atomic(record: Record, truth: Truth) -> list[str]:
    """All matching changes of a turn come in one message."""
    matching = set(truth.matching)
    batches = [set(each.revisions) for each in record.messages if isinstance(each, Changes)]
    holders: dict[int, list[set[int]]] = {}
    for batch in batches:
        for revision in batch:
            holders.setdefault(revision, []).append(batch)
    broken = []
    for first, last in truth.turns:
        if first == last or first <= record.from_revision:
            continue  # it has no parts, or the record was resumed from within it
        turn = {revision for revision in range(first, last + 1) if revision in matching}
        found = {id(batch): batch for revision in turn for batch in holders.get(revision, ())}
        broken += [
            f"the turn {first}..{last} came in parts"
            for batch in found.values()
            if not turn <= batch
        ]
    return broken


def resumable(record: Record, truth: Truth) -> list[str]:
    """A stream resumed from a revision begins with the next matching change."""
    broken = []
    matching = sorted(truth.matching)
    for stream in record.streams():
        revisions = stream.revisions
        if not revisions:
            continue
        place = bisect_right(matching, stream.from_revision)
        expected = matching[place] if place < len(matching) else "nothing"
        if revisions[0] != expected:
            broken.append(
                f"resumed from {stream.from_revision}, expected {expected} first, but got "
                f"{revisions[0]}"
            )
    return broken


def progress(record: Record, truth: Truth) -> list[str]:
    """A progress message at a revision comes after every matching change up to it."""
    broken = []
    matching = sorted(truth.matching)
    for stream in record.streams():
        seen: set[int] = set()
        highest = checked = stream.from_revision
        for message in stream.messages:
            match message:
                case Changes(revisions=revisions):
                    seen.update(revisions)
                    highest = max(highest, *revisions)
                case Progress(revision=revision):
                    due = matching[
                        bisect_right(matching, checked) : bisect_right(matching, revision)
                    ]
                    broken += [
                        f"progress {revision} before {each}" for each in due if each not in seen
                    ]
                    checked = max(checked, revision)
                    if highest > revision and seen:
                        broken.append(f"progress {revision} after {highest}")
    return broken


PROMISES: dict[str, Callable[[Record, Truth], list[str]]] = {
    "ordered": ordered,
    "unique": unique,
    "reliable": reliable,
    "atomic": atomic,
    "resumable": resumable,
    "progress": progress,
}


def broken_promises(record: Record, truth: Truth, *, leave_out: Collection[str] = ()) -> list[str]:
    """Sentences about every broken promise, each beginning with its name."""
    return [
        f"{name}: {sentence}"
        for name, check in PROMISES.items()
        if name not in leave_out
        for sentence in check(record, truth)
    ]
