"""Definitions, queues and robots: all of a request or none, and nothing that is in use goes."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.model.definition import Definition
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver


@pytest.fixture
def core() -> CoreDriver:
    return CoreDriver().with_both()


def refused(core: CoreDriver, command: c.Command) -> Reason:
    """The reason of a refusal that has changed nothing."""
    before = core.digest()
    answer = core.take(command)
    assert isinstance(answer, Rejection), answer
    assert core.digest() == before
    return answer.reason


def definition(name: str, **fields) -> Definition:
    return Definition(name, int(Lifecycle.REDWOOD), **fields)


def test_a_definition_that_is_as_it_was_keeps_its_version(core):
    (first,) = core.accepted(c.PutDefinitions((definition("load", priority=60),)))
    (same,) = core.accepted(c.PutDefinitions((definition("load", priority=60),)))
    core.now_ms += 5
    (changed,) = core.accepted(c.PutDefinitions((definition("load", priority=70),)))

    assert (first.version, same.version, changed.version) == (1, 1, 2)
    assert changed.updated_ms == core.now_ms


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Definition(UIPATH, int(Lifecycle.REDWOOD)), Reason.CONFLICTING_DEFINITION),
        (definition("new", queue="nowhere"), Reason.QUEUE_NOT_FOUND),
        (definition("new", return_code_map="0-"), None),
        (definition("new", return_code_map="abc"), Reason.INVALID_FIELD),
        (definition("new", return_code_map="9-4"), Reason.INVALID_FIELD),
        (definition("new", return_code_map="4-8"), Reason.INVALID_FIELD),
    ],
)
def test_a_wrong_definition_refuses_the_whole_request(core, wrong, reason):
    command = c.PutDefinitions((definition("good"), wrong))

    if reason is None:
        core.accepted(command)
    else:
        assert refused(core, command) is reason


def test_a_definition_with_a_live_job_stays(core):
    job = core.submit()

    assert refused(core, c.DeleteDefinitions((UIPATH, REDWOOD))) is Reason.IN_USE
    assert refused(core, c.DeleteDefinitions(("nobody",))) is Reason.DEFINITION_NOT_FOUND

    core.verb(Verb.CANCEL, job)
    core.archive()
    core.accepted(c.DeleteDefinitions((UIPATH, REDWOOD)))
    assert core.world.definitions == {}
    core.check_replay()


def test_a_queue_in_use_stays_and_so_do_the_built_in_ones(core):
    core.accepted(c.PutQueues((Queue("night"), Queue("noon"))))
    core.define("nightly", Lifecycle.REDWOOD, queue="night")
    core.submit(queue="noon")

    for name in ("default", "System", "night", "noon"):
        assert refused(core, c.DeleteQueues((name,))) is Reason.IN_USE
    assert refused(core, c.DeleteQueues(("nowhere",))) is Reason.QUEUE_NOT_FOUND


def test_a_queue_that_is_deleted_while_its_hold_moves_is_forgotten_whole(core):
    core.accepted(c.PutQueues((Queue("night"),)))
    core.accepted(c.HoldQueue("night"))

    core.accepted(c.DeleteQueues(("night",)))

    assert core.world.moving_queues == {}
    core.check_replay()


def test_writing_a_queue_does_not_release_it(core):
    core.accepted(c.PutQueues((Queue("night"),)))
    core.accepted(c.HoldQueue("night"))

    (written,) = core.accepted(c.PutQueues((Queue("night", description="late"),)))

    assert (written.held, written.version) == (True, 3)
    assert (
        refused(core, c.PutQueues((Queue("night", system=True),))) is Reason.CONFLICTING_DEFINITION
    )


def test_a_queue_is_held_once_and_released_once(core):
    assert refused(core, c.ReleaseQueue("default")) is Reason.QUEUE_NOT_HELD
    core.accepted(c.HoldQueue("default"))
    assert refused(core, c.HoldQueue("default")) is Reason.QUEUE_ALREADY_HELD
    assert refused(core, c.HoldQueue("nowhere")) is Reason.QUEUE_NOT_FOUND
    assert refused(core, c.ReleaseQueue("nowhere")) is Reason.QUEUE_NOT_FOUND


def test_a_robot_that_is_connected_or_has_jobs_is_not_deleted(core):
    core.connect()
    job = core.submit()
    core.dispatch()
    assert refused(core, c.DeleteRobots(("robot-1",))) is Reason.IN_USE
    core.break_stream()
    assert refused(core, c.DeleteRobots(("robot-1",))) is Reason.IN_USE
    core.lose()
    assert job.status == Status.REDWOOD_QUEUED

    core.accepted(c.DeleteRobots(("robot-1",)))

    assert refused(core, c.DeleteRobots(("robot-1",))) is Reason.ROBOT_NOT_FOUND
    epoch = core.connect().epoch
    assert epoch == 2  # a deleted robot's epochs are not used again
    core.check_replay()


def test_maintenance_of_a_robot_that_is_not_there_is_refused(core):
    assert refused(core, c.SetMaintenance("nobody", maintenance=True)) is Reason.ROBOT_NOT_FOUND
