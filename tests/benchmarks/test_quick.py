from __future__ import annotations

import json

import pytest

from benchmarks import quick
from benchmarks.measurement import Measurement


def measured(*, ours: list[float], theirs: list[float]) -> Measurement:
    return Measurement("a case", "jobs/s", "a bare server", ours, theirs)


def test_a_row_has_medians_and_their_ratio():
    row = measured(ours=[1.0, 9.0, 2.0], theirs=[4.0, 5.0, 1.0]).row()

    assert (row["ours"], row["theirs"], row["ratio"]) == (2.0, 4.0, 0.5)
    assert (row["ours_min_max"], row["theirs_min_max"]) == ([1.0, 9.0], [1.0, 5.0])


def test_a_case_that_failed_has_no_numbers():
    row = Measurement("a case", "jobs/s", "a bare server", failure="it hung").row()

    assert (row["ours"], row["theirs"], row["ratio"], row["failed"]) == (
        None,
        None,
        None,
        "it hung",
    )


def test_the_table_names_what_failed():
    rows = [
        measured(ours=[20_000.0], theirs=[40_000.0]).row(),
        Measurement("another", "", "", failure="it hung").row(),
    ]

    lines = list(quick.table(rows))

    assert "20,000" in lines[1]
    assert "0.50" in lines[1]
    assert lines[2].split() == ["another", "failed"]
    assert lines[-1] == "failed: another: it hung"


def test_a_case_that_fails_is_reported_and_ends_with_1(monkeypatch, tmp_path, capsys):
    async def fails(_place):
        raise RuntimeError("it broke")

    async def works(_place):
        return measured(ours=[1.0], theirs=[2.0])

    monkeypatch.setattr(quick, "CASES", {"broken": fails, "whole": works})
    results = tmp_path / "results.json"

    assert quick.main(["--results", str(results)]) == 1

    rows = json.loads(results.read_text())["rows"]
    assert [row["ratio"] for row in rows] == [None, 0.5]
    assert "failed: broken: RuntimeError: it broke" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "0"], ["--case", "no"]])
def test_a_wrong_option_ends_with_2(arguments):
    with pytest.raises(SystemExit) as ended:
        quick.main(arguments)

    assert ended.value.code == 2


def test_the_cost_of_a_sync_is_measured(tmp_path):
    cost = quick.sync_cost_ms(tmp_path)

    assert 0 < cost["median"] <= cost["p99"]


@pytest.mark.slow
def test_cases_are_measured_beside_a_bare_server(tmp_path, capsys):
    results = tmp_path / "results.json"
    cases = ["--case", "reports", "--case", "fan-out"]

    code = quick.main([*cases, "--rounds", "1", "--seconds", "0.2", "--results", str(results)])

    found = json.loads(results.read_text())
    assert code == 0, capsys.readouterr().out
    assert [row["rounds"] for row in found["rows"]] == [1, 1]
    assert all(row["ours"] > 0 and row["theirs"] > 0 for row in found["rows"])
    assert {"machine", "versions", "durability", "fdatasync_ms"} <= found.keys()
