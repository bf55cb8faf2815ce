"""Verbs act on one job or many, and the exit code tells how it went."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from interlock.v1.job_outcome_pb2 import JobOutcome, Refusal
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped


def held(job: int) -> object:
    return wrapped(JobOutcome(job=job, status=Status.STATUS_REDWOOD_HELD, revision=9))


def refused(job: int, reason: str = "ILLEGAL_TRANSITION") -> object:
    refusal = Refusal(reason=reason, message="expected it Queued, but it is Running")
    return wrapped(JobOutcome(job=job, status=Status.STATUS_REDWOOD_RUNNING, refusal=refusal))


def test_one_job_is_named_alone(interlock):
    ended = interlock("hold", "7", "-m", "disk full", hold=held(7))

    assert ended.code == 0
    assert ended.calls[0].arguments == (7,)
    assert ended.calls[0].keywords == {"expected_revision": None, "reason": "disk full"}
    assert ended.out.splitlines()[1].split() == ["7", "Held", "held"]


def test_many_jobs_are_named_together_each_once(interlock):
    ended = interlock("hold", "7,8", "9", "7", hold=lambda ids, **_: [held(each) for each in ids])

    assert ended.calls[0].arguments == ([7, 8, 9],)


def test_ids_come_from_standard_input(interlock, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("7\n8\n"))

    ended = interlock("hold", "-", hold=lambda ids, **_: [held(each) for each in ids])

    assert ended.calls[0].arguments == ([7, 8],)


def test_no_ids_on_standard_input_is_a_usage_error(interlock, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert interlock("hold", "-").code == 2


def test_more_jobs_than_a_request_may_name_are_several_requests(interlock):
    ids = [str(each) for each in range(1, 2_502)]

    ended = interlock("hold", "-q", *ids, hold=lambda part, **_: [held(each) for each in part])

    assert [len(call.arguments[0]) for call in ended.calls] == [1_000, 1_000, 501]
    assert ended.out.split() == ids


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([held(1), held(2)], 0),
        ([held(1), refused(2)], 1),
        ([refused(1), refused(2)], 4),
        ([refused(1, "JOB_NOT_FOUND"), refused(2, "JOB_NOT_FOUND")], 3),
        ([refused(1, "JOB_NOT_FOUND"), refused(2)], 1),
    ],
)
def test_the_outcomes_of_many_add_up_to_an_exit_code(interlock, outcomes, code):
    assert interlock("hold", "1", "2", hold=outcomes).code == code


def test_a_refusal_of_one_among_many_is_shown_with_its_reason(interlock):
    ended = interlock("hold", "1", "2", hold=[held(1), refused(2)])

    assert "expected it Queued, but it is Running" in ended.out


def test_quiet_prints_what_was_done_and_warns_of_what_was_not(interlock):
    ended = interlock("-q", "hold", "1", "2", hold=[held(1), refused(2)])

    assert ended.out == "1\n"
    assert "job 2" in ended.err


def test_outcomes_are_json_for_programs(interlock):
    ended = interlock("hold", "1", "2", "--json", hold=[held(1), refused(2)])

    first, second = json.loads(ended.out)
    assert first["refusal"] is None
    assert second["refusal"]["reason"] == "ILLEGAL_TRANSITION"


def test_an_expected_revision_goes_with_one_job(interlock):
    ended = interlock("kill", "7", "--expected-revision", "42", kill=held(7))

    assert ended.calls[0].keywords["expected_revision"] == 42
    assert interlock("kill", "7", "8", "--expected-revision", "42").code == 2


@pytest.mark.parametrize(
    ("command", "method"),
    [
        ("hold", "hold"),
        ("release", "release"),
        ("cancel", "cancel"),
        ("kill", "kill"),
        ("stop", "stop"),
        ("resume", "resume"),
        ("restart", "restart"),
    ],
)
def test_each_verb_is_the_method_of_its_name(interlock, command, method):
    ended = interlock(command, "7", **{method: held(7)})

    assert ended.code == 0
    assert ended.calls[0].method == method


def test_a_reschedule_needs_a_time(interlock):
    ended = interlock("reschedule", "7", "--start-time", "2026-10-01T06:00:00Z", reschedule=held(7))

    assert ended.calls[0].keywords["start_time"] == datetime(2026, 10, 1, 6, tzinfo=UTC)
    assert interlock("reschedule", "7").code == 2


@pytest.mark.parametrize("value", ["0", "101", "high"])
def test_a_priority_is_1_to_100(interlock, value):
    assert interlock("priority", "7", "--to", value).code == 2
    assert interlock("priority", "7", "--to", "99", set_priority=held(7)).code == 0


def test_a_completion_carries_a_result(interlock, tmp_path):
    file = tmp_path / "result.json"
    file.write_text('{"pages": 5}', encoding="utf-8")

    ended = interlock("complete", "7", "--failed", "--result", f"@{file}", complete=held(7))

    assert ended.calls[0].keywords["failed"] is True
    assert ended.calls[0].keywords["result"] == {"pages": 5}
    assert interlock("complete", "7", "--result", "{").code == 2


def test_firing_what_nobody_waits_for_says_so(interlock):
    ended = interlock("fire", "person", "approve", fire=[])

    assert ended.code == 0
    assert "no suspended job waits for person 'approve'" in ended.err
