"""`interlock edit` and `interlock restart-default`."""

from __future__ import annotations

import json

import pytest

from interlock.v1.job_outcome_pb2 import JobOutcome
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped

HELD = wrapped(JobOutcome(job=17, status=Status.STATUS_REDWOOD_HELD, revision=9))
ERROR = {"status": "Error", "action": "restart", "delay": "5m"}


def test_an_edit_names_only_what_is_given(interlock):
    ended = interlock(
        *("edit", "17", "--queue", "finance", "-p", "x:=2", "-m", "account was closed"), edit=HELD
    )

    assert ended.code == 0
    assert ended.calls[0].arguments == (17,)
    assert ended.calls[0].keywords == {
        "queue": "finance",
        "parameters": {"x": 2},
        "reason": "account was closed",
    }
    assert ended.out.splitlines()[1].split() == ["17", "Held", "changed"]


@pytest.mark.parametrize("words", [["17"], ["17", "-m", "why"], ["x", "--priority", "60"]])
def test_an_edit_of_nothing_is_a_usage_error(interlock, words):
    assert interlock("edit", *words).code == 2


def test_restart_defaults_are_a_table(interlock):
    ended = interlock("restart-default", "list", restart_defaults=[ERROR])

    assert ended.out.splitlines()[1].split() == ["Error", "restart", "5m"]


def test_no_restart_defaults_say_what_that_means(interlock):
    assert "everything continues" in interlock("restart-default", "list", restart_defaults=[]).err


def test_a_restart_default_replaces_the_one_of_its_status(interlock):
    ended = interlock(
        *("restart-default", "put", "Error", "request-restart", "--message"),
        restart_defaults=[ERROR, {"status": "Killed", "action": "stop"}],
        put_restart_defaults=lambda given: given,
    )

    assert ended.calls[1].arguments == (
        [
            {"status": "Killed", "action": "stop"},
            {"status": "Error", "action": "request_restart", "message": True},
        ],
    )


def test_a_restart_default_is_deleted(interlock):
    ended = interlock(
        *("restart-default", "delete", "Error", "--output", "json"),
        restart_defaults=[ERROR],
        put_restart_defaults=lambda given: given,
    )

    assert ended.calls[1].arguments == ([],)
    assert json.loads(ended.out) == []
