from __future__ import annotations

import json

import pytest

from benchmarks import long_run


@pytest.mark.parametrize(
    "arguments", [["--minutes", "0"], ["--interval", "0"], ["--minutes", "1", "--interval", "61"]]
)
def test_a_wrong_option_ends_with_2(arguments):
    with pytest.raises(SystemExit) as ended:
        long_run.main(arguments)

    assert ended.value.code == 2


def test_the_first_third_does_not_count():
    minutes = [
        {"minute": float(number), "changes_per_s": 100, "calls_per_s": 10, "rss_mib": rss}
        for number, rss in enumerate([10.0, 50.0, *[90.0] * 4])
    ]

    assert long_run.slopes(minutes)["rss_mib"].per_hour == 0


@pytest.mark.slow
def test_every_change_is_watched_and_written_down(tmp_path, capsys):
    results = tmp_path / "long.json"

    code = long_run.main(["--minutes", "0.01", "--interval", "0.3", "--results", str(results)])

    found = json.loads(results.read_text(encoding="utf-8"))
    assert code == 0
    assert all(each["changes_per_s"] > 0 and each["rss_mib"] > 0 for each in found["minutes"])
    assert found["slopes"].keys() == set(long_run.FLAT)
    assert "changes/s" in capsys.readouterr().out
