"""Connections: where they lead, and that a closed one says so."""

from __future__ import annotations

import pytest

from interlock import ConnectionClosed, connect


def test_an_address_comes_from_the_caller_then_the_environment_then_the_default(monkeypatch):
    monkeypatch.delenv("INTERLOCK_ADDRESS", raising=False)
    default = connect().address
    monkeypatch.setenv("INTERLOCK_ADDRESS", "elsewhere:1")

    assert (default, connect().address) == ("localhost:7350", "elsewhere:1")
    assert connect("here:2").address == "here:2"


async def test_jobs_are_listed_page_by_page_as_they_are_needed(server, interlock):
    for _ in range(7):
        server.add_job()

    jobs = [job.id async for job in interlock.list(page_size=3, scope="live")]

    assert jobs == [7, 6, 5, 4, 3, 2, 1]
    assert len(server.requests["ListJobs"]) == 3


async def test_a_scope_that_does_not_exist_is_refused(interlock):
    with pytest.raises(ValueError, match="expected the scope live, final or all"):
        await anext(aiter(interlock.list(scope="dead")))


async def test_names_given_as_one_text_are_a_mistake(interlock):
    with pytest.raises(TypeError, match="expected queues as a list of names"):
        interlock.watch(queues="finance")


async def test_a_closed_connection_says_so(server):
    async with connect(server.address) as interlock:
        pass

    await interlock.close()
    with pytest.raises(ConnectionClosed, match="was closed"):
        await interlock.get(1)
    with pytest.raises(ConnectionClosed, match="was closed"):
        await anext(interlock.watch())
