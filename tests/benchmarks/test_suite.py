from __future__ import annotations

import json

import pytest

from benchmarks import suite
from benchmarks.case import Case
from benchmarks.measurement import Measurement


async def fails(_place):
    raise RuntimeError("it broke")


async def works(_place):
    measurement = Measurement("a case", "jobs/s", "a bare server")
    measurement.ours, measurement.theirs = [1.0], [2.0]
    return [measurement]


@pytest.fixture
def cases(monkeypatch):
    cases = {
        case.name: case
        for case in (
            Case("broken", "fails", fails, quick=True),
            Case("whole", "works", works),
        )
    }
    monkeypatch.setattr(suite, "CASES", cases)
    monkeypatch.setattr(suite, "sync_cost_ms", lambda _folder: {"median": 0.1, "p99": 0.2})


def test_a_case_that_fails_is_reported_and_the_others_go_on(cases, tmp_path, capsys):
    assert suite.main(["--results", str(tmp_path)]) == 1

    whole = json.loads((tmp_path / "whole.json").read_text())
    broken = json.loads((tmp_path / "broken.json").read_text())
    assert [row["ratio"] for row in whole["rows"]] == [0.5]
    assert broken["rows"][0]["failed"] == "RuntimeError: it broke"
    assert "RuntimeError: it broke" in capsys.readouterr().out


def test_a_result_says_on_what_it_was_measured(cases, tmp_path):
    assert suite.main(["--case", "whole", "--results", str(tmp_path)]) == 0

    result = json.loads((tmp_path / "whole.json").read_text())
    assert {"case", "machine", "versions", "durability", "fdatasync_ms"} <= result.keys()
    assert result["rows"][0]["case"] == "whole"


def test_programs_can_read_what_is_printed(cases, tmp_path, capsys):
    suite.main(["--case", "whole", "--results", str(tmp_path), "--output", "json"])

    (result,) = json.loads(capsys.readouterr().out)
    assert result["rows"][0]["ratio"] == 0.5


def test_the_quick_suite_is_the_core(cases, capsys):
    suite.main(["--quick", "--list"])

    assert capsys.readouterr().out.split() == ["broken", "quick", "fails"]


@pytest.mark.parametrize(
    "arguments",
    [["--rounds", "0"], ["--seconds", "0"], ["--scale", "2"], ["--case", "no"]],
)
def test_a_wrong_option_ends_with_2(arguments):
    with pytest.raises(SystemExit) as ended:
        suite.main(arguments)

    assert ended.value.code == 2
