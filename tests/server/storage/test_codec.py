"""The bytes of the journal: whatever is recorded comes back as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from interlock.v1 import event_pb2
from interlock_server.core import apply
from interlock_server.core.change import Cause, ChangeBlock, Name
from interlock_server.core.fact import Fact, FactKind
from interlock_server.core.model.definition import (
    Completion,
    Definition,
    LossPolicy,
    Parameter,
    RestartAction,
    RestartBehavior,
)
from interlock_server.core.model.job import (
    Fault,
    HistoryEntry,
    Job,
    ResumeCondition,
    ResumeKind,
    StopStrategy,
)
from interlock_server.core.model.lock import Lock, LockKind
from interlock_server.core.model.named_event import NamedEvent, Raise
from interlock_server.core.model.operator_message import OperatorMessage
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.model.robot import Robot
from interlock_server.core.model.schedule import Firing, Schedule
from interlock_server.core.model.statistic import RunTimes
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.storage import codec
from interlock_server.storage.first_layout import FirstLayout

TEXTS = st.text(max_size=20)
NUMBERS = st.integers(0, 2**62)
CAUSES = st.builds(Cause, NUMBERS, st.integers(1, 10), TEXTS, TEXTS, TEXTS)
FAULTS = st.builds(Fault, TEXTS, TEXTS, TEXTS)
CONDITIONS = st.builds(ResumeCondition, st.sampled_from(ResumeKind), TEXTS, NUMBERS, st.booleans())
MESSAGES = st.builds(OperatorMessage, NUMBERS, NUMBERS, TEXTS, NUMBERS, reply=TEXTS)
HISTORY = st.lists(st.builds(HistoryEntry, NUMBERS, st.integers(1, 164), CAUSES), max_size=3)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(1, 100),
        "robot": TEXTS,
        "attached": st.booleans(),
        "fault": st.none() | FAULTS,
        "labels": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "conditions": st.lists(CONDITIONS, max_size=3).map(tuple),
        "messages": st.lists(MESSAGES, max_size=3).map(tuple),
        "stop_strategy": st.sampled_from(StopStrategy),
    },
)


def job_with(fields: dict[str, Any], entries: list[HistoryEntry] | None = None) -> Job:
    job = Job(7, 2, "load", 1, "default", 50, 1, 2, 3, entries=entries or [])
    for name, value in fields.items():
        setattr(job, name, value)
    return job


JOBS = st.builds(job_with, FIELDS, HISTORY)


@st.composite
def blocks(draw: st.DrawFn) -> ChangeBlock:
    count = draw(st.integers(1, 20))
    many = st.lists(st.integers(1, 2**31), min_size=count, max_size=count)
    one = st.integers(1, 5).map(lambda number: [number] * count)
    block = ChangeBlock(draw(st.integers(1, 2**40)), draw(CAUSES))
    block.jobs = draw(many)
    block.rows = bytearray(draw(st.binary(min_size=count, max_size=count)))
    block.definitions = draw(many | one)
    block.queues = draw(many | one)
    block.robots = draw(many | one)
    block.notes = draw(st.dictionaries(st.integers(0, count - 1), TEXTS, max_size=3))
    block.names = draw(
        st.lists(st.builds(Name, st.integers(1, 3), st.integers(1, 2**31), TEXTS), max_size=2)
    )
    block.continues = draw(st.booleans())
    return block


def told(block: ChangeBlock) -> tuple[object, ...]:
    return tuple(getattr(block, name) for name in ChangeBlock.__slots__)


@given(st.lists(blocks(), max_size=3))
def test_changes_come_back_as_they_were(written):
    found = codec.decode_blocks(codec.encode_blocks(written))

    assert [told(block) for block in found] == [told(block) for block in written]


@given(st.lists(blocks(), max_size=2), st.lists(blocks(), max_size=2))
def test_encodings_of_changes_can_be_joined(first, second):
    joined = codec.encode_blocks(first) + codec.encode_blocks(second)

    assert joined == codec.encode_blocks([*first, *second])
    assert len(event_pb2.ChangeColumns.FromString(joined).blocks) == len(first) + len(second)


@given(blocks())
def test_a_change_has_its_own_reason_or_that_of_its_block(written):
    (found,) = codec.decode_blocks(codec.encode_blocks([written]))

    for index in range(len(written)):
        assert found.reason(index) == written.notes.get(index, written.cause.reason)


@given(JOBS)
def test_a_job_comes_back_as_it_was(job):
    found = codec.decode_job(codec.encode_job(job))

    assert found.history == job.history
    assert structs.replace(found, entries=[]) == structs.replace(job, entries=[])
    assert codec.decode_job(codec.encode_without_history(job)).history == []
    assert codec.decode_history(codec.encode_history(job)) == job.history


@given(st.lists(JOBS, max_size=5), st.integers(10, 1_000))
def test_jobs_of_a_snapshot_come_back_in_slices_of_about_the_size_asked_for(jobs, size):
    rest = iter(jobs)
    slices = []
    while encoded := codec.encode_jobs(rest, size):
        slices.append(codec.decode_jobs(encoded))
        assert len(encoded) < size or len(encoded) - len(codec.encode_job(slices[-1][-1])) < size

    found = [job for part in slices for job in part]
    assert [codec.encode_job(job) for job in found] == [codec.encode_job(job) for job in jobs]


@given(JOBS)
def test_a_job_is_the_same_bytes_whether_its_history_is_packed_or_not(job):
    before = codec.encode_job(job)

    apply.rest(job)

    assert isinstance(job.entries, bytes)
    assert codec.encode_job(job) == before


@given(FIELDS)
def test_fields_of_a_job_come_back_with_their_types(fields):
    (found,) = codec.decode_facts(codec.encode_facts([Fact(1, FactKind.SET_JOB, 7, fields)]))

    assert found.value == fields
    for name, value in found.value.items():
        assert type(value) is type(fields[name])


FACTS = {
    FactKind.CREATE_JOB: job_with({"fault": Fault("X"), "parent": 3}),
    FactKind.SET_JOB: {"fault": Fault("X"), "messages": (OperatorMessage(1, 7, "?", 3),)},
    FactKind.FORGET_JOB: None,
    FactKind.PUT_DEFINITION: Definition(
        "load",
        2,
        parameters=(Parameter("bank", "string"),),
        on_robot_loss=LossPolicy.RERUN,
        completion=Completion.EXTERNAL,
    ),
    FactKind.DELETE_DEFINITION: None,
    FactKind.PUT_QUEUE: Queue("night", execution_size=2, held=True, held_by="planner"),
    FactKind.DELETE_QUEUE: None,
    FactKind.MOVE_QUEUE: "planner",
    FactKind.PUT_ROBOT: Robot("robot-1", 3, "i", ("load",), refused={4: [(0, 7, 51, "no", {})]}),
    FactKind.SET_SEQUENCE: (5, [(0, 7, 51, "no", {"status": "Running"})]),
    FactKind.DELETE_ROBOT: 9,
    FactKind.PUT_WINDOW: TimeWindow(
        "night", elements=(WindowElement((WindowRestriction("FREQ=DAILY", opens="22:00"),)),)
    ),
    FactKind.DELETE_WINDOW: None,
    FactKind.PUT_EVENT: NamedEvent("file", raises=(Raise(5, "user", "it is here"),)),
    FactKind.DELETE_EVENT: None,
    FactKind.PUT_LOCK: Lock("ledger", kind=LockKind.COUNTED, counts=3),
    FactKind.DELETE_LOCK: None,
    FactKind.PUT_SERVER: ProcessServer("sap", providers=(QueueProvider("night", hold_level=80),)),
    FactKind.DELETE_SERVER: None,
    FactKind.PUT_SCHEDULE: Schedule(
        "daily",
        "load",
        Recurrence(RecurrenceKind.CRON, "0 7 * * *"),
        recent=(Firing(5, "fired", (7,)),),
    ),
    FactKind.DELETE_SCHEDULE: None,
    FactKind.PUT_RUN_TIMES: RunTimes("load", 3, 900),
    FactKind.PUT_RESTART_DEFAULTS: (RestartBehavior(22, RestartAction.RESTART),),
    FactKind.REVIEW_STARTS: "planner",
    FactKind.DELETE_RUN_TIMES: None,
}


@pytest.mark.parametrize("kind", FactKind, ids=lambda kind: kind.name)
def test_every_kind_of_fact_comes_back_as_the_record_it_was(kind):
    written = Fact(12, int(kind), "key", FACTS[kind])

    (found,) = codec.decode_facts(codec.encode_facts([written]))

    assert found == written
    assert type(found.value) is type(written.value)


def test_nothing_is_written_for_no_facts_and_read_from_it():
    assert codec.encode_facts([]) == b""
    assert codec.decode_facts(b"") == []
    assert codec.decode_history(b"") == []


def test_a_record_of_an_older_release_has_the_defaults_of_fields_that_came_later():
    whole: list[object] = msgspec.msgpack.decode(codec.encode(job_with({})))

    found = codec.decode_job(msgspec.msgpack.encode(whole[:20]))

    assert found.id == 7
    assert found.history == []


@given(FIELDS, HISTORY)
def test_a_record_of_the_first_release_is_the_same_job(fields, history):
    old = structs.replace(
        FirstLayout(7, 2, "load", 1, "default", 50, 1, 2, 3), entries=history, **fields
    )

    assert codec.decode_job(msgspec.msgpack.encode(old)) == job_with(fields, history)


def test_a_job_that_the_first_release_created_is_the_same_job():
    old = FirstLayout(7, 2, "load", 1, "default", 50, 1, 2, 3, restarted_from=5, kill_by="ops")

    (found,) = codec.decode_facts(codec.encode_facts([Fact(1, FactKind.CREATE_JOB, 7, old)]))

    assert found.value == job_with({"restarted_from": 5, "kill_by": "ops"})


@pytest.mark.parametrize("damaged", [b"\xff", b"\x0a\x05ab", b"\x93\x01"])
@pytest.mark.parametrize(
    "decode", [codec.decode_job, codec.decode_facts, codec.decode_history, codec.decode_head]
)
def test_damaged_bytes_are_an_error_and_no_record(decode, damaged):
    with pytest.raises(msgspec.DecodeError):
        decode(damaged)
