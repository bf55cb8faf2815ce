"""Watchers that resume for ever and write down every message; the auditor is one of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from grpc import aio

from interlock import Interlock, errors
from interlock.v1.filter_pb2 import Filter
from interlock.v1.status_pb2 import Lifecycle, State
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest
from tests.crash.account import SDK_ROWS
from tests.crash.life import is_over, meaning
from tests.support.real_time import pass_time
from tests.support.watch_promises import Changes, Ended, Progress, Record, Truth, broken_promises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from interlock.change import Change
    from interlock.v1.event_pb2 import ChangeColumns
    from tests.crash.account import Account, Entry
    from tests.crash.ledger import Ledger
    from tests.crash.life import Life, Lives

_ROW_IDS: Final = {number: row[4] for number, row in SDK_ROWS.items()}
#: How often a watcher leaves by itself and comes back.
LEAVES: Final = 0.002


@dataclass(frozen=True)
class Kind:
    """What a watcher asks for, and which changes it therefore has to get."""

    name: str
    form: WatchForm.ValueType = WatchForm.WATCH_FORM_COLUMNS
    selected: Filter | None = None
    wanted: Callable[[Entry], bool] = lambda _: True


KINDS: Final = (
    Kind("columns"),
    Kind("events", WatchForm.WATCH_FORM_EVENTS),
    Kind(
        "columns of final",
        selected=Filter(states=[State.STATE_FINAL]),
        wanted=lambda entry: entry.state == 4,
    ),
    Kind(
        "events of Redwood",
        WatchForm.WATCH_FORM_EVENTS,
        Filter(lifecycles=[Lifecycle.LIFECYCLE_REDWOOD]),
        lambda entry: entry.lifecycle == 2,
    ),
    Kind(
        "events of r-short",
        WatchForm.WATCH_FORM_EVENTS,
        Filter(definitions=["r-short"]),
        lambda entry: entry.definition == "r-short",
    ),
)


class Evidence:
    """What anybody saw at a revision: all have to have seen the same, over all lives."""

    def __init__(self, ledger: Ledger) -> None:
        self.seen: dict[int, tuple[int, str]] = {}
        self._ledger = ledger
        self.events = 0

    def add(self, watcher: str, revision: int, job: int, row: str) -> None:
        self.events += 1
        first = self.seen.setdefault(revision, (job, row))
        if first != (job, row):
            self._ledger.broken.append(
                f"durable first: {watcher} saw job {job} {row} at revision {revision}, where "
                f"job {first[0]} {first[1]} was seen before"
            )

    def problems(self, account: Account) -> Iterator[str]:
        for revision, (job, row) in self.seen.items():
            entry = account.at(revision)
            if entry is None or (entry.job, entry.row) != (job, row):
                yield f"durable first: {revision} was seen as job {job} {row}, but is {entry}"


class Watcher:
    """One watcher: begins at revision 0 and goes on where it was."""

    def __init__(
        self, name: str, kind: Kind, lives: Lives, evidence: Evidence, rng: Random
    ) -> None:
        self.name = f"{name} ({kind.name})"
        self.kind = kind
        self.records = [Record(0)]
        self.revision = 0
        self.resumes = 0
        self.compacted = 0
        self._lives = lives
        self._evidence = evidence
        self._ledger = evidence._ledger
        self._rng = rng

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            life = await self._lives.present()
            try:
                await self._watch(life)
            except aio.AioRpcError as failure:
                self._ended(meaning(failure))
            except asyncio.CancelledError:
                if is_over():
                    raise
            self.resumes += 1
            self.records[-1].messages.append(Ended(self.revision))
            await pass_time(0.005)

    async def _watch(self, life: Life) -> None:
        self.new_stream()
        request = WatchRequest(
            from_revision=self.revision, filter=self.kind.selected, form=self.kind.form
        )
        request.progress_interval.FromMilliseconds(200)
        call = life.watches.Watch(request)
        try:
            while self._rng.random() > LEAVES:
                message = await call.read()
                if message is aio.EOF:
                    return
                self._take(message)
        finally:
            call.cancel()

    def _ended(self, error: errors.InterlockError) -> None:
        if error.reason == "REVISION_IN_FUTURE":
            head = int(error.metadata["revision"])
            self._ledger.broken.append(
                f"durable first: {self.name} has seen revision {self.revision}, but the server is "
                f"at {head}"
            )
            self.revision = head
        elif isinstance(error, errors.Compacted):
            if error.oldest_revision <= self.revision:
                self._ledger.broken.append(
                    f"resumable: {self.name} at {self.revision} was told that "
                    f"{error.oldest_revision} is the oldest"
                )
            self.compacted += 1
            self.revision = error.oldest_revision
            self.records.append(Record(self.revision))
        elif error.reason not in {"UNAVAILABLE", "GOING_AWAY", "CANCELLED", "UNKNOWN"}:
            self._ledger.broken.append(f"watch: {self.name} ended with {error.reason}: {error}")

    def new_stream(self) -> None:
        """A stream begins."""

    def _take(self, message: Any) -> None:
        match message.WhichOneof("message"):
            case "progress":
                self._progress(message.progress.revision)
            case "columns":
                self._changed(
                    [
                        (block.first_revision + index, job, _ROW_IDS[block.transitions[index]])
                        for block in message.columns.blocks
                        for index, job in enumerate(block.jobs)
                    ]
                )
                self.took(message.columns)
            case "events":
                self._changed([(e.revision, e.job, e.transition) for e in message.events.events])
            case "names":
                self.learned(message.names.names)

    def _progress(self, revision: int) -> None:
        if revision < self.revision:
            self._ledger.broken.append(f"progress: {self.name} went back to {revision}")
        self.records[-1].messages.append(Progress(revision))
        self.revision = revision
        self._ledger.tell(revision)

    def _changed(self, changes: list[tuple[int, int, str]]) -> None:
        for change in changes:
            self._evidence.add(self.name, *change)
        self.records[-1].messages.append(Changes(tuple(change[0] for change in changes)))
        self.revision = changes[-1][0]
        self._ledger.tell(self.revision)

    def took(self, columns: ChangeColumns) -> None:
        """Columns came."""

    def learned(self, names: Any) -> None:
        """Names came."""

    def problems(self, account: Account) -> list[str]:
        """Broken promises, by the account; the newest revision has to have arrived too."""
        truth = Truth(account.matching(self.kind.wanted), account.turns)
        broken = [
            f"{sentence} ({self.name})"
            for record in self.records
            for sentence in broken_promises(record, truth)
        ]
        if self.revision < account.head:
            broken.append(f"reliable: {self.name} stopped at {self.revision} of {account.head}")
        return broken


class Auditor(Watcher):
    """The watcher that keeps the account."""

    def __init__(self, account: Account, lives: Lives, evidence: Evidence, rng: Random) -> None:
        super().__init__("auditor", KINDS[0], lives, evidence, rng)
        self._account = account

    def new_stream(self) -> None:
        self._account.new_stream()

    def took(self, columns: ChangeColumns) -> None:
        self._account.add(columns)

    def learned(self, names: Any) -> None:
        self._account.learn(names)


class SdkWatcher:
    """A watch of the SDK, which resumes by itself."""

    def __init__(self, name: str, address: str, evidence: Evidence, *, columns: bool) -> None:
        self.name = f"{name} (SDK)"
        self.records = [Record(0)]
        self.revision = 0
        self.resumes = 0
        self.compacted = 0
        self._address = address
        self._evidence = evidence
        self._columns = columns

    async def run(self) -> None:
        """Watch until cancelled."""
        async with sdk(self._address) as interlock:
            while True:
                watch = interlock.watch(from_revision=self.revision, columns=self._columns)
                try:
                    async for changes in watch.batches():
                        self._take(changes)
                except errors.Compacted as error:
                    self.compacted += 1
                    self.revision = error.oldest_revision
                    self.records.append(Record(self.revision))
                finally:
                    self.resumes += watch.resumes

    def _take(self, changes: list[Change]) -> None:
        for change in changes:
            self._evidence.add(self.name, change.revision, change.job, change.transition)
        self.records[-1].messages.append(Changes(tuple(change.revision for change in changes)))
        self.revision = changes[-1].revision

    def problems(self, account: Account) -> list[str]:
        """Broken promises, by the account."""
        truth = Truth(account.matching(lambda _: True), account.turns)
        return [
            f"{sentence} ({self.name})"
            for record in self.records
            for sentence in broken_promises(record, truth)
        ]


def sdk(address: str) -> Interlock:
    """The SDK, patient enough for a storm."""
    from interlock import connect

    return connect(address, timeout=60, user="sdk")
