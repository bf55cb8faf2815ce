"""The single writer: nothing is heard before it is durable, and a request counts once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Status
from interlock_server.engine import (
    AHEAD_ITEMS,
    Draining,
    Once,
    OutcomeUnknown,
    Overloaded,
    Repeated,
    StorageFull,
)
from interlock_server.storage.digest import digest
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.port import JournalFailed
from interlock_server.storage.recovery import recover
from tests.support.core_driver import REDWOOD
from tests.support.live_partition import LivePartition
from tests.support.memory_journal import FailingJournal, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Start = Callable[..., Awaitable[LivePartition]]

SUBMIT = c.SubmitJobs((c.NewJob(REDWOOD),))


@pytest.fixture(autouse=True)
async def start() -> AsyncIterator[Start]:
    """Starts partitions; after the test, what a restart would find is what is live."""
    started: list[LivePartition] = []

    async def begin(journal: Any = None, **settings: Any) -> LivePartition:
        live = await LivePartition.start(journal, **settings)
        started.append(live)
        await live.define_both()
        return live

    yield begin
    for live in started:
        if not live.partition.failed.done():
            await live.check_recovery()
        await live.close()


@pytest.fixture(params=["memory", "sqlite"])
async def live(request, tmp_path, start: Start) -> LivePartition:
    """A partition on a journal in memory, and one on a file."""
    if request.param == "memory":
        return await start()
    return await start(await SqliteJournal.open(tmp_path / "p.db", durability="off"))


def once(request_id: str, digest: bytes = b"digest") -> Once:
    return Once(request_id, digest, lambda outcomes: str(outcomes[0].job).encode())


async def rounds() -> None:
    """Let everything happen that can happen."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_answer_comes_only_when_it_is_durable(start: Start):
    live = await start()
    live.journal.hold()

    submit = live.partition.engine.submit(SUBMIT)
    await rounds()
    assert live.partition.world.jobs
    assert not submit.done()
    assert live.partition.history.head_revision == 0

    live.journal.release()
    (outcome,) = await submit
    assert outcome.status == Status.REDWOOD_QUEUED
    assert live.partition.history.head_revision == outcome.revision
    assert live.journal.head_revision == outcome.revision


async def test_a_rejection_waits_for_what_it_saw(start: Start):
    live = await start()
    await live.submit()
    live.journal.hold()

    hold = live.partition.engine.submit(c.ChangeJobs(Verb.HOLD, (1,)))
    await rounds()
    refused = live.partition.engine.submit(c.ReleaseQueue("default"))
    await rounds()
    assert not hold.done()
    assert not refused.done()

    live.journal.release()
    await hold
    with pytest.raises(Rejection) as rejection:
        await refused
    assert rejection.value.reason is Reason.QUEUE_NOT_HELD


async def test_a_read_waits_until_what_it_shows_is_durable(start: Start):
    live = await start()
    live.journal.hold()
    submit = live.partition.engine.submit(SUBMIT)
    await rounds()

    read = asyncio.ensure_future(live.partition.job(1))
    await rounds()
    assert not read.done()

    live.journal.release()
    await submit
    found = await read
    assert found is not None
    assert found.status == Status.REDWOOD_QUEUED


async def test_a_read_shows_what_was_there_when_it_looked(start: Start):
    live = await start()
    await live.submit()
    live.journal.hold()
    hold = live.partition.engine.submit(c.ChangeJobs(Verb.HOLD, (1,)))
    await rounds()
    read = asyncio.ensure_future(live.partition.job(1))
    await rounds()
    cancel = live.partition.engine.submit(c.ChangeJobs(Verb.CANCEL, (1,)))
    await rounds()

    live.journal.release()
    found = await read
    await asyncio.gather(hold, cancel)

    assert found is not None
    assert found.status == Status.REDWOOD_HELD


async def test_an_offer_is_made_only_when_it_is_durable(start: Start):
    live = await start()
    robot = await live.connect()
    live.journal.hold()

    submit = live.partition.engine.submit(SUBMIT)
    await rounds()
    assert live.partition.world.jobs[1].attached
    assert not robot.stream._has_something()

    live.journal.release()
    await submit
    await robot.hear()
    assert list(robot.offers) == [1]


async def test_commands_that_come_while_one_commits_share_the_next_commit(start: Start):
    live = await start()
    live.journal.hold()
    first = live.partition.engine.submit(SUBMIT)
    await rounds()
    before = live.journal.head_commit

    others = [live.partition.engine.submit(SUBMIT) for _ in range(100)]
    await rounds()
    live.journal.release()
    await asyncio.gather(first, *others)

    assert live.journal.head_commit <= before + 3
    assert sorted(outcomes[0].job for outcomes in [await o for o in others]) == list(range(2, 102))


