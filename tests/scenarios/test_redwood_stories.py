"""The stories of domain.md D about Redwood processes that are no chain, and what its rules add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import Completion, Parameter
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH
from tests.support.live_partition import START, started

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind
DAY_MS = 24 * 3_600_000


async def test_the_whole_way_with_who_did_what(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.ACCEPTED, job)
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)

    assert [(e.change, e.actor, e.author) for e in await live.events(job)] == [
        ("->New", "user", "operator"),
        ("New>Scheduled", "system", "validation"),
        ("Scheduled>Queued", "dispatcher", "dispatcher"),
        ("Queued>Dispatched", "dispatcher", "dispatcher"),
        ("Dispatched>Assigned", "robot", "robot-1"),
        ("Assigned>Running", "robot", "robot-1"),
        ("Running>Completed", "robot", "robot-1"),
    ]


async def test_an_external_caller_names_the_result_after_the_code_has_ended(live: LivePartition):
    await live.define("outside", Lifecycle.REDWOOD, completion=Completion.EXTERNAL)
    robot = await live.connect(slots=1)
    first, second = await live.submit("outside"), await live.submit("outside")
    await robot.report(K.COMPLETED, first, result='{"sent": 1}')
    assert await live.path(first) == START  # it waits, and holds no slot
    assert not (await live.job(first)).attached
    await robot.report(K.STARTED, second)

    await live.kill()  # it does not execute, so a restart makes nothing uncertain
    await live.verb(Verb.COMPLETE, first, result='{"confirmed": 1}')
    await live.connect(running=robot.running(second))
    await live.verb(Verb.COMPLETE, second, failed=True)

    assert await live.paths(first, second) == [
        f"{START} Completed",
        f"{START} Uncertain Running Error",
    ]
    assert (await live.job(first)).result == '{"confirmed": 1}'


@pytest.mark.parametrize("before", [K.ACCEPTED, K.STARTED, K.WAITING])
async def test_the_end_of_the_code_never_names_the_result_of_an_external_job(
    live: LivePartition, before
):
    await live.define("outside", Lifecycle.REDWOOD, completion=Completion.EXTERNAL)
    robot = await live.connect()
    job = await live.submit("outside")
    for kind in (K.STARTED, before) if before is K.WAITING else (before,):
        await robot.report(kind, job)

    await robot.report(K.COMPLETED, job)

    assert (await live.job(job)).status == Status.REDWOOD_RUNNING
    await live.verb(Verb.KILL, job)
    assert (await live.path(job)).endswith("Running Killing Killed")


async def test_only_a_running_job_of_such_a_definition_is_completed_from_outside(
    live: LivePartition,
):
    await live.define("outside", Lifecycle.REDWOOD, completion=Completion.EXTERNAL)
    robot = await live.connect()
    inside, waiting = await started(live, robot), await live.submit("outside", hold=True)

    with pytest.raises(Rejection) as refused:
        await live.verb(Verb.COMPLETE, inside)
    assert refused.value.reason is Reason.NOT_EXTERNAL
    with pytest.raises(Rejection) as refused:
        await live.verb(Verb.COMPLETE, waiting)
    assert refused.value.reason is Reason.ILLEGAL_TRANSITION


@pytest.mark.parametrize(
    ("code", "end"), [(0, "Completed"), (4, "Completed"), (8, "Error"), (-5, "Completed")]
)
async def test_a_return_code_map_says_which_codes_mean_completed(live: LivePartition, code, end):
    await live.define("mapped", Lifecycle.REDWOOD, return_code_map="-5,0,1-4")
    robot = await live.connect()
    job = await started(live, robot, "mapped")

    await robot.report(K.COMPLETED, job, return_code=code)

    assert await live.path(job) == f"{START} {end}"
    assert (await live.job(job)).return_code == code


async def test_a_process_waits_for_its_start_time(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(start_ms=live.clock.now_ms() + 3_600_000)

    await live.later(minutes=59)
    await live.kill()
    assert await live.path(job) == "New Scheduled"
    robot = await live.connect()
    await live.later(minutes=1)
    await robot.hear()

    assert await live.path(job) == "New Scheduled Queued Dispatched"


async def test_a_process_without_a_start_within_two_years_is_never(live: LivePartition):
    job = await live.submit(start_ms=live.clock.now_ms() + 3 * 365 * DAY_MS)
    assert (await live.job(job)).start_ms == NEVER_MS

    await live.verb(Verb.HOLD, job)
    await live.verb(Verb.RELEASE, job)
    assert await live.path(job) == "New Never Held Scheduled Never"
    await live.verb(Verb.RESCHEDULE, job)
    assert await live.path(job) == "New Never Held Scheduled Never Scheduled Queued"


async def test_held_on_submit_released_and_canceled(live: LivePartition):
    await live.define("held", Lifecycle.REDWOOD, hold_on_submit=True)
    first, second = await live.submit("held"), await live.submit(hold=True)

    await live.verb(Verb.RELEASE, first)
    await live.verb(Verb.CANCEL, second)

    assert await live.paths(first, second) == ["New Held Scheduled Queued", "New Held Canceled"]


async def test_a_cancel_of_what_a_robot_has_is_confirmed_by_it(live: LivePartition):
    robot = await live.connect()
    dispatched, assigned, refused = [await live.submit() for _ in range(3)]
    await robot.report(K.ACCEPTED, assigned)
    for job in (dispatched, assigned, refused):
        await live.verb(Verb.CANCEL, job)
    await robot.hear()
    assert [kind for _, kind in robot.told()] == [EffectKind.CANCEL] * 3
    await robot.report(K.CANCEL_CONFIRMED, dispatched, assigned)
    await robot.report(K.REFUSED, refused)  # it crossed the order

    assert await live.paths(dispatched, assigned, refused) == [
        "New Scheduled Queued Dispatched Canceling Canceled",
        "New Scheduled Queued Dispatched Assigned Canceling Canceled",
        "New Scheduled Queued Dispatched Canceling Canceled",
    ]


async def test_a_restart_that_cannot_be_prepared_is_modified_until_somebody_corrects_it(
    live: LivePartition,
):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.COMPLETED, job)
    await live.define(
        REDWOOD, Lifecycle.REDWOOD, parameters=(Parameter("bank", "string", required=True),)
    )

    copy = await live.restart_job(job)
    assert await live.path(copy) == "Modified"
    with pytest.raises(Rejection, match="'bank' is required"):
        await live.verb(Verb.RESCHEDULE, copy)
    await live.define(REDWOOD, Lifecycle.REDWOOD)
    await live.verb(Verb.RESCHEDULE, copy)
    again = await live.restart_job(job, hold=True)

    assert await live.paths(job, copy, again) == [
        f"{START} Completed",
        "Modified Scheduled Queued Dispatched",
        "New Held",
    ]


async def test_a_restart_of_a_process_whose_definition_is_gone_is_modified(live: LivePartition):
    await live.define("short-lived", Lifecycle.REDWOOD)
    job = await live.submit("short-lived")
    await live.verb(Verb.CANCEL, job)
    await live.settle()
    await live.do(c.DeleteDefinitions(("short-lived",)))

    copy = await live.restart_job(job)
    with pytest.raises(Rejection):
        await live.verb(Verb.COMPLETE, copy)
    with pytest.raises(Rejection, match="'short-lived' is gone"):
        await live.verb(Verb.RESCHEDULE, copy)
    await live.verb(Verb.CANCEL, copy)

    assert await live.path(copy) == "Modified Canceled"


async def test_invalid_parameters_end_in_error_with_the_sentence(live: LivePartition):
    await live.define("strict", Lifecycle.REDWOOD, parameters=(Parameter("n", "integer"),))

    job = await live.submit("strict", parameters='{"n": "seven"}')

    assert await live.path(job) == "New Error"
    assert (await live.events(job))[-1].reason == "parameter 'n' has to be of type integer"


async def test_a_refused_offer_goes_to_another_robot(live: LivePartition):
    robot = await live.connect("robot-1")
    job = await live.submit()
    await robot.report(K.REFUSED, job, reason="no licence")
    await robot.hear()
    assert robot.offers[job].fence == 1  # not offered to it again

    other = await live.connect("robot-2")
    assert other.offers[job].fence == 2
    assert await live.path(job) == "New Scheduled Queued Dispatched Queued Dispatched"


async def test_a_batch_is_decided_report_by_report_and_once(live: LivePartition):
    robot = await live.connect()
    good, bad = await live.submit(), await live.submit(UIPATH)
    await robot.hear()
    robot.sequence += 1
    batch = c.Report(
        "robot-1",
        robot.opened.epoch,
        robot.sequence,
        (good, bad, 99, good),
        (1, 7, 1, 1),
        bytes([K.STARTED, K.STARTED, K.STARTED, K.CANCEL_CONFIRMED]),
        {},
    )

    refused = await robot.send(batch)
    again = await robot.send(batch)

    assert [rejection.reason for rejection in refused] == [
        Reason.FENCE_UNKNOWN,
        Reason.JOB_NOT_FOUND,
        Reason.ILLEGAL_TRANSITION,
    ]
    assert [str(rejection) for rejection in again] == [str(rejection) for rejection in refused]
    assert await live.paths(good, bad) == [START, "Pending"]


async def test_a_gap_in_the_batches_ends_the_session(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.hear()
    robot.sequence = 5

    await robot.send(robot.batch(K.STARTED, job))

    assert robot.end.reason is Reason.SEQUENCE_GAP
    assert await live.path(job) == "New Scheduled Queued Dispatched"


async def test_a_robot_may_have_the_name_of_a_part_of_the_server(live: LivePartition):
    robot = await live.connect("sessions")
    lost, next_ = await started(live, robot), await live.submit()
    await robot.hear()
    robot.sequence += 1
    batch = c.Report(
        "sessions",
        robot.opened.epoch,
        robot.sequence,
        (lost, next_),
        (1, 1),
        bytes([K.REMOTE_GONE, K.STARTED]),
        {},
    )

    assert await robot.send(batch) == []

    assert await live.paths(lost, next_) == [f"{START} Unknown", START]
    assert (await live.events(next_))[-1].actor == "robot"
