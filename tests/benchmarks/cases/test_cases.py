from __future__ import annotations

import pytest

from benchmarks.bench import Place
from benchmarks.cases import CASES

#: What a case's rows are compared with, in order.
ROWS = {
    "reports": 3,
    "reports-1000": 1,
    "watchers-20": 1,
    "unary": 1,
    "gathered": 1,
    "lives-uipath": 1,
    "lives-redwood": 1,
    "lives-peers": 0,
    "fan-out": 1,
    "paced-fan-out": 6,
    "latency": 6,
    "snapshots": 2,
    "long-history": 1,
    "start-up": 1,
    "large-start-up": 2,
    "memory": 2,
}


def test_every_case_is_tried_here():
    assert list(ROWS) == list(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
async def test_a_case_counts_what_it_did(name, tmp_path):
    place = Place(tmp_path, rounds=1, seconds=0.2, warm_up_seconds=0.1, scale=0.01)

    rows = [measurement.row() for measurement in await CASES[name].measure(place)]

    assert len(rows) == ROWS[name]
    assert all(row["ours"] > 0 and row["rounds"] == 1 and "failed" not in row for row in rows), rows
