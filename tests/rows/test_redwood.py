"""Rows of single Redwood processes: what people, robots, queues and the start time do (C2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Question, ReportKind, Verb
from interlock_server.core.model.definition import Completion, Parameter
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import REDWOOD
from tests.support.live_partition import started
from tests.support.rows import expect_rows

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS


# -- before it runs -----------------------------------------------------------------------------


async def test_a_process_is_submitted_offered_accepted_and_completed(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.ACCEPTED, job)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)

    await expect_rows(live, job, "TR-001", by="user")
    await expect_rows(live, job, "TR-003", by="system")
    await expect_rows(live, job, "TR-022", "TR-042", by="dispatcher")
    await expect_rows(live, job, "TR-074", "TR-079", "TR-090", by="robot")


async def test_a_process_submitted_on_hold_is_released(live: LivePartition):
    job = await live.submit(hold=True)
    await live.verb(Verb.RELEASE, job)

    await expect_rows(live, job, "TR-004", "TR-050", "TR-022")


async def test_invalid_parameters_end_in_error(live: LivePartition):
    await live.define("strict", Lifecycle.REDWOOD, parameters=(Parameter("n", "integer"),))
    job = await live.submit("strict", parameters='{"n": "seven"}')

    await expect_rows(live, job, "TR-001", "TR-010")


@pytest.mark.parametrize(("verb", "row"), [(Verb.HOLD, "TR-030"), (Verb.CANCEL, "TR-031")])
async def test_a_scheduled_process_is_held_or_canceled(live: LivePartition, verb, row):
    job = await live.submit(start_ms=live.clock.now_ms() + HOUR_MS)
    await live.verb(verb, job)

    await expect_rows(live, job, row, by="user")


@pytest.mark.parametrize(("verb", "row"), [(Verb.HOLD, "TR-043"), (Verb.CANCEL, "TR-045")])
async def test_a_queued_process_is_held_or_canceled(live: LivePartition, verb, row):
    job = await live.submit()
    await live.verb(verb, job)

    await expect_rows(live, job, "TR-022", row)


async def test_a_queued_process_gets_another_start(live: LivePartition):
    job = await live.submit()
    await live.verb(Verb.RESCHEDULE, job, value=live.clock.now_ms() + HOUR_MS)

    await expect_rows(live, job, "TR-059", by="user")


async def test_a_held_process_is_canceled(live: LivePartition):
    job = await live.submit(hold=True)
    await live.verb(Verb.CANCEL, job)

    await expect_rows(live, job, "TR-004", "TR-052")


async def test_a_held_queue_holds_its_processes_and_lets_them_go(live: LivePartition):
    before = await live.submit()
    await live.do(c.HoldQueue("default"))
    await live.settle()
    after = await live.submit()
    await live.do(c.ReleaseQueue("default"))
    await live.settle()

    await expect_rows(live, before, "TR-041", "TR-036", by="user")
    await expect_rows(live, after, "TR-024", by="dispatcher")
    await expect_rows(live, after, "TR-024", "TR-036")


@pytest.mark.parametrize(
    ("verb", "row"),
    [(Verb.HOLD, "TR-037"), (Verb.CANCEL, "TR-039"), (Verb.RESCHEDULE, "TR-056")],
)
async def test_a_process_of_a_held_queue_is_held_canceled_or_rescheduled(
    live: LivePartition, verb, row
):
    await live.do(c.HoldQueue("default"))
    job = await live.submit()
    later_ms = live.clock.now_ms() + HOUR_MS
    await live.verb(verb, job, value=later_ms if verb is Verb.RESCHEDULE else 0)

    await expect_rows(live, job, "TR-024", row)


async def test_a_start_more_than_two_years_away_is_never(live: LivePartition):
    far_ms = live.clock.now_ms() + 3 * YEAR_MS
    held, canceled, found = [await live.submit(start_ms=far_ms) for _ in range(3)]
    await live.verb(Verb.HOLD, held)
    await live.verb(Verb.RELEASE, held)
    await live.verb(Verb.CANCEL, canceled)
    await live.verb(Verb.RESCHEDULE, found)

    await expect_rows(live, held, "TR-009", "TR-070", "TR-050", "TR-029")
    await expect_rows(live, canceled, "TR-009", "TR-071")
    await expect_rows(live, found, "TR-009", "TR-069")


# -- offered, accepted, not started -------------------------------------------------------------


async def test_a_refused_offer_goes_back_to_its_queue(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.REFUSED, job, reason="no licence")

    await expect_rows(live, job, "TR-042", "TR-075")


async def test_an_accepted_process_goes_back_when_its_robot_is_silent(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.ACCEPTED, job)
    await robot.cut()
    await live.silence(minutes=6)

    await expect_rows(live, job, "TR-074", "TR-080")


@pytest.mark.parametrize(
    ("accepted", "cancel", "fail"), [(False, "TR-076", "TR-077"), (True, "TR-081", "TR-082")]
)
async def test_what_a_robot_has_not_started_is_canceled_by_it_or_fails_to_start(
    live: LivePartition, accepted, cancel, fail
):
    robot = await live.connect()
    canceled, failed = await live.submit(), await live.submit()
    if accepted:
        await robot.report(K.ACCEPTED, canceled, failed)
    await live.verb(Verb.CANCEL, canceled)
    await robot.report(K.CANCEL_CONFIRMED, canceled)
    await robot.report(K.COULD_NOT_START, failed)

    await expect_rows(live, canceled, cancel, "TR-083")
    await expect_rows(live, failed, fail, by="robot")


# -- while it runs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "row"),
    [
        (K.COMPLETED, "TR-090"),
        (K.FAILED, "TR-091"),
        (K.REMOTE_GONE, "TR-099"),
        (K.CANCELED, "TR-101"),
    ],
)
async def test_a_running_process_ends_as_its_robot_says(live: LivePartition, end, row):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(end, job)

    await expect_rows(live, job, "TR-079", row)


async def test_a_process_is_completed_from_outside(live: LivePartition):
    await live.define("external", Lifecycle.REDWOOD, completion=Completion.EXTERNAL)
    robot = await live.connect()
    job = await started(live, robot, "external")
    await live.verb(Verb.COMPLETE, job)

    await expect_rows(live, job, "TR-102", by="user")


async def test_a_process_waits_for_another_one(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.WAITING, job)
    await robot.report(K.WAIT_OVER, job)

    await expect_rows(live, job, "TR-093", "TR-109", by="robot")


@pytest.mark.parametrize(("completes", "row"), [(False, "TR-118"), (True, "TR-119")])
async def test_a_process_asks_an_operator(live: LivePartition, completes, row):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=Question("go on?", completes=completes))
    (message,) = (await live.job(job)).messages
    await live.do(c.Reply(message.id, "yes"))

    await expect_rows(live, job, "TR-094", by="robot")
    await expect_rows(live, job, row, by="user")


async def test_a_running_process_is_killed(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.KILL, job)
    await robot.report(K.KILLED, job)

    await expect_rows(live, job, "TR-095", by="user")
    await expect_rows(live, job, "TR-130", by="robot")


async def test_a_waiting_and_an_asking_process_are_killed(live: LivePartition):
    robot = await live.connect()
    waiting, asking = await started(live, robot), await started(live, robot)
    await robot.report(K.WAITING, waiting)
    await robot.report(K.ASKED, asking, question=Question("go on?"))
    await live.verb(Verb.KILL, waiting)
    await live.verb(Verb.KILL, asking)

    await expect_rows(live, waiting, "TR-093", "TR-114")
    await expect_rows(live, asking, "TR-094", "TR-122")


async def test_a_waiting_and_an_asking_process_are_lost_for_good(live: LivePartition):
    robot = await live.connect()
    waiting, asking = await started(live, robot), await started(live, robot)
    await robot.report(K.WAITING, waiting)
    await robot.report(K.ASKED, asking, question=Question("go on?"))
    await robot.goodbye()

    await expect_rows(live, waiting, "TR-093", "TR-115")
    await expect_rows(live, asking, "TR-094", "TR-123")


# -- lost ---------------------------------------------------------------------------------------


async def test_after_a_restart_of_the_server_what_ran_is_uncertain(live: LivePartition):
    robot = await live.connect()
    running, waiting, killing = [await started(live, robot) for _ in range(3)]
    await robot.report(K.WAITING, waiting)
    await live.verb(Verb.KILL, killing)
    await live.kill()
    await live.silence(minutes=6)  # the robot does not come back, nor the kill's confirmation

    await expect_rows(live, running, "TR-098", by="system")
    await expect_rows(live, waiting, "TR-117", by="system")
    await expect_rows(live, killing, "TR-095", "TR-132")


@pytest.mark.parametrize(
    ("found", "row"), [(K.COMPLETED, "TR-133"), (K.FAILED, "TR-134"), (K.KILLED, "TR-135")]
)
async def test_an_end_message_is_found(live: LivePartition, found, row):
    robot = await live.connect()
    job = await started(live, robot)
    await live.kill()
    back = await live.connect(running=robot.running(job, ended=True))
    await back.report(found, job, fence=1)

    await expect_rows(live, job, "TR-098", row)


async def test_an_uncertain_process_is_found_running(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.kill()
    await live.connect(running=robot.running(job))

    await expect_rows(live, job, "TR-098", "TR-136")


async def test_nothing_is_heard_of_an_uncertain_process(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.kill()
    await live.later(minutes=10)

    await expect_rows(live, job, "TR-137", by="clock")


async def test_an_uncertain_process_is_killed_at_once(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.kill()
    await live.verb(Verb.KILL, job)

    await expect_rows(live, job, "TR-138", by="user")


# -- restart ------------------------------------------------------------------------------------


async def test_a_restart_that_cannot_be_prepared_is_corrected_or_given_up(live: LivePartition):
    job = await live.submit()
    await live.verb(Verb.CANCEL, job)
    await live.define(
        REDWOOD, Lifecycle.REDWOOD, parameters=(Parameter("bank", "string", required=True),)
    )
    corrected, given_up = await live.restart_job(job), await live.restart_job(job)
    await live.define(REDWOOD, Lifecycle.REDWOOD)
    await live.verb(Verb.RESCHEDULE, corrected)
    await live.verb(Verb.CANCEL, given_up)

    await expect_rows(live, corrected, "TR-002", "TR-072")
    await expect_rows(live, given_up, "TR-002", "TR-073")
