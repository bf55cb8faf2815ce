"""The column form: whatever is left out or said once holds for every change."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.columns import ColumnReader, UnknownRowError
from interlock.status import status_name
from interlock.v1.event_pb2 import ChangeBlock, ChangeColumns, Name, NameKind, Note

ROWS = {
    1: ("uipath", status_name(0), status_name(1), "submit", "TU-01"),
    4: ("uipath", status_name(1), status_name(2), "start", "TU-04"),
}
DEFINITION, QUEUE, ROBOT = (
    NameKind.NAME_KIND_DEFINITION,
    NameKind.NAME_KIND_QUEUE,
    NameKind.NAME_KIND_ROBOT,
)


def names(kind, *texts):
    return [Name(kind=kind, number=number, name=text) for number, text in enumerate(texts, 1)]


def block(**fields):
    defaults: dict[str, Any] = {
        "first_revision": 10,
        "time_ms": 1_000,
        "actor": 2,
        "author": "bot",
        "jobs": [1, 2, 3],
        "transitions": bytes([1, 4, 1]),
    }
    return ChangeBlock(**(defaults | fields))


def read(*blocks):
    return ColumnReader(ROWS).read(ChangeColumns(blocks=blocks))


def test_a_change_has_the_revision_of_its_place():
    changes = read(block(), block(first_revision=20))

    assert [change.revision for change in changes] == [10, 11, 12, 20, 21, 22]


def test_a_name_given_once_holds_for_every_change_of_the_block():
    changes = read(block(definitions=[1], names=names(DEFINITION, "Report")))

    assert [change.definition for change in changes] == ["Report"] * 3


def test_names_given_for_each_change_are_its_own():
    changes = read(block(robots=[0, 2, 1], names=names(ROBOT, "bot-1", "bot-2")))

    assert [change.robot for change in changes] == ["", "bot-2", "bot-1"]


def test_names_of_one_kind_are_not_those_of_another():
    both = names(DEFINITION, "Report") + names(QUEUE, "finance")

    (change,) = read(block(jobs=[1], transitions=b"\x01", definitions=[1], queues=[1], names=both))

    assert (change.definition, change.queue, change.robot) == ("Report", "finance", "")


def test_names_are_remembered_for_later_blocks():
    changes = read(block(names=names(QUEUE, "finance")), block(queues=[1]))

    assert changes[-1].queue == "finance"


def test_a_note_is_the_reason_of_one_change_and_the_blocks_that_of_the_others():
    changes = read(block(reason="maintenance", notes=[Note(index=1, reason="broken")]))

    assert [change.reason for change in changes] == ["maintenance", "broken", "maintenance"]


def test_a_row_that_no_table_has_is_told():
    with pytest.raises(UnknownRowError):
        read(block(transitions=bytes([1, 99, 1])))
