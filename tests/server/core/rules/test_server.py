"""Process servers: what is kept, what is refused, and what follows for jobs that wait."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind
from interlock_server.core.gate import Closed
from interlock_server.core.model.chain import Call, Chain, Step
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules.server import queue_is_served
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver
from tests.support.windows import daily

DEFAULT = QueueProvider("default")


@pytest.fixture
def core() -> CoreDriver:
    core = CoreDriver().with_both()
    put(core, "sap-1", providers=(DEFAULT,))
    return core


def put(core: CoreDriver, name: str, **fields) -> ProcessServer:
    core.accepted(c.PutServers((ProcessServer(name, **fields),)))
    return core.world.servers[name]


def refused(core: CoreDriver, command: c.Command) -> Reason:
    answer = core.take(command)
    assert isinstance(answer, Rejection), answer
    return answer.reason


# -- records ------------------------------------------------------------------------------------


def test_putting_a_server_again_keeps_what_people_did_to_it(core):
    core.accepted(c.StopServers(("sap-1",)), reason="patching")
    core.accepted(c.HoldProvider("sap-1", "default"), reason="audit")

    server = put(core, "sap-1", providers=(DEFAULT,), resources=("sap",))

    assert (server.stopped, server.stopped_by, server.stop_reason) == (True, "operator", "patching")
    [provider] = server.providers
    assert (provider.held, provider.held_by, provider.hold_reason) == (True, "operator", "audit")
    assert server.version == 4


def test_putting_a_server_as_it_is_changes_nothing(core):
    version = core.world.servers["sap-1"].version

    put(core, "sap-1", providers=(DEFAULT,))

    assert core.world.servers["sap-1"].version == version
    assert not core.drafts[-1]


def test_a_server_for_an_unknown_queue_or_window_is_refused_whole(core):
    bad = ProcessServer("bad", providers=(QueueProvider("nowhere"),))

    assert refused(core, c.PutServers((ProcessServer("good"), bad))) == Reason.QUEUE_NOT_FOUND
    assert "good" not in core.world.servers
    bad = ProcessServer("bad", providers=(QueueProvider("default", window="nowhere"),))
    assert refused(core, c.PutServers((bad,))) == Reason.WINDOW_NOT_FOUND


def test_several_servers_are_stopped_all_or_none(core):
    put(core, "sap-2")
    core.accepted(c.StopServers(("sap-2",)))

    assert refused(core, c.StopServers(("sap-1", "sap-2"))) == Reason.ALREADY_SO
    assert not core.world.servers["sap-1"].stopped


def test_a_queue_that_a_server_provides_cannot_be_deleted(core):
    core.accepted(c.PutQueues((Queue("night"),)))
    put(core, "sap-1", providers=(QueueProvider("night"),))
    assert refused(core, c.DeleteQueues(("night",))) == Reason.IN_USE

    put(core, "sap-1", providers=(DEFAULT,))

    core.accepted(c.DeleteQueues(("night",)))


def test_a_job_for_an_unknown_server_is_refused(core):
    [outcome] = core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, server="nowhere"),)))

    assert outcome.rejection.reason == Reason.SERVER_NOT_FOUND


def test_a_restart_fails_when_the_server_of_the_job_is_gone(core):
    job = core.submit(server="sap-1")
    core.verb(c.Verb.CANCEL, job)
    core.archive()
    core.accepted(c.DeleteServers(("sap-1",)))

    [outcome] = core.accepted(c.RestartJobs((job.id,), {job.id: job}))

    again = core.world.jobs[outcome.job]
    assert again.status == Status.REDWOOD_MODIFIED
    assert "sap-1" in again.info


def test_what_people_do_to_servers_is_replayed(core):
    core.connect(server="sap-1")
    for _ in range(3):
        core.submit()
    core.dispatch()
    core.accepted(c.HoldProvider("sap-1", "default"))
    core.accepted(c.StopServers(("sap-1",)))
    core.accepted(c.StartServers(("sap-1",)))
    core.say_goodbye()
    core.accepted(c.DeleteServers(("sap-1",)))

    core.check_replay()


# -- whether a start makes sense ----------------------------------------------------------------


def test_a_queue_is_served_unless_every_server_of_it_is_stopped(core):
    assert queue_is_served(core.world, "default")
    assert queue_is_served(core.world, "System"), "no server provides it at all"

    core.accepted(c.StopServers(("sap-1",)))
    assert not queue_is_served(core.world, "default")
    put(core, "sap-2", providers=(DEFAULT,))
    assert queue_is_served(core.world, "default")
    assert not queue_is_served(core.world, "default", "sap-1")
    assert queue_is_served(core.world, "default", "sap-2")


@pytest.mark.parametrize(
    "command",
    [
        c.StopServers(("sap-1",)),
        c.PutServers((ProcessServer("sap-1"),)),
        c.DeleteServers(("sap-1",)),
    ],
    ids=["stop", "put", "delete"],
)
def test_starts_are_reviewed_when_servers_change(core, command):
    core.take(command)

    assert core.world.reviewing_starts == "operator"


# -- gates --------------------------------------------------------------------------------------


def test_each_gate_says_why_it_is_closed(core):
    world = core.world

    def why(priority=50):
        return world.server_gate("sap-1") or world.provider_gate("sap-1", "default", priority)

    assert why() is None
    assert world.server_gate("nowhere") is Closed.SERVER_MISSING
    assert world.provider_gate("sap-1", "System", 50) is Closed.NO_PROVIDER
    put(core, "sap-1", providers=(QueueProvider("default", hold_level=51),))
    assert why() is Closed.HOLD_LEVEL
    assert why(priority=51) is None
    core.connect(server="sap-1")
    core.submit(priority=60)
    core.dispatch()
    put(core, "sap-1", providers=(QueueProvider("default", execution_size=1),))
    assert why() is Closed.PROVIDER_FULL
    core.accepted(c.HoldProvider("sap-1", "default"))
    assert why() is Closed.PROVIDER_HELD
    put(core, "sap-1", providers=(DEFAULT,), execution_size=1)
    assert why() is Closed.SERVER_FULL
    core.accepted(c.StopServers(("sap-1",)))
    assert why() is Closed.SERVER_STOPPED


def test_pools_race_for_the_room_of_a_queue_in_the_dispatch_order(core):
    core.accepted(c.PutQueues((Queue("narrow", execution_size=1),)))
    core.define("other", Lifecycle.REDWOOD)
    core.connect("robot-1", REDWOOD, slots=5)
    core.connect("robot-2", "other", slots=5)
    busy = core.submit(queue="narrow")
    core.dispatch()
    usual = core.submit(queue="narrow", priority=50)
    urgent = core.submit("other", queue="narrow", priority=90)

    core.report(ReportKind.COMPLETED, busy)
    core.dispatch()

    assert (urgent.attached, usual.attached) == (True, False)


def test_a_robot_that_changes_its_server_serves_what_the_new_one_provides(core):
    core.accepted(c.PutQueues((Queue("night"),)))
    put(core, "night-1", providers=(QueueProvider("night"),))
    core.connect(server="sap-1")
    job = core.submit(queue="night")
    core.dispatch()
    assert not job.attached

    core.connect(server="night-1")

    assert job.process_server == "night-1"


def test_pools_without_robots_go(core):
    core.connect("robot-1")
    pools = len(core.world.lanes.pools)
    for name in ("a", "b", "c"):
        core.connect("robot-1", server=name)

    assert len(core.world.lanes.pools) == pools


def test_a_provider_takes_jobs_while_its_window_is_open(core):
    core.accepted(c.PutWindows((daily("nights", "22:00", "06:00"),)))
    put(core, "sap-1", providers=(QueueProvider("default", window="nights"),))
    core.connect(server="sap-1")
    core.later(hours=12)
    job = core.submit()
    core.dispatch()
    assert core.world.provider_gate("sap-1", "default", 50) is Closed.PROVIDER_WINDOW
    assert not job.attached

    core.later(hours=10)
    core.dispatch()
    assert job.attached

    core.later(hours=8)
    assert core.world.provider_gate("sap-1", "default", 50) is Closed.PROVIDER_WINDOW
    core.check_replay()


# -- chains -------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [False, True])
def test_chains_count_for_the_size_of_a_queue_only_if_it_says_so(core, counts):
    core.accepted(c.PutQueues((Queue("narrow", execution_size=1, counts_chains=counts),)))
    chain = Chain((Step("only", calls=(Call("call", REDWOOD),)),))
    core.define("nightly", Lifecycle.REDWOOD, chain=chain)
    first, second = [core.submit("nightly", queue="narrow") for _ in range(2)]
    core.dispatch()

    assert first.status == Status.REDWOOD_WAITING
    expected = Status.REDWOOD_QUEUED if counts else Status.REDWOOD_WAITING
    assert second.status == expected

    core.verb(c.Verb.KILL, first)
    core.dispatch()
    assert second.status == Status.REDWOOD_WAITING
    core.check_replay()


def test_a_uipath_job_is_kept_back_by_a_provider_too(core):
    put(core, "sap-1", providers=(QueueProvider("default", hold_level=80),))
    core.connect(server="sap-1")
    job = core.submit(UIPATH)
    core.dispatch()
    assert not job.attached

    put(core, "sap-1", providers=(DEFAULT,))
    core.dispatch()

    assert job.attached
