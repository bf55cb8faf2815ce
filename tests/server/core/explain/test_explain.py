"""An explanation names everything that keeps a job, with who, since when and until when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.explain import ReasonKind, Sight, explain
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver

K = ReportKind
R = ReasonKind


def explained(core, job, *, silent=()):
    sight = Sight(core.world, core.now_ms, lambda robot: 5 if robot in silent else 0)
    found = explain(sight, job)
    assert found.summary
    return found


def kinds(found, *, current=True):
    return [reason.kind for reason in found.reasons if reason.current is current]


def reason(found, kind):
    return next(each for each in found.reasons if each.kind is kind)


def test_all_that_keeps_a_queued_job_is_said_at_once():
    core = CoreDriver().with_both()
    core.accepted(c.HoldQueue("default"), reason="month end")
    core.follow_queues()
    job = core.submit()

    found = explained(core, job)

    assert kinds(found) == [R.QUEUE_HELD, R.NO_ROBOT]
    held = reason(found, R.QUEUE_HELD)
    assert (held.object, held.by) == ("default", "operator")
    assert "month end" in held.sentence
    assert reason(found, R.NO_ROBOT).sentence == "no robot has ever connected"


def test_who_goes_first_and_which_robot_is_nearest_is_said():
    core = CoreDriver().with_both()
    core.connect("far", "other")
    core.connect("near", REDWOOD, slots=1)
    first = core.submit()
    core.dispatch()
    core.submit()
    last = core.submit()

    found = explained(core, last)

    assert reason(found, R.ORDER).position == 1
    robots = reason(found, R.NO_ROBOT).reasons
    assert [each.object for each in robots] == ["near", "far"]
    assert robots[0].sentence == "robot near: has all its 1 slots taken"
    assert "does not run" in robots[1].sentence
    assert first.robot == "near"


def test_a_job_that_came_back_to_its_place_is_counted_once():
    core = CoreDriver().with_both()
    jobs = [core.submit() for _ in range(3)]
    for job in jobs:
        core.verb(Verb.HOLD, job)
        core.verb(Verb.RELEASE, job)

    found = reason(explained(core, jobs[2]), ReasonKind.ORDER)

    assert found.sentence.startswith("2 of queue 'default' go before it")
    assert (found.jobs, found.position) == ((1, 2), 2)


def test_a_full_queue_names_its_holders():
    core = CoreDriver().with_both()
    core.accepted(c.PutQueues((Queue("night", execution_size=1),)))
    core.connect("robot-1", REDWOOD, slots=5)
    holder = core.submit(queue="night")
    waiting = core.submit(queue="night")
    core.dispatch()

    assert reason(explained(core, waiting), R.QUEUE_FULL).jobs == (holder.id,)


def test_a_server_that_gives_nothing_says_why():
    core = CoreDriver().with_both()
    server = ProcessServer("sap", providers=(QueueProvider("default", hold_level=80),))
    core.accepted(c.PutServers((server,)))
    core.connect("robot-1", REDWOOD, server="sap")
    job = core.submit()
    core.dispatch()

    (robot,) = reason(explained(core, job), R.NO_ROBOT).reasons
    assert robot.sentence == (
        "robot robot-1: server sap takes only higher priorities from queue default"
    )


def test_a_held_job_says_who_holds_it_since_when_and_what_comes_next():
    core = CoreDriver().with_both()
    job = core.submit()
    core.verb(Verb.HOLD, job)
    core.later(minutes=5)

    found = explained(core, job)

    held = reason(found, R.HELD)
    assert (held.by, held.since_ms) == ("operator", core.now_ms - 300_000)
    assert kinds(found, current=False) == [R.NO_ROBOT]


def test_a_scheduled_job_says_when_it_starts():
    core = CoreDriver().with_both()
    job = core.submit(start_ms=core.now_ms + 60_000)

    assert reason(explained(core, job), R.START_TIME).until_ms == core.now_ms + 60_000


@pytest.mark.parametrize("definition", [REDWOOD, UIPATH])
def test_a_running_job_says_where_and_whether_its_robot_is_heard(definition):
    core = CoreDriver().with_both()
    core.connect("robot-1", definition)
    job = core.submit(definition)
    core.dispatch()
    core.report(K.STARTED, job)

    heard, silent = explained(core, job), explained(core, job, silent={"robot-1"})

    assert reason(heard, R.RUNNING).object == "robot-1"
    assert reason(heard, R.RUNNING).reasons == ()
    (unresponsive,) = reason(silent, R.RUNNING).reasons
    assert (unresponsive.kind, unresponsive.since_ms) == (R.UNRESPONSIVE, 5)


def test_a_final_job_says_that_it_is_over():
    core = CoreDriver().with_both()
    job = core.submit()
    core.verb(Verb.CANCEL, job)

    found = explained(core, job)

    assert kinds(found) == [R.FINAL]
    assert "Canceled" in found.summary


def test_every_status_has_its_explanation():
    from interlock_server.core.explain import _REASONS
    from interlock_server.core.vocabulary.status import IS_FINAL

    assert set(_REASONS) == {status for status in Status if not IS_FINAL[status]}


ROBOTS = st.lists(
    st.tuples(
        st.sampled_from(["", "sap", "unix"]),
        st.sets(st.sampled_from(["alpha", "beta"]), min_size=1),
        st.integers(1, 2),
        st.sets(st.sampled_from(["gpu"])),
    ),
    max_size=3,
)
SERVERS = st.lists(
    st.tuples(
        st.sampled_from(["sap", "unix"]),
        st.sampled_from([0, 50, 60]),
        st.integers(0, 2),
        st.booleans(),
        st.sets(st.sampled_from(["gpu"])),
    ),
    max_size=2,
    unique_by=lambda each: each[0],
)
JOBS = st.lists(
    st.tuples(
        st.sampled_from(["alpha", "beta"]),
        st.sampled_from(["default", "night"]),
        st.sampled_from([40, 55, 70]),
        st.sampled_from(["", "sap"]),
    ),
    min_size=1,
    max_size=8,
)


@given(robots=ROBOTS, servers=SERVERS, jobs=JOBS, size=st.integers(0, 2), held=st.booleans())
def test_a_job_waits_exactly_while_something_is_said_to_keep_it(robots, servers, jobs, size, held):
    core = CoreDriver(checked=False)
    core.accepted(c.PutQueues((Queue("night", execution_size=size),)))
    for name, level, room, stopped, resources in servers:
        providers = (QueueProvider("default", execution_size=room, hold_level=level),)
        server = ProcessServer(name, providers=providers, resources=tuple(resources))
        core.accepted(c.PutServers((server,)))
        if stopped:
            core.accepted(c.StopServers((name,)))
    core.define("alpha", Lifecycle.REDWOOD)
    core.define("beta", Lifecycle.REDWOOD, resources=("gpu",))
    if held:
        core.accepted(c.HoldQueue("night"))
        core.follow_queues()
    for number, (server, definitions, slots, resources) in enumerate(robots):
        core.connect(
            f"robot-{number}",
            *sorted(definitions),
            server=server,
            slots=slots,
            resources=tuple(resources),
        )
    made = [
        core.submit(
            definition,
            queue=queue,
            priority=priority,
            server=server if server in core.world.servers else "",
        )
        for definition, queue, priority, server in jobs
    ]
    core.dispatch()

    for job in made:
        reasons = explained(core, job).reasons
        if job.attached:
            assert {each.kind for each in reasons} == {R.CONFIRMATION}
        else:
            # those before it are no reason of their own: they wait for something, too
            assert any(each.current and each.kind is not R.ORDER for each in reasons)
