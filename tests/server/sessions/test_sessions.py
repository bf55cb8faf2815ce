"""Streams of robots: what is said, what is said again, and when silence counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import LossPolicy
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.engine import Draining, OutcomeUnknown
from interlock_server.sessions import End
from interlock_server.sessions.stream import BATCHES_IN_FLIGHT_MAX
from tests.support.core_driver import UIPATH
from tests.support.live_partition import LivePartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

K = ReportKind


@pytest.fixture
async def live() -> AsyncIterator[LivePartition]:
    partition = await LivePartition.start()
    await partition.define_both()
    yield partition
    if not partition.partition.failed.done():
        await partition.check_recovery()
    await partition.close()


async def running(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.STARTED, job)
    return robot, job


async def test_a_newer_session_of_a_robot_ends_the_older_one(live: LivePartition):
    older = await live.connect(instance="old")
    newer = await live.connect(instance="new")
    await older.hear()

    assert isinstance(older.end, Rejection)
    assert older.end.reason is Reason.SESSION_SUPERSEDED
    assert newer.opened.epoch > older.opened.epoch
    assert live.partition.sessions.open_count() == 1


async def test_a_report_of_a_session_that_was_replaced_changes_nothing(live: LivePartition):
    older, job = await running(live)
    await live.connect(running=older.running(job))
    older.end = None

    older.sequence += 1
    await older.send(older.batch(K.COMPLETED, job))

    assert (await live.job(job)).status == Status.REDWOOD_RUNNING


async def test_the_end_of_an_old_stream_does_not_break_the_newer_session(live: LivePartition):
    older = await live.connect(instance="old")
    await live.connect(instance="new")

    await older.cut()

    assert live.partition.sessions.is_open("robot-1")
    assert live.partition.world.robots["robot-1"].connected


async def test_an_acknowledgement_says_what_was_refused_and_where(live: LivePartition):
    robot, job = await running(live)
    robot.sequence += 1
    batch = c.Report(
        "robot-1", robot.opened.epoch, robot.sequence, (job, 77), (1, 1), bytes([K.NOTED]), {}
    )

    await robot.stream.report(batch)
    await live.settle()
    said = await robot.stream.next()

    assert said.ack is not None
    assert said.ack.sequence == robot.sequence
    assert said.ack.revision == live.journal.head_revision
    assert [(each.sequence, each.place, each.job) for each in said.ack.refused] == [
        (robot.sequence, 0, job),
        (robot.sequence, 1, 77),
    ]


async def test_an_acknowledgement_waits_for_the_disk(live: LivePartition):
    robot, job = await running(live)
    robot.sequence += 1
    live.journal.hold()

    await robot.stream.report(robot.batch(K.COMPLETED, job))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not robot.stream._has_something()

    live.journal.release()
    await robot.hear()
    assert robot.acked == robot.sequence


async def test_a_robot_that_reports_faster_than_the_disk_has_to_wait(live: LivePartition):
    robot, job = await running(live)
    live.journal.hold()
    question = c.Question("a note")
    for _ in range(BATCHES_IN_FLIGHT_MAX):
        robot.sequence += 1
        await robot.stream.report(robot.batch(K.NOTED, job, question=question))

    robot.sequence += 1
    one_more = asyncio.ensure_future(
        robot.stream.report(robot.batch(K.NOTED, job, question=question))
    )
    for _ in range(20):
        await asyncio.sleep(0)
    assert not one_more.done()

    live.journal.release()
    await one_more
    await robot.hear()
    assert robot.acked == robot.sequence


async def test_a_report_that_cannot_be_taken_does_not_use_up_the_room(live: LivePartition):
    robot, job = await running(live)
    live.partition.engine.drain()

    for _ in range(BATCHES_IN_FLIGHT_MAX + 1):
        with pytest.raises(Draining):
            await robot.stream.report(robot.batch(K.COMPLETED, job))


async def test_a_goodbye_comes_after_the_reports_before_it(live: LivePartition):
    robot, job = await running(live)
    robot.sequence += 1

    await robot.stream.report(robot.batch(K.COMPLETED, job))
    await robot.goodbye()

    assert (await live.path(job)).endswith("Running Completed")
    assert live.partition.world.robots["robot-1"].lost


async def test_orders_are_said_again_until_they_are_acknowledged_and_no_longer_than_they_stand(
    live: LivePartition,
):
    robot, job = await running(live)
    asked = await live.submit(UIPATH)
    await robot.report(K.STARTED, asked)
    await robot.report(K.ASKED, asked, question=c.Question("which?"))
    (message,) = (await live.job(asked)).messages
    await live.do(c.Reply(message.id, "the second"))
    await live.verb(Verb.KILL, job)

    assert await robot.heartbeat() == [EffectKind.KILL, EffectKind.REPLY]
    robot.stream.acknowledge(asked, 1, EffectKind.REPLY, message.id)
    assert await robot.heartbeat() == [EffectKind.KILL]
    await robot.report(K.KILLED, job)
    assert await robot.heartbeat() == []


async def test_standing_orders_are_said_again_when_a_robot_comes_back(live: LivePartition):
    robot, job = await running(live)
    await robot.cut()
    await live.verb(Verb.KILL, job)

    back = await live.connect(running=robot.running(job))

    assert back.opened.verdicts == (c.Verdict.KILL,)
    assert back.told() == [(job, EffectKind.KILL)]


async def test_what_a_robot_names_that_it_should_not_have_is_to_be_forgotten(live: LivePartition):
    robot, job = await running(live)
    await robot.report(K.COMPLETED, job)

    back = await live.connect(
        running=(
            *robot.running(job),
            c.RunningJob(job, 9),
            c.RunningJob(999, 1),
        )
    )

    assert back.opened.verdicts == (c.Verdict.FORGET,) * 3


async def test_only_the_present_attempt_of_a_job_is_kept(live: LivePartition):
    robot = await live.connect("robot-1")
    job = await live.submit()
    await robot.report(K.REFUSED, job)
    other = await live.connect("robot-2")
    await other.report(K.STARTED, job)

    back = await live.connect(
        "robot-2", running=(c.RunningJob(job, 1), c.RunningJob(job, 2), c.RunningJob(job, 1))
    )

    assert back.opened.verdicts == (c.Verdict.FORGET, c.Verdict.KEEP, c.Verdict.FORGET)


async def test_the_same_program_goes_on_with_its_batches_and_another_begins_anew(
    live: LivePartition,
):
    robot, job = await running(live)

    same = await live.connect(running=robot.running(job))
    assert same.opened.last_sequence == 1
    await same.report(K.WAITING, job, fence=1)
    other = await live.connect(instance="another program")
    assert other.opened.last_sequence == 0


async def test_a_batch_whose_acknowledgement_was_lost_is_not_applied_twice(live: LivePartition):
    robot, job = await running(live)
    await robot.cut()
    back = await live.connect(running=robot.running(job))
    revision = live.journal.head_revision

    assert await back.send(robot_batch(back, 1, K.STARTED, job)) == []

    assert live.journal.head_revision == revision
    assert back.acked == 1


def robot_batch(robot, sequence, kind, job):
    return c.Report(robot.name, robot.opened.epoch, sequence, (job,), (1,), bytes([kind]), {})


async def test_a_robot_is_unresponsive_after_four_missed_heartbeats_and_not_before(
    live: LivePartition,
):
    robot = await live.connect()
    sessions = live.partition.sessions

    await live.silence(s=120)
    assert not sessions.is_unresponsive("robot-1")
    await live.silence(s=1)
    assert sessions.is_unresponsive("robot-1")
    await robot.heartbeat()

    assert not sessions.is_unresponsive("robot-1")
    assert sessions.last_heard_ms("robot-1") == live.clock.now_ms()
    assert sessions.is_unresponsive("nobody")


async def test_a_session_is_given_up_when_its_time_to_live_is_over(live: LivePartition):
    robot, job = await running(live)

    await live.silence(s=299)
    assert (await live.job(job)).status == Status.REDWOOD_RUNNING
    await live.silence(s=1)
    await robot.hear()

    assert live.partition.world.robots["robot-1"].lost
    assert isinstance(robot.end, Rejection)
    assert robot.end.reason is Reason.SESSION_LOST
    assert (await live.job(job)).status == Status.REDWOOD_UNCERTAIN


async def test_after_a_restart_every_robot_gets_its_whole_time_to_live(live: LivePartition):
    await live.define("stubborn", Lifecycle.UIPATH, on_robot_loss=LossPolicy.FAULT)
    robot = await live.connect()
    job = await live.submit("stubborn")
    await robot.report(K.STARTED, job)
    await live.silence(s=250)

    await live.kill()
    await live.silence(s=299)
    assert (await live.job(job)).status == Status.UIPATH_RUNNING
    await live.silence(s=1)

    assert (await live.job(job)).status == Status.UIPATH_FAULTED


async def test_a_server_that_goes_away_says_so_to_every_robot(live: LivePartition):
    robot = await live.connect()

    live.partition.sessions.go_away()
    late = await live.connect("robot-2")
    await robot.hear()

    assert [robot.end, late.end] == [End.GOING_AWAY] * 2


async def test_a_session_whose_opening_is_given_up_leaves_no_stream(live: LivePartition):
    live.journal.hold()
    command = c.OpenSession("robot-1", "i", ("daily-report",))
    opening = asyncio.ensure_future(live.partition.sessions.open(command))
    for _ in range(5):
        await asyncio.sleep(0)

    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    live.journal.release()

    assert not live.partition.sessions.is_open("robot-1")


async def test_a_stream_is_ended_when_nobody_knows_what_became_of_its_report(live: LivePartition):
    robot, job = await running(live)
    live.journal.fail("the disk is broken")
    robot.sequence += 1

    await robot.stream.report(robot.batch(K.COMPLETED, job))
    said = await robot.stream.next()

    assert isinstance(said.end, OutcomeUnknown)
