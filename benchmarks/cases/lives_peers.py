"""Whole lives through SDK robots, beside job systems that are installed here."""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench, Place
from benchmarks.case import Case
from benchmarks.living import LIFECYCLES, OurChanges, our_lives
from benchmarks.measurement import Measurement, at_least
from benchmarks.peer_rounds import against_peers
from benchmarks.rounds import Subject

JOBS: Final = {
    "prefect": at_least(100.0),
    "dbos": at_least(15.0),
    "procrastinate": at_least(5.0),
    "pgqueuer": None,
}
CHANGES: Final = {"pgqueuer-changes": at_least(1.2)}


async def measure(place: Place) -> list[Measurement]:
    """Both lifecycles against each, in jobs and in recorded changes."""
    if not place.peers:
        return []
    async with Bench(place) as bench:
        lives = {lifecycle: await our_lives(bench, lifecycle) for lifecycle in LIFECYCLES}
        jobs = [
            Subject(f"whole lives through SDK robots, {name}", "jobs/s", side)
            for name, side in lives.items()
        ]
        changes = [
            Subject(f"changes of whole lives, {name}", "changes/s", OurChanges(side))
            for name, side in lives.items()
        ]
        found = await against_peers(place, jobs, JOBS)
        return found + await against_peers(place, changes, CHANGES)


CASE: Final = Case("lives-peers", "whole lives beside other job systems", measure)
