"""`watch` writes each change once, as JSON lines or as lines for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from interlock.change import Change
from interlock.cli.live import Board, view
from interlock.cli.sheet import terminal
from interlock.status import status_name
from interlock.v1.job_pb2 import Job
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped

NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)


def change(revision: int, *, job: int = 1, to: str = "Running", reason: str = "") -> Change:
    numbers = {"Running": 2, "Successful": 7, "Faulted": 8}
    return Change(
        revision=revision,
        job=job,
        lifecycle="uipath",
        from_status=status_name(Status.STATUS_UIPATH_PENDING),
        to_status=status_name(numbers[to]),
        trigger="start",
        transition="TU-04",
        time=NOW,
        actor="robot",
        author="bot-7",
        reason=reason,
        request_id="",
        definition="DailyReport",
        queue="default",
        robot="bot-7",
    )


def test_off_a_terminal_changes_are_json_lines(interlock):
    ended = interlock("watch", watch=[change(1), change(2, to="Successful")])

    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert lines[0] == {"type": "start", "revision": 0, "history_id": "0f" * 16}
    assert [(line["revision"], line["from"], line["to"]) for line in lines[1:]] == [
        (1, "Pending", "Running"),
        (2, "Pending", "Successful"),
    ]
    assert lines[1]["time"] == "2026-10-01T03:00:00.000Z"
    assert lines[1]["type"] == "change"


def test_a_snapshot_comes_first_and_its_end_is_marked(interlock):
    jobs = [wrapped(Job(id=each)) for each in (4, 3)]

    ended = interlock("watch", "--snapshot", snapshot=jobs, watch=[change(9)])

    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["type"] for line in lines] == ["job", "job", "start", "change"]
    assert [line["id"] for line in lines[:2]] == [4, 3]


def test_an_ended_watch_says_how_to_go_on(interlock):
    ended = interlock("watch", watch=[change(1), change(2), KeyboardInterrupt()])

    assert ended.code == 130
    assert f"go on with --from-revision 2 --history {'0f' * 16}\n" in ended.err


def test_a_revision_is_passed_on_with_its_history(interlock):
    ended = interlock("watch", "--from-revision", "2", "--history", "ab", watch=[])

    assert ended.calls[0].keywords["from_revision"] == 2
    assert ended.calls[0].keywords["history_id"] == "ab"


def test_a_history_without_a_revision_is_a_usage_error(interlock):
    ended = interlock("watch", "--history", "ab", watch=[])

    assert ended.code == 2
    assert "expected --from-revision" in ended.err


def test_lines_for_people_when_asked_for(interlock):
    ended = interlock("watch", "-o", "table", watch=[change(1, reason="x\x1b[2J")])

    assert "Pending → Running" in ended.out
    assert "start by bot-7: x\\x1b[2J" in ended.out


def test_a_limit_ends_the_watch(interlock):
    ended = interlock("watch", "-n", "2", watch=[change(each) for each in range(1, 9)])

    assert len(ended.out.splitlines()) == 3
    assert ended.err == ""


def test_start_and_filters_are_handed_on(interlock):
    ended = interlock("watch", "--from-revision", "7", "-d", "DailyReport", watch=[])

    assert ended.out == ""
    assert ended.calls[0].keywords["from_revision"] == 7
    assert ended.calls[0].keywords["snapshot"] is False
    assert ended.calls[0].keywords["definitions"] == ("DailyReport",)


def test_a_snapshot_cannot_start_in_the_past(interlock):
    ended = interlock("watch", "--snapshot", "--from-revision", "7")

    assert ended.code == 2
    assert "a snapshot starts now" in ended.err


def test_the_newest_change_is_on_top_and_a_job_has_one_row():
    board = Board()
    board.seed(Job(id=5, status=Status.STATUS_UIPATH_PENDING), now=NOW)
    board.take(change(1, job=1))
    board.take(change(2, job=2))
    board.take(change(3, job=1, to="Faulted"))

    rows = board.sheet(rows_max=10, now=NOW).rows

    assert [row[0] for row in rows] == ["1", "2", "5"]
    assert dict(board.counts) == {"Faulted": 1, "Running": 1, "Pending": 1}


def test_only_so_many_final_jobs_stay_in_sight():
    board = Board()
    board.take(change(1, job=1))
    for each in range(2, 3_000):
        board.take(change(each, job=each, to="Successful"))

    assert dict(board.counts) == {"Successful": 1_000, "Running": 1}


def test_the_live_view_fits_the_height(capsys):
    import sys

    board = Board()
    for each in range(1, 100):
        board.take(change(each, job=each))

    console = terminal(sys.stdout, colour=False, is_terminal=False, width=120)
    console.print(view(board, title="default at x:1", height=24, now=NOW))

    assert len(capsys.readouterr().out.splitlines()) <= 24


def test_on_a_terminal_the_table_is_live(interlock, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    jobs = [wrapped(Job(id=77, status=Status.STATUS_UIPATH_SUSPENDED))]

    ended = interlock("watch", "--no-color", snapshot=jobs, watch=[change(8), change(9)])

    assert ended.calls[0].keywords["snapshot"] is True
    assert "default at localhost:7350  revision 9  2 changes" in ended.out
    assert "Suspended 1" in ended.out
    assert "\x1b[3" not in ended.out  # moves the cursor, but colours nothing


def test_a_failing_watch_leaves_the_terminal_as_it_was(interlock, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    ended = interlock("watch", watch=[change(8), KeyboardInterrupt()])

    assert ended.code == 130
    assert ended.out.endswith("\x1b[?25h")  # the cursor is visible again
