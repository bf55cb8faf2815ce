from __future__ import annotations

import json

import pytest

from benchmarks import guard
from benchmarks.bench import Place
from tests.benchmarks.slowed_server import ENVIRONMENT

FLOORS = {"reports": {"measured": 0.5, "floor": 0.3}}


def test_a_ratio_under_its_floor_is_told():
    (sentence,) = guard.below({"reports": 0.29}, FLOORS)

    assert "expected a ratio of at least 0.3, but it is 0.29" in sentence


@pytest.mark.parametrize("ratio", [0.3, 0.5, 4.0])
def test_a_ratio_from_its_floor_on_is_no_problem(ratio):
    assert guard.below({"reports": ratio}, FLOORS) == []


def test_a_floor_is_a_part_of_what_was_measured():
    assert guard.floors_of({"reports": 0.5}) == FLOORS


def test_every_guarded_exchange_has_a_floor():
    floors = json.loads(guard.FLOORS.read_text(encoding="utf-8"))

    assert list(floors) == list(guard.GUARDED)
    assert all(
        floor["floor"] == pytest.approx(guard.FLOOR_SHARE * floor["measured"], abs=0.001)
        for floor in floors.values()
    )


@pytest.mark.slow
async def test_a_planted_slow_down_is_caught(monkeypatch, tmp_path):
    monkeypatch.setenv(ENVIRONMENT, "4")
    place = Place(
        tmp_path,
        rounds=1,
        seconds=0.3,
        warm_up_seconds=0.1,
        program=("-m", "tests.benchmarks.slowed_server"),
    )

    found = await guard.measure(place)

    floors = json.loads(guard.FLOORS.read_text(encoding="utf-8"))
    assert [sentence.partition(":")[0] for sentence in guard.below(found, floors)] == [
        "reports",
        "unary",
    ], found
