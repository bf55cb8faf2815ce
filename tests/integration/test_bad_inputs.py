"""Every bad input of every rpc gets the refusal that the API promises, and changes nothing."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from tests.support.api_methods import METHODS
from tests.support.bad_inputs.accepted import ACCEPTED
from tests.support.bad_inputs.row import code_of
from tests.support.bad_inputs.scene import Scene
from tests.support.bad_inputs.table import BAD_INPUTS
from tests.support.refused_call import broken_manners, refused_call

ANSWER_S = 10.0


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
