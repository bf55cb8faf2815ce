from __future__ import annotations

from interlock_server.core.change import NAME_QUEUE, Name
from interlock_server.watch.resume import blocks_after
from tests.support.change_blocks import make_block

NAMES = [Name(NAME_QUEUE, number, f"queue {number}") for number in range(3)]


def test_a_block_is_cut_with_all_its_columns():
    block = make_block(
        10,
        [1, 2, 3],
        rows=bytearray([4, 5, 6]),
        definitions=[7, 8, 9],
        queues=[5],
        notes={0: "gone", 2: "kept"},
        names=NAMES[:1],
        continues=True,
    )

    (cut,) = blocks_after([block], 10)

    assert (cut.first_revision, cut.last_revision) == (11, 12)
    assert (cut.jobs, cut.rows, cut.definitions) == ([2, 3], bytearray([5, 6]), [8, 9])
    assert (cut.queues, cut.robots) == ([5], [0, 0])
    assert (cut.notes, cut.names, cut.continues) == ({1: "kept"}, NAMES[:1], True)
    assert block.jobs == [1, 2, 3]


def test_names_of_blocks_that_are_left_out_come_with_the_first_that_stays():
    blocks = [make_block(1, [1], names=NAMES[:2]), make_block(2, [2], names=NAMES[2:])]

    (kept,) = blocks_after(blocks, 1)

    assert kept.names == NAMES
    assert blocks[1].names == NAMES[2:]


def test_blocks_that_stay_whole_are_not_copied():
    blocks = [make_block(1, [1]), make_block(2, [2])]

    assert blocks_after(blocks, 0) == tuple(blocks)
    assert blocks_after(blocks, 1) == (blocks[1],)
    assert blocks_after(blocks, 2) == ()
