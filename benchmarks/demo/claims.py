"""The claims at the end, each worked out from what was acknowledged, seen, read and recomputed.

Nothing here believes a sentence of the story: a claim holds only if two sources agree.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.demo import bookkeeping
from interlock.status import actor_name, status_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.demo.ack_log import AckLog
    from benchmarks.demo.observer import Observer
    from interlock import Change, HistoryEntry, Interlock


class Claim(NamedTuple):
    """Something promised, what was observed, and whether that is the same."""

    promise: str
    observed: str
    holds: bool


class Evidence(NamedTuple):
    """What the claims are judged by."""

    interlock: Interlock
    observer: Observer
    acks: AckLog
    files: Path
    #: What the watcher had seen when the server was killed.
    before_crash: Sequence[Change]
    #: Job id and status of some jobs when the server was killed.
    standing: dict[int, str]
    #: Status of the same jobs as the restarted server showed it first.
    found: dict[int, str]


async def judge(evidence: Evidence) -> list[Claim]:
    """Work out the claims about all jobs."""
    histories = await _histories(evidence)
    kept = {
        (job, entry.revision, str(entry.from_status), str(entry.to_status))
        for job, entries in histories.items()
        for entry in entries
    }
    return [
        _acknowledged(evidence, histories),
        _once(evidence, await _references(evidence)),
        _standing(evidence),
        _seen_before_crash(evidence, kept),
        _watched(evidence, kept),
        await _legal(evidence),
        _accounted(evidence, histories),
        _limited(evidence),
        _files(evidence),
    ]


async def _histories(evidence: Evidence) -> dict[int, list[HistoryEntry]]:
    interlock = evidence.interlock
    listed = [job.id async for job in interlock.list(scope="all", page_size=1_000)]
    return {job: await interlock.history(job) for job in listed}


async def _references(evidence: Evidence) -> Counter[str]:
    jobs = evidence.interlock.list(scope="all", definitions=["Receipt"], page_size=1_000)
    return Counter([job.reference async for job in jobs])


def _acknowledged(evidence: Evidence, histories: dict[int, list[HistoryEntry]]) -> Claim:
    acks = evidence.acks.acks
    stored = {
        (job, str(entry.to_status), entry.revision)
        for job, entries in histories.items()
        for entry in entries
    }
    survived = sum(tuple(ack) in stored for ack in acks)
    return Claim(
        "what was acknowledged is kept, in spite of kill -9",
        f"{len(acks)} acknowledged changes, {survived} of them in the histories at the same "
        "revision",
        survived == len(acks) > 0,
    )


def _once(evidence: Evidence, stored: Counter[str]) -> Claim:
    wanted = evidence.acks.jobs_of
    twice = sum(count > 1 for count in stored.values())
    receipts = len([*evidence.files.glob("receipt-*.txt")])
    return Claim(
        "a repeated request is carried out once",
        f"{len(wanted)} receipts ordered while the server died and came back: {len(stored)} jobs, "
        f"{twice} created twice, {receipts} receipts written",
        stored.keys() == wanted.keys() and not twice and receipts == len(wanted) > 0,
    )


def _standing(evidence: Evidence) -> Claim:
    same = sum(evidence.found.get(job) == status for job, status in evidence.standing.items())
    kinds = ", ".join(sorted({*evidence.standing.values()}))
    return Claim(
        "jobs that wait are found as they were",
        f"{same} of {len(evidence.standing)} waiting jobs came back unchanged ({kinds})",
        same == len(evidence.standing) > 0,
    )


def _key(change: Change) -> tuple[int, int, str, str]:
    return change.job, change.revision, str(change.from_status), str(change.to_status)


def _seen_before_crash(evidence: Evidence, kept: set[tuple[int, int, str, str]]) -> Claim:
    seen = evidence.before_crash
    true = sum(_key(change) in kept for change in seen)
    return Claim(
        "nothing is shown before it is durable",
        f"{true} of {len(seen)} changes that were shown before the kill are still true",
        true == len(seen) > 0,
    )


def _watched(evidence: Evidence, kept: set[tuple[int, int, str, str]]) -> Claim:
    observer = evidence.observer
    seen = {_key(change) for change in observer.changes}
    clean = not (observer.gaps or observer.duplicates or observer.disorder)
    return Claim(
        "a watch has no gap and nothing twice",
        f"{len(observer.changes)} changes, {observer.gaps} gaps, {observer.duplicates} duplicates, "
        f"{observer.disorder} out of order, {observer.resumes} resumes; the histories have "
        f"{len(kept)}",
        clean and seen == kept and observer.resumes > 0,
    )


async def _legal(evidence: Evidence) -> Claim:
    rows: dict[str, tuple[str, str, frozenset[str]]] = {}
    for name in ("uipath", "redwood"):
        for row in (await evidence.interlock.describe_lifecycle(name)).transitions:
            ends = str(status_name(getattr(row, "from"))), str(status_name(row.to))
            rows[row.id] = (*ends, frozenset(actor_name(actor) for actor in row.actors))
    illegal = 0
    for change in evidence.observer.changes:
        before, after, actors = rows.get(change.transition, ("", "", frozenset()))
        pair = (str(change.from_status), str(change.to_status))
        illegal += pair != (before, after) or change.actor not in actors
    used = len({change.transition for change in evidence.observer.changes})
    return Claim(
        "every change is a row of the lifecycle tables",
        f"{used} of {len(rows)} rows were used, {illegal} changes were illegal",
        not illegal and used > 0,
    )


def _accounted(evidence: Evidence, histories: dict[int, list[HistoryEntry]]) -> Claim:
    entries = [entry for each in histories.values() for entry in each]
    full = sum(bool(e.time and e.author and e.actor and e.trigger) for e in entries)
    authors = sorted({entry.author for entry in entries})
    return Claim(
        "every change says when, by whom and why",
        f"{full} of {len(entries)} entries do; the authors: {', '.join(authors)}",
        full == len(entries) == len(evidence.observer.changes),
    )


def _limited(evidence: Evidence) -> Claim:
    with_robots: set[int] = set()
    most = 0
    for change in evidence.observer.changes:
        if change.queue == "ledger":
            holds = change.to_status in {"Dispatched", "Assigned", "Running", "Uncertain"}
            (with_robots.add if holds else with_robots.discard)(change.job)
            most = max(most, len(with_robots))
    return Claim(
        "a queue never has more with robots than its size, 4",
        f"at most {most} at once",
        0 < most <= 4,
    )


def _files(evidence: Evidence) -> Claim:
    folder = evidence.files
    report: Any = json.loads((folder / "report.json").read_text())
    right, total = 0, 0
    for month in bookkeeping.MONTHS:
        text = "".join(bookkeeping.ledger_slices(month))
        cents = bookkeeping.total_cents(text)
        total += cents
        packed = bookkeeping.packed_path(folder, month)
        said = report["months"].get(month, {})
        digest = hashlib.sha256(packed.read_bytes()).hexdigest()
        right += (
            said == {"sha256": digest, "cents": cents}
            and bookkeeping.unpack(packed) == text
            and bookkeeping.ledger_path(folder, month).read_text() == text
        )
    return Claim(
        "the work itself is right",
        f"{right} of {len(bookkeeping.MONTHS)} ledgers, their hashes and sums agree with a second "
        f"calculation; the year is {report['total_cents'] / 100:,.2f}",
        right == len(bookkeeping.MONTHS) and report["total_cents"] == total,
    )
