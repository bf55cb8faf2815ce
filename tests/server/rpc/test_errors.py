"""One table says which status code a reason has; what is sent is bounded and printable."""

from __future__ import annotations

import re

import pytest
from google.rpc import error_details_pb2

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server import engine
from interlock_server.core.compacted import Compacted
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.rpc import errors
from interlock_server.watch.ends import HistoryClosed, RevisionInFuture
from tests.support.sources import REPOSITORY

PROTO = (REPOSITORY / "protos/interlock/v1/error_reason.proto").read_text(encoding="utf-8")


def documented_codes() -> dict[str, str]:
    """Return what the proto says: the code in the brackets of each value's comment."""
    values = re.findall(r"((?:  //.*\n)+)  (ERROR_REASON_\w+) = \d+;", PROTO)
    return {
        name: code[1]
        for comment, name in values
        if (code := re.search(r"\(([A-Z_]+)[),]", comment))
    }


def test_every_reason_has_the_code_that_the_api_documents():
    documented = documented_codes()

    assert len(documented) == len(ErrorReason.keys()) - 1
    assert {
        ErrorReason.Name(ErrorReason.ValueType(reason)): code.name
        for reason, code in errors.CODE_OF.items()
    } == documented


def test_every_reason_of_the_core_is_a_reason_of_the_api():
    assert {reason.value: f"ERROR_REASON_{reason.name}" for reason in Reason} == {
        reason.value: ErrorReason.Name(ErrorReason.ValueType(reason.value)) for reason in Reason
    }


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Rejection(Reason.ALREADY_FINAL, "it is over", status="Killed"), "ALREADY_FINAL"),
        (engine.Draining(), "DRAINING"),
        (engine.Overloaded(), "OVERLOADED"),
        (engine.OutcomeUnknown(), "OUTCOME_UNKNOWN"),
        (engine.StorageFull(), "STORAGE_FULL"),
        (Compacted(7), "REVISION_COMPACTED"),
        (RevisionInFuture(9, 5), "REVISION_IN_FUTURE"),
        (HistoryClosed(5), "GOING_AWAY"),
    ],
)
def test_what_the_server_refuses_has_a_reason(error, reason):
    refused = errors.refusal_of(error)

    assert refused is not None
    assert errors.reason_name(refused.reason) == reason


def test_every_engine_error_has_a_reason():
    kinds = engine.EngineError.__subclasses__()

    assert [kind for kind in kinds if errors.refusal_of(kind()) is None] == []


def test_a_bug_has_no_reason():
    assert errors.refusal_of(ValueError("db password is hunter2")) is None


def test_a_refused_precondition_says_what_is_and_what_is_allowed():
    refused = errors.refusal_of(
        Rejection(Reason.ILLEGAL_TRANSITION, "not now", status="Queued", allowed="hold, cancel")
    )
    assert refused is not None

    status = errors.rich_status(refused)

    info, failure = error_details_pb2.ErrorInfo(), error_details_pb2.PreconditionFailure()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(failure)
    assert info.domain == "interlock"
    assert dict(info.metadata) == {"status": "Queued", "allowed": "hold, cancel"}
    assert failure.violations[0].type == "ILLEGAL_TRANSITION"


def test_a_wrong_field_is_named():
    status = errors.rich_status(errors.InvalidArgument("jobs[3].priority", "expected 1 to 100"))

    request = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(request)
    assert request.field_violations[0].field == "jobs[3].priority"
    assert status.message == "jobs[3].priority: expected 1 to 100"


def test_overload_says_when_to_ask_again():
    refused = errors.refusal_of(engine.Overloaded())
    assert refused is not None

    status = errors.rich_status(refused)

    retry = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() > 0


@pytest.mark.parametrize("letter", ["a", "é", "漢", "😀", "\0", "\x1b"])
def test_a_very_long_sentence_still_fits_into_the_trailers(letter):
    refused = errors.InvalidArgument("f" * 400, letter * 10_000)
    refused.metadata = {f"key{number}": letter * 1_000 for number in range(3)}

    status = errors.rich_status(refused)

    assert len(status.message.encode()) <= errors.SENTENCE_BYTES_MAX
    assert status.ByteSize() <= 1_500
    assert status.message.isprintable()
