from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.swf import SwfError, parse, read_workload

SAMPLE = Path(__file__).parent / "data" / "sample.swf"


COLUMNS = (
    *("number", "submit", "wait", "run", "used", "cpu", "memory"),
    *("wanted", "time_wanted", "memory_wanted", "status", "user", "group"),
    *("application", "queue", "partition", "preceding", "think"),
)


def row(**columns: object) -> str:
    return " ".join(str(columns.get(name, -1)) for name in COLUMNS)


def test_every_job_of_a_file_is_read():
    workload = read_workload(SAMPLE)

    assert [record.number for record in workload.records] == list(range(1, 31))
    assert workload.queue_names == {0: "interactive", 1: "batch"}


def test_a_packed_file_reads_like_a_plain_one(tmp_path):
    packed = tmp_path / "sample"
    packed.write_bytes(gzip.compress(SAMPLE.read_bytes()))

    assert read_workload(packed) == read_workload(SAMPLE)


def test_the_status_column_says_how_a_job_ended():
    lines = [row(number=n, submit=n, status=status) for n, status in enumerate((0, 1, 5, -1))]

    outcomes = [record.outcome for record in parse(lines).records]

    assert outcomes == ["failed", "completed", "canceled", "completed"]


def test_bursts_of_a_job_are_left_out_and_counted():
    lines = [
        row(number=1, submit=0, status=1),
        row(number=1, submit=0, status=2),
        row(number=1, submit=5, status=3),
    ]

    workload = parse(lines)

    assert len(workload.records) == 1
    assert workload.bursts == 2


def test_jobs_come_in_the_order_of_their_submission():
    lines = [row(number=2, submit=9), row(number=1, submit=4), row(number=3, submit=4)]

    assert [record.number for record in parse(lines).records] == [1, 3, 2]


def test_requested_processors_count_before_those_that_were_used():
    lines = [
        row(number=1, submit=0, used=4, wanted=8),
        row(number=2, submit=0, used=4),
        row(number=3, submit=0),
    ]

    assert [record.processors for record in parse(lines).records] == [8, 4, 1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1 2 3", "line 1: expected 18 columns of the Standard Workload Format, but got 3"),
        (row(number="one", submit=0), "line 1: expected numbers, but got 'one 0"),
        (row(number=1, submit=-7), "line 1: expected a submit time of at least 0, but got -7"),
        (row(number=1, submit="nan"), "line 1: expected numbers of at most 15 digits"),
        (row(number=1, submit=0, status="inf"), "line 1: expected numbers of at most 15 digits"),
    ],
)
def test_a_wrong_line_is_named(line, sentence):
    with pytest.raises(SwfError) as error:
        parse([line])

    assert str(error.value).startswith(sentence)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SwfError, match=r"none\.swf, but it cannot be read: No such file"):
        read_workload(tmp_path / "none.swf")


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    cut = tmp_path / "cut.swf.gz"
    cut.write_bytes(gzip.compress(SAMPLE.read_bytes())[:200])

    with pytest.raises(SwfError, match="cannot be read"):
        read_workload(cut)


def test_a_file_without_jobs_is_refused(tmp_path):
    empty = tmp_path / "empty.swf"
    empty.write_text("; nothing but a comment\n")

    with pytest.raises(SwfError, match="expected at least one job"):
        read_workload(empty)
