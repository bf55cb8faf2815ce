"""Whole lives through the SDK: submitted in batches, run by robots, seen to end."""

from __future__ import annotations

from functools import partial
from typing import Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.living import LIFECYCLES, bare_lives, our_lives
from benchmarks.measurement import Measurement
from benchmarks.rounds import Rival, Subject, alternate


async def measure(place: Place, lifecycle: str) -> list[Measurement]:
    """Against the same SDK and robots on a bare server."""
    async with Bench(place) as bench:
        ours = await our_lives(bench, lifecycle)
        subject = Subject(f"whole lives through SDK robots, {lifecycle}", "jobs/s", ours)
        rival = Rival(
            "the same SDK against a bare server that only passes messages on",
            await bare_lives(bench, lifecycle),
        )
        found = await alternate(place, subject, [rival])
        found[0].note = f"{ours.changes_per_life:g} transitions in each life"
        return found


CASES: Final = tuple(
    Case(
        f"lives-{lifecycle}",
        f"whole {lifecycle} lives against a bare server",
        partial(measure, lifecycle=lifecycle),
        quick=True,
    )
    for lifecycle in LIFECYCLES
)
