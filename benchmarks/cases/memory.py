"""What a live job and an idle watcher take of the server's memory."""

from __future__ import annotations

import sys
from typing import Final

from benchmarks.bench import Bench, CaseFailed, Place, put_definition
from benchmarks.case import Case
from benchmarks.measurement import Measurement, at_most
from benchmarks.own_server import resident_bytes
from benchmarks.reporting import watchers_of
from benchmarks.site import submit
from interlock import connect

LIVE_JOBS: Final = 1_000_000
IDLE_WATCHERS: Final = 2_000
BYTES_PER_JOB: Final = at_most(1_024, "ours")
KIB_PER_WATCHER: Final = at_most(25, "ours")


async def measure(place: Place) -> list[Measurement]:
    """What the resident memory grows by, with each part of them."""
    return [await _jobs(place), await _watchers(place)]


async def _jobs(place: Place) -> Measurement:
    jobs = place.scaled(LIVE_JOBS, least=10_000)
    part = jobs // place.rounds
    found = Measurement(f"memory for each of {jobs:,} live jobs", "bytes", "", target=BYTES_PER_JOB)
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "idle")
        await submit(server, "idle", part // 10)  # what is loaded once
        for number in range(place.rounds):
            print(f"  memory: {number + 1} of {place.rounds} parts", file=sys.stderr)
            before = resident_bytes(server.pid)
            await submit(server, "idle", part)
            found.ours.append((resident_bytes(server.pid) - before) / part)
        async with connect(server.address) as interlock:
            live = (await interlock.server_status()).live_jobs
    if live != part // 10 + part * place.rounds:
        raise CaseFailed(f"expected {part // 10 + part * place.rounds} live jobs, but got {live}")
    found.note = f"each round adds {part:,} waiting jobs"
    return found


async def _watchers(place: Place) -> Measurement:
    part = place.scaled(IDLE_WATCHERS, least=100) // place.rounds
    found = Measurement(
        f"memory for each of {part * place.rounds:,} idle watchers",
        "KiB",
        "an idle stream of a bare server",
        target=KIB_PER_WATCHER,
    )
    async with Bench(place) as bench:
        server = await bench.server()
        await put_definition(server, "idle")
        await submit(server, "idle", 1)
        bare, bare_address = await bench.bare()
        for number in range(-1, place.rounds):
            ours_before, theirs_before = resident_bytes(server.pid), resident_bytes(bare.pid)
            await watchers_of(bench, server, part)
            await bench.load("loads.watch", address=bare_address, count=part, bare=True)
            if number >= 0:  # the first brings what is loaded once
                found.ours.append((resident_bytes(server.pid) - ours_before) / part / 1_024)
                found.theirs.append((resident_bytes(bare.pid) - theirs_before) / part / 1_024)
        async with connect(server.address) as interlock:
            there = (await interlock.server_status()).watchers
    if there != part * (place.rounds + 1):
        raise CaseFailed(f"expected {part * (place.rounds + 1)} watchers, but there are {there}")
    found.note = f"each round adds {part:,} watchers of all changes"
    return found


CASE: Final = Case("memory", "bytes per live job, KiB per idle watcher", measure)
