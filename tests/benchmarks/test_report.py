from __future__ import annotations

from benchmarks import report
from benchmarks.measurement import Measurement, at_least


def result(*measurements: Measurement, name: str = "reports"):
    return {
        "case": name,
        "machine": {
            "processors": 2,
            "architecture": "x86_64",
            "memory_gib": 8.0,
            "system": "Linux 6.1",
            "file_system": "ext4",
        },
        "versions": {"python": "3.11.7"},
        "durability": "full",
        "fdatasync_ms": {"median": 0.1, "p99": 0.3},
        "seconds": 60.0,
        "processors_taken_by_others": 0.02,
        "rows": [{"case": name, **each.row()} for each in measurements],
    }


def measured(theirs: str = "a bare server", *, durability: str = "nothing is stored"):
    measurement = Measurement(
        "a case", "jobs/s", theirs, ("full", durability), at_least(0.4), note="with a note"
    )
    measurement.ours, measurement.theirs = [1_000.0, 2_000.0, 3_000.0], [4_000.0]
    return measurement


def test_the_page_says_what_the_results_say():
    text = report.README.read_text(encoding="utf-8")

    page = report.page(text, report.read_results(), report.read_long_run())

    assert page == text, "run `make bench-report`"


def test_only_what_is_between_the_marks_is_written():
    text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"

    page = report.page(text, [])

    assert page.startswith(f"before\n{report.BEGIN}\n")
    assert page.endswith(f"{report.END}\nafter\n")
    assert "old" not in page
    assert "Nothing was measured." in page


def test_writing_it_again_changes_nothing():
    once = report.page(f"{report.BEGIN}\n{report.END}\n", [result(measured())])

    assert report.page(once, [result(measured())]) == once


def test_a_row_has_the_figures_of_both_and_the_target():
    lines = list(report.figures([result(measured())]))

    assert (
        "| a case | **2,000** jobs/s (1,000..3,000) | a bare server | 4,000 (4,000..4,000) "
        "| 0.50 | >= 0.4: yes |"
    ) in lines
    assert "* a case: with a note." in lines


def test_it_is_said_once_how_durable_another_system_is():
    other = measured("Other 1.0, 8 at once", durability="fsync on")

    lines = list(report.figures([result(other, other, measured())]))

    assert lines.count("* Other 1.0: fsync on.") == 1
    assert not any("nothing is stored" in line for line in lines)


def test_what_failed_or_was_skipped_is_named():
    skipped = Measurement("a case", "jobs/s", "Other", skipped="it is not installed")
    failed = Measurement("b case", "jobs/s", "Another", failure="it hung")

    lines = list(report.figures([result(skipped, failed)]))

    assert "* skipped: a case / Other: it is not installed." in lines
    assert "* failed: b case / Another: it hung." in lines


def test_the_long_run_says_what_is_flat():
    long_run = {
        **result(),
        "minutes": [{"minute": 30.0}],
        "wal_mib_max": 61.0,
        "slopes": {
            "changes_per_s": {"mean": 20_000.0, "per_hour": -5.0, "error": 9.0, "flat": True},
            "rss_mib": {"mean": 500.0, "per_hour": 90.0, "error": None, "flat": False},
        },
    }

    lines = report.page("", [], long_run).splitlines()

    assert "| changes/s | 20,000 | -5 ± 9 | yes |" in lines
    assert "| resident memory, MiB | 500 | +90 | no |" in lines


def test_cases_that_were_measured_on_different_machines_are_told_apart():
    other = result(measured(), name="unary")
    other["versions"] = {"python": "3.13.1"}

    lines = list(report.figures([result(measured()), other]))

    assert "python 3.11.7" in lines[0]
    assert lines[0].endswith("(reports).")
    assert "python 3.13.1" in lines[1]
