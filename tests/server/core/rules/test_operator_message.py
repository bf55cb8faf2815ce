"""Questions and notes of jobs: which are kept, which are open, and what a reply does."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Question, ReportKind
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.operator_message import MESSAGES_KEPT
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import UIPATH, CoreDriver

K = ReportKind


@pytest.fixture
def core() -> CoreDriver:
    return CoreDriver().with_both()


def running(core: CoreDriver, definition: str = "load-bank-file"):
    core.connect()
    job = core.submit(definition)
    core.dispatch()
    core.report(K.STARTED, job)
    return job


def reply(core: CoreDriver, message: int, text: str = "yes"):
    return core.take(c.Reply(message, text))


def test_a_note_that_was_pushed_out_is_no_longer_open(core):
    job = running(core)
    for number in range(MESSAGES_KEPT + 3):
        core.report(K.NOTED, job, question=Question(f"note {number}", reply_required=True))

    assert len(job.messages) == MESSAGES_KEPT
    assert list(core.world.open_messages) == [message.id for message in job.messages]
    answer = reply(core, 1)
    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.MESSAGE_CLOSED


def test_closed_messages_are_pushed_out_first(core):
    job = running(core)
    for number in range(MESSAGES_KEPT):
        core.report(K.NOTED, job, question=Question(f"note {number}", reply_required=number != 5))

    core.report(K.NOTED, job, question=Question("one more", reply_required=True))

    assert "note 5" not in [message.text for message in job.messages]
    assert job.messages[0].text == "note 0"


def test_the_question_that_a_job_waits_for_is_never_pushed_out(core):
    job = running(core)
    core.report(K.ASKED, job, question=Question("go on?"))
    for number in range(2 * MESSAGES_KEPT):
        core.report(K.NOTED, job, question=Question(f"note {number}", reply_required=True))

    assert job.messages[0].text == "go on?"
    reply(core, job.messages[0].id)
    assert job.status == Status.REDWOOD_RUNNING


def test_a_note_that_needs_no_reply_cannot_be_answered(core):
    job = running(core)
    core.report(K.NOTED, job, question=Question("done by half"))

    answer = reply(core, job.messages[0].id)

    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.MESSAGE_CLOSED
    assert isinstance(reply(core, 99), Rejection)


def test_the_whole_reply_has_to_match(core):
    job = running(core)
    core.report(K.ASKED, job, question=Question("how many?", pattern="[0-9]+"))
    message = job.messages[0].id

    for wrong in ("7 or 8", "x7", "7\n8"):
        assert isinstance(reply(core, message, wrong), Rejection)
    assert not isinstance(reply(core, message, "78"), Rejection)


def test_a_uipath_job_that_asks_keeps_running(core):
    job = running(core, UIPATH)

    core.report(K.ASKED, job, question=Question("which one?"))
    assert job.status == Status.UIPATH_RUNNING
    reply(core, job.messages[0].id, "the second")

    assert job.status == Status.UIPATH_RUNNING
    assert job.messages[0].reply == "the second"


def test_questions_of_a_job_that_ended_need_no_reply(core):
    job = running(core, UIPATH)
    core.report(K.ASKED, job, question=Question("which one?"))

    core.report(K.FAILED, job)

    assert core.world.open_messages == {}
    assert core.archive() == [job]


def test_a_failed_job_leaves_one_message_and_its_reply_leaves_none(core):
    core.define("watched", Lifecycle.REDWOOD, message_on_failure=True)
    job = running(core, "watched")
    core.report(K.ASKED, job, question=Question("go on?"))
    core.verb(c.Verb.KILL, job)

    core.report(K.KILLED, job)

    (message,) = [message for message in job.messages if message.is_open]
    assert message.text == "watched ended as Killed"
    assert core.archive() == []
    reply(core, message.id)
    assert core.world.open_messages == {}
    assert core.archive() == [job]
    core.check_replay()


def test_a_job_that_left_a_note_and_was_answered_still_leaves_its_message_when_it_fails(core):
    core.define("watched", Lifecycle.REDWOOD, message_on_failure=True)
    job = running(core, "watched")
    core.report(K.NOTED, job, question=Question("half done", reply_required=True))
    reply(core, job.messages[0].id)

    core.report(K.FAILED, job)

    assert [message.is_open for message in job.messages] == [False, True]


def test_a_job_that_succeeded_leaves_none(core):
    core.define("watched", Lifecycle.REDWOOD, message_on_failure=True)
    job = running(core, "watched")

    core.report(K.COMPLETED, job)

    assert job.messages == ()
