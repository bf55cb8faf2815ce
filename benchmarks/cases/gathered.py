"""64 callers that share a connection of the SDK, which gathers their single calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, Place
from benchmarks.calling import CALLERS, our_calls
from benchmarks.case import Case
from benchmarks.measurement import Measurement, Target, at_least
from benchmarks.peer_rounds import against_peers
from benchmarks.rounds import Rival, Subject, alternate

if TYPE_CHECKING:
    from collections.abc import Mapping

PEERS: Final[Mapping[str, Target | None]] = {
    "postgres-single": at_least(1.5),
    "redis-single": None,
    "etcd-single": None,
}


async def measure(place: Place) -> list[Measurement]:
    """Against unary calls to the same server, then against what else is installed."""
    async with Bench(place) as bench:
        server = await bench.server()
        ours = await our_calls(bench, server, "gathered")
        subject = Subject(f"{CALLERS} concurrent callers through the SDK", "transitions/s", ours)
        unary = await our_calls(bench, server, "unary")
        rival = Rival("Interlock, one unary call for each", unary, at_least(5.0), "full")
        found = await alternate(place, subject, [rival])
        return found + await against_peers(place, [subject], PEERS)


CASE: Final = Case("gathered", "single calls that the SDK gathers", measure, quick=True)
