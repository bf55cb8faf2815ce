"""Columns, events and filtered columns are three forms of the same changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.v1 import watch_service_pb2 as pb
from interlock_server.core.change import (
    NAME_DEFINITION,
    NAME_QUEUE,
    NAME_ROBOT,
    Cause,
    ChangeBlock,
    Name,
)
from interlock_server.core.world import World
from interlock_server.rpc import convert_event
from interlock_server.rpc.name_book import NameBook
from interlock_server.storage import codec
from interlock_server.watch.filter import ChangeFilter
from interlock_server.watch.published import BlockShelf, Published

JOBS = 6


def world() -> World:
    found = World()
    for kind, name in (
        (NAME_DEFINITION, "invoice"),
        (NAME_DEFINITION, "report"),
        (NAME_ROBOT, "r1"),
    ):
        found.add_name(Name(kind, found.next_number, name))
    return found


def published(*turns: list[list[int]], first: int = 1, bulk: int = 0) -> Published:
    """Make a commit: each turn is a list of blocks, each block a list of jobs."""
    blocks = []
    revision = first
    for turn in turns:
        for number, jobs in enumerate(turn):
            block = ChangeBlock(revision, Cause(1_000 + revision, 1, "alice", "x" * bulk))
            block.jobs = list(jobs)
            block.rows = bytearray([1 if job % 2 else 27 for job in jobs])
            block.definitions = [3 if job % 2 else 4 for job in jobs]
            block.queues = [1] * len(jobs)
            block.robots = [5 if job % 3 else 0 for job in jobs]
            block.notes = {0: "noted"} if len(jobs) > 1 else {}
            block.continues = number < len(turn) - 1
            revision += len(jobs)
            blocks.append(block)
    public = codec.encode_blocks(blocks)
    return Published(first, revision - 1, public, BlockShelf(codec.decode_blocks))


def responses(wires):
    return [pb.WatchResponse.FromString(wire.data) for wire in wires]


def column_changes(wires):
    """Return (revision, job, row, reason) of every change in columns."""
    return [
        (
            block.first_revision + index,
            job,
            block.transitions[index],
            {note.index: note.reason for note in block.notes}.get(index, block.reason),
        )
        for message in responses(wires)
        for block in message.columns.blocks
        for index, job in enumerate(block.jobs)
    ]


def event_changes(wires):
    rows = {"TU-01": 1, "TR-001": 27}
    return [
        (event.revision, event.job, rows[event.transition], event.reason)
        for message in responses(wires)
        for event in message.events.events
    ]


def of_jobs(*jobs: int) -> ChangeFilter:
    return ChangeFilter(
        name_number=lambda _kind, _name: None, labels_of=lambda _job: None, jobs=set(jobs)
    )


turns = st.lists(
    st.lists(st.lists(st.integers(1, JOBS), min_size=1, max_size=4), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@given(turns)
def test_both_forms_say_the_same(given_turns):
    commit = published(*given_turns)

    columns = column_changes(convert_event.stored_columns([commit]))

    assert columns == event_changes(convert_event.events(commit, None, NameBook(world())))


@given(turns, st.sets(st.integers(1, JOBS), min_size=1))
def test_filtered_columns_are_the_selected_changes_with_their_revisions(given_turns, jobs):
    commit = published(*given_turns)
    everything = column_changes(convert_event.stored_columns([commit]))

    wires = convert_event.selected_columns(commit, of_jobs(*jobs))

    assert column_changes(wires) == [change for change in everything if change[1] in jobs]
    assert event_changes(convert_event.events(commit, of_jobs(*jobs), NameBook(world()))) == (
        column_changes(wires)
    )


@given(turns, st.sets(st.integers(1, JOBS), min_size=1))
def test_the_last_block_of_a_message_never_continues(given_turns, jobs):
    commit = published(*given_turns)

    for message in responses(convert_event.selected_columns(commit, of_jobs(*jobs))):
        assert not message.columns.blocks[-1].continues


def test_stored_columns_are_the_stored_bytes():
    commit = published([[1, 2]], [[3]])

    (wire,) = convert_event.stored_columns([commit])

    assert wire.data.endswith(commit.public)
    assert wire.revision == 3


def test_several_commits_go_in_one_message():
    commits = [published([[1]], first=1), published([[2, 3]], first=2), published([[4]], first=4)]

    (wire,) = convert_event.stored_columns(commits)

    assert [change[0] for change in column_changes([wire])] == [1, 2, 3, 4]
    assert wire.revision == 4


def test_events_of_several_commits_are_joined():
    book = NameBook(world())
    commits = [published([[1]], first=1), published([[2, 3]], first=2)]
    wires = [wire for each in commits for wire in convert_event.events(each, None, book)]

    (joined,) = convert_event.joined(wires)

    assert [change[0] for change in event_changes([joined])] == [1, 2, 3]
    assert joined.revision == 3


def test_a_very_large_commit_is_cut_between_turns_and_never_inside_one():
    half = convert_event.MESSAGE_BYTES_MAX // 2
    commit = published([[1], [2]], [[3]], [[4]], bulk=half // 2 + half // 4)

    wires = convert_event.stored_columns([commit, published([[5]], first=5)])

    assert [[c[0] for c in column_changes([wire])] for wire in wires] == [
        [1, 2],
        [3],
        [4],
        [5],
    ] or [[c[0] for c in column_changes([wire])] for wire in wires] == [[1, 2], [3, 4], [5]]
    assert [wire.revision for wire in wires][-1] == 5
    assert all(not m.columns.blocks[-1].continues for m in responses(wires))


def test_names_of_changes_that_are_left_out_are_sent_all_the_same():
    commit = published([[1, 2]])
    commit.blocks[0].names = [Name(NAME_QUEUE, 9, "nightly")]

    (message,) = responses(convert_event.selected_columns(commit, of_jobs(5)))

    assert [(name.number, name.name) for name in message.names.names] == [(9, "nightly")]


def test_equal_watches_share_the_work():
    commit = published([[1, 2, 3]])
    book = NameBook(world())

    first = convert_event.events(commit, of_jobs(1, 3), book)

    assert convert_event.events(commit, of_jobs(3, 1), book) is first


def test_an_event_names_what_the_columns_number():
    book = NameBook(world())

    (message,) = responses(convert_event.events(published([[1]]), None, book))

    (event,) = message.events.events
    assert (event.definition, event.queue, event.robot) == ("invoice", "default", "r1")
    assert (event.author, event.trigger, event.transition) == ("alice", "submit", "TU-01")
    assert event.time.ToMilliseconds() == 1_001


def test_a_name_book_keeps_up_with_new_names():
    partition_world = world()
    book = NameBook(partition_world)

    partition_world.add_name(Name(NAME_ROBOT, partition_world.next_number, "r2"))
    book.keep_up()

    assert book.robots == {0: "", 5: "r1", 6: "r2"}


@pytest.mark.parametrize(
    ("number", "data"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02")]
)
def test_lengths_are_written_as_protobuf_writes_them(number, data):
    assert convert_event.varint(number) == data
