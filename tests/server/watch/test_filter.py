from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_server.core.change import NAME_DEFINITION, NAME_QUEUE, NAME_ROBOT
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET
from interlock_server.core.vocabulary.status import (
    STATUS_LIFECYCLE,
    STATUS_STATE,
    Lifecycle,
    State,
    Status,
)
from interlock_server.watch.filter import ChangeFilter
from interlock_server.watch.published import CACHED_MAX, BlockShelf, Published
from tests.support.change_blocks import KeyedBlocks, make_block

NUMBERS = {
    (NAME_DEFINITION, "payroll"): 1,
    (NAME_DEFINITION, "backup"): 2,
    (NAME_QUEUE, "night"): 1,
    (NAME_ROBOT, "r1"): 1,
}
LABELS = {1: {"env": "test", "team": "a"}, 2: {"env": "live"}}


def filter_of(numbers=NUMBERS, **fields):
    return ChangeFilter(
        name_number=lambda kind, name: numbers.get((kind, name)), labels_of=LABELS.get, **fields
    )


def row_to(status):
    return ROW_TARGET.index(status)


def publish(*blocks):
    codec = KeyedBlocks()
    public = codec.encode(blocks)
    first, last = blocks[0].first_revision, blocks[-1].last_revision
    return Published(first, last, public, BlockShelf(codec.decode))


@pytest.mark.parametrize(
    ("fields", "indexes"),
    [
        ({}, [0, 1, 2, 3]),
        ({"lifecycles": [Lifecycle.UIPATH]}, [0, 3]),
        ({"lifecycles": [Lifecycle.REDWOOD]}, [1, 2]),
        ({"statuses": [Status.UIPATH_RUNNING, Status.REDWOOD_KILLED]}, [0, 2]),
        ({"states": [State.FINAL]}, [2, 3]),
        ({"states": [State.FINAL], "lifecycles": [Lifecycle.UIPATH]}, [3]),
        ({"definitions": ["backup"]}, [1, 3]),
        ({"definitions": ["backup", "payroll", "unknown"]}, [0, 1, 2, 3]),
        ({"definitions": ["unknown"]}, []),
        ({"queues": ["night"]}, [2]),
        ({"robots": ["r1"]}, [0]),
        ({"jobs": [2, 3, 99]}, [1, 2]),
        ({"labels": {"env": "test"}}, [0]),
        ({"labels": {"env": "test", "team": "b"}}, []),
        ({"definitions": ["backup"], "jobs": [2]}, [1]),
    ],
)
def test_a_change_is_selected_by_what_the_job_is_after_it(fields, indexes):
    targets = (
        Status.UIPATH_RUNNING,
        Status.REDWOOD_QUEUED,
        Status.REDWOOD_KILLED,
        Status.UIPATH_SUCCESSFUL,
    )
    block = make_block(
        10,
        [1, 2, 3, 4],
        rows=bytearray(row_to(status) for status in targets),
        definitions=[1, 2, 1, 2],
        queues=[2, 2, 1, 2],
        robots=[1, 0, 0, 2],
    )

    assert filter_of(**fields).select(block) == indexes


@pytest.mark.parametrize(("definitions", "indexes"), [([1], [0, 1, 2]), ([2], [])])
def test_a_column_with_one_value_holds_for_the_whole_block(definitions, indexes):
    block = make_block(1, [1, 2, 3], definitions=definitions)

    assert filter_of(definitions=["payroll"]).select(block) == indexes


def test_a_name_may_get_its_number_after_the_watch_has_begun():
    numbers: dict[tuple[int, str], int] = {}
    watched = filter_of(numbers, definitions=["new"])
    block = make_block(1, [1], definition=9)

    assert watched.select(block) == []
    numbers[NAME_DEFINITION, "new"] = 9
    assert watched.select(block) == [0]


def test_blocks_without_a_match_are_left_out():
    blocks = [make_block(1, [1, 2]), make_block(3, [3]), make_block(4, [2])]

    assert filter_of(jobs=[2]).matches(publish(*blocks)) == [(blocks[0], [1]), (blocks[2], [0])]


def test_equal_filters_share_the_work_and_others_do_not():
    published = publish(make_block(1, [1, 2]))
    first = filter_of(jobs=[1, 2], definitions=["payroll"], states=[State.FINAL, State.RUNNING])
    equal = filter_of(jobs=(2, 1), definitions={"payroll"}, states=[State.RUNNING, State.FINAL])
    other = filter_of(jobs=[1])

    assert first.key == equal.key != other.key
    assert first.matches(published) is equal.matches(published)
    assert other.matches(published) != first.matches(published)


def test_the_results_kept_with_a_commit_are_bounded():
    published = publish(make_block(1, range(200)))

    for job in range(200):
        assert filter_of(jobs=[job]).matches(published)[0][1] == [job]

    assert len(published.cache) == CACHED_MAX


@given(
    rows=st.binary(max_size=40).map(lambda b: [1 + n % (len(ROW_TARGET) - 1) for n in b]),
    lifecycles=st.sets(st.sampled_from(Lifecycle)),
    statuses=st.sets(st.sampled_from(Status)),
    states=st.sets(st.sampled_from(State)),
)
def test_rows_are_selected_as_a_look_at_each_would(rows, lifecycles, statuses, states):
    block = make_block(1, range(len(rows)), rows=bytearray(rows))

    selected = filter_of(lifecycles=lifecycles, statuses=statuses, states=states).select(block)

    assert selected == [
        index
        for index, row in enumerate(rows)
        if (not lifecycles or STATUS_LIFECYCLE[ROW_TARGET[row]] in lifecycles)
        and (not statuses or ROW_TARGET[row] in statuses)
        and (not states or STATUS_STATE[ROW_TARGET[row]] in states)
    ]
