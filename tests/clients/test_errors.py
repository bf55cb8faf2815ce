"""Errors: every reason of the API has a class, and nothing a server sends breaks the reading."""

from __future__ import annotations

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from interlock import errors
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.job_outcome_pb2 import Refusal

REASONS = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_api_can_be_raised_and_read(reason):
    error = errors.refused(Refusal(reason=reason, message="why", metadata={"status": "Held"}))

    assert isinstance(error, errors.InterlockError)
    assert (str(error), error.reason, error.metadata) == ("why", reason, {"status": "Held"})


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("INVALID_NAME", errors.InvalidArgument),
        ("QUEUE_NOT_FOUND", errors.NotFound),
        ("ALREADY_FINAL", errors.AlreadyFinal),
        ("NOT_FINAL", errors.IllegalTransition),
        ("REVISION_MISMATCH", errors.RevisionMismatch),
        ("OVERLOADED", errors.Overloaded),
        ("OUTCOME_UNKNOWN", errors.Indeterminate),
        ("IN_USE", errors.Refused),
        ("A_REASON_OF_TOMORROW", errors.Refused),
    ],
)
def test_a_reason_picks_its_class(reason, expected):
    assert type(errors.refused(Refusal(reason=reason, message="why"))) is expected


def test_nobody_may_conclude_from_indeterminate_that_nothing_was_changed():
    assert not issubclass(errors.Indeterminate, errors.Refused)


def test_an_error_without_a_sentence_says_what_its_class_says():
    assert str(errors.AlreadyFinal()) == "The job is over; its status never changes again."


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.UNIMPLEMENTED, errors.Refused),
        (grpc.StatusCode.PERMISSION_DENIED, errors.Refused),
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (grpc.StatusCode.INTERNAL, errors.ServerError),
    ],
)
def test_an_error_of_something_in_between_is_read_by_its_code(code, expected):
    error = errors.from_rpc(AioRpcError(code, Metadata(), Metadata(), details="proxy says no"))

    assert type(error) is expected
    assert (str(error), error.reason) == ("proxy says no", code.name)


def test_details_that_contradict_the_error_are_left_aside():
    trailers = Metadata(("grpc-status-details-bin", b"\x08\x05\x12\x05other"))

    error = errors.from_rpc(
        AioRpcError(grpc.StatusCode.UNAVAILABLE, Metadata(), trailers, details="gone")
    )

    assert type(error) is errors.Unavailable
