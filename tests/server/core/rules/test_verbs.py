"""Every verb in every status: what happens, and that a refusal is typed and changes nothing.

The tables here are those of domain.md A2, A3, B3 and B12, written down a second time.
"""

from __future__ import annotations

import pytest

from interlock_server.core.command import ChangeJobs, Verb
from interlock_server.core.model.definition import Completion
from interlock_server.core.rejection import Reason
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import allowed_triggers
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import path
from tests.support.placed_job import ATTACHED, placed

S = Status
#: Nothing has to be done: it is so already.
SAME = "="

_WAITING = (
    S.REDWOOD_SCHEDULED,
    S.REDWOOD_QUEUE_HELD,
    S.REDWOOD_EVENT_WAIT,
    S.REDWOOD_LOCK_WAIT,
    S.REDWOOD_QUEUED,
    S.REDWOOD_OVERDUE,
    S.REDWOOD_NEVER,
)
_NOT_BEGUN = (
    *_WAITING,
    S.REDWOOD_NEW,
    S.REDWOOD_CHAINED,
    S.REDWOOD_DISABLED,
    S.REDWOOD_DELAYED,
    S.REDWOOD_HELD,
    S.REDWOOD_MODIFIED,
    S.REDWOOD_PRE_RUNNING,
)
EXPECTED: dict[Verb, dict[Status, str]] = {
    Verb.HOLD: {**dict.fromkeys(_WAITING, "Held"), S.REDWOOD_HELD: SAME, S.REDWOOD_CHAINED: ""},
    Verb.RELEASE: {S.REDWOOD_HELD: "Scheduled Queued", S.REDWOOD_CHAINED: SAME},
    Verb.CANCEL: {
        **dict.fromkeys(_NOT_BEGUN, "Canceled"),
        S.REDWOOD_DISPATCHED: "Canceling",
        S.REDWOOD_ASSIGNED: "Canceling",
        S.REDWOOD_CANCELING: SAME,
        S.REDWOOD_CONSOLE_RESTART: "Error",
    },
    Verb.KILL: {
        S.REDWOOD_CONSOLE_RESTART: "Error",
        S.REDWOOD_PRE_RUNNING: "Killing",
        S.REDWOOD_RUNNING: "Killing",
        S.REDWOOD_WAITING: "Killing",
        S.REDWOOD_CONSOLE: "Killing",
        S.REDWOOD_UNCERTAIN: "Killed",
        S.REDWOOD_KILLING: SAME,
        S.UIPATH_PENDING: "Stopped",
        S.UIPATH_RUNNING: "Terminating",
        S.UIPATH_STOPPING: "Terminating",
        S.UIPATH_TERMINATING: SAME,
        S.UIPATH_SUSPENDED: "Stopped",
        S.UIPATH_RESUMED: "Stopped",
    },
    Verb.STOP: {
        S.UIPATH_PENDING: "Stopped",
        S.UIPATH_RUNNING: "Stopping",
        S.UIPATH_STOPPING: SAME,
        S.UIPATH_SUSPENDED: "Stopped",
        S.UIPATH_RESUMED: "Stopped",
    },
    Verb.RESUME: {S.UIPATH_SUSPENDED: "Resumed"},
    Verb.RESCHEDULE: {
        **dict.fromkeys(_WAITING, "Scheduled Queued"),
        S.REDWOOD_SCHEDULED: "Queued",
        S.REDWOOD_HELD: "",
        S.REDWOOD_MODIFIED: "Scheduled Queued",
    },
    Verb.SET_PRIORITY: {
        status: "" for status in S if status not in ATTACHED and not status.is_final
    },
    Verb.COMPLETE: {S.REDWOOD_RUNNING: "Completed"},
    Verb.DISABLE: {},  # of calls of chains only
    Verb.ENABLE: {},
}
_BOTH = {Verb.KILL, Verb.SET_PRIORITY}
_UIPATH = {Verb.STOP, Verb.RESUME}


