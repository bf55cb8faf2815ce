"""What follows from the tables: legality of every pair, reachability, descriptions, diagrams."""

from __future__ import annotations

import json

import pytest

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import (
    LIFECYCLES,
    NEXT,
    ROW_SOURCE,
    ROW_TARGET,
    ROW_TRIGGER,
    ROWS,
    allowed_triggers,
    creation_row,
    describe,
    mermaid,
    next_row,
)
from interlock_server.core.vocabulary.status import (
    NONE_STATUS,
    STATUS_NAME,
    STATUS_NUMBERS,
    Lifecycle,
    State,
    Status,
)
from interlock_server.core.vocabulary.trigger import TRIGGER_NUMBERS, Trigger

ALL = [row for row in ROWS if row is not None]
NAMES = pytest.mark.parametrize("name", ["uipath", "redwood"])


def test_every_status_and_trigger_either_has_exactly_one_row_or_none():
    for status in Status:
        for trigger in Trigger:
            numbers = [row.number for row in ALL if (row.source, row.trigger) == (status, trigger)]

            assert len(numbers) <= 1
            assert next_row(status, trigger) == sum(numbers)


def test_the_lookup_has_a_place_for_every_pair_and_fills_one_for_each_row_that_leaves_a_status():
    assert len(NEXT) == STATUS_NUMBERS * TRIGGER_NUMBERS
    assert len(NEXT) - NEXT.count(0) == 26 + 138 - 3 - 2


@pytest.mark.parametrize("number", [NONE_STATUS, 10])
def test_nothing_leaves_a_number_without_a_status(number):
    assert not any(next_row(number, trigger) for trigger in Trigger)
    assert allowed_triggers(number) == ()


@pytest.mark.parametrize(
    ("lifecycle", "trigger", "number"),
    [
        (Lifecycle.UIPATH, Trigger.SUBMIT, 1),
        (Lifecycle.UIPATH, Trigger.START_AT_ROBOT, 2),
        (Lifecycle.UIPATH, Trigger.RESTART, 3),
        (Lifecycle.REDWOOD, Trigger.SUBMIT, 27),
        (Lifecycle.REDWOOD, Trigger.FAIL_RESTART, 28),
        (Lifecycle.REDWOOD, Trigger.RESTART, 0),
        (Lifecycle.UIPATH, Trigger.FAIL_RESTART, 0),
        (Lifecycle.UIPATH, Trigger.KILL, 0),
    ],
)
def test_a_job_is_created_by_the_rows_of_its_lifecycle_only(lifecycle, trigger, number):
    assert creation_row(lifecycle, trigger) == number


def test_the_flat_tuples_repeat_the_rows():
    assert len(ROW_SOURCE) == len(ROW_TARGET) == len(ROW_TRIGGER) == len(ROWS) == 165
    for row in ALL:
        assert ROWS[row.number] is row
        assert ROW_SOURCE[row.number] == row.source
        assert ROW_TARGET[row.number] is row.target
        assert ROW_TRIGGER[row.number] is row.trigger


def test_final_statuses_have_no_way_out():
    for status in Status:
        assert (allowed_triggers(status) == ()) is status.is_final


def test_rank_falls_only_where_an_action_reroutes_its_own_job():
    falls = [row.id for row in ALL if row.source and row.target.state < row.source.state]

    assert falls == ["TR-085", "TR-086"]


def test_rows_stay_within_one_lifecycle():
    for table in LIFECYCLES.values():
        for row in table.rows:
            assert row.target.lifecycle is table.lifecycle
            assert not row.source or row.source.lifecycle is table.lifecycle


def test_every_status_is_reachable():
    reached = {row.target for row in ALL if not row.source}
    for _ in Status:  # no path needs more steps than there are statuses
        reached |= {row.target for row in ALL if row.source in reached}

    assert reached == set(Status)


def test_every_status_that_is_not_final_can_end():
    ends = {status for status in Status if status.is_final}
    for _ in Status:
        ends |= {row.source for row in ALL if row.source and row.target in ends}

    assert ends == set(Status)


def test_allowed_triggers_are_those_of_the_rows_in_table_order():
    assert allowed_triggers(Status.UIPATH_SUSPENDED) == (
        Trigger.FIRE_RESUME,
        Trigger.RESUME,
        Trigger.STOP_OR_KILL,
    )


def test_allowed_triggers_can_be_narrowed_to_one_actor():
    assert allowed_triggers(Status.REDWOOD_SCHEDULED, Actor.USER) == (Trigger.HOLD, Trigger.CANCEL)


@NAMES
def test_a_description_is_json_with_every_status_and_row(name):
    described = json.loads(json.dumps(describe(name)))

    assert list(described) == ["name", "statuses", "transitions"]
    assert described["name"] == name
    assert len(described["statuses"]) == len(LIFECYCLES[name].statuses)
    assert len(described["transitions"]) == len(LIFECYCLES[name].rows)
    assert {each["state"] for each in described["statuses"]} <= {each.title for each in State}


def test_a_description_uses_vendor_spellings():
    redwood = describe("redwood")

    assert redwood["statuses"][0] == {"name": "New", "code": "", "state": "Initial", "final": False}
    assert redwood["statuses"][5] == {
        "name": "QueueHeld",
        "code": "B",
        "state": "Pre-running",
        "final": False,
    }
    assert redwood["transitions"][0] == {
        "from": "",
        "trigger": "submit",
        "to": "New",
        "actors": ["user", "schedule", "named_event", "job"],
        "id": "TR-001",
        "row": 27,
        "grade": "documented",
    }
    assert redwood["transitions"][35]["trigger"] == "release_queue"


@NAMES
def test_a_diagram_draws_every_status_and_every_pair_of_statuses(name):
    lines = mermaid(name).splitlines()

    assert lines[0] == "stateDiagram-v2"
    for status in LIFECYCLES[name].statuses:
        node = status.name.lower()
        assert f'    state "{STATUS_NAME[status]}" as {node}' in lines
        assert (f"    {node} --> [*]" in lines) is status.is_final
    pairs = {(row.source, row.target) for row in LIFECYCLES[name].rows}
    assert sum(" : " in line for line in lines) == len(pairs)


def test_a_diagram_names_all_triggers_between_two_statuses_on_one_arrow():
    assert "    uipath_pending --> uipath_stopped : stop, kill\n" in mermaid("uipath")
    assert "    [*] --> redwood_new : submit\n" in mermaid("redwood")


@pytest.mark.parametrize("act", [describe, mermaid])
def test_an_unknown_lifecycle_is_refused_with_the_known_names(act):
    with pytest.raises(ValueError, match=r"uipath or redwood.*'Redwood'"):
        act("Redwood")
