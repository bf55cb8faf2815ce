"""The cases of the suite, in the order in which they are measured."""

from __future__ import annotations

from typing import Final

from benchmarks.cases import (
    fan_out,
    gathered,
    large_start_up,
    latency,
    lives,
    lives_peers,
    long_history,
    memory,
    paced_fan_out,
    reports,
    reports_1000,
    snapshots,
    start_up,
    unary,
    watchers_20,
)

CASES: Final = {
    case.name: case
    for case in (
        reports.CASE,
        reports_1000.CASE,
        watchers_20.CASE,
        unary.CASE,
        gathered.CASE,
        *lives.CASES,
        lives_peers.CASE,
        fan_out.CASE,
        paced_fan_out.CASE,
        latency.CASE,
        snapshots.CASE,
        long_history.CASE,
        start_up.CASE,
        large_start_up.CASE,
        memory.CASE,
    )
}
