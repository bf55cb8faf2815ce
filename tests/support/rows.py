"""Which rows of the two tables are exercised through the API, for their documented reason.

A test of `tests/rows` (or any other that has a LivePartition) says which rows it is about, after it
has brought them about:

    async def test_a_loader_waits_for_the_lock_of_the_posting_run(live):
        ...
        await expect_rows(live, loader, "TR-040", "TR-046")   # of this job, in this order
        await expect_rows(live, holder, "TR-093", by="robot")  # and caused by a robot

It fails when the job has not made these transitions, in this order among its others, or when the
actor is not the one named. Only rows that are declared like this are counted, so that none counts
by accident. `make rows` runs the tests, lists rows and statuses, and fails while one is missing.

What counts as through the API: the `live` of `tests/rows` and `tests/scenarios` is a server of its
own (`tests/support/served_partition.py`). All that a test asks for goes through the gRPC services,
robots speak over the gRPC session, and the transitions are what a gRPC watch from revision 0 was
sent. Only the clock is handed in, and only the test moves it. What is declared on a partition
without gRPC (`tests/support/live_partition.py` by itself) is listed, but not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from interlock_server.core.vocabulary.lifecycle import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.live_partition import Event, LivePartition

#: The ids of all rows, in the order of their numbers.
ROW_IDS = tuple(row.id for row in ROWS if row is not None)


class Exercised(NamedTuple):
    """One transition that a test declared and a watcher was sent."""

    row: str
    trigger: str
    actor: str
    job: int
    #: Whether every request and the watch went over gRPC.
    over_rpc: bool


#: What the present test has declared; the plugin takes it away after each test.
declared: list[Exercised] = []


async def expect_rows(live: LivePartition, job: int, *rows: str, by: str = "") -> None:
    """Declare that a job has made these transitions, in this order among its others."""
    assert set(rows) <= set(ROW_IDS), f"there is no row {sorted(set(rows) - set(ROW_IDS))}"
    events = await live.events(job)
    found = _in_order(events, rows)
    made = " ".join(f"{event.row}({event.actor})" for event in events)
    assert len(found) == len(rows), f"expected {' '.join(rows)} of job {job}, but it made {made}"
    if by:
        wrong = [event for event in found if event.actor != by]
        assert not wrong, f"expected {wrong[0].row} by {by}, but job {job} made {made}"
    declared.extend(
        Exercised(event.row, event.trigger, event.actor, job, live.over_rpc) for event in found
    )


def _in_order(events: Iterable[Event], rows: tuple[str, ...]) -> list[Event]:
    """The first events that make these rows one after the other; fewer where one is missing."""
    found: list[Event] = []
    for event in events:
        if len(found) < len(rows) and event.row == rows[len(found)]:
            found.append(event)
    return found
