"""Parents and children (domain.md B8, RA-8)."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import Completion
from interlock_server.core.model.job import Fault
from interlock_server.core.rejection import Reason
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver, path

K = ReportKind
START = "New Scheduled Queued Dispatched Assigned Running"


def test_a_child_waits_for_the_end_of_its_parent():
    core = CoreDriver().with_both()
    parent = core.submit()
    child = core.submit(parent=parent.id, after_parent=True)
    other = core.submit(parent=parent.id)
    assert path(child) == "New Delayed"
    assert path(other) == "New Scheduled Queued"
    core.check_replay()

    core.verb(Verb.CANCEL, parent)

    assert path(child) == "New Delayed Scheduled Queued"
    assert child.history[-2].cause.author == f"job {parent.id}"
    core.check_replay()


@pytest.mark.parametrize(("kind", "end"), [(K.COMPLETED, "Completed"), (K.FAILED, "Error")])
def test_a_parent_can_wait_for_its_children(kind: ReportKind, end: str):
    core = CoreDriver()
    core.define("child", Lifecycle.REDWOOD)
    core.define(REDWOOD, Lifecycle.REDWOOD, completion=Completion.EXTERNAL_WAIT_FOR_CHILDREN)
    core.connect()
    parent = core.submit()
    core.dispatch()
    core.report(K.STARTED, parent)
    children = [core.submit("child", parent=parent.id) for _ in range(2)]
    later = core.submit("child", parent=parent.id, after_parent=True)
    core.dispatch()

    fault: dict[str, Any] = {"fault": Fault("BROKEN")} if kind is K.FAILED else {}
    core.report(kind, parent, result='{"rows":3}', **fault)
    assert path(parent) == f"{START} Waiting"
    assert not parent.attached
    core.restart_server()
    assert path(parent) == f"{START} Waiting"
    core.check_replay()
    core.connect("robot-1", running=tuple(c.RunningJob(each.id, each.fence) for each in children))
    core.report(K.COMPLETED, children[0])
    assert path(parent) == f"{START} Waiting"
    core.report(K.FAILED, children[1], fault=Fault("BROKEN"))

    assert path(parent) == f"{START} Waiting Running {end}"
    assert parent.result == '{"rows":3}'
    assert path(later) == "New Delayed Scheduled Queued Dispatched" or path(later).endswith(
        "Scheduled Queued"
    )
    core.check_replay()


def test_a_kill_of_a_parent_that_waits_leaves_its_children_alone():
    core = CoreDriver()
    core.define(REDWOOD, Lifecycle.REDWOOD, completion=Completion.EXTERNAL_WAIT_FOR_CHILDREN)
    core.connect()
    parent = core.submit()
    core.dispatch()
    child = core.submit(parent=parent.id)
    core.report(K.COMPLETED, parent)
    core.verb(Verb.KILL, parent)

    assert path(parent) == f"{START} Waiting Killing Killed"
    assert path(child) == "New Scheduled Queued"


def test_who_cannot_be_a_parent():
    core = CoreDriver().with_both()
    over = core.submit()
    core.verb(Verb.CANCEL, over)
    robot_job = core.submit(UIPATH)

    def refused(**fields: Any) -> Reason:
        (outcome,) = core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, **fields),)))
        assert outcome.rejection is not None
        found: Reason = outcome.rejection.reason
        return found

    assert refused(parent=99) is Reason.JOB_NOT_FOUND
    assert refused(parent=over.id) is Reason.ILLEGAL_TRANSITION
    assert refused(parent=robot_job.id) is Reason.ILLEGAL_TRANSITION
    assert refused(after_parent=True) is Reason.INVALID_FIELD
