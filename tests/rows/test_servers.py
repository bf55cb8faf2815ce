"""Which server takes a job, and which may not: the gates before TR-042 (domain.md B3.6, B4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.job import StopStrategy
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.core_driver import REDWOOD, UIPATH
from tests.support.live_partition import started
from tests.support.rows import expect_rows
from tests.support.windows import daily

if TYPE_CHECKING:
    from tests.support.live_partition import LivePartition

K = ReportKind


async def put_server(live: LivePartition, name: str = "sap-1", **fields: Any) -> None:
    """A server that serves the default queue, unless `providers` says otherwise."""
    given = {"providers": (QueueProvider("default"),), **fields}
    await live.do(c.PutServers((ProcessServer(name, **given),)))


async def waits(live: LivePartition, job: int) -> bool:
    await live.settle()
    return (await live.path(job)).endswith(("Queued", "Pending"))


async def test_a_robot_of_a_server_takes_jobs_of_the_queues_that_the_server_provides(
    live: LivePartition,
):
    await live.put_queue("night")
    await put_server(live, providers=(QueueProvider("night"),))
    await live.connect(server="sap-1")

    other, served = await live.submit(), await live.submit(queue="night")

    assert await waits(live, other)
    await expect_rows(live, served, "TR-022", "TR-042", by="dispatcher")
    assert (await live.job(served)).process_server == "sap-1"


async def test_a_robot_narrows_what_its_server_provides(live: LivePartition):
    await live.put_queue("night")
    await put_server(live, providers=(QueueProvider("night"), QueueProvider("default")))
    await live.connect(server="sap-1", queues=("night",))

    other, served = await live.submit(), await live.submit(queue="night")

    assert await waits(live, other)
    await expect_rows(live, served, "TR-042", by="dispatcher")


async def test_a_priority_below_the_hold_level_waits_until_it_is_raised(live: LivePartition):
    await put_server(live, providers=(QueueProvider("default", hold_level=80),))
    await live.connect(server="sap-1")

    job, urgent = await live.submit(priority=79), await live.submit(priority=80)
    await expect_rows(live, urgent, "TR-042", by="dispatcher")
    assert await waits(live, job)

    await live.verb(Verb.SET_PRIORITY, job, value=90)
    await expect_rows(live, job, "TR-022", "TR-042", by="dispatcher")


async def test_a_lower_hold_level_lets_waiting_jobs_go(live: LivePartition):
    await put_server(live, providers=(QueueProvider("default", hold_level=80),))
    await live.connect(server="sap-1")
    job = await live.submit()
    assert await waits(live, job)

    await put_server(live)

    await expect_rows(live, job, "TR-042", by="dispatcher")


async def test_a_held_provider_keeps_back_one_server_and_no_other(live: LivePartition):
    await put_server(live)
    await put_server(live, "sap-2")
    await live.do(c.HoldProvider("sap-1", "default"), reason="patching")
    await live.connect("robot-1", server="sap-1")
    first = await live.submit()
    assert await waits(live, first)
    provider = live.partition.world.servers["sap-1"].providers[0]
    assert (provider.held_by, provider.hold_reason) == ("operator", "patching")

    await live.connect("robot-2", server="sap-2")
    assert (await live.job(first)).robot == "robot-2"

    second = await live.submit()
    await live.do(c.HoldProvider("sap-2", "default"))
    third = await live.submit()
    assert (await live.job(second)).robot == "robot-2"
    assert await waits(live, third)
    await live.do(c.ReleaseProvider("sap-1", "default"))
    await expect_rows(live, third, "TR-022", "TR-042", by="dispatcher")


async def test_a_stopped_server_gives_nothing_while_its_jobs_run_on(live: LivePartition):
    await put_server(live)
    robot = await live.connect(server="sap-1")
    running = await started(live, robot)

    await live.do(c.StopServers(("sap-1",)), reason="moving house")
    waiting = await live.submit()
    assert await waits(live, waiting) or (await live.path(waiting)).endswith("Never")
    await robot.report(K.COMPLETED, running)
    await expect_rows(live, running, "TR-090", by="robot")

    await live.do(c.StartServers(("sap-1",)))
    await expect_rows(live, waiting, "TR-022", "TR-042", by="dispatcher")


async def test_jobs_that_are_queued_stay_queued_while_their_server_is_stopped(live: LivePartition):
    await put_server(live)
    waiting = await live.submit()

    await live.do(c.StopServers(("sap-1",)))
    await live.connect(server="sap-1")
    assert await waits(live, waiting)

    await live.do(c.StartServers(("sap-1",)))
    await expect_rows(live, waiting, "TR-022", "TR-042", by="dispatcher")


async def test_a_server_that_is_stopped_with_kill_ends_the_jobs_that_it_runs(live: LivePartition):
    await put_server(live)
    robot = await live.connect(server="sap-1")
    redwood, uipath = await started(live, robot), await started(live, robot, UIPATH)

    await live.do(c.StopServers(("sap-1",), StopStrategy.KILL))
    await robot.hear()
    await robot.report(K.KILLED, redwood)
    await robot.report(K.KILLED, uipath)

    assert (await live.path(redwood)).endswith("Running Killing Killed")
    await expect_rows(live, uipath, "TU-13", by="user")
    await expect_rows(live, uipath, "TU-19")


async def test_a_server_that_is_stopped_softly_asks_uipath_jobs_to_end(live: LivePartition):
    await put_server(live)
    robot = await live.connect(server="sap-1")
    redwood, uipath = await started(live, robot), await started(live, robot, UIPATH)

    await live.do(c.StopServers(("sap-1",), StopStrategy.SOFT_STOP))

    await expect_rows(live, uipath, "TU-12", by="user")
    assert (await live.path(redwood)).endswith("Running")


@pytest.mark.parametrize(
    "fields",
    [
        {"execution_size": 2},
        {"providers": (QueueProvider("default", execution_size=2),)},
    ],
    ids=["server", "provider"],
)
async def test_no_more_jobs_run_at_once_than_a_size_allows(live: LivePartition, fields):
    await put_server(live, **fields)
    robot = await live.connect(server="sap-1")
    first, second, third = [await live.submit() for _ in range(3)]
    assert await waits(live, third)

    await robot.report(K.STARTED, first)
    await robot.report(K.COMPLETED, first)

    await expect_rows(live, third, "TR-022", "TR-042", by="dispatcher")
    assert (await live.job(second)).attached


async def test_a_full_queue_keeps_jobs_queued_and_holds_none(live: LivePartition):
    await live.put_queue("narrow", execution_size=1)
    robot = await live.connect()
    first, second = [await live.submit(queue="narrow") for _ in range(2)]
    assert await live.path(second) == "New Scheduled Queued"

    await robot.report(K.STARTED, first)
    await robot.report(K.COMPLETED, first)

    await expect_rows(live, second, "TR-022", "TR-042", by="dispatcher")


async def test_robot_and_server_offer_resources_together(live: LivePartition):
    await live.define("print", Lifecycle.REDWOOD, resources=("sap", "printer"))
    await put_server(live, resources=("sap",))
    job = await live.submit("print")
    await live.connect("robot-1", server="sap-1")
    await live.connect("robot-2", resources=("printer",))
    assert await waits(live, job)

    await live.connect("robot-3", server="sap-1", resources=("printer",))

    await expect_rows(live, job, "TR-042", by="dispatcher")
    assert (await live.job(job)).robot == "robot-3"


@pytest.mark.parametrize("how", ["job", "definition"])
async def test_a_job_that_names_its_server_runs_there_only(live: LivePartition, how):
    await put_server(live)
    await put_server(live, "sap-2")
    if how == "definition":
        await live.define(REDWOOD, Lifecycle.REDWOOD, server="sap-2")
    job = await live.submit(server="sap-2" if how == "job" else "")
    await live.connect("robot-1", server="sap-1")
    await live.connect("robot-2")
    assert await waits(live, job)

    await live.connect("robot-3", server="sap-2")

    await expect_rows(live, job, "TR-042", by="dispatcher")
    assert (await live.job(job)).robot == "robot-3"


async def test_a_robot_of_a_server_that_nobody_put_idles_until_that_is_done(live: LivePartition):
    job = await live.submit()
    await live.connect(server="sap-1")
    assert await waits(live, job)

    await put_server(live)

    await expect_rows(live, job, "TR-042", by="dispatcher")


async def test_the_most_urgent_job_goes_first_over_all_that_a_server_serves(live: LivePartition):
    await live.put_queue("night")
    await live.define("other", Lifecycle.REDWOOD)
    await put_server(
        live,
        providers=(QueueProvider("default", hold_level=40), QueueProvider("night")),
        execution_size=1,
    )
    late = await live.submit("other", queue="night", priority=30)
    held = await live.submit(priority=39)
    usual = await live.submit(priority=50)
    urgent = await live.submit("other", queue="night", priority=70)
    robot = await live.connect(server="sap-1")

    for job in (urgent, usual, late):
        await robot.report(K.STARTED, job)
        await robot.report(K.COMPLETED, job)

    offered = [event.job for event in await live.events() if event.row == "TR-042"]
    assert offered == [urgent, usual, late]
    assert await waits(live, held)


async def test_what_people_did_to_servers_outlives_the_program(live: LivePartition):
    await put_server(live)
    await put_server(live, "sap-2", providers=(QueueProvider("default", hold_level=60),))
    await live.do(c.StopServers(("sap-1",)))
    await live.do(c.HoldProvider("sap-2", "default"))

    await live.restart()
    await live.connect("robot-1", server="sap-1")
    await live.connect("robot-2", server="sap-2")
    job = await live.submit(priority=60)
    assert await waits(live, job)
    await live.do(c.ReleaseProvider("sap-2", "default"))

    assert (await live.job(job)).robot == "robot-2"


async def test_what_is_in_use_cannot_be_deleted(live: LivePartition):
    await put_server(live)
    robot = await live.connect(server="sap-1")
    with pytest.raises(Rejection, match="robot-1") as refused:
        await live.do(c.DeleteServers(("sap-1",)))
    assert refused.value.reason == Reason.IN_USE
    await robot.goodbye()

    await live.define(REDWOOD, Lifecycle.REDWOOD, server="sap-1")
    with pytest.raises(Rejection, match=REDWOOD):
        await live.do(c.DeleteServers(("sap-1",)))
    await live.define(REDWOOD, Lifecycle.REDWOOD)
    job = await live.submit(server="sap-1")
    with pytest.raises(Rejection, match=f"job {job}"):
        await live.do(c.DeleteServers(("sap-1",)))

    await live.verb(Verb.CANCEL, job)
    await live.do(c.DeleteServers(("sap-1",)))


async def test_a_provider_takes_jobs_while_its_window_is_open(live: LivePartition):
    await live.do(c.PutWindows((daily("nights", "22:00", "06:00"),)))
    await put_server(live, providers=(QueueProvider("default", window="nights"),))
    await live.later(hours=12)  # the manual clock starts at midnight
    await live.connect(server="sap-1")
    job = await live.submit()
    assert await waits(live, job)

    await live.later(hours=10)

    await expect_rows(live, job, "TR-022", "TR-042", by="dispatcher")


async def test_a_job_whose_servers_are_all_stopped_never_starts_until_one_does(live: LivePartition):
    await put_server(live)
    await put_server(live, "sap-2")
    await live.do(c.StopServers(("sap-1",)))
    await live.connect("robot-2", server="sap-2")
    served = await live.submit()
    assert (await live.path(served)).endswith("Dispatched")

    await live.do(c.StopServers(("sap-2",)))
    job = await live.submit()
    assert (await live.job(job)).status == Status.REDWOOD_NEVER
    await live.do(c.StartServers(("sap-2",)))

    await expect_rows(live, job, "TR-001", "TR-009", "TR-069", "TR-022", "TR-042")
