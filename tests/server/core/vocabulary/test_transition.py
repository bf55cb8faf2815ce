"""The tables are whole: every row of both lifecycles, restated as id, from and to."""

from __future__ import annotations

import pytest

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import LIFECYCLES, ROWS
from interlock_server.core.vocabulary.status import STATUS_NAME, Status
from interlock_server.core.vocabulary.transition import INFERRED, row
from interlock_server.core.vocabulary.trigger import Trigger

# Id, from ("-" where a job is created), to.
UIPATH = """
TU-01 - Pending  TU-02 - Running  TU-03 - Pending
TU-04 Pending Running  TU-05 Pending Faulted  TU-06 Pending Stopped
TU-07 Pending Stopped  TU-08 Running Successful  TU-09 Running Faulted
TU-10 Running Stopped  TU-11 Running Suspended  TU-12 Running Stopping
TU-13 Running Terminating  TU-14 Stopping Successful  TU-15 Stopping Stopped
TU-16 Stopping Faulted  TU-17 Stopping Terminating  TU-18 Stopping Stopped
TU-19 Terminating Stopped  TU-20 Terminating Faulted  TU-21 Suspended Resumed
TU-22 Suspended Resumed  TU-23 Suspended Stopped  TU-24 Resumed Running
TU-25 Resumed Faulted  TU-26 Resumed Stopped
"""
REDWOOD = """
TR-001 - New  TR-002 - Modified  TR-003 New Scheduled
TR-004 New Held  TR-005 New Chained  TR-006 New Ignored
TR-007 New Disabled  TR-008 New Delayed  TR-009 New Never
TR-010 New Error  TR-011 New Canceled  TR-012 Delayed Scheduled
TR-013 Delayed Canceled  TR-014 Chained Scheduled  TR-015 Chained Held
TR-016 Chained Skipped  TR-017 Chained Skipped  TR-018 Chained Disabled
TR-019 Chained Canceled  TR-020 Disabled Chained  TR-021 Disabled Canceled
TR-022 Scheduled Queued  TR-023 Scheduled EventWait  TR-024 Scheduled QueueHeld
TR-025 Scheduled Overdue  TR-026 Scheduled Scheduled  TR-027 Scheduled Held
TR-028 Scheduled Canceling  TR-029 Scheduled Never  TR-030 Scheduled Held
TR-031 Scheduled Canceled  TR-032 EventWait Queued  TR-033 EventWait Held
TR-034 EventWait Overdue  TR-035 EventWait Canceled  TR-036 QueueHeld Queued
TR-037 QueueHeld Held  TR-038 QueueHeld Overdue  TR-039 QueueHeld Canceled
TR-040 Queued LockWait  TR-041 Queued QueueHeld  TR-042 Queued Dispatched
TR-043 Queued Held  TR-044 Queued Overdue  TR-045 Queued Canceled
TR-046 LockWait Queued  TR-047 LockWait Held  TR-048 LockWait Overdue
TR-049 LockWait Canceled  TR-050 Held Scheduled  TR-051 Held Overdue
TR-052 Held Canceled  TR-053 EventWait Scheduled  TR-054 EventWait Canceling
TR-055 EventWait Held  TR-056 QueueHeld Scheduled  TR-057 QueueHeld Canceling
TR-058 QueueHeld Held  TR-059 Queued Scheduled  TR-060 Queued Canceling
TR-061 Queued Held  TR-062 LockWait Scheduled  TR-063 LockWait Canceling
TR-064 LockWait Held  TR-065 Held Canceling  TR-066 Overdue Scheduled
TR-067 Overdue Held  TR-068 Overdue Canceled  TR-069 Never Scheduled
TR-070 Never Held  TR-071 Never Canceled  TR-072 Modified Scheduled
TR-073 Modified Canceled  TR-074 Dispatched Assigned  TR-075 Dispatched Queued
TR-076 Dispatched Canceling  TR-077 Dispatched Error  TR-078 Assigned PreRunning
TR-079 Assigned Running  TR-080 Assigned Queued  TR-081 Assigned Canceling
TR-082 Assigned Error  TR-083 Canceling Canceled  TR-084 PreRunning Running
TR-085 PreRunning Held  TR-086 PreRunning Scheduled  TR-087 PreRunning Canceled
TR-088 PreRunning Error  TR-089 PreRunning Killing  TR-090 Running Completed
TR-091 Running Error  TR-092 Running PostRunning  TR-093 Running Waiting
TR-094 Running Console  TR-095 Running Killing  TR-096 Running Killing
TR-097 Running Error  TR-098 Running Uncertain  TR-099 Running Unknown
TR-100 Running ConsoleRestart  TR-101 Running Canceled  TR-102 Running Completed
TR-103 PostRunning Completed  TR-104 PostRunning Error  TR-105 PostRunning Killed
TR-106 PostRunning Unknown  TR-107 PostRunning Canceled  TR-108 PostRunning ConsoleRestart
TR-109 Waiting Running  TR-110 Waiting Completed  TR-111 Waiting Error
TR-112 Waiting Console  TR-113 Waiting ConsoleRestart  TR-114 Waiting Killing
TR-115 Waiting Unknown  TR-116 Waiting PostRunning  TR-117 Waiting Uncertain
TR-118 Console Running  TR-119 Console Completed  TR-120 Console Waiting
TR-121 Console Error  TR-122 Console Killing  TR-123 Console Unknown
TR-124 ConsoleRestart Error  TR-125 ConsoleRestart Error  TR-126 ConsoleRestart Completed
TR-127 ConsoleRestart Killed  TR-128 ConsoleRestart Canceled  TR-129 ConsoleRestart Unknown
TR-130 Killing Killed  TR-131 Killing PostRunning  TR-132 Killing Uncertain
TR-133 Uncertain Completed  TR-134 Uncertain Error  TR-135 Uncertain Killed
TR-136 Uncertain Running  TR-137 Uncertain Unknown  TR-138 Uncertain Killed
"""


