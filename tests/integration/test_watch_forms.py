"""One history seen in every way: filtered, in columns, resumed anywhere, from memory and disk."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.change import change_of
from interlock.columns import ColumnReader
from interlock.connection import Connection
from interlock.v1 import admin_service_pb2 as admin
from interlock.v1.event_pb2 import Event
from interlock.v1.filter_pb2 import Filter
from interlock.v1.status_pb2 import Lifecycle, State, Status
from interlock.v1.watch_service_pb2 import WatchForm
from tests.support.api_methods import Stubs
from tests.support.collected import collect
from tests.support.own_process import ServerProcess
from tests.support.selected import Knowledge, learn
from tests.support.traffic import LABELS, LIFECYCLES, QUEUES, ROBOTS, traffic
from tests.support.watch_promises import Truth, broken_promises

SEED = 7
ACTIONS = 60
AT_ONCE = 40
EVENTS, COLUMNS = WatchForm.WATCH_FORM_EVENTS, WatchForm.WATCH_FORM_COLUMNS


class Recorded(NamedTuple):
    """What happened on a server on which nothing moves any more."""

    server: ServerProcess
    events: list[Event]
    truth: Truth
    knowledge: Knowledge
    rows: dict

    @property
    def head(self):
        return self.events[-1].revision

    def after(self, revision):
        return [event for event in self.events if event.revision > revision]


async def record(server):
    """Let things happen, then watch all of it once in each form."""
    async with traffic(server.address, SEED) as user:
        await user.act(ACTIONS)
    async with server.async_channel() as channel:
        stubs = Stubs(channel)
        head = (await stubs.admin.GetStatus(admin.GetStatusRequest())).revision
        seen = await collect(stubs, head, from_revision=0)
        in_columns = await collect(stubs, head, from_revision=0, form=COLUMNS)
        knowledge = await learn(stubs)
    connection = Connection(server.address)
    rows = await connection.lifecycle_rows()
    await connection.close()
    truth = Truth([event.revision for event in seen.events], turns_of(in_columns))
    return Recorded(server, seen.events, truth, knowledge, rows)


def turns_of(collected):
    """First and last revision of every turn, as the columns tell."""
    turns = []
    first = 0
    for message in collected.columns:
        for block in message.columns.blocks:
            first = first or block.first_revision
            if not block.continues:
                turns.append((first, block.first_revision + len(block.jobs) - 1))
                first = 0
    return turns


@pytest.fixture(scope="module", params=["memory", "disk"])
def recorded(request, tmp_path_factory):
    """A server with a history, in memory or, after a restart, on disk alone."""
    with ServerProcess(tmp_path_factory.mktemp("server"), "--durability", "off") as server:
        recorded = asyncio.run(record(server))
        if request.param == "disk":
            server.restart()
        yield recorded


@pytest.fixture
async def stubs(recorded):
    async with recorded.server.async_channel() as channel:
        yield Stubs(channel)


async def all_of(calls):
    """Run so many watches at once and no more."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call):
        async with gate:
            return await call

    return await asyncio.gather(*map(one, calls))


def changes_in_columns(collected, rows):
    reader = ColumnReader(rows)
    changes = []
    for message in collected.columns:
        reader.learn(message.names.names)
        changes += reader.read(message.columns)
    return changes


def test_the_traffic_has_something_of_everything(recorded):
    assert {event.lifecycle for event in recorded.events} == {1, 2}
    assert {event.queue for event in recorded.events} == set(QUEUES)
    assert {event.definition for event in recorded.events} == set(LIFECYCLES)
    assert {event.robot for event in recorded.events} == {"", *ROBOTS}
    assert len({event.transition for event in recorded.events}) > 15
    assert any(last > first for first, last in recorded.truth.turns)
    assert recorded.truth.turns[-1][1] == recorded.head
    assert [event.revision for event in recorded.events] == list(range(1, recorded.head + 1))


async def test_a_watch_of_everything_keeps_every_promise(recorded, stubs):
    for form in (EVENTS, COLUMNS):
        seen = await collect(stubs, recorded.head, from_revision=0, form=form)

        assert broken_promises(seen.record, recorded.truth) == []


async def test_a_watch_resumes_at_every_revision_inside_of_turns_too(recorded, stubs):
    starts = range(recorded.head)

    resumed = await all_of(collect(stubs, recorded.head, from_revision=at) for at in starts)

    for start, seen in zip(starts, resumed, strict=True):
        assert seen.events == recorded.after(start), start
        assert broken_promises(seen.record, recorded.truth) == []


async def test_columns_resume_at_every_revision_too(recorded, stubs):
    starts = range(recorded.head)

    resumed = await all_of(
        collect(stubs, recorded.head, from_revision=at, form=COLUMNS) for at in starts
    )

    expected = [change_of(event) for event in recorded.events]
    for start, seen in zip(starts, resumed, strict=True):
        assert changes_in_columns(seen, recorded.rows) == expected[start:], start


FILTERS = st.builds(
    Filter,
    lifecycles=st.lists(st.sampled_from(Lifecycle.values()), max_size=2),
    statuses=st.lists(st.sampled_from(Status.values()[1:]), max_size=3),
    states=st.lists(st.sampled_from(State.values()[1:]), max_size=2),
    definitions=st.lists(st.sampled_from([*LIFECYCLES, "nothing"]), max_size=2),
    queues=st.lists(st.sampled_from([*QUEUES, "nowhere"]), max_size=2),
    robots=st.lists(st.sampled_from([*ROBOTS, "nobody"]), max_size=2),
    jobs=st.lists(st.integers(1, 120), max_size=40),
    labels=st.sampled_from([*LABELS, {"team": "c"}]),
)
#: Filters of one field, so that each is tried, and of several.
ONE_FIELD = [
    *(Filter(lifecycles=[lifecycle]) for lifecycle in Lifecycle.values()),
    *(Filter(statuses=[status]) for status in Status.values()[1:]),
    *(Filter(states=[state]) for state in State.values()[1:]),
    *(Filter(definitions=[definition]) for definition in LIFECYCLES),
    *(Filter(queues=[queue]) for queue in QUEUES),
    *(Filter(robots=[robot]) for robot in ROBOTS),
    *(Filter(jobs=[job]) for job in range(1, 30)),
    *(Filter(labels=labels) for labels in LABELS),
]


async def check_filters(recorded, filters, start):
    async with recorded.server.async_channel() as channel:
        stubs = Stubs(channel)
        seen = await all_of(
            collect(stubs, recorded.head, from_revision=start, filter=each, form=form)
            for each in filters
            for form in (EVENTS, COLUMNS)
        )
    for place, each in enumerate(filters):
        events, columns = seen[2 * place : 2 * place + 2]
        expected = [
            event for event in recorded.after(start) if recorded.knowledge.selects(each, event)
        ]
        assert events.events == expected, each
        assert changes_in_columns(columns, recorded.rows) == [
            change_of(event) for event in expected
        ], each
        truth = Truth([event.revision for event in expected], recorded.truth.turns)
        for collected in (events, columns):
            assert broken_promises(collected.record, truth) == [], each


async def test_a_filter_of_each_field_selects_what_the_client_would_have(recorded):
    await check_filters(recorded, ONE_FIELD, 0)


@settings(max_examples=4)
@given(filters=st.lists(FILTERS, min_size=30, max_size=30), start=st.integers(0, 300))
def test_any_filter_selects_what_the_client_would_have(recorded, filters, start):
    asyncio.run(check_filters(recorded, filters, min(start, recorded.head)))
