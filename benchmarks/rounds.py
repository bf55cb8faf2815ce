"""Rounds that alternate, so that whatever else the machine does is done to both sides."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

from benchmarks.measurement import NOTHING_KEPT, Measurement, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Place
    from benchmarks.rate import Rate


class Side(Protocol):
    """What is measured: it is ready, and does one round after the other."""

    async def run(self, seconds: float) -> Rate:
        """Do one round and count what was done; raises if the counts do not agree."""


class Rival(NamedTuple):
    """What ours is compared with."""

    comparison: str
    side: Side
    target: Target | None = None
    durability: str = NOTHING_KEPT


class Subject(NamedTuple):
    """What is measured, and how it is called."""

    title: str
    unit: str
    side: Side
    durability: str = "full"


async def alternate(place: Place, subject: Subject, rivals: Sequence[Rival]) -> list[Measurement]:
    """Warm up all sides, then measure one after the other in every round.

    A rival that fails is reported so and left out; the others go on. If ours fails, it raises.
    """
    found = [
        Measurement(
            subject.title,
            subject.unit,
            rival.comparison,
            durability=(subject.durability, rival.durability),
            target=rival.target,
        )
        for rival in rivals
    ]
    await subject.side.run(place.warm_up_seconds)
    for rival, measurement in zip(rivals, found, strict=True):
        await _try(measurement, rival.side, place.warm_up_seconds)
    for number in range(place.rounds):
        print(f"  {subject.title}: round {number + 1} of {place.rounds}", file=sys.stderr)
        rate = await subject.side.run(place.seconds)
        for rival, measurement in zip(rivals, found, strict=True):
            measurement.add_ours(rate)
            their_rate = await _try(measurement, rival.side, place.seconds)
            if their_rate is not None:
                measurement.add_theirs(their_rate)
    return found


async def _try(measurement: Measurement, side: Side, seconds: float) -> Rate | None:
    if measurement.failure:
        return None
    try:
        return await side.run(seconds)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        measurement.failure = f"{type(error).__name__}: {error}"
        return None
