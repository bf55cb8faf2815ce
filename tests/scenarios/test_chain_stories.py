"""The stories of domain.md D about chains: S10, and the handler of S17."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.live_partition import START

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
WORK, CHAIN = "post-items", "nightly"
CALL = "New Chained Scheduled Queued Dispatched Assigned Running"


async def put(live: LivePartition, *steps: Step, **chain: Any) -> LiveRobot:
    await live.define(WORK, Lifecycle.REDWOOD)
    await live.define(CHAIN, Lifecycle.REDWOOD, chain=Chain(steps, **chain))
    return await live.connect("robot-1", WORK)


def step(name: str, **fields: Any) -> Step:
    return Step(name, (Call(f"call of {name}".replace(" ", "-"), WORK),), **fields)


async def member(live: LivePartition, name: str, iteration: int = 1) -> int:
    jobs = live.partition.world.jobs.values()
    (found,) = [
        job.id
        for job in jobs
        if name in {job.call, job.step} and job.iteration == iteration
        if job.call == name or not job.call
    ]
    return found


async def question(live: LivePartition) -> tuple[int, tuple[str, ...], str]:
    """The open message: its id, what can be chosen, and what it says."""
    ((message, job),) = live.partition.world.open_messages.items()
    (found,) = [each for each in (await live.job(job)).messages if each.id == message]
    return message, found.choices, found.text


async def test_s10_the_operator_restarts_the_failed_step_on_hold(live: LivePartition):
    robot = await put(live, step("load"), step("post"), step("report"), request_restart=True)
    chain = await live.submit(CHAIN)
    await live.settle()
    load, post = await member(live, "call-of-load"), await member(live, "post")
    first_run = await member(live, "call-of-post")
    await robot.report(K.STARTED, load)
    await robot.report(K.COMPLETED, load)
    await robot.report(K.STARTED, first_run)
    await robot.report(K.FAILED, first_run)

    assert await live.path(post) == f"{CALL} Waiting ConsoleRestart"
    assert await live.path(chain) == f"{START} Waiting Console"
    message, choices, text = await question(live)
    assert text.startswith("Choose restart option")
    assert {"Restart and hold", "No restart"} <= set(choices)

    await live.do(c.Reply(message, "Restart and hold"))
    await live.settle()
    again = await member(live, "call-of-post", 2)
    assert await live.path(again) == "New Chained Held"
    await live.verb(Verb.RELEASE, again)
    await live.settle()
    await robot.report(K.STARTED, again)
    await robot.report(K.COMPLETED, again)
    report = await member(live, "call-of-report")
    await robot.report(K.STARTED, report)
    await robot.report(K.COMPLETED, report)

    assert await live.path(chain) == f"{START} Waiting Console Waiting Completed"
    assert await live.path(post) == f"{CALL} Waiting ConsoleRestart Error"
    assert await live.path(load) == f"{CALL} Completed"
    assert await live.path(first_run) == f"{CALL} Error"
    held = "New Chained Held Scheduled Queued Dispatched Assigned Running Completed"
    assert await live.path(again) == held
    assert await live.path(report) == f"{CALL} Completed"
    changes = await live.changes()
    order = [
        (first_run, "Running>Error"),
        (post, "Waiting>ConsoleRestart"),
        (chain, "Waiting>Console"),
        (post, "ConsoleRestart>Error"),
        (again, "Held>Scheduled"),
        (again, "Running>Completed"),
        (report, "Chained>Scheduled"),
        (chain, "Waiting>Completed"),
    ]
    places = [changes.index(change) for change in order]
    assert places == sorted(places)


async def test_s10_the_operator_does_not_restart_it(live: LivePartition):
    robot = await put(live, step("load"), step("post"), request_restart=True)
    chain = await live.submit(CHAIN)
    await live.settle()
    load, never = await member(live, "call-of-load"), await member(live, "call-of-post")
    await robot.report(K.STARTED, load)
    await robot.report(K.FAILED, load)

    message, _, _ = await question(live)
    await live.do(c.Reply(message, "No restart"))

    assert await live.path(chain) == f"{START} Waiting Console Error"
    assert await live.path(load) == f"{CALL} Error"
    assert await live.path(never) == "New Chained Canceled"


async def test_s17_a_handler_for_unknown_restarts_what_was_never_heard_of_once(
    live: LivePartition,
):
    handler = StatusHandler(HandledStatus.UNKNOWN, HandlerAction.RESTART_FAILED)
    calls = (Call("good", WORK), Call("lost", WORK))
    robot = await put(live, Step("load", calls, handlers=(handler,), restarts_max=2))
    chain = await live.submit(CHAIN)
    await live.settle()
    good, lost = await member(live, "good"), await member(live, "lost")
    await robot.report(K.STARTED, good, lost)
    await robot.report(K.COMPLETED, good)

    await live.kill()
    assert await live.path(lost) == f"{CALL} Uncertain"
    await live.later(minutes=10)
    robot = await live.connect("robot-1", WORK, instance="a new program")
    await live.settle()
    again = await member(live, "lost", 2)
    await robot.report(K.STARTED, again)
    await robot.report(K.REMOTE_GONE, again)
    await live.settle()

    assert await live.path(lost) == f"{CALL} Uncertain Unknown"
    assert await live.path(again) == f"{CALL} Unknown"
    assert await live.path(good) == f"{CALL} Completed"
    assert (await live.path(chain)).endswith("Waiting Error")  # it fires once
    assert (await live.job(again)).iteration == 2
