"""Every bad input of every rpc gets the refusal that the API promises, and changes nothing."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from interlock.v1.error_reason_pb2 import ErrorReason
from tests.support.api_methods import METHODS
from tests.support.bad_inputs.accepted import ACCEPTED
from tests.support.bad_inputs.of_sessions import BAD_REPORTS, BAD_SESSIONS
from tests.support.bad_inputs.row import code_of
from tests.support.bad_inputs.scene import Scene
from tests.support.bad_inputs.table import BAD_INPUTS
from tests.support.refused_call import broken_manners, refused_call
from tests.support.sources import REPOSITORY

ANSWER_S = 10.0
#: Reasons that no input alone brings about, and the tests that do.
ELSEWHERE = {
    "SESSION_SUPERSEDED": "integration/test_bad_sessions.py",
    "HELLO_TIMEOUT": "server/rpc/test_session.py",
    "SESSION_LOST": "server/sessions/test_sessions.py",
    "SLOW_CONSUMER": "server/rpc/test_watch_service.py",
    "TOO_MANY_WATCHES": "integration/test_limits.py",
    "OVERLOADED": "integration/test_limits.py",
    "STORAGE_FULL": "integration/test_limits.py",
    "DRAINING": "server/rpc/test_errors.py",
    "GOING_AWAY": "integration/test_live_watches.py",
    "OUTCOME_UNKNOWN": "server/rpc/test_guard.py",
    "INTERNAL": "server/rpc/test_guard.py",
}


@pytest.fixture(scope="module")
def scene(channel):
    scene = Scene(channel)
    yield scene
    scene.close()


def refusal(channel, rpc, message):
    """Send a message, or bytes as they are, and return the refusal that has to come."""
    method = METHODS[rpc]
    data = message if isinstance(message, bytes) else message.SerializeToString()
    try:
        if method.writes_stream:
            answer = list(channel.unary_stream(method.path)(data, timeout=ANSWER_S))
        elif method.reads_stream:
            answer = channel.stream_unary(method.path)(iter([data]), timeout=ANSWER_S)
        else:
            answer = channel.unary_unary(method.path)(data, timeout=ANSWER_S)
    except grpc.RpcError as error:
        return refused_call(error)
    raise AssertionError(f"expected a refusal, but got {answer!r:.500}")


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=[bad.id for bad in BAD_INPUTS])
def test_a_bad_input_is_refused_in_its_own_words_and_changes_nothing(channel, scene, bad):
    message = bad.message(scene)
    before = scene.state()

    refused = refusal(channel, bad.rpc, message)

    assert (refused.reason, refused.code) == (bad.reason, bad.code), refused.sentence
    assert broken_manners(refused) == []
    assert refused.field.startswith(bad.field), refused
    assert set(bad.metadata) <= refused.metadata.keys()
    assert scene.state() == before


def test_every_rpc_has_bad_inputs_of_its_own():
    sessions = {"RobotService/Session"}  # in test_bad_sessions.py

    assert METHODS.keys() - {bad.rpc for bad in BAD_INPUTS} == sessions


def test_every_rpc_is_changed_from_a_request_that_would_be_accepted():
    assert METHODS.keys() - ACCEPTED.keys() == {"RobotService/Session"}


def test_every_reason_of_the_api_is_provoked_by_a_test():
    tables = {
        *(bad.reason for bad in BAD_INPUTS),
        *(bad.reason for bad in BAD_SESSIONS),
        *(bad.reason for bad in BAD_REPORTS),
    }
    elsewhere = {
        reason
        for reason, file in ELSEWHERE.items()
        if reason in (REPOSITORY / "tests" / file).read_text(encoding="utf-8")
    }

    reasons = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]}
    assert tables | elsewhere == reasons
    assert tables & elsewhere == set()


def test_every_bad_input_is_named_once():
    ids = [bad.id for bad in BAD_INPUTS]

    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("rpc", ACCEPTED)
def test_what_bad_inputs_are_changed_from_is_not_refused_for_its_fields(rpc, channel, scene):
    method = METHODS[rpc]
    message: Any = ACCEPTED[rpc](scene)
    if "request_id" in method.fields:
        message.request_id = "used-by-another-request"
        reason = refusal(channel, rpc, message).reason
        assert reason == "REQUEST_ID_CONFLICT"
        assert code_of(reason) is grpc.StatusCode.FAILED_PRECONDITION