def triples(text: str) -> list[tuple[str, str, str]]:
    words = text.split()
    return list(zip(words[::3], words[1::3], words[2::3], strict=True))


@pytest.mark.parametrize(("name", "facts"), [("uipath", UIPATH), ("redwood", REDWOOD)])
def test_every_row_has_the_source_and_target_of_the_domain(name, facts):
    rows = LIFECYCLES[name].rows

    assert [
        (each.id, STATUS_NAME[each.source] or "-", STATUS_NAME[each.target]) for each in rows
    ] == triples(facts)


def test_there_are_26_and_138_rows():
    assert len(LIFECYCLES["uipath"].rows) == 26
    assert len(LIFECYCLES["redwood"].rows) == 138


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("uipath", {"documented": 18, "in part": 0, "inferred": 8}),
        ("redwood", {"documented": 74, "in part": 30, "inferred": 34}),
    ],
)
def test_the_grades_add_up_as_in_the_domain(name, counts):
    grades = [each.grade for each in LIFECYCLES[name].rows]

    assert {grade: grades.count(grade) for grade in counts} == counts


def test_a_row_number_is_one_byte_and_follows_from_the_id():
    numbers = {each.id: each.number for each in ROWS if each is not None}

    assert numbers["TU-01"] == 1
    assert numbers["TU-26"] == 26
    assert numbers["TR-001"] == 27
    assert numbers["TR-138"] == 164
    assert sorted(numbers.values()) == list(range(1, 165))


def test_a_row_keeps_its_actors_in_order():
    made = row(
        "TR-130",
        Status.REDWOOD_KILLING,
        Trigger.CONFIRM_KILL,
        Status.REDWOOD_KILLED,
        INFERRED,
        Actor.ROBOT,
        Actor.SYSTEM,
    )

    assert made.number == 156
    assert made.actors == (Actor.ROBOT, Actor.SYSTEM)


@pytest.mark.parametrize(
    ("row_id", "trigger", "actors"),
    [
        ("TU-23", Trigger.STOP_OR_KILL, {Actor.USER, Actor.SCHEDULE}),
        ("TR-032", Trigger.RAISE_EVENT, {Actor.NAMED_EVENT, Actor.USER, Actor.JOB}),
        ("TR-046", Trigger.GRANT_LOCKS, {Actor.DISPATCHER}),
        ("TR-085", Trigger.HOLD, {Actor.ACTION}),
        ("TR-087", Trigger.CANCEL, {Actor.ACTION, Actor.USER}),
        ("TR-110", Trigger.COMPLETE, {Actor.CHAIN}),
        ("TR-137", Trigger.TIME_OUT, {Actor.CLOCK}),
    ],
)
def test_a_row_names_its_trigger_and_who_can_cause_it(row_id, trigger, actors):
    (found,) = [each for each in ROWS if each is not None and each.id == row_id]

    assert found.trigger is trigger
    assert set(found.actors) == actors
