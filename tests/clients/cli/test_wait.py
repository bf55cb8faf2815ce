"""`wait` exits by how the jobs ended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interlock import errors
from interlock.v1.job_pb2 import Job
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped

LIVE = wrapped(Job(id=1, status=Status.STATUS_UIPATH_RUNNING))
LIVE.final = False
GOOD = wrapped(Job(id=2, status=Status.STATUS_UIPATH_SUCCESSFUL))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.STATUS_UIPATH_SUCCESSFUL, 0),
        (Status.STATUS_REDWOOD_COMPLETED, 0),
        (Status.STATUS_UIPATH_FAULTED, 1),
        (Status.STATUS_UIPATH_STOPPED, 1),
        (Status.STATUS_REDWOOD_ERROR, 1),
        (Status.STATUS_REDWOOD_KILLED, 1),
        (Status.STATUS_REDWOOD_CANCELED, 1),
        (Status.STATUS_REDWOOD_UNKNOWN, 1),
    ],
)
def test_the_final_status_is_the_exit_code(interlock, status, code):
    assert interlock("wait", "1", get=wrapped(Job(id=1, status=status))).code == code


def test_one_bad_end_among_many_is_a_failure(interlock):
    def ended(job, **_):
        good = Status.STATUS_UIPATH_SUCCESSFUL
        return wrapped(Job(id=job, status=good if job == 1 else Status.STATUS_UIPATH_FAULTED))

    assert interlock("wait", "1", "2", get=ended).code == 1


def test_waiting_ends_when_the_time_is_over(interlock):
    ended = interlock("wait", "1", "--for", "1ms", watch=[TimeoutError()], snapshot=[LIVE])

    assert ended.code == 5
    assert "expected job 1 to be over" in ended.err


def test_quiet_says_nothing(interlock):
    ended = interlock("wait", "1", "-q", get=wrapped(Job(status=Status.STATUS_UIPATH_SUCCESSFUL)))

    assert (ended.out, ended.err) == ("", "")


def test_waiting_goes_on_until_every_live_job_is_over(interlock):
    changes = [
        SimpleNamespace(revision=1, job=1, final=False),
        SimpleNamespace(revision=2, job=1, final=True),
        TimeoutError("too far"),
    ]

    ended = interlock("wait", "1", "2", snapshot=[LIVE], watch=changes, get=GOOD)

    assert ended.code == 0
    assert ended.calls[0].keywords == {"snapshot": True, "jobs": [1, 2], "columns": False}
    assert [call.arguments for call in ended.calls[1:]] == [(2,), (1,), (2,)]


def test_a_job_that_does_not_exist_ends_the_waiting_at_once(interlock):
    def get(job):
        return errors.NotFound("no job 2", reason="JOB_NOT_FOUND") if job == 2 else GOOD

    ended = interlock("wait", "1", "2", snapshot=[LIVE], watch=[TimeoutError()], get=get)

    assert ended.code == 3
