"""Named events and locks through the SDK, with a whole server."""

from __future__ import annotations

import asyncio

import pytest

from interlock import Definition, Refused, Robot, connect
from interlock.v1.lock_pb2 import Lock, LockKind
from interlock.v1.named_event_pb2 import NamedEvent
from interlock_server.app import running
from interlock_server.config import Config

FILE = "FILE_ARRIVED"


@pytest.fixture
async def interlock(tmp_path):
    config = Config(listen=("127.0.0.1:0",), data_dir=str(tmp_path))
    async with running(config) as server, connect(server.addresses[0], user="olga") as interlock:
        yield interlock


async def test_events_are_put_raised_listed_cleared_and_deleted(interlock):
    [put] = await interlock.put_events([{"name": FILE, "description": "from the bank"}])
    assert (put.version, put.raised) == (1, False)
    await interlock.put_events([NamedEvent(name="BOOK_OPEN")])

    await interlock.raise_event(FILE, comment="monday")
    raised = await interlock.raise_event(FILE, comment="tuesday")
    assert (raised.raised, raised.raise_count) == (True, 2)
    assert [(each.by, each.comment) for each in raised.raises] == [
        ("olga", "monday"),
        ("olga", "tuesday"),
    ]
    assert (await interlock.clear_event(FILE)).raise_count == 1
    assert not (await interlock.clear_event(FILE)).raised
    with pytest.raises(Refused, match="nothing of it is"):
        await interlock.clear_event(FILE)

    assert [each.name for each in await interlock.list_events()] == ["BOOK_OPEN", FILE]
    await interlock.delete_events([FILE, "BOOK_OPEN"])
    assert await interlock.list_events() == []


async def test_a_raise_says_that_a_job_has_taken_it(interlock):
    await interlock.put_events([{"name": FILE}])
    await interlock.put_definitions(
        [
            Definition(
                "loader",
                "redwood",
                wait_events=[{"event": FILE, "clears": True}],
                auto_submit="always",
            )
        ]
    )
    job = await interlock.submit("loader")
    assert job.status == "EventWait"
    [event] = await interlock.list_events()
    assert event.waiting == 1

    assert not (await interlock.raise_event(FILE)).raised
    assert (await interlock.get(job.id)).status == "Queued"
    assert list((await interlock.get(job.id)).raw.events_seen) == [FILE]


async def test_locks_show_who_has_them_and_who_waits(interlock):
    [ledger, data] = await interlock.put_locks(
        [{"name": "ledger"}, {"name": "data", "kind": "shared_exclusive", "counts": 3}]
    )
    assert (ledger.kind, ledger.counts) == (LockKind.LOCK_KIND_SIMPLE, 1)
    assert (data.kind, data.counts) == (LockKind.LOCK_KIND_SHARED_EXCLUSIVE, 3)
    await interlock.put_definitions(
        [
            Definition(
                "posting",
                "redwood",
                locks=[{"lock": "ledger"}, {"lock": "data", "exclusive": True}],
            )
        ]
    )
    robot = Robot(interlock.address, name="bot-1", slots=2)
    done = asyncio.Event()

    @robot.job("posting")
    async def posting(run):
        await done.wait()
        return {}

    task = asyncio.create_task(robot.run())
    try:
        await robot.connected()
        first, second = [await interlock.submit("posting") for _ in range(2)]
        assert (await interlock.get(second.id)).status == "LockWait"
        [data, ledger] = await interlock.list_locks()
        assert (ledger.held, ledger.holder_count, ledger.waiting) == (1, 1, 1)
        assert [(each.job, each.counts, each.exclusive) for each in data.holders] == [
            (first.id, 3, True)
        ]
        with pytest.raises(Refused, match="has it"):
            await interlock.delete_locks("ledger")
        done.set()
        await interlock.wait(second.id)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_kind_of_lock_that_is_none_is_refused_at_once(interlock):
    with pytest.raises(ValueError, match="simple, counted, shared_exclusive"):
        await interlock.put_locks([{"name": "a", "kind": "double"}])
    await interlock.put_locks([Lock(name="a")])
    await interlock.delete_locks("a")
    assert await interlock.list_locks() == []