async def test_few_commands_wait_for_the_disk_and_are_decided_together(start: Start):
    live = await start()
    live.journal.hold()
    first = live.partition.engine.submit(SUBMIT)
    await rounds()
    before = live.partition.engine.decided

    others = []
    for _ in range(5):
        others.append(live.partition.engine.submit(SUBMIT))
        await rounds()
    assert live.partition.engine.decided == before
    live.journal.release()
    await asyncio.gather(first, *others)

    assert live.partition.engine.decided == before + 1


async def test_many_items_are_decided_while_the_disk_is_busy(start: Start):
    live = await start()
    live.journal.hold()
    first = live.partition.engine.submit(SUBMIT)
    await rounds()
    before = live.partition.engine.decided

    many = live.partition.engine.submit(c.SubmitJobs((c.NewJob(REDWOOD, count=AHEAD_ITEMS),)))
    await rounds()
    assert live.partition.engine.decided == before + 1
    assert not first.done()
    assert not many.done()
    live.journal.release()
    await asyncio.gather(first, many)


async def test_memory_is_never_more_than_two_groups_ahead_of_the_disk(start: Start):
    live = await start()
    engine = live.partition.engine
    live.journal.hold()
    submits = []
    for _ in range(6):
        submits.append(engine.submit(c.SubmitJobs((c.NewJob(REDWOOD, count=AHEAD_ITEMS),))))
        await rounds()

    assert engine.decided == engine.durable + 2
    live.journal.release()
    await asyncio.gather(*submits)


async def test_a_command_that_changes_nothing_writes_nothing(live: LivePartition):
    await live.submit(hold=True)
    before = live.journal.head_commit

    outcome = await live.verb(Verb.HOLD, 1)
    with pytest.raises(Rejection):
        await live.do(c.ReleaseQueue("default"))

    assert outcome.unchanged
    assert live.journal.head_commit == before


async def test_a_repeated_request_gets_its_first_answer_and_changes_nothing(live: LivePartition):
    first = await live.do(SUBMIT, once=once("r-1"))
    await live.verb(Verb.CANCEL, first[0].job)
    again = await live.do(SUBMIT, once=once("r-1"))

    assert again == Repeated(b"1")
    assert live.partition.world.next_job == 2


async def test_a_request_id_with_another_content_is_refused(live: LivePartition):
    await live.do(SUBMIT, once=once("r-1"))

    with pytest.raises(Rejection) as refused:
        await live.do(SUBMIT, once=once("r-1", b"another digest"))

    assert refused.value.reason is Reason.REQUEST_ID_CONFLICT
    assert live.partition.world.next_job == 2


async def test_a_repeated_request_is_known_after_a_restart(live: LivePartition):
    await live.do(SUBMIT, once=once("r-1"))
    with pytest.raises(Rejection, match="expected queue 'default' held") as first:
        await live.do(c.ReleaseQueue("default"), once=once("r-2"))

    await live.kill()
    again = await live.do(SUBMIT, once=once("r-1"))
    await live.do(c.HoldQueue("default"))
    with pytest.raises(Rejection) as refused:  # although it would be accepted now
        await live.do(c.ReleaseQueue("default"), once=once("r-2"))

    assert again == Repeated(b"1")
    assert str(refused.value) == str(first.value)
    assert refused.value.reason is first.value.reason


async def test_a_repetition_waits_for_the_commit_of_the_first(start: Start):
    live = await start()
    live.journal.hold()
    first = live.partition.engine.submit(SUBMIT, once=once("r-1"))
    await rounds()
    again = live.partition.engine.submit(SUBMIT, once=once("r-1"))
    await rounds()
    assert not again.done()

    live.journal.release()
    assert await again == Repeated(b"1")
    assert first.done()


async def test_a_request_that_was_not_durable_when_the_process_died_is_done_anew(start: Start):
    live = await start()
    live.journal.hold()
    lost = live.partition.engine.submit(SUBMIT, once=once("r-1"))
    await rounds()

    await live.kill()
    with pytest.raises(OutcomeUnknown):
        await lost
    assert live.partition.world.next_job == 1
    (outcome,) = await live.do(SUBMIT, once=once("r-1"))

    assert outcome.job == 1


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_commit_that_fails_leaves_everybody_in_doubt_and_recovery_decides(
    start: Start, keeps
):
    live = await start(FailingJournal(fails_at=3, keeps=keeps))
    engine = live.partition.engine
    live.journal.hold()
    failing = engine.submit(SUBMIT, once=once("r-1"))
    await rounds()
    behind = engine.submit(SUBMIT)
    await rounds()
    waiting = engine.submit(SUBMIT)
    reading = asyncio.ensure_future(live.partition.read(lambda world: world.revision))
    await rounds()

    live.journal.release()
    for future in (failing, behind, waiting, reading):
        with pytest.raises(OutcomeUnknown):
            await future
    with pytest.raises(OutcomeUnknown):
        engine.submit(SUBMIT)
    with pytest.raises(OutcomeUnknown):
        engine.request(c.Dispatch(), actor=Actor.DISPATCHER, author="dispatcher")
    with pytest.raises(OutcomeUnknown):
        await engine.barrier()
    assert isinstance(await live.partition.failed, ExceptionGroup)
    assert live.partition.history.head_revision == 0

    await live.kill()
    answer = await live.do(SUBMIT, once=once("r-1"))
    assert (answer == Repeated(b"1")) is keeps
    assert live.partition.world.next_job == 2


