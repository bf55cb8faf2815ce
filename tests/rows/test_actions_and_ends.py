"""Rows of delays, actions, runtime limits, restart behaviors and their questions (C2, B8, B10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Question, ReportKind, Verb
from interlock_server.core.model.definition import (
    LimitEffect,
    LimitKind,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
S = Status
JOB = "month-end"
HOUR_MS = 3_600_000


async def put(live: LivePartition, **fields: Any) -> LiveRobot:
    """The definition of the test, and a robot that can do its part of actions."""
    await live.define(JOB, Lifecycle.REDWOOD, **fields)
    return await live.connect("robot-1", JOB, actions=True)


async def answer(live: LivePartition, job: int, text: str) -> None:
    (message,) = [each for each in (await live.job(job)).messages if each.is_open]
    await live.do(c.Reply(message.id, text))


# -- delays and the on-change action ------------------------------------------------------------


async def test_a_process_waits_until_its_parent_is_final(live: LivePartition):
    await live.define(JOB, Lifecycle.REDWOOD)
    parent = await live.submit(JOB, hold=True)
    child, canceled = [await live.submit(JOB, parent=parent, after_parent=True) for _ in range(2)]
    await live.verb(Verb.CANCEL, canceled)
    await live.verb(Verb.CANCEL, parent)

    await expect_rows(live, child, "TR-008", by="system")
    await expect_rows(live, child, "TR-012", by="job")
    await expect_rows(live, canceled, "TR-008", "TR-013")


async def test_a_restart_is_delayed(live: LivePartition):
    again = RestartBehavior(int(S.REDWOOD_ERROR), RestartAction.RESTART, delay_ms=HOUR_MS)
    robot = await put(live, restart_behaviors=(again,))
    job = await started(live, robot, JOB)
    await robot.report(K.FAILED, job)
    await live.later(hours=1)

    await expect_rows(live, job + 1, "TR-001", "TR-008", "TR-012")
    await expect_rows(live, job + 1, "TR-012", by="clock")


@pytest.mark.parametrize(
    ("effect", "row"),
    [(RuleEffect.CANCEL, "TR-011"), (RuleEffect.HOLD, "TR-004"), (RuleEffect.FAIL, "TR-010")],
)
async def test_an_on_change_action_decides_about_a_new_process(live: LivePartition, effect, row):
    await put(live, on_change=(Rule("new_status == 'New'", effect),))
    job = await live.submit(JOB)

    await expect_rows(live, job, "TR-001", row)


# -- the pre-running action ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        (Rule("true", RuleEffect.HOLD), "TR-085"),
        (Rule("true", RuleEffect.RESCHEDULE, delay_ms=HOUR_MS), "TR-086"),
        (Rule("true", RuleEffect.CANCEL), "TR-087"),
    ],
)
async def test_a_pre_running_action_turns_a_process_around(live: LivePartition, rule, row):
    robot = await put(live, pre_running=(rule,))
    job = await live.submit(JOB)
    await robot.report(K.ACCEPTED, job)

    await expect_rows(live, job, "TR-078", by="system")
    await expect_rows(live, job, row, by="action")


async def test_a_pre_running_action_fails_or_passes(live: LivePartition):
    robot = await put(live, pre_running=(Rule("job.priority > 80", RuleEffect.FAIL),))
    failed, passed = await live.submit(JOB, priority=90), await live.submit(JOB)
    await robot.report(K.ACCEPTED, failed, passed)

    await expect_rows(live, failed, "TR-078", "TR-088")
    await expect_rows(live, passed, "TR-078", "TR-084")


async def test_a_process_is_killed_while_its_robot_runs_the_pre_running_action(
    live: LivePartition,
):
    robot = await put(live, pre_running_code=True)
    job = await live.submit(JOB)
    await robot.report(K.ACCEPTED, job)
    await live.verb(Verb.KILL, job)

    await expect_rows(live, job, "TR-078", "TR-089")
    await expect_rows(live, job, "TR-089", by="user")


# -- runtime limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "row"), [(LimitEffect.KILL, "TR-096"), (LimitEffect.ERROR, "TR-097")]
)
async def test_a_process_that_runs_for_too_long_is_ended(live: LivePartition, effect, row):
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=HOUR_MS, effect=effect)
    robot = await put(live, runtime_limits=(limit,))
    job = await started(live, robot, JOB)
    await live.later(hours=1)

    await expect_rows(live, job, "TR-079", row)
    await expect_rows(live, job, row, by="clock")


# -- the post-running action --------------------------------------------------------------------


async def end(live: LivePartition, robot: LiveRobot, job: int, kind: ReportKind) -> None:
    if kind is K.KILLED:
        await live.verb(Verb.KILL, job)
    await robot.report(kind, job, return_code=4 if kind is K.COMPLETED else 0)


@pytest.mark.parametrize(
    ("kind", "into", "row"),
    [
        (K.FAILED, "TR-092", "TR-104"),
        (K.KILLED, "TR-131", "TR-105"),
        (K.REMOTE_GONE, "TR-092", "TR-106"),
        (K.CANCELED, "TR-092", "TR-107"),
    ],
)
async def test_a_post_running_action_that_says_nothing_leaves_the_result(
    live: LivePartition, kind, into, row
):
    robot = await put(live, post_running=(Rule("false", RuleEffect.COMPLETE),))
    job = await started(live, robot, JOB)
    await end(live, robot, job, kind)

    await expect_rows(live, job, into, row)


async def test_a_post_running_action_accepts_a_return_code(live: LivePartition):
    robot = await put(live, post_running=(Rule("job.return_code == 4", RuleEffect.COMPLETE),))
    job = await started(live, robot, JOB)
    await end(live, robot, job, K.COMPLETED)

    await expect_rows(live, job, "TR-092", "TR-103")
    await expect_rows(live, job, "TR-103", by="action")


# -- the question to an operator ----------------------------------------------------------------


ASK = tuple(
    RestartBehavior(int(status), RestartAction.REQUEST_RESTART)
    for status in (S.REDWOOD_ERROR, S.REDWOOD_KILLED, S.REDWOOD_CANCELED, S.REDWOOD_UNKNOWN)
)


@pytest.mark.parametrize(
    ("reply", "row"),
    [("Restart", "TR-124"), ("No restart", "TR-125"), ("Continue", "TR-126")],
)
async def test_an_operator_decides_what_becomes_of_a_failed_process(
    live: LivePartition, reply, row
):
    robot = await put(live, restart_behaviors=ASK)
    job = await started(live, robot, JOB)
    await robot.report(K.FAILED, job)
    await answer(live, job, reply)

    await expect_rows(live, job, "TR-100", by="system")
    await expect_rows(live, job, row, by="user")
    if reply == "Restart":
        await expect_rows(live, job + 1, "TR-001")


@pytest.mark.parametrize(
    ("kind", "row"),
    [(K.KILLED, "TR-127"), (K.CANCELED, "TR-128"), (K.REMOTE_GONE, "TR-129")],
)
async def test_an_operator_lets_a_process_end_as_it_would_have(live: LivePartition, kind, row):
    robot = await put(
        live, restart_behaviors=ASK, post_running=(Rule("false", RuleEffect.COMPLETE),)
    )
    job = await started(live, robot, JOB)
    await end(live, robot, job, kind)
    await answer(live, job, "No restart")

    await expect_rows(live, job, "TR-108", by="system")
    await expect_rows(live, job, row, by="user")


async def test_a_question_of_a_job_that_asks_is_closed_by_its_end(live: LivePartition):
    robot = await put(live)
    job = await started(live, robot, JOB)
    await robot.report(K.ASKED, job, question=Question("go on?"))
    await answer(live, job, "yes")
    await robot.report(K.FAILED, job)

    await expect_rows(live, job, "TR-094", "TR-118", "TR-091")
