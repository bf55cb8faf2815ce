"""`submit` turns words into a new job."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from interlock.v1.job_outcome_pb2 import JobOutcome
from interlock.v1.job_pb2 import Job
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped

CREATED = wrapped(JobOutcome(job=1, status=Status.STATUS_UIPATH_PENDING, revision=1))


def test_only_what_is_given_is_sent(interlock):
    ended = interlock("submit", "DailyReport", submit=CREATED)

    assert ended.calls[0].keywords == {"definition": "DailyReport", "parameters": {}, "labels": {}}
    assert ended.out.splitlines()[1].split() == ["1", "Pending", "created"]


def test_quiet_prints_the_id(interlock):
    assert interlock("submit", "DailyReport", "-q", submit=CREATED).out == "1\n"


def test_parameters_are_texts_or_json(interlock):
    ended = interlock(
        *("submit", "D", "-p", "month=2026-10", "-p", "pages:=5", "-p", "who=a=b"),
        submit=CREATED,
    )

    assert ended.calls[0].keywords["parameters"] == {"month": "2026-10", "pages": 5, "who": "a=b"}


def test_parameters_come_from_a_file_and_from_standard_input(interlock, tmp_path, monkeypatch):
    file = tmp_path / "p.json"
    file.write_text('{"a": 1, "b": 1}', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 2, "c": 2}'))

    ended = interlock(
        *("submit", "D", "--parameters", f"@{file}", "--parameters", "-", "-p", "c:=3"),
        submit=CREATED,
    )

    assert ended.calls[0].keywords["parameters"] == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-p", "month"), "expected NAME=TEXT or NAME:=JSON"),
        (("-p", "=5"), "expected NAME=TEXT or NAME:=JSON"),
        (("-p", "pages:=five"), "For a text write pages=five"),
        (("--parameters", "[1]"), "expected a JSON object"),
        (("--parameters", "{"), "expected a JSON object"),
        (("--parameters", "@gone.json"), "expected a file at gone.json"),
        (("--stop-after", "soon"), "expected a length of time"),
        (("--start-time", "soon"), "expected an instant"),
        (("--label", "x"), "expected key=value"),
        (("--priority", "0"), "range"),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(interlock, arguments, sentence):
    ended = interlock("submit", "D", *arguments)

    assert ended.code == 2
    assert sentence in ended.err
    assert ended.calls == []


def test_everything_else_goes_by_its_name(interlock):
    ended = interlock(
        *("submit", "D", "--queue", "q", "--priority", "9", "--robot", "r", "--hold"),
        *("-l", "team=x", "--reference", "ref", "--stop-after", "1h", "--kill-after", "5m"),
        submit=CREATED,
    )

    assert ended.calls[0].keywords == {
        "definition": "D",
        "parameters": {},
        "queue": "q",
        "priority": 9,
        "robot": "r",
        "hold": True,
        "labels": {"team": "x"},
        "reference": "ref",
        "stop_after": timedelta(hours=1),
        "kill_after": timedelta(minutes=5),
    }


def test_submit_and_wait_exits_as_the_job_ends(interlock):
    failed = wrapped(Job(id=1, status=Status.STATUS_UIPATH_FAULTED))

    created = wrapped(JobOutcome(job=1))
    created.id = 1
    ended = interlock("submit", "D", "--wait", submit=created, get=failed)

    assert ended.code == 1
    assert ended.calls[1].keywords["jobs"] == [1]