async def test_what_makes_the_partition_fail_is_told(start: Start):
    live = await start(FailingJournal(fails_at=3))

    with pytest.raises(OutcomeUnknown):
        await live.do(SUBMIT)

    failure = await live.partition.failed
    assert isinstance(failure, ExceptionGroup)
    assert isinstance(failure.exceptions[0], JournalFailed)


async def test_a_caller_that_gives_up_does_not_undo_its_command(start: Start):
    live = await start()
    live.journal.hold()
    call = asyncio.ensure_future(live.do(SUBMIT))
    await rounds()

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    live.journal.release()
    await live.settle()

    assert await live.path(1) == "New Scheduled Queued"


async def test_commands_are_refused_when_too_many_wait(start: Start):
    live = await start(inbox_max=3)
    engine = live.partition.engine
    waiting = [engine.submit(SUBMIT) for _ in range(3)]

    with pytest.raises(Overloaded):
        engine.submit(SUBMIT)
    own = engine.request(c.Dispatch(), actor=Actor.DISPATCHER, author="dispatcher")

    await asyncio.gather(*waiting, own)
    await engine.submit(SUBMIT)


async def test_a_stopping_partition_refuses_others_and_finishes_what_it_has(start: Start):
    live = await start()
    engine = live.partition.engine
    accepted = engine.submit(SUBMIT)
    engine.drain()

    with pytest.raises(Draining):
        engine.submit(SUBMIT)

    await engine.flush()
    assert accepted.done()


async def test_a_full_disk_refuses_changes_and_shows_what_there_is(start: Start):
    live = await start()
    await live.submit()
    live.partition.engine.refuse_writes = True

    with pytest.raises(StorageFull):
        await live.do(SUBMIT)
    assert await live.path(1) == "New Scheduled Queued"
    live.partition.engine.refuse_writes = False


async def test_a_disk_that_is_full_is_noticed_at_the_start(start: Start):
    journal = MemoryJournal()
    journal.free = 10
    live = LivePartition(journal)
    await live.begin()
    await rounds()

    assert live.partition.engine.refuse_writes
    await live.close()


async def test_time_does_not_go_back_between_changes(live: LivePartition):
    await live.submit()
    live.clock.jump(ms=-3_600_000)
    await live.submit()

    first, second = await live.job(1), await live.job(2)
    assert second.created_ms == first.created_ms


async def test_a_final_job_leaves_memory_and_is_found_with_its_history(live: LivePartition):
    robot = await live.connect()
    job = await live.submit(labels={"bank": "A"})
    await robot.report(ReportKind.COMPLETED, job, result='{"n": 1}')

    assert live.partition.world.jobs == {}
    found = await live.job(job)
    assert (found.status, found.result) == (Status.REDWOOD_COMPLETED, '{"n": 1}')
    assert (found.labels, found.history) == ({"bank": "A"}, [])
    path = "New Scheduled Queued Dispatched Assigned Running Completed"
    assert await live.path(job) == path
    await live.kill()
    assert await live.path(job) == path


async def test_a_very_long_history_is_complete_although_its_old_part_left_memory(
    live: LivePartition,
):
    robot = await live.connect()
    job = await live.submit()
    await robot.report(ReportKind.STARTED, job)
    for _ in range(80):
        await robot.report(ReportKind.WAITING, job)
        await robot.report(ReportKind.WAIT_OVER, job)

    assert len(live.partition.world.jobs[job].history) < 128
    expected = "New Scheduled Queued Dispatched Assigned Running" + " Waiting Running" * 80
    assert await live.path(job) == expected
    await live.kill()
    assert await live.path(job) == f"{expected} Uncertain"
    back = await live.connect(running=robot.running(job))
    await back.report(ReportKind.COMPLETED, job, fence=1)
    assert await live.path(job) == f"{expected} Uncertain Running Completed"


async def test_verification_replays_beside_the_live_partition_and_agrees(live: LivePartition):
    await live.submit()
    await live.partition.checkpoint.snapshot()
    await live.submit()

    steps = [step async for step in live.partition.verify()]

    assert steps[-1].done
    assert steps[-1].problems == ()
    assert steps[-1].digest == digest(live.partition.world)


async def test_verification_finds_a_world_that_is_not_what_was_written(start: Start):
    live = await start()
    job = await live.submit()
    live.partition.world.jobs[job].priority += 1

    steps = [step async for step in live.partition.verify()]

    assert len(steps[-1].problems) > 0
    live.partition.world.jobs[job].priority -= 1


async def test_recovery_can_stop_at_a_commit(live: LivePartition):
    await live.submit()
    commit, expected = live.partition.engine.decided, digest(live.partition.world)
    await live.submit()

    found = await recover(live.journal, through_commit=commit)

    assert digest(found) == expected
