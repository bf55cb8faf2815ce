"""The outbox: bounded messages, a bounded window, and sequence numbers without gaps."""

from __future__ import annotations

import asyncio

from interlock.outbox import REPORTS_MAX, WINDOW, Outbox
from interlock.v1.robot_service_pb2 import ReportDetail, ReportKind

STARTED = ReportKind.REPORT_KIND_STARTED
COMPLETED = ReportKind.REPORT_KIND_COMPLETED


def filled(count, kind=STARTED):
    outbox = Outbox(lambda: None)
    for job in range(1, count + 1):
        outbox.add(job, 1, kind)
    return outbox


def sent(outbox):
    messages = []
    while (message := outbox.next_message()) is not None:
        messages.append(message.columns)
    return messages


def test_reports_leave_as_columns_with_their_details():
    outbox = Outbox(lambda: None)
    outbox.add(7, 2, STARTED)
    outbox.add(7, 2, COMPLETED, ReportDetail(result_json="1"))

    (columns,) = sent(outbox)

    assert (list(columns.jobs), list(columns.fences)) == ([7, 7], [2, 2])
    assert columns.kinds == bytes([STARTED, COMPLETED])
    assert [(detail.index, detail.result_json) for detail in columns.details] == [(1, "1")]


def test_a_message_has_a_bounded_number_of_reports():
    assert [len(columns.jobs) for columns in sent(filled(2_500))] == [REPORTS_MAX] * 2 + [500]


def test_a_message_has_a_bounded_number_of_bytes():
    outbox = Outbox(lambda: None)
    for job in range(1, 31):
        outbox.add(job, 1, COMPLETED, ReportDetail(result_json="x" * 200_000))

    assert all(columns.ByteSize() < 3 << 20 for columns in sent(outbox))


def test_only_so_many_batches_are_under_way():
    outbox = filled(10 * REPORTS_MAX)

    first = sent(outbox)
    outbox.acknowledge(2)
    second = sent(outbox)

    assert [columns.sequence for columns in first] == list(range(1, WINDOW + 1))
    assert [columns.sequence for columns in second] == [WINDOW + 1, WINDOW + 2]


def test_a_few_reports_wait_while_two_messages_are_under_way():
    outbox = Outbox(lambda: None)
    for job in (1, 2, 3, 4):
        outbox.add(job, 1, STARTED)
        if job <= 3:
            sent(outbox)

    nothing = sent(outbox)
    outbox.acknowledge(1)
    (together,) = sent(outbox)

    assert nothing == []
    assert list(together.jobs) == [3, 4]


def test_a_new_stream_gets_again_what_was_not_recorded():
    outbox = filled(3 * REPORTS_MAX)
    before = sent(outbox)

    assert outbox.start_over(last_sequence=1)
    again = sent(outbox)

    assert again == before[1:]


def test_a_gap_after_what_was_recorded_is_noticed():
    outbox = filled(2 * REPORTS_MAX)
    sent(outbox)
    outbox.acknowledge(1)

    assert not outbox.start_over(last_sequence=0)
    outbox.renumber()
    assert outbox.start_over(last_sequence=0)
    assert [columns.sequence for columns in sent(outbox)] == [1]


def test_ends_that_are_not_durable_are_known_wherever_they_wait():
    outbox = filled(2 * REPORTS_MAX, COMPLETED)
    outbox.add(5_000, 3, STARTED)
    outbox.add(5_001, 4, COMPLETED)
    outbox.next_message()

    ends = dict(outbox.pending_ends())

    assert len(ends) == 2 * REPORTS_MAX + 1
    assert ends[5_001] == 4
    assert 5_000 not in ends


async def test_it_is_drained_when_everything_is_durable():
    outbox = filled(3)
    sent(outbox)
    drained = asyncio.ensure_future(outbox.drained())
    await asyncio.sleep(0)
    before = drained.done()

    outbox.acknowledge(1)
    await drained

    assert (before, outbox.is_empty) == (False, True)


async def test_what_can_wait_has_to_while_very_much_is_in_the_outbox():
    outbox = filled(30 * REPORTS_MAX)
    room = asyncio.ensure_future(outbox.room())
    await asyncio.sleep(0)
    before = room.done()

    for sequence in range(1, 31):
        sent(outbox)
        outbox.acknowledge(sequence)
    await room

    assert not before
