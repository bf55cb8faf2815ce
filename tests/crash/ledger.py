"""What clients and robots were told, written down by whoever was told, and compared at the end.

An answer is a promise. `problems` finds those that the account does not keep: lost changes, changes
made twice, effects of refused requests, reports that are not there, statuses that were shown and
never were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock.v1.robot_service_pb2 import ReportKind as K
from interlock.v1.status_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.account import Account, Entry

FINAL: Final = 4


@dataclass
class Asked:
    """A request, and what is known of its outcome."""

    method: str
    request: Any
    #: Jobs that it creates if it is carried out.
    creates: int
    #: Highest revision that anybody was told of before it was sent.
    floor: int
    tries: int = 0
    answer: Any = None
    #: Reason of a definite refusal.
    refusal: str = ""
    #: Nobody will ask again.
    abandoned: bool = False

    @property
    def known(self) -> bool:
        return self.answer is not None or bool(self.refusal)


class Reported(NamedTuple):
    """A report that was acknowledged and not refused."""

    robot: str
    job: int
    fence: int
    kind: int
    #: Revision of the acknowledgement.
    revision: int


class Shown(NamedTuple):
    """A job as a read showed it."""

    job: int
    status: int
    revision: int


@dataclass
class Ledger:
    """Everything that was promised."""

    asked: list[Asked] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    #: What was seen to be wrong at once.
    broken: list[str] = field(default_factory=list)
    #: Highest revision that anybody was told of.
    told: int = 0
    repeats: int = 0
    lies_refused: int = 0
    #: Honest reports that were refused, by kind and reason.
    honest_refused: Counter[str] = field(default_factory=Counter)

    def tell(self, revision: int) -> None:
        self.told = max(self.told, revision)

    @property
    def acks(self) -> int:
        return sum(asked.answer is not None for asked in self.asked) + len(self.reported)

    def problems(self, account: Account) -> Iterator[str]:
        for asked in self.asked:
            yield from _request_problems(asked, account)
        for reported in self.reported:
            yield from _report_problems(reported, account)
        for shown in self.shown:
            yield from _shown_problems(shown, account)


def _request_problems(asked: Asked, account: Account) -> Iterator[str]:
    request_id = asked.request.request_id
    what = f"{asked.method} {request_id} ({asked.tries} tries)"
    effects = account.by_request.get(request_id, [])
    turns = {entry.turn for entry in effects}
    if len(turns) > 1:
        yield f"once: {what} took effect {len(turns)} times, at {sorted(turns)}"
    created = sum(entry.source == 0 for entry in effects)
    if asked.answer is not None:
        yield from _answer_problems(asked, what, account)
        if created != asked.creates:
            yield f"acknowledged: {what} created {created} jobs, not {asked.creates}"
        if turns and min(turns) <= asked.floor:
            yield f"real time: {what} was sent after {asked.floor} was told, yet is {turns}"
    elif asked.refusal and effects:
        yield f"refused: {what} was refused ({asked.refusal}) and took effect at {sorted(turns)}"
    elif created not in {0, asked.creates}:
        yield f"whole: {what} created {created} of {asked.creates} jobs"


def _answer_problems(asked: Asked, what: str, account: Account) -> Iterator[str]:
    answer = asked.answer
    if answer.revision > account.head:
        yield f"acknowledged: {what} said revision {answer.revision}, but {account.head} is last"
    for outcome in answer.outcomes:
        if outcome.HasField("refusal"):
            if any(e.job == outcome.job for e in account.by_request[asked.request.request_id]):
                yield f"refused: {what} was refused for job {outcome.job} and changed it"
            continue
        entry = account.at(outcome.revision)
        if entry is None or (entry.job, entry.target) != (outcome.job, outcome.status):
            yield (
                f"acknowledged: {what} said that job {outcome.job} became "
                f"{Status.Name(outcome.status)} at {outcome.revision}, but there is {_seen(entry)}"
            )


def _seen(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    return f"job {entry.job} to {Status.Name(Status.ValueType(entry.target))}"


_UNDER_WAY: Final = {
    Status.STATUS_UIPATH_RUNNING,
    Status.STATUS_UIPATH_STOPPING,
    Status.STATUS_UIPATH_TERMINATING,
    Status.STATUS_REDWOOD_RUNNING,
    Status.STATUS_REDWOOD_KILLING,
    Status.STATUS_REDWOOD_CANCELING,
}
_ENDS: Final = {
    K.REPORT_KIND_COMPLETED,
    K.REPORT_KIND_FAILED,
    K.REPORT_KIND_CANCELED,
    K.REPORT_KIND_KILLED,
    K.REPORT_KIND_CANCEL_CONFIRMED,
}


def _report_problems(reported: Reported, account: Account) -> Iterator[str]:
    before = [e for e in account.by_job.get(reported.job, ()) if e.revision <= reported.revision]
    if reported.kind in _ENDS:
        kept = any(entry.state == FINAL for entry in before)
    elif reported.kind == K.REPORT_KIND_STARTED:
        kept = any(entry.target in _UNDER_WAY for entry in before)
    elif reported.kind == K.REPORT_KIND_SUSPENDED:
        kept = any(
            entry.target == Status.STATUS_UIPATH_SUSPENDED or entry.state == FINAL
            for entry in before
        )
    else:
        kept = bool(before)
    if not kept:
        name = K.Name(K.ValueType(reported.kind))
        yield (
            f"acknowledged: {reported.robot} reported {name} of job {reported.job} by revision "
            f"{reported.revision}, but there is only "
            f"{[Status.Name(Status.ValueType(entry.target)) for entry in before]}"
        )


def _shown_problems(shown: Shown, account: Account) -> Iterator[str]:
    entry = account.at(shown.revision)
    if entry is None or (entry.job, entry.target) != (shown.job, shown.status):
        yield (
            f"durable first: a read showed job {shown.job} as "
            f"{Status.Name(Status.ValueType(shown.status))} since {shown.revision}, but there is "
            f"{_seen(entry)}"
        )