def is_for(verb: Verb, lifecycle: Lifecycle) -> bool:
    return verb in _BOTH or (verb in _UIPATH) is (lifecycle is Lifecycle.UIPATH)


@pytest.mark.parametrize("verb", Verb, ids=lambda verb: verb.name)
@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_a_verb_does_what_the_status_allows_or_is_refused_and_changes_nothing(status, verb):
    external = Completion.EXTERNAL if verb is Verb.COMPLETE else None
    core, job = placed(status, completion=external)
    before, revision = core.digest(), core.revision

    outcome = core.verb(verb, job, value=70 if verb is Verb.SET_PRIORITY else 0)

    expected = EXPECTED[verb].get(status)
    assert outcome.job == job.id
    assert (outcome.status, outcome.revision) == (job.status, job.revision)
    if expected is None:
        assert core.digest() == before
        assert not core.drafts[-1].effects
        check_refusal(outcome.rejection, status, verb)
        return
    assert outcome.rejection is None
    assert outcome.unchanged is (expected == SAME)
    moved = "" if expected == SAME else expected
    assert path(job.history[1:]) == moved
    assert core.revision == revision + len(moved.split())
    if expected == SAME:
        assert core.digest() == before


def check_refusal(rejection, status: Status, verb: Verb) -> None:
    assert rejection is not None
    if not is_for(verb, status.lifecycle):
        assert rejection.reason is Reason.WRONG_LIFECYCLE
    elif status.is_final:
        assert rejection.reason is Reason.ALREADY_FINAL
        assert rejection.metadata["status"] == status.spelling
    else:
        assert rejection.reason is Reason.ILLEGAL_TRANSITION
        assert rejection.metadata["status"] == status.spelling
        allowed = {trigger.verb for trigger in allowed_triggers(status, Actor.USER)}
        assert set(filter(None, rejection.metadata["allowed"].split(", "))) == allowed
        assert status.spelling in rejection.sentence


@pytest.mark.parametrize("verb", Verb, ids=lambda verb: verb.name)
def test_a_verb_for_another_revision_than_the_present_one_is_refused(verb):
    core, job = placed(Status.REDWOOD_RUNNING)
    before = core.digest()

    outcome = core.verb(verb, job, expected_revision=job.revision + 1)

    assert outcome.rejection is not None
    assert outcome.rejection.reason is Reason.REVISION_MISMATCH
    assert outcome.rejection.metadata["revision"] == str(job.revision)
    assert core.digest() == before


@pytest.mark.parametrize("verb", Verb, ids=lambda verb: verb.name)
def test_a_verb_for_a_job_that_never_was_is_told_so(verb):
    core, _ = placed(Status.REDWOOD_RUNNING)

    (outcome,) = core.accepted(ChangeJobs(verb, (99,)))

    assert outcome.rejection is not None
    assert outcome.rejection.reason is Reason.JOB_NOT_FOUND


@pytest.mark.parametrize(
    ("status", "verb", "told"),
    [
        (S.REDWOOD_DISPATCHED, Verb.CANCEL, EffectKind.CANCEL),
        (S.REDWOOD_RUNNING, Verb.KILL, EffectKind.KILL),
        (S.REDWOOD_RUNNING, Verb.COMPLETE, EffectKind.FORGET),
        (S.UIPATH_PENDING, Verb.STOP, EffectKind.FORGET),
        (S.UIPATH_RESUMED, Verb.KILL, EffectKind.FORGET),
        (S.UIPATH_RUNNING, Verb.STOP, EffectKind.STOP),
        (S.UIPATH_STOPPING, Verb.KILL, EffectKind.KILL),
    ],
)
def test_the_robot_that_has_the_job_is_told(status, verb, told):
    core, job = placed(status, completion=Completion.EXTERNAL)

    core.verb(verb, job)

    (effect,) = core.drafts[-1].effects
    assert (effect.robot, effect.kind, effect.fence) == ("robot-1", told, 1)
