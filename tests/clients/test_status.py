"""Words for the numbers of the API: what they are follows from the protos."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from interlock.status import (
    STATUS_NAMES,
    actor_name,
    lifecycle_number,
    state_number,
    status_name,
    status_numbers,
)
from interlock.v1.status_pb2 import Status
from tests.support.sources import REPOSITORY

PROTO = (REPOSITORY / "protos/interlock/v1/status.proto").read_text(encoding="utf-8")


def test_exactly_those_statuses_are_final_that_the_api_says_are_final():
    final = re.findall(r"// (STATUS_\w+)[^\n]*\(final\)", PROTO)

    assert sorted(name.number for name in STATUS_NAMES.values() if name.final) == sorted(
        Status.Value(name) for name in final
    )


@pytest.mark.parametrize(
    ("number", "name", "lifecycle"),
    [
        (Status.STATUS_UIPATH_RUNNING, "Running", "uipath"),
        (Status.STATUS_REDWOOD_RUNNING, "Running", "redwood"),
        (Status.STATUS_REDWOOD_QUEUE_HELD, "QueueHeld", "redwood"),
        (Status.STATUS_UNSPECIFIED, "", ""),
        (999, "999", ""),
    ],
)
def test_a_status_has_the_spelling_of_its_vendor(number, name, lifecycle):
    status = status_name(number)

    assert (status, status.lifecycle, status.number) == (name, lifecycle, number)


def test_a_status_survives_being_copied_and_pickled():
    status = status_name(Status.STATUS_REDWOOD_HELD)

    for copied in (copy.deepcopy(status), pickle.loads(pickle.dumps(status))):
        assert (copied, copied.number, copied.lifecycle) == (status, 17, "redwood")


def test_a_status_given_back_means_itself_alone():
    running = status_name(Status.STATUS_UIPATH_RUNNING)

    assert status_numbers([running]) == [Status.STATUS_UIPATH_RUNNING]
    assert len(status_numbers(["Running"])) == 2


def test_lifecycles_and_states_are_given_by_word_or_number():
    assert (lifecycle_number("Redwood"), lifecycle_number(1)) == (2, 1)
    assert (state_number("pre-running"), state_number(4)) == (2, 4)
    with pytest.raises(ValueError, match=r"expected a state \(initial, .*\), but got 'over'"):
        state_number("over")


def test_an_actor_of_tomorrow_is_its_number():
    assert (actor_name(1), actor_name(99)) == ("user", "99")


def test_the_other_name_of_a_status_is_understood():
    assert status_numbers(["Workflowed", "redwood/Workflowed"]) == [
        Status.STATUS_REDWOOD_CHAINED,
        Status.STATUS_REDWOOD_CHAINED,
    ]
