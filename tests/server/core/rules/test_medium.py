"""Which recordings are kept: of whom, of what, and when."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import DropMedia, KeepMedium, ReportKind
from interlock_server.core.model.definition import Recording
from interlock_server.core.model.job import Fault
from interlock_server.core.model.medium import Medium
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import REDWOOD, CoreDriver

K = ReportKind


@pytest.fixture
def core():
    core = CoreDriver()
    core.define(REDWOOD, Lifecycle.REDWOOD, recording=Recording.FAILED, message_on_failure=True)
    yield core
    core.check_replay()


def medium(job, **fields):
    return Medium(
        job, **{"name": "screen", "digest": "d", "size_bytes": 1, "robot": "robot-1", **fields}
    )


def failed(core: CoreDriver) -> int:
    core.connect("robot-1")
    job = core.submit(REDWOOD)
    core.dispatch()
    core.report(K.STARTED, job)
    core.report(K.FAILED, job, fault=Fault("E"))
    return job.id


def test_a_recording_of_a_live_final_job_is_recorded_with_the_commit_and_not_in_world(core):
    job = failed(core)

    kept = core.accepted(KeepMedium(medium(job), 1, None))

    assert core.drafts[-1].media == [kept]
    assert bool(core.drafts[-1])


def test_an_archived_job_is_what_the_caller_has_read(core):
    job = failed(core)
    (message,) = core.world.jobs[job].messages
    core.accepted(c.Reply(message.id, "seen"))
    (archived,) = core.archive()

    assert core.accepted(KeepMedium(medium(job), 1, archived)) == medium(job)
    refused = core.take(KeepMedium(medium(job), 1, None))
    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.JOB_NOT_FOUND
    assert refused.sentence.startswith(f"there is no job {job} any more")


def test_dropping_is_recorded_with_the_commit(core):
    core.accepted(DropMedia(7, ("a", "b")))

    assert core.drafts[-1].media_dropped == [(7, "a"), (7, "b")]


def test_a_definition_that_is_gone_records_nothing(core):
    job = failed(core)
    (message,) = core.world.jobs[job].messages
    core.accepted(c.Reply(message.id, "seen"))
    (archived,) = core.archive()
    core.accepted(c.DeleteDefinitions((REDWOOD,)))

    refused = core.take(KeepMedium(medium(job), 1, archived))

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.RECORDING_REFUSED
