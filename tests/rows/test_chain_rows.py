"""Rows of chains, their steps and calls (domain.md C2, B9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.chain import Call, Chain, Step
from interlock_server.core.model.definition import Rule, RuleEffect
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
WORK, CHAIN = "post-items", "nightly"


def step(name: str, *calls: str, **fields: Any) -> Step:
    return Step(name, tuple(Call(call, WORK) for call in calls), **fields)


async def put(live: LivePartition, *steps: Step, easy: bool = False, **fields: Any) -> None:
    await live.define(WORK, Lifecycle.REDWOOD)
    chain = Chain(steps, request_restart=easy)
    await live.define(CHAIN, Lifecycle.REDWOOD, chain=chain, **fields)


async def robot_of(live: LivePartition) -> LiveRobot:
    return await live.connect("robot-1", WORK)


async def member(live: LivePartition, name: str, iteration: int = 1) -> int:
    """The id of a step or call, by its name; each has another one here."""
    world = live.partition.world
    (found,) = [
        job.id
        for job in world.jobs.values()
        if name in {job.call, "" if job.call else job.step} and job.iteration == iteration
    ]
    return found


async def answer(live: LivePartition, text: str) -> None:
    (message,) = live.partition.world.open_messages
    await live.do(c.Reply(message, text))


async def test_a_chain_is_expanded_and_runs_step_by_step(live: LivePartition):
    await put(live, step("first", "a"), step("second", "b"))
    robot = await robot_of(live)
    chain = await live.submit(CHAIN)
    await live.settle()
    first, call, second = [await member(live, name) for name in ("first", "a", "b")]
    await robot.report(K.COMPLETED, call)
    await robot.report(K.COMPLETED, second)

    await expect_rows(live, call, "TR-001", "TR-005", "TR-014", "TR-042", "TR-090")
    await expect_rows(live, call, "TR-014", by="chain")
    await expect_rows(live, chain, "TR-079", "TR-093", "TR-110")
    await expect_rows(live, chain, "TR-110", by="chain")
    await expect_rows(live, first, "TR-005", "TR-014", "TR-110")


async def test_a_step_and_its_chain_fail_with_a_call(live: LivePartition):
    await put(live, step("first", "a"), step("second", "b"))
    robot = await robot_of(live)
    chain = await live.submit(CHAIN)
    await live.settle()
    first, call, never = [await member(live, name) for name in ("first", "a", "b")]
    await robot.report(K.FAILED, call)

    await expect_rows(live, chain, "TR-111", by="chain")
    await expect_rows(live, first, "TR-111", by="chain")
    await expect_rows(live, never, "TR-019", by="chain")


async def test_calls_are_ignored_disabled_held_skipped(live: LivePartition):
    calls = (
        Call("off", WORK, disabled=True),
        Call("held", WORK, hold=True),
        Call("skipped", WORK, precondition="false"),
        Call("disabled", WORK),
        Call("again", WORK),
    )
    await put(live, step("zero", "z"), Step("first", calls), step("second", "b"))
    await live.submit(CHAIN, hold=True, start_at_step="first")
    (chain,) = [job.id for job in live.partition.world.jobs.values() if job.chain is not None]
    names = ("z", "off", "held", "skipped", "disabled", "again")
    zero, off, held, skipped, disabled, again = [await member(live, name) for name in names]
    await live.verb(Verb.DISABLE, disabled)
    await live.verb(Verb.DISABLE, again)
    await live.verb(Verb.ENABLE, again)
    await live.verb(Verb.RELEASE, chain)
    await live.settle()

    await expect_rows(live, zero, "TR-005", "TR-017")
    await expect_rows(live, off, "TR-006", by="chain")
    await expect_rows(live, held, "TR-015", by="chain")
    await expect_rows(live, skipped, "TR-016", by="chain")
    await expect_rows(live, disabled, "TR-018", by="user")
    await expect_rows(live, again, "TR-018", "TR-020", "TR-014")


async def test_a_disabled_call_is_canceled_with_its_chain_and_stays_off_in_a_restart(
    live: LivePartition,
):
    await put(live, step("first", "a", "b"))
    chain = await live.submit(CHAIN, hold=True)
    call = await member(live, "a")
    await live.verb(Verb.DISABLE, call)
    await live.verb(Verb.CANCEL, chain)
    await live.settle()
    again = await live.restart_job(chain, hold=True)
    copied = [
        job.id for job in live.partition.world.jobs.values() if job.call == "a" and job.top == again
    ]

    await expect_rows(live, call, "TR-018", "TR-021")
    await expect_rows(live, call, "TR-021", by="chain")
    await expect_rows(live, copied[0], "TR-007", by="chain")


@pytest.mark.parametrize(
    ("reply", "rows"),
    [("Restart", ("TR-112", "TR-120", "TR-110")), ("No restart", ("TR-112", "TR-121"))],
)
async def test_a_step_asks_what_becomes_of_it(live: LivePartition, reply, rows):
    await put(live, step("first", "a"), easy=True)
    robot = await robot_of(live)
    chain = await live.submit(CHAIN)
    await live.settle()
    first, call = await member(live, "first"), await member(live, "a")
    await robot.report(K.FAILED, call)
    await answer(live, reply)
    if reply == "Restart":
        await live.settle()
        await robot.report(K.COMPLETED, await member(live, "a", 2))

    await expect_rows(live, first, "TR-113", by="chain")
    await expect_rows(live, first, "TR-113", "TR-124" if reply == "Restart" else "TR-125")
    await expect_rows(live, chain, *rows)


async def test_a_chain_with_a_post_running_action_ends_through_it(live: LivePartition):
    await put(live, step("first", "a"), post_running=(Rule("false", RuleEffect.COMPLETE),))
    robot = await robot_of(live)
    chain = await live.submit(CHAIN)
    await live.settle()
    await robot.report(K.COMPLETED, await member(live, "a"))

    await expect_rows(live, chain, "TR-116", "TR-103")
