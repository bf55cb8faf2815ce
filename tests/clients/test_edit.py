"""Editing jobs and restart defaults with a whole server, and the command line for them."""

from __future__ import annotations

import pytest

from interlock import (
    AlreadyFinal,
    Definition,
    IllegalTransition,
    InvalidArgument,
    RevisionMismatch,
    connect,
)
from interlock_server.app import running
from interlock_server.config import Config


@pytest.fixture
async def interlock(tmp_path):
    config = Config(listen=("127.0.0.1:0",), data_dir=str(tmp_path))
    async with running(config) as server, connect(server.addresses[0]) as interlock:
        await interlock.put_queues([{"name": "slow"}])
        await interlock.put_definitions([Definition("Load", "redwood")])
        yield interlock


async def test_a_held_job_gets_other_inputs_and_another_queue(interlock):
    job = await interlock.submit("Load", {"x": 1}, hold=True)

    outcome = await interlock.edit(job.id, parameters={"x": 2}, queue="slow", priority=70)

    edited = await interlock.get(job.id)
    assert (outcome.status, edited.parameters) == ("Held", {"x": 2})
    assert (edited.queue, edited.priority) == ("slow", 70)


async def test_a_queued_job_goes_to_another_queue_and_keeps_its_inputs(interlock):
    job = await interlock.submit("Load")

    await interlock.edit(job.id, queue="slow")

    assert [str(entry) for entry in await interlock.history(job.id)][-2:] == [
        "Queued → Scheduled",
        "Scheduled → Queued",
    ]
    with pytest.raises(IllegalTransition, match="edit the parameters"):
        await interlock.edit(job.id, parameters={"x": 1})


async def test_what_cannot_be_edited_says_why(interlock):
    job = await interlock.submit("Load", hold=True)
    with pytest.raises(InvalidArgument, match="something to change"):
        await interlock.edit(job.id)
    with pytest.raises(RevisionMismatch, match="look again"):
        await interlock.edit(job.id, priority=60, expected_revision=1)
    await interlock.cancel(job.id)
    with pytest.raises(AlreadyFinal):
        await interlock.edit(job.id, priority=60)


async def test_restart_defaults_are_kept_in_words(interlock):
    given = [
        {"status": "Error", "action": "restart", "delay": "5m"},
        {"status": "Killed", "action": "stop", "message": True},
    ]

    put = await interlock.put_restart_defaults(given)

    assert put == given
    assert await interlock.restart_defaults() == given
    with pytest.raises(InvalidArgument, match="expected a status of Completed"):
        await interlock.put_restart_defaults([{"status": "Held", "action": "stop"}])


async def test_a_child_is_submitted_for_after_its_parent(interlock):
    parent = await interlock.submit("Load", hold=True)
    child = await interlock.submit("Load", parent=parent.id, start_when_parent_ends=True)

    assert (await interlock.get(child.id)).status == "Delayed"
    await interlock.cancel(parent.id)
    assert (await interlock.get(child.id)).status == "Queued"
