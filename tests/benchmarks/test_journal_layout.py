from __future__ import annotations

import sqlite3

import pytest

from benchmarks.journal_layout import LAYOUTS, BlobOfColumns, BlobOfMessages, Cell, measure
from interlock.v1 import event_pb2


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_stores_every_event(layout, tmp_path):
    path = tmp_path / "journal"
    cell = Cell()

    measure(layout, 50, path, 0.0, cell)

    with sqlite3.connect(path) as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
        if "event" in names:
            (stored,) = database.execute("SELECT count(*) FROM event").fetchone()
        else:
            (stored,) = database.execute(
                'SELECT sum(last_revision - first_revision + 1) FROM "commit"'
            ).fetchone()
    database.close()
    assert stored == 50
    assert cell.rates[0] > 0


def test_both_blobs_hold_the_same_events():
    jobs = [5, 7, 9]

    messages = event_pb2.EventBatch.FromString(BlobOfMessages().encode(4, jobs))
    columns = event_pb2.ChangeColumns.FromString(BlobOfColumns().encode(4, jobs))

    (block,) = columns.blocks
    assert [event.job for event in messages.events] == list(block.jobs) == jobs
    assert messages.events[0].revision == block.first_revision == 4
