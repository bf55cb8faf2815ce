"""What went wrong is said with what was expected and what to do; the exit code tells its kind."""

from __future__ import annotations

import pytest

from interlock import errors
from interlock.cli.failure import code_of_reason
from interlock.v1.error_reason_pb2 import ErrorReason

REASONS = [
    value.name.removeprefix("ERROR_REASON_")
    for value in ErrorReason.DESCRIPTOR.values
    if value.number
]
#: Reasons that only robots and their sessions hear, and bugs.
OF_ROBOTS = {
    *("FENCE_UNKNOWN", "NO_SESSION", "SESSION_SUPERSEDED", "STALE_FENCE", "NOT_ASSIGNED"),
    *("SEQUENCE_GAP", "HELLO_REQUIRED", "DUPLICATE_HELLO", "HELLO_TIMEOUT", "SESSION_LOST"),
    "INTERNAL",
}


def test_every_reason_that_an_operator_can_meet_has_a_code():
    assert {reason for reason in REASONS if code_of_reason(reason) == 1} == OF_ROBOTS


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            errors.NotFound("expected a job, but there is no job 7", reason="JOB_NOT_FOUND"),
            3,
            ["no job 7", "interlock list"],
        ),
        (
            errors.IllegalTransition(
                "expected to kill job 7, but it is Queued",
                reason="ILLEGAL_TRANSITION",
                metadata={"status": "Queued", "allowed": "hold, cancel"},
            ),
            4,
            ["it is Queued", "Allowed now: hold, cancel"],
        ),
        (errors.AlreadyFinal("job 7 is Killed", reason="ALREADY_FINAL"), 4, ["job 7 is Killed"]),
        (
            errors.RevisionMismatch("it has changed", reason="REVISION_MISMATCH"),
            4,
            ["it has changed", "interlock get"],
        ),
        (errors.InvalidArgument("no", reason="INVALID_NUMBER"), 2, ["no."]),
        (errors.Overloaded("busy", reason="OVERLOADED"), 5, ["busy", "--timeout 60s"]),
        (errors.Unavailable("stopping", reason="DRAINING"), 5, ["stopping", "when it is back"]),
        (
            errors.Unavailable(
                "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7350: "
                "Connection refused",
                reason="UNAVAILABLE",
            ),
            5,
            [
                "expected an Interlock server at localhost:7350 (address from: default)",
                "(ipv4:127.0.0.1:7350: Connection refused)",
                "interlock serve --listen 127.0.0.1:7350",
                "INTERLOCK_ADDRESS",
            ],
        ),
        (
            errors.Indeterminate("deadline", reason="DEADLINE_EXCEEDED"),
            5,
            ["is not known", "interlock history"],
        ),
        (errors.Refused("?", reason="UNIMPLEMENTED"), 1, ["another server, or an older one"]),
        (
            errors.ServerError("oops", reason="INTERNAL", metadata={"error_id": "e-1"}),
            1,
            ["oops", "a bug of the server", "e-1"],
        ),
    ],
)
def test_an_error_is_explained(interlock, error, code, words):
    ended = interlock("get", "7", get=error)

    assert ended.code == code
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert all(word in ended.err for word in words), ended.err


def test_a_sentence_of_the_server_cannot_drive_the_terminal(interlock):
    ended = interlock("get", "7", get=errors.NotFound("\x1b[2Jgone", reason="JOB_NOT_FOUND"))

    assert "\x1b" not in ended.err


def test_a_bug_keeps_its_traceback(interlock):
    with pytest.raises(ZeroDivisionError):
        interlock("get", "7", get=ZeroDivisionError())
