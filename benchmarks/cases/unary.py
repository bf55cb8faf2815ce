"""One transition in each unary call, 64 in flight."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench, Place
from benchmarks.calling import CALLERS, bare_calls, our_calls
from benchmarks.case import Case
from benchmarks.measurement import Measurement, at_least
from benchmarks.rounds import Rival, Subject, alternate


async def measure(place: Place) -> list[Measurement]:
    """Against a bare unary method with the same messages."""
    async with Bench(place) as bench:
        ours = await our_calls(bench, await bench.server(), "unary")
        subject = Subject(
            f"one transition per unary call, {CALLERS} in flight", "transitions/s", ours
        )
        rival = Rival("bare unary echo", await bare_calls(bench), at_least(0.85))
        return await alternate(place, subject, [rival])


CASE: Final = Case("unary", "a generated client, one transition per call", measure, quick=True)
