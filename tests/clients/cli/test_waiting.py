"""A job that waits for a robot says why no robot has it."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.cli.waiting import Surroundings
from interlock.v1.job_pb2 import Job
from interlock.v1.queue_pb2 import Queue
from interlock.v1.robot_pb2 import Robot, RobotState
from interlock.v1.status_pb2 import Status

AVAILABLE = RobotState.ROBOT_STATE_AVAILABLE
BUSY = RobotState.ROBOT_STATE_BUSY
GONE = RobotState.ROBOT_STATE_DISCONNECTED
OPEN = Queue(name="q")


def robot(name: str, state: RobotState.ValueType, **fields: Any) -> Robot:
    return Robot(name=name, state=state, definitions=["D"], **fields)


def reasons(queue: Queue, *robots: Robot, **fields: Any) -> list[str]:
    job = Job(definition="D", queue="q", **{"status": Status.STATUS_UIPATH_PENDING, **fields})
    return list(Surroundings([queue], robots).reasons(job))


def test_a_free_robot_is_no_reason():
    assert reasons(OPEN, robot("a", AVAILABLE)) == []


@pytest.mark.parametrize(
    ("queue", "sentence"),
    [
        (
            Queue(name="q", held=True, held_by="olga", hold_reason="month end"),
            "queue q is held by olga: month end",
        ),
        (Queue(name="q", execution_size=2, load=2), "queue q is full (2 of 2)"),
    ],
)
def test_a_queue_that_lets_nothing_through_is_a_reason(queue, sentence):
    assert reasons(queue, robot("a", AVAILABLE)) == [sentence]


@pytest.mark.parametrize(
    ("robots", "sentence"),
    [
        ([], "no robot runs D in queue q"),
        ([Robot(name="a", state=AVAILABLE, definitions=["E"])], "no robot runs D in queue q"),
        ([robot("a", AVAILABLE, queues=["other"])], "no robot runs D in queue q"),
        ([robot("a", GONE), robot("b", GONE)], "not connected: a, b"),
        ([robot("a", GONE), robot("b", AVAILABLE, maintenance=True)], "in maintenance: b"),
        ([robot("a", GONE), robot("b", BUSY)], "busy: b"),
        ([robot(each, BUSY) for each in "abcde"], "busy: a, b, c and 2 more"),
    ],
)
def test_robots_that_cannot_take_it_are_a_reason(robots, sentence):
    assert reasons(OPEN, *robots) == [sentence]


def test_a_job_that_is_bound_waits_for_that_robot():
    assert reasons(OPEN, robot("a", AVAILABLE), requested_robot="b") == [
        "it is bound to robot b, which has never connected"
    ]
    assert reasons(OPEN, robot("a", AVAILABLE), robot("b", BUSY), requested_robot="b") == [
        "busy: b"
    ]


def test_a_fragment_may_be_bound_to_the_robot_of_the_last_one():
    found = reasons(
        OPEN,
        robot("a", AVAILABLE),
        robot("b", GONE),
        status=Status.STATUS_UIPATH_RESUMED,
        robot="b",
        resume_on_same_robot=True,
    )

    assert found == ["not connected: b"]


def test_a_job_that_waits_for_something_else_says_nothing_here():
    assert reasons(OPEN, status=Status.STATUS_REDWOOD_HELD) == []
