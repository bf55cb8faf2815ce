"""Rows of chains, their steps and calls, and of the questions about restarts (C2, S10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.chain import (
    Call,
    Chain,
    HandledStatus,
    HandlerAction,
    StatusHandler,
    Step,
)
from interlock_server.core.model.definition import (
    LimitEffect,
    LimitKind,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock_server.core.model.job import Fault, Role
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

CHAIN = "nightly"
FAILED: dict[str, Any] = {"fault": Fault("BROKEN", "it broke")}


def step(name: str, *calls: str | Call, **fields: Any) -> Step:
    made = tuple(Call(each, REDWOOD) if isinstance(each, str) else each for each in calls)
    return Step(name, made, **fields)


async def put(live: LivePartition, *steps: Step, ask: bool = False, **fields: Any) -> None:
    chain = Chain(steps, request_restart=ask)
    await live.define(CHAIN, Lifecycle.REDWOOD, chain=chain, **fields)


async def part(live: LivePartition, name: str, iteration: int = 1) -> int:
    """The id of a step or call."""
    await live.settle()
    jobs = sorted(live.partition.world.jobs.values(), key=lambda job: job.id)
    return next(
        job.id
        for job in jobs
        if (job.call or (job.step if job.role is Role.STEP else "")) == name
        and job.iteration == iteration
    )


async def run(live: LivePartition, robot: LiveRobot, *names: str, iteration: int = 1) -> None:
    for name in names:
        job = await part(live, name, iteration)
        assert await robot.report(ReportKind.STARTED, job) == []
        assert await robot.report(ReportKind.COMPLETED, job) == []


async def fail(live: LivePartition, robot: LiveRobot, name: str, iteration: int = 1) -> None:
    job = await part(live, name, iteration)
    assert await robot.report(ReportKind.STARTED, job) == []
    assert await robot.report(ReportKind.FAILED, job, **FAILED) == []


async def reply(live: LivePartition, step_job: int, choice: Choice) -> None:
    (message,) = (await live.job(step_job)).messages
    await live.do(c.Reply(message.id, choice))
    await live.settle()


async def test_a_chain_runs_its_steps_and_completes(live: LivePartition):
    await put(live, step("load", "a"), step("post", "b"))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    load, a = await part(live, "load"), await part(live, "a")
    await run(live, robot, "a")
    await run(live, robot, "b")

    await expect_rows(live, chain, "TR-001", "TR-003", "TR-022")
    await expect_rows(live, chain, "TR-074", "TR-079", "TR-093", by="robot")
    await expect_rows(live, chain, "TR-110", by="chain")
    await expect_rows(live, load, "TR-005", by="system")
    await expect_rows(live, load, "TR-014", "TR-110", by="chain")
    await expect_rows(live, a, "TR-005", "TR-014", "TR-022", "TR-042", "TR-090")


async def test_calls_that_are_off_or_not_to_run(live: LivePartition):
    off = Call("off", REDWOOD, disabled=True)
    needless = Call("needless", REDWOOD, precondition="1 == 2")
    await put(live, step("first", "z"), step("load", off, needless, "a"), step("post", "b"))
    robot = await live.connect()
    await live.submit(CHAIN, start_at_step="load")

    ignored, skipped = await part(live, "off"), await part(live, "needless")
    earlier = await part(live, "z")
    await expect_rows(live, ignored, "TR-006", by="chain")
    await expect_rows(live, skipped, "TR-016", by="chain")
    await expect_rows(live, earlier, "TR-005", "TR-017")
    await run(live, robot, "a")
    await run(live, robot, "b")


async def test_a_call_is_switched_off_and_on_and_stays_off_in_a_restart(live: LivePartition):
    await put(live, step("load", "a"), step("post", "b", "x"))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    b, x = await part(live, "b"), await part(live, "x")
    await live.verb(Verb.DISABLE, x)
    await live.verb(Verb.ENABLE, x)
    await live.verb(Verb.DISABLE, b)
    await run(live, robot, "a")
    await fail(live, robot, "x")
    await expect_rows(live, x, "TR-018", "TR-020", by="user")
    await expect_rows(live, chain, "TR-111", by="chain")

    await live.restart_job(chain, from_error=True)
    again = await part(live, "b")
    await expect_rows(live, again, "TR-007", by="chain")
    await run(live, robot, "x")


async def test_held_calls_become_held_when_their_step_starts(live: LivePartition):
    await put(live, step("load", "a"))
    await live.do(c.HoldQueue("default"))
    chain = await live.submit(CHAIN)
    await live.verb(Verb.HOLD, await part(live, "a"))
    await live.do(c.ReleaseQueue("default"))
    robot = await live.connect()
    a = await part(live, "a")
    await live.verb(Verb.RELEASE, a)
    await run(live, robot, "a")

    await expect_rows(live, a, "TR-005", "TR-015", "TR-050", "TR-090")
    await expect_rows(live, chain, "TR-110")


async def test_a_chain_that_has_not_started_is_canceled_with_what_is_off_in_it(
    live: LivePartition,
):
    await put(live, step("load", "a", "b"))
    chain = await live.submit(CHAIN, hold=True)
    a, b = await part(live, "a"), await part(live, "b")
    await live.verb(Verb.DISABLE, b)
    await live.verb(Verb.CANCEL, chain)

    await expect_rows(live, a, "TR-019", by="chain")
    await expect_rows(live, b, "TR-018", "TR-021")


async def test_a_canceled_call_fails_its_step(live: LivePartition):
    await put(live, step("load", "a"), step("post", "b"))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    b = await part(live, "b")
    await live.verb(Verb.CANCEL, b)
    await run(live, robot, "a")

    await expect_rows(live, b, "TR-019", by="user")
    await expect_rows(live, chain, "TR-111", by="chain")


async def test_a_killed_chain_kills_what_runs_below_it(live: LivePartition):
    await put(live, step("load", "a"), step("post", "b"))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    load, a, b = await part(live, "load"), await part(live, "a"), await part(live, "b")
    await robot.report(ReportKind.STARTED, a)
    await live.verb(Verb.KILL, chain)
    await robot.report(ReportKind.KILLED, a)

    await expect_rows(live, chain, "TR-114", by="user")
    await expect_rows(live, load, "TR-114", by="chain")
    await expect_rows(live, a, "TR-095", by="chain")
    await expect_rows(live, chain, "TR-114", "TR-130")
    await expect_rows(live, b, "TR-019", by="chain")


async def test_a_chain_has_actions_of_its_own(live: LivePartition):
    before = Rule("job.priority > 90", RuleEffect.CANCEL)
    after = Rule("new_status == 'Error'", RuleEffect.COMPLETE)
    await put(live, step("load", "a"), pre_running=(before,), post_running=(after,))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    await fail(live, robot, "a")

    await expect_rows(live, chain, "TR-078", "TR-084", "TR-116", by="system")
    await expect_rows(live, chain, "TR-116", "TR-103")


async def test_a_chain_that_runs_for_too_long_is_killed(live: LivePartition):
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=60_000, effect=LimitEffect.KILL)
    await put(live, step("load", Call("a", REDWOOD, hold=True)), runtime_limits=(limit,))
    chain = await live.submit(CHAIN)
    await live.later(minutes=2)

    await expect_rows(live, chain, "TR-114", by="clock")
    await expect_rows(live, chain, "TR-114", "TR-130")


async def test_a_delayed_restart_of_a_step(live: LivePartition):
    again = StatusHandler(HandledStatus.ERROR, HandlerAction.RESTART_STEP, delay_ms=60_000)
    await put(live, step("load", "a", handlers=(again,)))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    await fail(live, robot, "a")
    load = await part(live, "load", 2)
    await live.later(minutes=1)
    await run(live, robot, "a", iteration=2)

    await expect_rows(live, load, "TR-008", "TR-012", "TR-110")
    await expect_rows(live, chain, "TR-110", by="chain")


async def asking(live: LivePartition) -> tuple[LiveRobot, int, int]:
    """A chain whose step has failed, and asks."""
    await put(live, step("load", "a"), step("post", "b"), ask=True)
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    load = await part(live, "load")
    await fail(live, robot, "a")
    return robot, chain, load


async def test_an_operator_restarts_a_step_on_hold(live: LivePartition):
    robot, chain, load = await asking(live)
    await reply(live, load, Choice.RESTART_AND_HOLD)
    again = await part(live, "a", 2)
    await live.verb(Verb.RELEASE, again)
    await run(live, robot, "a", iteration=2)
    await run(live, robot, "b")

    await expect_rows(live, load, "TR-113", by="chain")
    await expect_rows(live, load, "TR-124", by="user")
    await expect_rows(live, chain, "TR-112", by="chain")
    await expect_rows(live, chain, "TR-120", by="user")
    await expect_rows(live, again, "TR-005", "TR-015", "TR-050", "TR-090")


async def test_an_operator_lets_a_chain_go_on(live: LivePartition):
    robot, chain, load = await asking(live)
    await reply(live, load, Choice.CONTINUE)
    await run(live, robot, "b")

    await expect_rows(live, load, "TR-126", by="user")
    await expect_rows(live, chain, "TR-120", "TR-110")


async def test_an_operator_wants_no_restart(live: LivePartition):
    _, chain, load = await asking(live)
    await reply(live, load, Choice.NO_RESTART)

    await expect_rows(live, load, "TR-125", by="user")
    await expect_rows(live, chain, "TR-121", by="user")


async def test_a_chain_that_asks_is_killed(live: LivePartition):
    _, chain, load = await asking(live)
    await live.verb(Verb.KILL, chain)

    await expect_rows(live, chain, "TR-112", "TR-122", "TR-130")
    await expect_rows(live, load, "TR-125", by="chain")


@pytest.mark.parametrize("action", [RestartAction.RESTART, RestartAction.RESTART_FROM_ERROR])
async def test_a_chain_that_fails_is_made_anew_by_its_behavior(live: LivePartition, action):
    behavior = RestartBehavior(int(Status.REDWOOD_ERROR), action)
    await put(live, step("load", "a"), restart_behaviors=(behavior,), starts_max=1)
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    await fail(live, robot, "a")
    await run(live, robot, "a")

    await expect_rows(live, chain, "TR-111", by="chain")


async def test_a_running_chain_is_not_touched_by_a_restart_of_the_server(live: LivePartition):
    await put(live, step("load", "a"), step("post", "b"))
    robot = await live.connect()
    chain = await live.submit(CHAIN)
    await robot.report(ReportKind.STARTED, await part(live, "a"))
    await live.restart()

    assert (await live.path(chain)).endswith("Running Waiting")
