"""Rows of how processes begin and end: actions, limits, restarts, and who waits for whom (C2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock.v1.job_service_pb2 import GetJobRequest
from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.chain import Call, Chain, Step
from interlock_server.core.model.definition import (
    Completion,
    LimitEffect,
    LimitKind,
    Parameter,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock_server.core.model.job import Fault
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot
    from tests.support.served_partition import ServedPartition

K, S, E, A = ReportKind, Status, RuleEffect, RestartAction
BROKEN = Fault("BROKEN", "it broke")


async def define(live: LivePartition, name: str = REDWOOD, **fields: Any) -> None:
    await live.define(name, Lifecycle.REDWOOD, **fields)


async def accepted(live: LivePartition, robot: LiveRobot) -> int:
    job = await live.submit()
    assert await robot.report(K.ACCEPTED, job) == []
    return job


async def reply(live: LivePartition, job: int, text: str) -> None:
    message = (await live.job(job)).open_message
    assert message is not None
    await live.do(c.Reply(message.id, text))


def newest(live: LivePartition) -> int:
    return live.partition.world.next_job - 1


def asks(*statuses: Status) -> tuple[RestartBehavior, ...]:
    return tuple(RestartBehavior(int(status), A.REQUEST_RESTART) for status in statuses)


# -- before and after ---------------------------------------------------------------------------


async def test_s15_return_code_4_is_accepted(live: LivePartition):
    await define(
        live,
        pre_running=(Rule("job.priority > 90", E.HOLD),),
        post_running=(Rule("job.return_code == 4", E.COMPLETE),),
    )
    robot = await live.connect(actions=True)
    job = await accepted(live, robot)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job, return_code=4)

    await expect_rows(live, job, "TR-078", "TR-084", by="system")
    await expect_rows(live, job, "TR-092", by="robot")
    await expect_rows(live, job, "TR-103", by="action")


async def test_s15_the_action_holds_it(live: LivePartition):
    await define(
        live,
        pre_running=(Rule("job.priority < 60", E.HOLD),),
        post_running=(Rule("job.return_code == 4", E.COMPLETE),),
    )
    robot = await live.connect(actions=True)
    job = await accepted(live, robot)
    await live.do(c.EditJob(job, priority=70))
    await live.verb(Verb.RELEASE, job)
    await robot.report(K.ACCEPTED, job)
    await robot.report(K.COMPLETED, job, return_code=5)

    await expect_rows(live, job, "TR-078", "TR-085", "TR-050", "TR-078", "TR-084", "TR-092")
    await expect_rows(live, job, "TR-085", "TR-104", by="action")


@pytest.mark.parametrize(
    ("rule", "row", "by"),
    [
        (Rule("true", E.RESCHEDULE, 60_000), "TR-086", "action"),
        (Rule("true", E.CANCEL), "TR-087", "action"),
        (Rule("job.parameters.none > 1", E.HOLD), "TR-088", "system"),
    ],
)
async def test_s15_the_action_turns_it_around(live: LivePartition, rule, row, by):
    await define(live, pre_running=(rule,))
    robot = await live.connect(actions=True)
    job = await accepted(live, robot)

    await expect_rows(live, job, "TR-078")
    await expect_rows(live, job, row, by=by)


async def test_a_process_is_killed_during_its_action(live: LivePartition):
    await define(live, pre_running_code=True)
    robot = await live.connect(actions=True)
    job = await accepted(live, robot)
    await live.verb(Verb.KILL, job)
    await robot.report(K.KILLED, job)

    await expect_rows(live, job, "TR-078", "TR-089", "TR-130")


async def test_the_code_of_a_robot_says_that_a_good_result_is_bad(live: LivePartition):
    await define(live, pre_running_code=True, post_running_code=True)
    robot = await live.connect(actions=True)
    job = await accepted(live, robot)
    await robot.report(K.PRE_RUNNING_DONE, job)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)
    await robot.report(K.POST_RUNNING_DONE, job, action=c.ActionOutcome(E.FAIL))

    await expect_rows(live, job, "TR-078", "TR-084", "TR-092", "TR-104")


@pytest.mark.parametrize(
    ("kind", "row"), [(K.REMOTE_GONE, "TR-106"), (K.CANCELED, "TR-107"), (K.KILLED, "TR-105")]
)
async def test_the_action_keeps_what_it_finds(live: LivePartition, kind, row):
    await define(live, post_running=(Rule("false", E.COMPLETE),))
    robot = await live.connect()
    job = await started(live, robot)
    if kind is K.KILLED:
        await live.verb(Verb.KILL, job)
    await robot.report(kind, job)

    await expect_rows(
        live,
        job,
        "TR-131" if kind is K.KILLED else "TR-092",
        by="robot" if kind is K.KILLED else "",
    )
    await expect_rows(live, job, row, by="system")


async def test_a_chain_has_a_post_running_action(live: LivePartition):
    chain = Chain((Step("load", (Call("file", REDWOOD),)),))
    await define(live, "nightly", chain=chain, post_running=(Rule("true", E.FAIL),))
    robot = await live.connect("robot-1", REDWOOD)
    job = await live.submit("nightly")
    await robot.hear()
    (call,) = robot.offers
    await robot.report(K.COMPLETED, call)

    await expect_rows(live, job, "TR-116", by="system")
    await expect_rows(live, job, "TR-104", by="action")


async def test_an_on_change_action_cancels_a_new_process(live: LivePartition):
    await define(live, on_change=(Rule("new_status == 'New'", E.CANCEL, reason="no more"),))
    job = await live.submit()

    await expect_rows(live, job, "TR-011", by="action")


async def test_an_on_change_action_holds_or_fails_a_new_process(live: LivePartition):
    await define(live, on_change=(Rule("job.priority > 90", E.HOLD), Rule("true", E.FAIL)))
    held, failed = await live.submit(priority=95), await live.submit()

    await expect_rows(live, held, "TR-004")
    await expect_rows(live, failed, "TR-010")


async def test_a_remote_system_cancels_a_process(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.CANCELED, job)

    await expect_rows(live, job, "TR-101", by="robot")


# -- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "row"), [(LimitEffect.KILL, "TR-096"), (LimitEffect.ERROR, "TR-097")]
)
async def test_a_process_runs_for_too_long_over_a_restart(live: ServedPartition, effect, row):
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=60_000, effect=effect)
    await define(live, runtime_limits=(limit,))
    robot = await live.connect()
    job = await started(live, robot)
    await live.restart()
    robot = await live.connect(running=robot.running(job))
    await live.later(s=59)
    assert (await live.path(job)).endswith("Uncertain Running")
    shown = await live.stubs.jobs.GetJob(GetJobRequest(job=job))
    assert shown.job.run_time.seconds == 59
    await live.later(s=1)

    await expect_rows(live, job, row, by="clock")


# -- restarts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Restart", "TR-124"),
        ("Restart and hold", "TR-124"),
        ("No restart", "TR-125"),
        ("Continue", "TR-126"),
    ],
)
async def test_s10_a_standalone_process_asks_after_a_bad_end(live: LivePartition, text, row):
    await define(live, restart_behaviors=asks(S.REDWOOD_ERROR))
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.FAILED, job, fault=BROKEN)
    await live.restart()
    await reply(live, job, text)

    await expect_rows(live, job, "TR-100", by="system")
    await expect_rows(live, job, row, by="user")
    if text.startswith("Restart"):
        await expect_rows(live, newest(live), "TR-004" if "hold" in text else "TR-022")


@pytest.mark.parametrize(
    ("kind", "row"), [(K.CANCELED, "TR-128"), (K.REMOTE_GONE, "TR-129"), (K.KILLED, "TR-127")]
)
async def test_a_process_ends_as_it_would_have(live: LivePartition, kind, row):
    statuses = (S.REDWOOD_CANCELED, S.REDWOOD_UNKNOWN, S.REDWOOD_KILLED)
    action = (Rule("false", E.COMPLETE),)
    await define(live, restart_behaviors=asks(*statuses), post_running=action)
    robot = await live.connect()
    job = await started(live, robot)
    if kind is K.KILLED:
        await live.verb(Verb.KILL, job)
    await robot.report(kind, job)
    await reply(live, job, "No restart")

    await expect_rows(live, job, "TR-108", by="system")
    await expect_rows(live, job, row, by="user")


async def test_a_restart_waits_for_its_delay_over_a_restart_of_the_server(live: LivePartition):
    restarts = RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART, delay_ms=60_000)
    await define(live, restart_behaviors=(restarts,))
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.FAILED, job, fault=BROKEN)
    again = newest(live)
    await live.restart()
    await live.later(minutes=1)

    await expect_rows(live, again, "TR-001", by="job")
    await expect_rows(live, again, "TR-008", by="system")
    await expect_rows(live, again, "TR-012", by="clock")


async def test_a_delayed_process_is_canceled(live: LivePartition):
    parent = await live.submit()
    job = await live.submit(parent=parent, after_parent=True)
    await live.verb(Verb.CANCEL, job)

    await expect_rows(live, job, "TR-008", "TR-013")


async def test_a_failed_restart_is_corrected_by_an_edit_or_given_up(live: LivePartition):
    restarts = RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART)
    await define(live, restart_behaviors=(restarts,))
    robot = await live.connect(slots=2)
    jobs = [await started(live, robot) for _ in range(2)]
    await define(live, restart_behaviors=(restarts,), parameters=(Parameter("x", required=True),))
    made = []
    for job in jobs:
        await robot.report(K.FAILED, job, fault=BROKEN)
        made.append(newest(live))
    await live.do(c.EditJob(made[0], parameters='{"x": 1}'))
    await live.verb(Verb.CANCEL, made[1])

    await expect_rows(live, made[0], "TR-002", by="system")
    await expect_rows(live, made[0], "TR-072", by="user")
    await expect_rows(live, made[1], "TR-002", "TR-073")


# -- families -----------------------------------------------------------------------------------


async def test_a_child_starts_when_its_parent_ends(live: LivePartition):
    parent = await live.submit()
    child = await live.submit(parent=parent, after_parent=True)
    await live.verb(Verb.CANCEL, parent)

    await expect_rows(live, child, "TR-008", by="system")
    await expect_rows(live, child, "TR-012", by="job")


async def test_a_process_waits_for_its_children(live: LivePartition):
    await define(live, "parent", completion=Completion.EXTERNAL_WAIT_FOR_CHILDREN)
    robot = await live.connect()
    parent = await started(live, robot, "parent")
    child = await live.submit(parent=parent)
    await robot.report(K.COMPLETED, parent)
    await live.restart()
    robot = await live.connect()
    await robot.report(K.COMPLETED, child)

    await expect_rows(live, parent, "TR-093", by="robot")
    await expect_rows(live, parent, "TR-109", by="system")
    await expect_rows(live, parent, "TR-090", by="robot")


# -- questions ----------------------------------------------------------------------------------


async def test_s19_a_gate_is_answered(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("release?", completes=True))
    await reply(live, job, "yes")

    await expect_rows(live, job, "TR-094", "TR-119")


async def test_s19_a_failed_process_leaves_a_message(live: LivePartition):
    leaves = RestartBehavior(int(S.REDWOOD_ERROR), A.CONTINUE, message=True)
    await define(live, restart_behaviors=(leaves,))
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.FAILED, job, fault=BROKEN)
    assert (await live.job(job)).open_message is not None
    await reply(live, job, "seen")

    await expect_rows(live, job, "TR-091")
    assert (await live.path(job)).endswith("Running Error")
