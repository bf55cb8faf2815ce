"""Start-up after SIGKILL with a million live jobs: with a full tail, and with a long past."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from benchmarks.bench import Bench, CaseFailed, Place
from benchmarks.case import Case
from benchmarks.measurement import Measurement, at_most
from benchmarks.site import tail_of, with_full_tail, with_long_past, young
from benchmarks.starting import bare_start, start_after_kill

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A start may take long: so many rounds at most, and no more once so many seconds are over.
ROUNDS_MAX: Final = 3
_SECONDS_MAX: Final = 60.0
SECONDS: Final = at_most(10.0, "ours")
#: What "flat" may still mean, noise included.
FLAT: Final = at_most(1.2)


async def measure(place: Place) -> list[Measurement]:
    """The tail against reading its bytes, the long past against a short one."""
    return [await _long_past(place), await _full_tail(place)]


def _rounds(place: Place) -> Iterator[int]:
    until = time.monotonic() + _SECONDS_MAX
    for number in range(min(place.rounds, ROUNDS_MAX)):
        if number and time.monotonic() > until:
            return
        yield number


async def _full_tail(place: Place) -> Measurement:
    site = await with_full_tail(place)
    tail = tail_of(site.data)
    found = Measurement(
        f"start-up with {site.live_jobs:,} live jobs and a full tail",
        "s",
        "bare server that reads the same bytes from disk first",
        target=SECONDS,
    )
    async with Bench(place) as bench:
        server = await bench.killed_server(site.data)
        for number in _rounds(place):
            print(f"  start-up: round {number + 1}", file=sys.stderr)
            found.ours.append(await start_after_kill(server, site.live_jobs))
            theirs, _ = await bare_start(server.data)
            found.theirs.append(theirs)
    found.note = f"a tail of {tail.commits:,} commits, {tail.bytes / 1e6:.0f} MB"
    return found


async def _long_past(place: Place) -> Measurement:
    new, old = await young(place), await with_long_past(place)
    found = Measurement(
        f"start-up with {old.live_jobs:,} live jobs, {old.revision:,} revisions behind",
        "s",
        f"Interlock, the same live jobs, {new.revision:,} revisions behind",
        ("full", "full"),
        FLAT,
    )
    if old.live_jobs != new.live_jobs:
        raise CaseFailed(f"expected {new.live_jobs} live jobs in both, but got {old.live_jobs}")
    async with Bench(place) as bench:
        of_old, of_new = [await bench.killed_server(site.data) for site in (old, new)]
        for number in _rounds(place):
            print(f"  start-up, long past: round {number + 1}", file=sys.stderr)
            found.ours.append(await start_after_kill(of_old, old.live_jobs))
            found.theirs.append(await start_after_kill(of_new, new.live_jobs))
    found.note = "both from a snapshot with next to no tail"
    return found


CASE: Final = Case(
    "large-start-up", "after SIGKILL, 1M live jobs: a full tail, and a long past", measure
)
