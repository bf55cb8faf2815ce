"""Questions of Redwood processes and the people who answer them (domain.md S19, B11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.job import Fault
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.live_partition import START, started

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


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
