"""What one watcher found: whether the watch kept its promises, counted while it reads.

An unfiltered watch shows every revision once and in order, so the next one is always known. A
revision that comes too early leaves a gap; one that fills a gap later was reordered; any other
that is not the next one is a duplicate. Beside that, each change of a job has to begin where the
one before it ended, and nothing may follow a final status.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

#: So many broken promises are kept as sentences; the rest is only counted.
SENTENCES_MAX: Final = 20
#: A gap that is wider is only counted: nothing will fill it.
GAP_KEPT: Final = 1_000_000


class Seen(Protocol):
    """What is looked at of a change (`interlock.Change`)."""

    @property
    def revision(self) -> int:
        """Revision of the change."""

    @property
    def job(self) -> int:
        """Job that changed."""

    @property
    def from_status(self) -> str:
        """Status before."""

    @property
    def to_status(self) -> str:
        """Status after."""

    @property
    def final(self) -> bool:
        """Whether the job is over with it."""


@dataclass
class Verdict:
    """Counts of one watcher that began after `start`. `read` everything, then `close` it."""

    start: int
    events: int = 0
    duplicates: int = 0
    reorders: int = 0
    #: Changes that do not begin where the job was.
    torn: int = 0
    resumes: int = 0
    finals: int = 0
    sentences: list[str] = field(default_factory=list)
    _next: int = 0
    _lost: int = 0
    _missing: set[int] = field(default_factory=set)
    _statuses: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._next = self.start + 1

    @property
    def gaps(self) -> int:
        """Revisions that have not come although later ones have."""
        return len(self._missing) + self._lost

    @property
    def revision(self) -> int:
        """The newest revision that was seen."""
        return self._next - 1

    @property
    def violations(self) -> int:
        """Broken promises, all kinds together."""
        return self.gaps + self.duplicates + self.reorders + self.torn

    def read(self, changes: Iterable[Seen]) -> None:
        """Look at the next changes in the order in which they came."""
        statuses = self._statuses
        for change in changes:
            self.events += 1
            if change.revision != self._next:
                self._misplaced(change)
                continue
            self._next += 1
            job = change.job
            before = statuses.get(job)
            if before is not None and before != change.from_status:
                self._tear(change, before)
            if change.final:
                self.finals += 1
            statuses[job] = change.to_status

    def _misplaced(self, change: Seen) -> None:
        revision = change.revision
        if revision > self._next:
            self._say(f"revisions {self._next} to {revision - 1} are missing before {revision}")
            if revision - self._next > GAP_KEPT:
                self._lost += revision - self._next
            else:
                self._missing.update(range(self._next, revision))
            self._next = revision + 1
            self._statuses.clear()  # what was missed is not known
        elif revision in self._missing:
            self._statuses.clear()
            self._missing.discard(revision)
            self.reorders += 1
            self._say(f"revision {revision} came after {self._next - 1}")
        else:
            self.duplicates += 1
            self._say(f"revision {revision} came again after {self._next - 1}")

    def _tear(self, change: Seen, before: str) -> None:
        self.torn += 1
        self._say(
            f"job {change.job} went from {change.from_status} to {change.to_status} at revision "
            f"{change.revision}, but it was {before}"
        )

    def _say(self, sentence: str) -> None:
        if len(self.sentences) < SENTENCES_MAX:
            self.sentences.append(sentence)

    def as_mapping(self) -> dict[str, Any]:
        """The counts for a report."""
        return {
            "events": self.events,
            "gaps": self.gaps,
            "duplicates": self.duplicates,
            "reorders": self.reorders,
            "torn": self.torn,
            "resumes": self.resumes,
        }
