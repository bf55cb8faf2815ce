"""Definitions: written as they were read, and wrong words refused before they are sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlock import Definition, Parameter
from interlock.definition import definition_message, definition_of
from interlock.v1.definition_pb2 import CompletionStrategy, LossPolicy
from interlock.v1.status_pb2 import Lifecycle

FULL = Definition(
    name="DailyReport",
    lifecycle="redwood",
    description="reports",
    queue="finance",
    priority=70,
    parameters=(Parameter("month", "string", required=True), Parameter("pages", default=5)),
    foreground=True,
    on_robot_loss="rerun",
    return_code_map="0,40-90",
    completion="external",
    hold_on_submit=True,
    uncertain_timeout=timedelta(minutes=5),
    message_on_failure=True,
    labels={"team": "blue"},
)


def test_a_definition_is_read_as_it_was_written():
    assert definition_of(definition_message(FULL)) == FULL


def test_words_become_the_values_of_the_api():
    message = definition_message(FULL)

    assert message.lifecycle == Lifecycle.LIFECYCLE_REDWOOD
    assert message.on_robot_loss == LossPolicy.LOSS_POLICY_RERUN
    assert message.completion == CompletionStrategy.COMPLETION_STRATEGY_EXTERNAL
    assert message.uncertain_timeout.seconds == 300
    assert [parameter.default_json for parameter in message.parameters] == ["", "5"]


def test_fields_say_the_same_as_a_definition():
    fields = {
        "name": "DailyReport",
        "lifecycle": "uipath",
        "parameters": [{"name": "month", "type": "string", "required": True}],
        "uncertain_timeout": 90,
    }

    assert definition_message(fields) == definition_message(
        Definition(
            "DailyReport",
            "uipath",
            parameters=[Parameter("month", "string", required=True)],
            uncertain_timeout=timedelta(seconds=90),
        )
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "A"}, "expected a definition with a lifecycle"),
        ({"lifecycle": "uipath"}, "expected a definition with a name"),
        (
            {"name": "A", "lifecycle": "airflow"},
            "expected one of uipath, redwood, but got 'airflow'",
        ),
        ({"name": "A", "lifecycle": "uipath", "qeue": "b"}, "but got qeue"),
        ({"name": "A", "lifecycle": "uipath", "on_robot_loss": "cry"}, "one of wait, fault, rerun"),
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused_with_what_could(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        definition_message(fields)
