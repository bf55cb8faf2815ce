"""`wait` exits by how the jobs ended."""

from __future__ import annotations

import pytest

from interlock.v1.job_pb2 import Job
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped


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
    assert interlock("wait", "1", wait=wrapped(Job(id=1, status=status))).code == code


def test_one_bad_end_among_many_is_a_failure(interlock):
    def ended(job, **_):
        good = Status.STATUS_UIPATH_SUCCESSFUL
        return wrapped(Job(id=job, status=good if job == 1 else Status.STATUS_UIPATH_FAULTED))

    assert interlock("wait", "1", "2", wait=ended).code == 1


def test_waiting_ends_when_the_time_is_over(interlock):
    ended = interlock("wait", "1", "--for", "1ms", wait=TimeoutError())

    assert ended.code == 5
    assert "expected job 1 to be over" in ended.err


def test_quiet_says_nothing(interlock):
    ended = interlock("wait", "1", "-q", wait=wrapped(Job(status=Status.STATUS_UIPATH_SUCCESSFUL)))

    assert (ended.out, ended.err) == ("", "")
