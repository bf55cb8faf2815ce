"""What follows the end of a Redwood job: restarts, questions and their replies (domain.md B10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import Parameter, RestartAction, RestartBehavior
from interlock_server.core.model.job import Fault
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.world import Settings
from tests.support.core_driver import REDWOOD, CoreDriver, path

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job

K, S, A = ReportKind, Status, RestartAction
START = "New Scheduled Queued Dispatched Assigned Running"
BROKEN = Fault("DISK_FULL", "the disk is full")


def with_behavior(*behaviors: RestartBehavior, **fields: object) -> CoreDriver:
    core = CoreDriver()
    core.define(REDWOOD, Lifecycle.REDWOOD, restart_behaviors=behaviors, **fields)
    core.connect()
    return core


def started(core: CoreDriver) -> Job:
    job = core.submit()
    core.dispatch()
    assert core.report(K.STARTED, job) == []
    return job


def newest(core: CoreDriver) -> Job:
    return core.world.jobs[core.world.next_job - 1]


def reply(core: CoreDriver, job: Job, text: str) -> object:
    message = job.open_message
    assert message is not None
    return core.take(c.Reply(message.id, text), author="night operator")


ASKS = RestartBehavior(int(S.REDWOOD_ERROR), A.REQUEST_RESTART)


@pytest.mark.parametrize(
    ("choice", "end", "again"),
    [
        (Choice.RESTART, "Error", "New Scheduled Queued"),
        (Choice.RESTART_AND_HOLD, "Error", "New Held"),
        (Choice.NO_RESTART, "Error", ""),
        (Choice.CONTINUE, "Completed", ""),
    ],
)
def test_an_operator_decides_what_follows_a_bad_end(choice: Choice, end: str, again: str):
    core = with_behavior(ASKS)
    job = started(core)
    core.report(K.FAILED, job, fault=BROKEN)
    assert path(job) == f"{START} ConsoleRestart"
    assert (job.provisional, job.attached) == (S.REDWOOD_ERROR, False)
    message = job.open_message
    assert message is not None
    assert message.text == f"Choose restart option: {REDWOOD} ended as Error: the disk is full"
    assert message.choices == ("Restart", "Restart and hold", "No restart", "Continue")

    refused = reply(core, job, "perhaps")
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.REPLY_REFUSED
    reply(core, job, choice)

    assert path(job) == f"{START} ConsoleRestart {end}"
    made = newest(core)
    if again:
        assert path(made) == again
        assert (made.restarted_from, made.executions, made.starts) == (job.id, (job.id,), 0)
    else:
        assert made is job
    core.check_replay()


@pytest.mark.parametrize(("kind", "end"), [(K.CANCELED, "Canceled"), (K.REMOTE_GONE, "Unknown")])
def test_the_job_ends_as_it_would_have(kind: ReportKind, end: str):
    statuses = (S.REDWOOD_CANCELED, S.REDWOOD_UNKNOWN)
    core = with_behavior(*(RestartBehavior(int(each), A.REQUEST_RESTART) for each in statuses))
    job = started(core)
    core.report(kind, job)
    reply(core, job, Choice.RESTART)

    assert path(job) == f"{START} ConsoleRestart {end}"
    assert newest(core).restarted_from == job.id


@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.KILL])
def test_a_cancel_or_kill_is_the_reply_no_restart(verb: Verb):
    core = with_behavior(ASKS)
    job = started(core)
    core.report(K.FAILED, job, fault=BROKEN)
    core.verb(verb, job)

    assert path(job) == f"{START} ConsoleRestart Error"
    (message,) = job.messages
    assert (message.reply, message.replied_by) == ("No restart", "operator")


def test_where_there_is_no_way_to_console_restart_the_final_job_asks():
    core = with_behavior(RestartBehavior(int(S.REDWOOD_KILLED), A.REQUEST_RESTART))
    job = started(core)
    core.verb(Verb.KILL, job)
    core.report(K.KILLED, job)
    assert path(job) == f"{START} Killing Killed"
    message = job.open_message
    assert message is not None
    assert message.choices == ("Restart", "Restart and hold", "No restart")
    assert not message.blocking

    reply(core, job, Choice.RESTART)

    assert newest(core).restarted_from == job.id
    core.check_replay()


@pytest.mark.parametrize("action", [A.RESTART, A.RESTART_FROM_ERROR, A.RESTART_NO_RESUBMIT])
def test_a_failed_job_is_restarted_until_its_starts_are_used_up(action: RestartAction):
    core = with_behavior(RestartBehavior(int(S.REDWOOD_ERROR), action), starts_max=2)
    first = started(core)
    for _ in range(3):
        core.dispatch()
        core.report(K.FAILED, newest(core), fault=BROKEN)

    assert [job.starts for job in core.world.jobs.values()] == [0, 1, 2]
    last = newest(core)
    assert last.executions == (first.id, first.id + 1)
    assert last.open_message is not None
    assert "was, 2 times" in last.open_message.text
    core.check_replay()


def test_a_restart_delay_is_over_at_its_instant_although_the_server_restarted():
    core = with_behavior(RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART, delay_ms=60_000))
    core.report(K.FAILED, started(core), fault=BROKEN)
    again = newest(core)
    assert path(again) == "New Delayed"
    assert (again.delay_reason, again.delay_until_ms) == ("restart", core.now_ms + 60_000)
    core.later(s=59)
    core.check_replay()
    assert path(again) == "New Delayed"

    core.later(s=1)

    assert path(again) == "New Delayed Scheduled Queued"
    core.check_replay()


def test_a_delayed_job_can_be_canceled():
    core = with_behavior(RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART, delay_ms=60_000))
    core.report(K.FAILED, started(core), fault=BROKEN)
    again = newest(core)
    core.verb(Verb.CANCEL, again)
    core.later(minutes=5)

    assert path(again) == "New Delayed Canceled"


def test_a_restart_that_cannot_be_prepared_is_modified():
    core = with_behavior(RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART))
    job = started(core)
    core.define(
        REDWOOD,
        Lifecycle.REDWOOD,
        restart_behaviors=(RestartBehavior(int(S.REDWOOD_ERROR), A.RESTART),),
        parameters=(Parameter("account", required=True),),
    )
    core.report(K.FAILED, job, fault=BROKEN)

    assert path(newest(core)) == "Modified"
    assert newest(core).info == "parameter 'account' is required"


def test_a_message_is_left_in_any_case():
    core = with_behavior(RestartBehavior(int(S.REDWOOD_COMPLETED), A.CONTINUE, message=True))
    job = started(core)
    core.report(K.COMPLETED, job)

    assert job.open_message is not None
    assert job.open_message.text == f"{REDWOOD} ended as Completed"


def test_the_definition_counts_before_the_partition():
    core = CoreDriver().with_both()
    core.connect()
    plain = started(core)
    core.accepted(c.PutRestartDefaults((ASKS,)))
    core.report(K.FAILED, plain, fault=BROKEN)
    assert plain.status == S.REDWOOD_CONSOLE_RESTART

    own = RestartBehavior(int(S.REDWOOD_ERROR), A.CONTINUE)
    core.define(REDWOOD, Lifecycle.REDWOOD, restart_behaviors=(own,))
    job = started(core)
    core.report(K.FAILED, job, fault=BROKEN)
    assert job.status == S.REDWOOD_ERROR
    core.check_replay()


def test_the_server_counts_last():
    core = CoreDriver(Settings(restart_behaviors=(ASKS,))).with_both()
    core.connect()
    job = started(core)
    core.report(K.FAILED, job, fault=BROKEN)
    assert job.status == S.REDWOOD_CONSOLE_RESTART
    core.accepted(c.PutRestartDefaults((RestartBehavior(int(S.REDWOOD_ERROR), A.CONTINUE),)))
    other = started(core)
    core.report(K.FAILED, other, fault=BROKEN)

    assert other.status == S.REDWOOD_ERROR
