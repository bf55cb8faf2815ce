"""Every kind of report in every status: what happens, and that a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interlock_server.core.command import Question, ReportKind, Suspension
from interlock_server.core.model.job import ResumeCondition, ResumeKind
from interlock_server.core.rejection import Reason
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import path
from tests.support.placed_job import ATTACHED, placed

S = Status
K = ReportKind

#: Old news about a job that was ordered to end means nothing, and is no error.
_IGNORED = dict.fromkeys(
    (S.UIPATH_STOPPING, S.UIPATH_TERMINATING, S.REDWOOD_KILLING, S.REDWOOD_CANCELING), ""
)
_CONFIRMED = {
    S.UIPATH_TERMINATING: "Stopped",
    S.REDWOOD_KILLING: "Killed",
    S.REDWOOD_CANCELING: "Canceled",
    S.REDWOOD_CONSOLE: "",  # it ends when the operator has replied
}


def ends(uipath: str, redwood: str) -> dict[Status, str]:
    """The paths of an end report, with the steps that it implies."""
    return {
        **_CONFIRMED,
        S.UIPATH_PENDING: f"Running {uipath}",
        S.UIPATH_RESUMED: f"Running {uipath}",
        S.UIPATH_RUNNING: uipath,
        S.UIPATH_STOPPING: uipath,
        S.REDWOOD_DISPATCHED: f"Assigned Running {redwood}",
        S.REDWOOD_ASSIGNED: f"Running {redwood}",
        S.REDWOOD_RUNNING: redwood,
        S.REDWOOD_WAITING: f"Running {redwood}",
        S.REDWOOD_UNCERTAIN: redwood,
    }


#: A job whose code cannot run any more has no use for its pre-running action.
_FAILS_ACTION = {S.REDWOOD_PRE_RUNNING: "Error"}
EXPECTED: dict[ReportKind, dict[Status, str]] = {
    K.ACCEPTED: {
        **_IGNORED,
        S.REDWOOD_DISPATCHED: "Assigned",
        **dict.fromkeys((S.UIPATH_PENDING, S.UIPATH_RESUMED, S.UIPATH_RUNNING), ""),
    },
    K.REFUSED: {
        **_IGNORED,
        S.UIPATH_PENDING: "",
        S.UIPATH_RESUMED: "",
        S.REDWOOD_DISPATCHED: "Queued",
        S.REDWOOD_ASSIGNED: "Queued",
        S.REDWOOD_CANCELING: "Canceled",
    },
    K.STARTED: {
        **_IGNORED,
        S.UIPATH_PENDING: "Running",
        S.UIPATH_RESUMED: "Running",
        S.REDWOOD_DISPATCHED: "Assigned Running",
        S.REDWOOD_ASSIGNED: "Running",
        S.REDWOOD_UNCERTAIN: "Running",
        # Said again: the session was settled by Hello before the report came.
        S.UIPATH_RUNNING: "",
        S.REDWOOD_RUNNING: "",
    },
    K.COULD_NOT_START: {
        **ends("Faulted", "Error"),
        S.UIPATH_PENDING: "Faulted",
        S.UIPATH_RESUMED: "Faulted",
        S.REDWOOD_DISPATCHED: "Error",
        S.REDWOOD_ASSIGNED: "Error",
        **_FAILS_ACTION,
    },
    K.COMPLETED: ends("Successful", "Completed"),
    K.FAILED: {**ends("Faulted", "Error"), **_FAILS_ACTION},
    K.CANCELED: {
        **ends("Stopped", "Canceled"),
        **_FAILS_ACTION,
        S.REDWOOD_UNCERTAIN: "Running Canceled",
    },
    K.KILLED: {
        **ends("Faulted", "Error"),
        **_FAILS_ACTION,
        S.REDWOOD_UNCERTAIN: "Killed",
    },
    K.CANCEL_CONFIRMED: {S.REDWOOD_CANCELING: "Canceled"},
    K.WAITING: {
        **_IGNORED,
        S.REDWOOD_RUNNING: "Waiting",
        S.REDWOOD_UNCERTAIN: "Running Waiting",
    },
    K.WAIT_OVER: {
        **_IGNORED,
        S.REDWOOD_WAITING: "Running",
        S.REDWOOD_RUNNING: "",
        S.REDWOOD_UNCERTAIN: "Running",
    },
    K.ASKED: {
        **_IGNORED,
        S.UIPATH_RUNNING: "",
        S.REDWOOD_RUNNING: "Console",
        S.REDWOOD_UNCERTAIN: "Running Console",
    },
    K.NOTED: dict.fromkeys(ATTACHED, ""),
    K.SUSPENDED: {
        S.UIPATH_PENDING: "Running Suspended",
        S.UIPATH_RESUMED: "Running Suspended",
        S.UIPATH_RUNNING: "Suspended",
        S.UIPATH_STOPPING: "Stopped",
        S.UIPATH_TERMINATING: "Stopped",
    },
    K.REMOTE_GONE: {
        **_IGNORED,
        S.REDWOOD_RUNNING: "Unknown",
        S.REDWOOD_WAITING: "Unknown",
        S.REDWOOD_CONSOLE: "Unknown",
        S.REDWOOD_POST_RUNNING: "Unknown",
    },
    K.PRE_RUNNING_DONE: {
        S.REDWOOD_PRE_RUNNING: "Running",
        S.REDWOOD_KILLING: "",
        S.REDWOOD_CANCELING: "",
    },
    K.POST_RUNNING_DONE: {S.REDWOOD_POST_RUNNING: "Completed"},
}
#: Kinds that detach or record something without a change of status, where EXPECTED has "".
DETAILS: dict[ReportKind, dict[str, Any]] = {
    K.ASKED: {"question": Question("go on?")},
    K.NOTED: {"question": Question("done by half")},
    K.SUSPENDED: {"suspension": Suspension((ResumeCondition(ResumeKind.ITEM, "item-2"),))},
}


@pytest.mark.parametrize("kind", ReportKind, ids=lambda kind: kind.name)
@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_a_report_does_what_the_status_allows_or_is_refused_and_changes_nothing(status, kind):
    core, job = placed(status)
    before, revision = msgspec.msgpack.encode(job), core.revision

    refused = core.report_by("robot-1", kind, job, **DETAILS.get(kind, {}))

    expected = EXPECTED[kind].get(status)
    if expected is None:
        assert msgspec.msgpack.encode(job) == before
        assert core.revision == revision
        assert not core.drafts[-1].effects
        assert len(core.drafts[-1].facts) == 1  # the number of the batch
        ((index, rejection),) = refused
        assert index == 0
        assert rejection.reason is reason(status, kind)
        return
    assert refused == []
    assert path(job.history[1:]) == expected
    assert core.revision == revision + len(expected.split())


def reason(status: Status, kind: ReportKind) -> Reason:
    if status.is_final:
        return Reason.ALREADY_FINAL
    if status not in ATTACHED:
        return Reason.NOT_ASSIGNED
    if kind is K.SUSPENDED and status.lifecycle is Lifecycle.REDWOOD:
        return Reason.WRONG_LIFECYCLE
    return Reason.ILLEGAL_TRANSITION


@pytest.mark.parametrize("kind", ReportKind, ids=lambda kind: kind.name)
@pytest.mark.parametrize("status", sorted(ATTACHED), ids=lambda status: status.name)
@pytest.mark.parametrize(
    ("fence", "robot", "expected"),
    [
        (1, "robot-1", Reason.STALE_FENCE),
        (3, "robot-1", Reason.FENCE_UNKNOWN),
        (2, "robot-2", Reason.NOT_ASSIGNED),
    ],
)
def test_a_report_on_an_attempt_that_the_robot_does_not_have_changes_nothing(
    status, kind, fence, robot, expected
):
    core, job = placed(status)
    core.checked = False
    job.fence = 2
    core.connect("robot-2")
    before = msgspec.msgpack.encode(job)

    ((_, rejection),) = core.report_by(robot, kind, job, fence=fence, **DETAILS.get(kind, {}))

    assert rejection.reason is expected
    assert "drop it" in rejection.sentence or fence == 3
    assert msgspec.msgpack.encode(job) == before


@pytest.mark.parametrize("kind", [K.ASKED, K.NOTED, K.SUSPENDED], ids=lambda kind: kind.name)
@pytest.mark.parametrize("status", sorted(ATTACHED), ids=lambda status: status.name)
def test_a_report_that_lacks_what_its_kind_needs_changes_nothing(status, kind):
    core, job = placed(status)
    before = msgspec.msgpack.encode(job)

    refused = core.report_by("robot-1", kind, job)

    assert len(refused) == 1
    assert msgspec.msgpack.encode(job) == before
