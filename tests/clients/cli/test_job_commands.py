"""`list`, `get` and `history` ask for what was meant and show all of it."""

from __future__ import annotations

import json

import pytest

from interlock.v1.explain_service_pb2 import Explanation
from interlock.v1.job_pb2 import HistoryEntry, Job
from interlock.v1.status_pb2 import Actor, Status
from tests.clients.cli.fake_interlock import wrapped

JOBS = [
    wrapped(Job(id=2, definition="B", status=Status.STATUS_REDWOOD_ERROR)),
    wrapped(Job(id=1, definition="A", status=Status.STATUS_UIPATH_RUNNING)),
]


def test_jobs_are_listed_as_a_table(interlock):
    ended = interlock("list", list=JOBS)

    assert [call.method for call in ended.calls] == ["list"]

    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == ["JOB", "2", "1"]


def test_json_is_one_array(interlock):
    ended = interlock("list", "-o", "json", list=JOBS)

    assert [each["id"] for each in json.loads(ended.out)] == [2, 1]


def test_json_lines_are_one_job_each(interlock):
    ended = interlock("list", "-o", "jsonl", list=JOBS)

    assert [json.loads(line)["status"] for line in ended.out.splitlines()] == ["Error", "Running"]


@pytest.mark.parametrize("arguments", [("--json", "list"), ("list", "--json")])
def test_common_options_stand_before_or_after_the_command(interlock, arguments):
    assert isinstance(json.loads(interlock(*arguments, list=JOBS).out), list)


def test_quiet_prints_ids_for_the_next_command(interlock):
    assert interlock("list", "-q", list=JOBS).out == "2\n1\n"


def test_an_empty_list_is_no_error_and_says_so_beside_the_data(interlock):
    ended = interlock("list", list=[])

    assert (ended.code, ended.out) == (0, "")
    assert "No jobs found" in ended.err


def test_an_empty_list_is_still_json(interlock):
    assert json.loads(interlock("list", "--json", list=[]).out) == []


def test_filters_arrive_as_the_api_has_them(interlock):
    ended = interlock(
        *("list", "-s", "Queued", "-s", "uipath/running", "--state", "final", "-d", "A"),
        *("--queue", "q", "--robot", "r", "--job", "5", "-l", "team=x", "--lifecycle", "redwood"),
        *("--live", "--open-message", "--chain", "12"),
        list=[],
    )

    assert ended.calls[0].keywords == {
        "chains": (12,),
        "statuses": (Status.STATUS_REDWOOD_QUEUED, Status.STATUS_UIPATH_RUNNING),
        "states": (4,),
        "definitions": ("A",),
        "queues": ("q",),
        "robots": ("r",),
        "jobs": (5,),
        "labels": {"team": "x"},
        "lifecycles": (2,),
        "scope": "live",
        "open_message": True,
        "page_size": 51,
    }


def test_failed_is_short_for_the_statuses_of_failure(interlock):
    ended = interlock("list", "--failed", list=[])

    assert set(ended.calls[0].keywords["statuses"]) == {
        Status.STATUS_UIPATH_FAULTED,
        Status.STATUS_REDWOOD_ERROR,
        Status.STATUS_REDWOOD_UNKNOWN,
    }


def test_a_list_that_was_cut_says_so(interlock):
    ended = interlock("list", "-n", "1", list=JOBS)

    assert len(ended.out.splitlines()) == 2
    assert "more than 1" in ended.err


def test_one_job_is_shown_whole(interlock):
    entry = HistoryEntry(trigger="fail", actor=Actor.ACTOR_ROBOT, author="bot-7", reason="no disk")

    ended = interlock("get", "2", get=JOBS[0], history=[wrapped(entry)])

    assert ended.calls[0].arguments == (2,)
    assert "Error" in ended.out
    assert "fail by robot bot-7: no disk" in ended.out


def test_a_job_as_json_is_one_call(interlock):
    ended = interlock("get", "2", "-o", "jsonl", get=JOBS[0])

    assert json.loads(ended.out)["id"] == 2
    assert len(ended.calls) == 1


def test_a_waiting_job_says_what_for(interlock):
    job = wrapped(Job(id=1, definition="A", queue="q", status=Status.STATUS_REDWOOD_QUEUED))
    explained = wrapped(Explanation(job=1, summary="queue 'q' is held; no robot runs A"))

    listed = interlock("list", list=[job], explain=explained)
    shown = interlock("get", "1", get=job, history=[], explain=explained)

    for ended in (listed, shown):
        assert "queue 'q' is held; no robot runs A" in ended.out


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "9223372036854775808", "²"])
def test_what_is_no_job_id_is_a_usage_error(interlock, text):
    ended = interlock("get", "--", text)

    assert ended.code == 2
    assert "expected the id of a job" in ended.err
    assert ended.calls == []


def test_a_history_is_a_table_or_json(interlock):
    entries = [wrapped(HistoryEntry(revision=5, to=Status.STATUS_REDWOOD_NEW, trigger="submit"))]

    table = interlock("history", "2", history=entries)
    lines = interlock("history", "2", "-o", "jsonl", history=entries)

    assert "submit" in table.out
    assert json.loads(lines.out)["to"] == "New"
