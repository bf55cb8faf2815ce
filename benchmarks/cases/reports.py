"""Reports in batches of 100, with one watcher that receives every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.measurement import Measurement, Target, at_least
from benchmarks.peer_rounds import against_peers
from benchmarks.reporting import echoed_reports, our_reports
from benchmarks.rounds import Rival, Subject, alternate

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH: Final = 100
#: What each echo of the bare server does, and what is to be reached beside it.
ECHOES: Final[Mapping[str, tuple[str, Target | None]]] = {
    "object": ("bare echo: parses and serialises the same messages", None),
    "values": ("bare echo: decodes and builds anew the same messages", at_least(0.5)),
    "reports": ("bare echo: the same with a message for each report", None),
}
PEERS: Final[Mapping[str, Target | None]] = {
    "postgres-unnest-100": at_least(2.0),
    "postgres-any-100": None,
    "redis-batch-100": None,
    "etcd-txn-100": None,
}


async def measure(place: Place) -> list[Measurement]:
    """Against three echoes in one run, then against what else is installed."""
    async with Bench(place) as bench:
        ours = await our_reports(bench, batch=BATCH)
        subject = Subject(f"reports, batches of {BATCH}, one watcher", "transitions/s", ours)
        bare = await bench.bare()
        rivals = [
            Rival(words, await echoed_reports(bench, bare, batch=BATCH, echo=echo), target)
            for echo, (words, target) in ECHOES.items()
        ]
        found = await alternate(place, subject, rivals)
        return found + await against_peers(place, [subject], PEERS)


CASE: Final = Case("reports", "batches of 100, columns, one watcher", measure, quick=True)
