"""Queues, definitions, robots, messages and partitions: shown whole, changed only where asked."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from interlock.cli.robot import robot_sheet
from interlock.cli.sheet import paint
from interlock.v1.definition_pb2 import Definition, Parameter
from interlock.v1.job_outcome_pb2 import JobOutcome
from interlock.v1.operator_message_pb2 import OperatorMessage, ReplyStatus
from interlock.v1.queue_pb2 import Queue
from interlock.v1.robot_pb2 import Robot, RobotState
from interlock.v1.status_pb2 import Lifecycle
from tests.clients.cli.fake_interlock import wrapped

NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
FINANCE = Queue(
    name="finance",
    description="of the ledger",
    execution_size=4,
    held=True,
    held_by="olga",
    hold_reason="month end",
    load=2,
    waiting=17,
)
REPORT = wrapped(
    Definition(
        name="DailyReport",
        lifecycle=Lifecycle.LIFECYCLE_REDWOOD,
        description="of the day",
        priority=50,
        parameters=[Parameter(name="month", type="string", required=True, default_json='"x"')],
        labels={"team": "x"},
        version=3,
    )
)


def test_a_held_queue_says_by_whom_and_why(interlock):
    row = interlock("queue", "list", list_queues=[FINANCE]).out.splitlines()[1]

    assert "2 / 4" in row
    assert "17" in row
    assert "held by olga: month end" in row


def test_putting_a_queue_keeps_what_is_not_given(interlock):
    ended = interlock(
        *("queue", "put", "finance", "--execution-size", "0"),
        list_queues=[FINANCE],
        put_queues=[FINANCE],
    )

    assert ended.calls[1].arguments == (
        [{"name": "finance", "description": "of the ledger", "execution_size": 0, "system": False}],
    )


def test_replacing_a_queue_keeps_nothing(interlock):
    ended = interlock("queue", "put", "finance", "--replace", put_queues=[FINANCE])

    assert ended.calls[0].arguments == ([{"name": "finance"}],)


@pytest.mark.parametrize(("verb", "method"), [("hold", "hold_queue"), ("release", "release_queue")])
def test_a_queue_is_held_and_released_with_a_reason(interlock, verb, method):
    ended = interlock("queue", verb, "finance", "-m", "month end", **{method: FINANCE})

    assert ended.calls[0].arguments == ("finance",)
    assert ended.calls[0].keywords == {"reason": "month end"}


def test_deleting_says_what_is_gone(interlock):
    ended = interlock("queue", "delete", "a", "b", delete_queues=None)

    assert ended.calls[0].arguments == (["a", "b"],)
    assert "deleted: a, b" in ended.err


def test_a_definition_shows_what_is_not_the_default(interlock):
    row = interlock("definition", "list", list_definitions=[REPORT]).out.splitlines()[1]

    assert "redwood" in row
    assert "month:string!" in row


def test_putting_a_definition_keeps_what_is_not_given(interlock):
    ended = interlock(
        *("definition", "put", "DailyReport", "--priority", "60", "--uncertain-timeout", "5m"),
        list_definitions=[REPORT],
        put_definitions=[REPORT],
    )

    assert ended.calls[1].arguments == (
        [
            {
                "name": "DailyReport",
                "lifecycle": "redwood",
                "description": "of the day",
                "priority": 60,
                "parameters": [
                    {"name": "month", "type": "string", "required": True, "default": "x"}
                ],
                "labels": {"team": "x"},
                "uncertain_timeout": timedelta(minutes=5),
            }
        ],
    )


def test_a_switch_of_a_definition_can_be_switched_off(interlock):
    ended = interlock(
        *("definition", "put", "DailyReport", "--no-hold-on-submit"),
        list_definitions=[REPORT],
        put_definitions=[REPORT],
    )

    assert ended.calls[1].arguments[0][0]["hold_on_submit"] is False


def test_a_new_definition_needs_a_lifecycle(interlock):
    ended = interlock("definition", "put", "New", list_definitions=[])

    assert ended.code == 2
    assert "expected --lifecycle" in ended.err


def test_what_list_writes_put_reads(interlock, tmp_path):
    file = tmp_path / "definitions.json"
    file.write_text(
        interlock("definition", "list", "--json", list_definitions=[REPORT]).out, encoding="utf-8"
    )

    ended = interlock("definition", "put", "--file", str(file), put_definitions=[REPORT])

    written = ended.calls[0].arguments[0][0]
    assert written["name"] == "DailyReport"
    assert "version" not in written


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "expected the NAME"),
        (("A", "--file", "x"), "either --file or NAME"),
        (("A", "--parameter", "month:text"), "expected NAME or NAME:TYPE"),
        (("A", "--priority", "0"), "range"),
        (("--file", "gone.json"), "expected a file at gone.json"),
    ],
)
def test_a_wrong_definition_is_never_sent(interlock, arguments, sentence):
    ended = interlock("definition", "put", *arguments)

    assert ended.code == 2
    assert sentence in ended.err


@pytest.mark.parametrize("text", ["", "[]", "[1]", '{"lifecycle": "redwood"}'])
def test_a_file_without_definitions_is_refused(interlock, monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    assert interlock("definition", "put", "--file", "-").code == 2


def test_a_file_with_wrong_fields_is_refused_with_what_the_sdk_says(interlock, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"name": "A", "lifecycle": "x"}'))

    ended = interlock("definition", "put", "--file", "-", put_definitions=ValueError("expected y"))

    assert ended.code == 2
    assert "expected y." in ended.err


def test_a_silent_robot_stands_out():
    robot = Robot(
        name="bot-7",
        slots=4,
        jobs=[1, 2],
        state=RobotState.ROBOT_STATE_UNKNOWN,
        unresponsive=True,
        maintenance=True,
    )
    robot.last_heard_time.FromDatetime(NOW - timedelta(minutes=3))

    row = paint(robot_sheet([robot], now=NOW), colour=False, width=None).splitlines()[1]

    assert row.split()[:5] == ["bot-7", "Unknown", "unresponsive,", "in", "maintenance"]
    assert "2 / 4" in row
    assert "3m" in row


def test_maintenance_is_switched_on_with_a_strategy(interlock):
    ended = interlock(
        *("robot", "maintenance", "bot-7", "on", "--strategy", "soft-stop"),
        set_maintenance=Robot(name="bot-7"),
    )

    assert ended.calls[0].arguments == ("bot-7", True)
    assert ended.calls[0].keywords == {"strategy": "soft_stop"}


def test_deleting_robots_needs_names_or_all(interlock):
    assert interlock("robot", "delete").code == 2
    assert interlock("robot", "delete", "a", "--all-disconnected").code == 2

    ended = interlock("robot", "delete", "--all-disconnected", delete_robots=["a"])

    assert "deleted: a" in ended.err


def test_open_messages_show_what_they_accept(interlock):
    message = OperatorMessage(
        id=3,
        job=7,
        text="Post?",
        choices=["yes", "no"],
        status=ReplyStatus.REPLY_STATUS_REQUIRED,
        blocking=True,
    )

    row = interlock("messages", messages=[message]).out.splitlines()[1]

    assert row.split() == ["3", "7", "-", "job", "waits", "Post?", "yes", "/", "no"]


def test_a_reply_shows_what_became_of_the_job(interlock):
    ended = interlock("reply", "3", "yes", reply=wrapped(JobOutcome(job=7)))

    assert ended.calls[0].arguments == (3, "yes")
    assert "replied" in ended.out


def test_a_blank_reply_is_never_sent(interlock):
    assert interlock("reply", "3", "  ").code == 2


def test_partitions_are_listed_and_created(interlock):
    listed = interlock("partition", "list", "--json", list_partitions=["default"])
    created = interlock("partition", "create", "night", create_partition=None)

    assert json.loads(listed.out) == [{"name": "default"}]
    assert "--partition night" in created.err
