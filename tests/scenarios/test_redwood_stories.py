"""The stories of domain.md D about Redwood processes that are no chain, and what its rules add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import Completion, Parameter
from interlock_server.core.model.job import NEVER_MS, Fault
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition, LiveRobot

K = ReportKind
START = "New Scheduled Queued Dispatched Assigned Running"
DAY_MS = 24 * 3_600_000


async def started(live: LivePartition, robot: LiveRobot, definition: str = REDWOOD) -> int:
    job = await live.submit(definition)
    assert await robot.report(K.STARTED, job) == []
    return job


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


@pytest.mark.parametrize(
    ("found", "path"),
    [
        (K.COMPLETED, f"{START} Uncertain Completed"),
        (K.FAILED, f"{START} Uncertain Error"),
        (K.KILLED, f"{START} Uncertain Killed"),
    ],
)
async def test_s17_after_a_restart_of_the_server_an_end_message_is_found(
    live: LivePartition, found, path
):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    assert (await live.job(job)).status == Status.REDWOOD_UNCERTAIN
    back = await live.connect(running=robot.running(job, ended=True))
    assert back.opened.verdicts == (c.Verdict.KEEP,)
    await back.report(found, job, fence=1)

    assert await live.path(job) == path


async def test_s17_after_a_restart_of_the_server_the_agent_is_still_at_work(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    back = await live.connect(running=robot.running(job))
    await back.report(K.COMPLETED, job, fence=1)

    assert await live.path(job) == f"{START} Uncertain Running Completed"


async def test_s17_after_a_restart_of_the_server_nothing_is_heard(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await live.kill()
    await live.later(minutes=9)
    await live.kill()  # another restart must not begin the ten minutes anew
    assert (await live.job(job)).status == Status.REDWOOD_UNCERTAIN
    await live.later(minutes=1)

    assert await live.path(job) == f"{START} Uncertain Unknown"
    (event,) = [e for e in await live.events(job) if e.change == "Uncertain>Unknown"]
    assert event.actor == "clock"


async def test_s17_a_definition_can_have_its_own_time_to_stay_uncertain(live: LivePartition):
    await live.define("quick", Lifecycle.REDWOOD, uncertain_timeout_ms=5_000)
    robot = await live.connect()
    job = await started(live, robot, "quick")

    await live.kill()
    await live.later(s=5)

    assert await live.path(job) == f"{START} Uncertain Unknown"


async def test_s17_a_process_whose_runner_died_on_the_host_is_an_error(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    await live.connect(instance="a new program")

    assert await live.path(job) == f"{START} Error"


async def test_s17_a_process_whose_remote_job_was_deleted_is_unknown(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)

    await robot.report(K.REMOTE_GONE, job)

    assert await live.path(job) == f"{START} Unknown"


async def test_silence_for_the_whole_time_to_live_makes_it_uncertain_and_a_return_goes_on(
    live: LivePartition,
):
    robot = await live.connect()
    job, waiting = await started(live, robot), await started(live, robot)
    offered, accepted = await live.submit(), await live.submit()
    await robot.report(K.WAITING, waiting)
    await robot.report(K.ACCEPTED, accepted)
    await robot.cut()

    await live.silence(minutes=5)
    assert await live.paths(job, waiting, offered, accepted) == [
        f"{START} Uncertain",
        f"{START} Waiting Uncertain",
        "New Scheduled Queued Dispatched Queued",
        "New Scheduled Queued Dispatched Assigned Queued",
    ]

    back = await live.connect(running=robot.running(job, waiting))
    await back.report(K.WAIT_OVER, waiting, fence=1)
    assert await live.paths(job, waiting) == [
        f"{START} Uncertain Running",
        f"{START} Waiting Uncertain Running",
    ]
    assert {back.offers[each].fence for each in (offered, accepted)} == {2}


async def test_a_cut_that_is_shorter_than_the_time_to_live_changes_nothing(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    await live.silence(s=299)
    await live.connect(running=robot.running(job))

    assert await live.path(job) == START


async def test_a_stall_of_the_server_is_no_robots_fault(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.cut()

    live.clock.advance(s=3600)  # the machine slept
    await live.partition.sessions.look()
    await live.silence(s=298)
    assert await live.path(job) == START

    await live.silence(s=1)
    assert await live.path(job) == f"{START} Uncertain"


async def test_s19_an_answered_gate(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("release?", "yes|no", (), completes=True))
    (message,) = (await live.job(job)).messages

    for refused in ("", "   ", "perhaps"):
        with pytest.raises(Rejection) as refusal:
            await live.do(c.Reply(message.id, refused))
        assert refusal.value.reason is Reason.REPLY_REFUSED
    assert await live.path(job) == f"{START} Console"
    await live.later(minutes=30)  # somebody else is mailed; the status does not change
    await live.do(c.Reply(message.id, "yes"), author="duty manager")

    assert await live.path(job) == f"{START} Console Completed"
    (answered,) = (await live.job(job)).messages
    assert (answered.reply, answered.replied_by) == ("yes", "duty manager")
    await robot.hear()
    assert robot.told() == [(job, EffectKind.REPLY)]


async def test_s19_a_script_that_asks_and_goes_on(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("go on?", choices=("yes", "no")))
    (message,) = (await live.job(job)).messages

    with pytest.raises(Rejection, match="one of: yes, no"):
        await live.do(c.Reply(message.id, "maybe"))
    await live.do(c.Reply(message.id, "no"))
    with pytest.raises(Rejection, match="needs no reply"):
        await live.do(c.Reply(message.id, "yes"))
    await robot.hear()
    (order,) = robot.orders
    assert (order.kind, order.message, order.reply) == (EffectKind.REPLY, message.id, "no")
    await robot.report(K.COMPLETED, job)

    assert await live.path(job) == f"{START} Console Running Completed"


async def test_s19_a_killed_gate(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("release?"))

    await live.verb(Verb.KILL, job)
    await robot.hear()
    assert (job, EffectKind.KILL) in robot.told()
    await robot.report(K.KILLED, job)

    assert await live.path(job) == f"{START} Console Killing Killed"
    assert live.partition.world.open_messages == {}


async def test_s19_a_failed_job_stays_final_with_an_open_message(live: LivePartition):
    await live.define("watched", Lifecycle.REDWOOD, message_on_failure=True)
    robot = await live.connect()
    job = await started(live, robot, "watched")
    await robot.report(K.NOTED, job, question=c.Question("half done", reply_required=True))
    (note,) = (await live.job(job)).messages
    await live.do(c.Reply(note.id, "fine"))
    await robot.report(K.FAILED, job, fault=Fault("NO_FILE", "the file is missing"))

    await live.restart()
    found = await live.job(job)
    assert found.status == Status.REDWOOD_ERROR
    assert found.open_message is not None
    assert list(live.partition.world.jobs) == [job]
    await live.do(c.Reply(found.open_message.id, "seen"))
    await live.settle()

    assert await live.path(job) == f"{START} Error"
    assert not live.partition.world.jobs
    assert [message.reply for message in (await live.job(job)).messages] == ["fine", "seen"]


async def test_a_question_that_outlives_its_code_ends_the_job_when_it_is_answered(
    live: LivePartition,
):
    robot = await live.connect(slots=1)
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("was it right?"))
    await robot.report(K.COMPLETED, job, result='{"rows": 1}')
    assert await live.path(job) == f"{START} Console"
    next_ = await live.submit()
    await robot.hear()
    assert next_ in robot.offers  # its slot is free

    await robot.goodbye()
    (message,) = (await live.job(job)).messages
    await live.do(c.Reply(message.id, "yes"))

    assert await live.path(job) == f"{START} Console Running Completed"


async def test_a_question_that_outlives_its_code_can_be_killed(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await robot.report(K.ASKED, job, question=c.Question("was it right?"))
    await robot.report(K.COMPLETED, job)

    await live.verb(Verb.KILL, job)

    assert await live.path(job) == f"{START} Console Killing Killed"


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


async def test_a_queue_hold_takes_2000_jobs_in_slices_and_gives_them_back(live: LivePartition):
    await live.put_queue("night")
    busy = await live.submit(queue="night")
    robot = await live.connect(slots=1)
    (outcomes,) = [await live.do(c.SubmitJobs((c.NewJob(REDWOOD, queue="night", count=2000),)))]
    jobs = [outcome.job for outcome in outcomes]
    elsewhere = await live.submit()

    await live.do(c.HoldQueue("night"), author="planner", reason="month end")
    await live.settle()
    counts = live.partition.world.status_counts
    assert counts[Status.REDWOOD_QUEUE_HELD] == 2000
    assert await live.path(jobs[-1]) == "New Scheduled Queued QueueHeld"
    event = (await live.events(jobs[-1]))[-1]
    assert (event.actor, event.author, event.reason) == ("user", "planner", "month end")
    assert max(len(block) for block in await blocks(live, "Queued>QueueHeld")) <= 500

    late = await live.submit(queue="night")
    assert await live.path(late) == "New Scheduled QueueHeld"
    await robot.report(K.COMPLETED, busy)  # what runs goes on
    await robot.hear()
    assert elsewhere in robot.offers  # and nothing of the queue is dispatched

    await live.do(c.ReleaseQueue("night"), author="planner")
    await live.settle()
    assert counts[Status.REDWOOD_QUEUE_HELD] == 0
    assert await live.path(late) == "New Scheduled QueueHeld Queued"


async def blocks(live: LivePartition, change: str) -> list[list[int]]:
    """The revisions of a change, block by block."""
    found: list[list[int]] = []
    for event in await live.events():
        if event.change == change:
            if found and found[-1][-1] == event.revision - 1 and len(found[-1]) < 500:
                found[-1].append(event.revision)
            else:
                found.append([event.revision])
    return found


async def test_a_hold_that_is_still_moving_its_jobs_goes_on_after_a_kill(live: LivePartition):
    await live.do(c.SubmitJobs((c.NewJob(REDWOOD, count=1200),)))
    live.journal.hold()
    hold = live.partition.engine.submit(c.HoldQueue("default"))
    live.journal.release()
    await hold
    await live.kill()
    await live.settle()

    assert live.partition.world.status_counts[Status.REDWOOD_QUEUE_HELD] == 1200
    robot = await live.connect()
    assert robot.offers == {}


async def test_holding_a_queue_again_while_its_jobs_come_and_go(live: LivePartition):
    jobs = [await live.submit() for _ in range(3)]
    for _ in range(3):
        await live.do(c.HoldQueue("default"))
        await live.settle()
        await live.do(c.ReleaseQueue("default"))
        await live.settle()

    assert await live.path(jobs[0]) == "New Scheduled Queued" + " QueueHeld Queued" * 3
    robot = await live.connect()
    assert list(robot.offers) == jobs


async def test_the_system_queue_cannot_be_held(live: LivePartition):
    with pytest.raises(Rejection) as refused:
        await live.do(c.HoldQueue("System"))

    assert refused.value.reason is Reason.QUEUE_IS_SYSTEM


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


async def test_a_cancel_that_a_robot_cannot_confirm_is_confirmed_by_its_loss(live: LivePartition):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.ACCEPTED, job)
    await live.verb(Verb.CANCEL, job)
    await robot.cut()

    await live.silence(minutes=5)

    assert await live.path(job) == "New Scheduled Queued Dispatched Assigned Canceling Canceled"


async def test_a_kill_is_said_again_after_a_restart_of_the_server(live: LivePartition):
    robot = await live.connect()
    job = await started(live, robot)
    await live.verb(Verb.KILL, job)

    await live.kill()
    back = await live.connect(running=robot.running(job))
    assert back.opened.verdicts == (c.Verdict.KILL,)
    assert back.told() == [(job, EffectKind.KILL)]
    await back.report(K.KILLED, job, fence=1)

    assert await live.path(job) == f"{START} Killing Killed"


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
        bytes([K.STARTED]),
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
